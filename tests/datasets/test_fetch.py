import hashlib
import io
import os
import pathlib
import sys
import threading
import time
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from sklearn.utils._param_validation import InvalidParameterError

from skemotion.datasets import (
    Archive,
    Corpus,
    _download,
    _fetch,
    fetch_corpus,
    fetch_emodb,
    get_data_home,
    load_emodb,
)
from skemotion.datasets._known import CORPORA

RECORDINGS = {
    "03a01Fa.wav": b"happy" * 100,
    "08b10Tb.wav": b"sad" * 100,
    "16a05Wa.wav": b"angry" * 100,
}
LISTENERS = b"Nr.\tSatz\terkannt\tnatuerlich\n1\t03a01Fa.wav\t90,00\t75,00\n"


class Server(ThreadingHTTPServer):
    """Answers each request with the next of its replies, the last one for ever."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies = []
        self.n_requests = 0
        self.url = f"http://127.0.0.1:{self.server_port}/download.zip"

    def reply(self, *replies):
        self.replies = list(replies)

    def next_reply(self):
        self.n_requests += 1
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class Slowly(bytes):
    """A body that is sent byte by byte."""

    def __iter__(self):
        for number in range(len(self)):
            time.sleep(0.01)
            yield self[number : number + 1]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        reply = self.server.next_reply()
        if isinstance(reply, int):
            self.send_error(reply)
            return
        body, n_promised = reply if isinstance(reply, tuple) else (reply, len(reply))
        self.send_response(200)
        if n_promised is not None:
            self.send_header("Content-Length", str(n_promised))
        self.end_headers()
        with suppress(ConnectionError):  # who asked has left
            for block in body if isinstance(body, Slowly) else [body]:
                self.wfile.write(block)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def small_corpus(monkeypatch):
    """Let EMO-DB be three made-up recordings."""
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in RECORDINGS.items()}
    change_archive(
        monkeypatch,
        files={f"wav/{name}": digest for name, digest in sums.items()},
        documents={"erkennung.txt": hashlib.sha256(LISTENERS).hexdigest()},
    )


def change_archive(monkeypatch, **changes):
    emodb = CORPORA["emodb"]
    archive = replace(emodb.archive, **changes)
    small = replace(emodb, n_recordings=len(archive.files), archive=archive)
    monkeypatch.setitem(CORPORA, "emodb", small)


CORPUS = {f"wav/{name}": data for name, data in RECORDINGS.items()} | {
    "erkennung.txt": LISTENERS
}


def make_archive(members=CORPUS, compression=zipfile.ZIP_STORED):
    """Zip the made-up corpus, or other members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def assert_nothing_left(data_home):
    assert os.listdir(data_home) == []


def test_data_home_from_argument_environment_or_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKEMOTION_DATA", str(tmp_path / "environment"))
    assert get_data_home(tmp_path / "argument") == str(tmp_path / "argument")
    assert get_data_home() == str(tmp_path / "environment")
    monkeypatch.delenv("SKEMOTION_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert get_data_home() == str(tmp_path / "skemotion_data")
    assert get_data_home("~/mine") == str(tmp_path / "mine")
    assert sorted(os.listdir(tmp_path)) == [
        "argument",
        "environment",
        "mine",
        "skemotion_data",
    ]


@pytest.mark.usefixtures("small_corpus")
def test_fetch_downloads_once(server, tmp_path):
    server.reply(make_archive())
    data = fetch_emodb(tmp_path, url=server.url)
    again = fetch_emodb(tmp_path, download_if_missing=False, language="de")
    assert server.n_requests == 1
    assert data.paths.tolist() == [
        str(tmp_path / "emodb" / "wav" / name) for name in sorted(RECORDINGS)
    ]
    assert data.target.tolist() == ["happiness", "sadness", "anger"]
    assert again.target.tolist() == ["freude", "trauer", "wut"]
    np.testing.assert_array_equal(data.recognition, [0.9, np.nan, np.nan])
    assert os.listdir(tmp_path) == ["emodb"]


@pytest.mark.usefixtures("small_corpus")
def test_no_output_unless_on_a_terminal(server, tmp_path, capfd):
    server.reply(make_archive())
    fetch_emodb(tmp_path, url=server.url)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("small_corpus")
def test_progress_on_a_terminal(server, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    server.reply(make_archive())
    fetch_emodb(tmp_path, url=server.url)
    output, progress = capsys.readouterr()
    assert output == ""
    assert "100%" in progress


@pytest.mark.usefixtures("small_corpus")
def test_download_not_wanted(server, tmp_path):
    with pytest.raises(OSError, match="download_if_missing is False"):
        fetch_emodb(tmp_path, download_if_missing=False, url=server.url)
    assert server.n_requests == 0


@pytest.mark.parametrize(
    "options", [{"language": "deutsch"}, {"n_retries": -1}, {"delay": -1.0}]
)
def test_parameters_are_checked_before_the_download(server, tmp_path, options):
    with pytest.raises(InvalidParameterError):
        fetch_emodb(tmp_path, url=server.url, **options)
    assert server.n_requests == 0


@pytest.mark.usefixtures("small_corpus")
def test_only_known_members_are_unpacked(server, tmp_path):
    members = {f"wav/{name}": data for name, data in RECORDINGS.items()}
    foreign = ["../evil.txt", "wav/../../evil.txt", "/evil.txt", "wav/evil.wav", "a/b"]
    server.reply(make_archive(members | dict.fromkeys(foreign, b"evil")))
    fetch_emodb(tmp_path / "home", url=server.url)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == sorted(RECORDINGS)


@pytest.mark.usefixtures("small_corpus")
def test_server_failures_are_tried_again(server, tmp_path):
    archive = make_archive()
    server.reply(500, (archive[:-10], len(archive)), archive)
    with pytest.warns(UserWarning, match="trying again") as caught:
        data = fetch_emodb(tmp_path, url=server.url, n_retries=2, delay=0)
    assert len(caught) == 2
    assert {warning.filename for warning in caught} == {__file__}
    assert server.n_requests == 3
    assert len(data.paths) == 3


@pytest.mark.usefixtures("small_corpus")
@pytest.mark.filterwarnings("ignore:The download of:UserWarning")
@pytest.mark.parametrize(
    ("n_retries", "status", "n_requests"), [(0, 503, 1), (2, 503, 3), (2, 404, 1)]
)
def test_retries_end(server, tmp_path, n_retries, status, n_requests):
    server.reply(status)
    with pytest.raises(OSError, match=f"{status}.*load_emodb"):
        fetch_emodb(tmp_path, url=server.url, n_retries=n_retries, delay=0)
    assert server.n_requests == n_requests
    assert_nothing_left(tmp_path)


@pytest.mark.usefixtures("small_corpus")
def test_no_server(server, tmp_path):
    server.server_close()
    with pytest.raises(OSError, match=r"could not be fetched from http://127.0.0.1"):
        fetch_emodb(tmp_path, url=server.url, n_retries=0)
    assert_nothing_left(tmp_path)


def corrupt_member(archive):
    """Change one byte of the first recording's content."""
    return archive.replace(b"happyhappy", b"happyhippy", 1)


@pytest.mark.usefixtures("small_corpus")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>moved</html>", "no zip file"),
        (b"", "no zip file"),
        (make_archive()[:200], "truncated"),
        (corrupt_member(make_archive()), r"damaged .*wav/03a01Fa.wav"),
        (make_archive({}), r"3 of 3 recordings missing: 03a01Fa.wav, 08b10Tb.wav"),
        (
            make_archive({"wav/03a01Fa.wav": b"sad", "wav/08b10Tb.wav": b"sad" * 100}),
            "missing: 16a05Wa.wav; 1 of 3 recordings damaged: 03a01Fa.wav",
        ),
    ],
    ids=["html", "empty", "truncated", "corrupt", "none", "missing and wrong"],
)
def test_bad_archive_is_refused_at_once(server, tmp_path, body, message):
    server.reply(body)
    with pytest.raises(OSError, match=message) as caught:
        fetch_emodb(tmp_path, url=server.url)
    assert "load_emodb" in str(caught.value)
    assert server.n_requests == 1
    assert_nothing_left(tmp_path)


@pytest.mark.usefixtures("small_corpus")
def test_interrupted_unpacking_leaves_nothing(server, tmp_path, monkeypatch):
    open_member = zipfile.ZipFile.open

    def interrupted(archive, name):
        if name.endswith("08b10Tb.wav"):
            raise KeyboardInterrupt
        return open_member(archive, name)

    server.reply(make_archive())
    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "open", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch_emodb(tmp_path, url=server.url)
    assert_nothing_left(tmp_path)
    assert len(fetch_emodb(tmp_path, url=server.url).paths) == 3


@pytest.mark.usefixtures("small_corpus")
def test_leftovers_of_a_killed_process_are_no_corpus(server, tmp_path):
    leftover = tmp_path / "emodb-part-killed" / "emodb" / "wav"
    leftover.mkdir(parents=True)
    for name, data in RECORDINGS.items():
        (leftover / name).write_bytes(data)
    with pytest.raises(OSError, match="download_if_missing is False"):
        fetch_emodb(tmp_path, download_if_missing=False)
    server.reply(make_archive())
    assert len(fetch_emodb(tmp_path, url=server.url).paths) == 3


@pytest.mark.usefixtures("small_corpus")
@pytest.mark.parametrize("download_if_missing", [True, False])
def test_damaged_corpus_is_neither_loaded_nor_deleted(
    server, tmp_path, download_if_missing
):
    server.reply(make_archive())
    paths = fetch_emodb(tmp_path, url=server.url).paths
    os.remove(paths[0])
    with open(paths[1], "ab") as file:
        file.write(b"!")
    with pytest.raises(OSError, match=r"missing: 03a.*damaged: 08b.*Delete it"):
        fetch_emodb(tmp_path, download_if_missing=download_if_missing, url=server.url)
    assert server.n_requests == 1
    assert os.path.exists(paths[1])


@pytest.mark.usefixtures("small_corpus")
def test_fetching_at_the_same_time(server, tmp_path, monkeypatch):
    """All find nothing and download; whoever comes late keeps the first one's."""
    n_fetching = 3
    all_unpacked = threading.Barrier(n_fetching, timeout=60)
    put_in_place = _fetch._put_in_place

    def wait_and_put_in_place(*args):
        all_unpacked.wait()
        put_in_place(*args)

    monkeypatch.setattr(_fetch, "_put_in_place", wait_and_put_in_place)
    server.reply(make_archive())
    with ThreadPoolExecutor(n_fetching) as pool:
        fetched = pool.map(
            lambda _: fetch_emodb(tmp_path, url=server.url), range(n_fetching)
        )
        assert [len(data.paths) for data in fetched] == [3] * n_fetching
    assert server.n_requests == n_fetching
    assert os.listdir(tmp_path) == ["emodb"]


@pytest.mark.usefixtures("small_corpus")
def test_something_else_in_the_way(server, tmp_path, monkeypatch):
    put_in_place = _fetch._put_in_place

    def put_in_place_late(new, folder, sums):
        (folder / "mine").mkdir(parents=True)
        put_in_place(new, folder, sums)

    monkeypatch.setattr(_fetch, "_put_in_place", put_in_place_late)
    server.reply(make_archive())
    with pytest.raises(OSError, match="emodb"):
        fetch_emodb(tmp_path, url=server.url)
    assert os.listdir(tmp_path / "emodb") == ["mine"]


@pytest.mark.usefixtures("small_corpus")
def test_a_dictionary_that_no_memory_holds(server, tmp_path, monkeypatch):
    def ask_for_it(*args):
        raise MemoryError

    monkeypatch.setattr(zipfile.LZMADecompressor, "decompress", ask_for_it)
    server.reply(make_archive(compression=zipfile.ZIP_LZMA))
    with pytest.raises(OSError, match="damaged or no zip file"):
        fetch_emodb(tmp_path, url=server.url)
    assert_nothing_left(tmp_path)


@pytest.mark.usefixtures("small_corpus")
@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_damage_in_other_compressions(server, tmp_path, compression):
    body = bytearray(make_archive(compression=compression))
    body[60:80] = bytes(20)
    server.reply(bytes(body))
    with pytest.raises(OSError, match=r"damaged or no zip file \(wav/03a01Fa.wav"):
        fetch_emodb(tmp_path, url=server.url)
    assert_nothing_left(tmp_path)


@pytest.mark.usefixtures("small_corpus")
def test_a_member_that_grows_is_not_read_whole(server, tmp_path):
    bomb = CORPUS | {"wav/03a01Fa.wav": bytes(10**8)}
    server.reply(make_archive(bomb, zipfile.ZIP_DEFLATED))
    tracemalloc.start()
    with pytest.raises(OSError, match="larger than any recording"):
        fetch_emodb(tmp_path, url=server.url)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10**7


@pytest.mark.usefixtures("small_corpus")
@pytest.mark.parametrize("promised", [2**27, 200, None])
def test_a_body_that_is_too_long_is_not_taken(server, tmp_path, promised, monkeypatch):
    change_archive(monkeypatch, size=10**5)
    body = bytes(2 * 10**5)
    server.reply((body, promised))
    with pytest.raises(OSError, match=r"could not be fetched"):
        fetch_emodb(tmp_path, url=server.url, n_retries=0)
    assert server.n_requests == 1
    assert_nothing_left(tmp_path)


@pytest.mark.usefixtures("small_corpus")
def test_a_body_that_comes_too_slowly_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(_download, "_PATIENCE", 0.1)
    server.reply(Slowly(make_archive()))
    with pytest.raises(OSError, match=r"bytes a second, too few to end"):
        fetch_emodb(tmp_path, url=server.url, n_retries=0)
    assert_nothing_left(tmp_path)


@pytest.mark.usefixtures("small_corpus")
@pytest.mark.parametrize("promised", ["many", "-1", "1e3", "9" * 5000])
def test_what_is_verified_needs_no_length(server, tmp_path, promised):
    server.reply((make_archive(), promised))
    assert len(fetch_emodb(tmp_path, url=server.url, n_retries=0).paths) == 3


@pytest.mark.parametrize(
    "url",
    [
        "http://" + "a" * 70 + ".example/",
        "http://[::1",
        "http://host:port/",
        "http:///download.zip",
        "ftp://127.0.0.1/download.zip",
        "no address",
        "http://\udcff/",
        "http://127.0.0.1:99999/",
    ],
)
def test_bad_addresses_are_one_kind_of_error(tmp_path, url):
    with pytest.raises(OSError, match="could not be fetched"):
        fetch_emodb(tmp_path, url=url, n_retries=0)
    assert_nothing_left(tmp_path)


def test_no_home(monkeypatch):
    monkeypatch.delenv("SKEMOTION_DATA", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    keeper = getattr(pathlib, "_NormalAccessor", None)  # of Python 3.10
    if keeper is not None:
        monkeypatch.setattr(keeper, "expanduser", lambda self, path: path)
    with pytest.raises(OSError, match="set the environment variable SKEMOTION_DATA"):
        get_data_home()


@pytest.mark.usefixtures("small_corpus")
def test_other_judgements_of_listeners_are_left_out(server, tmp_path):
    server.reply(make_archive(CORPUS | {"erkennung.txt": LISTENERS + b"\n"}))
    with pytest.warns(UserWarning, match=r"erkennung\.txt .* is left out"):
        data = fetch_emodb(tmp_path, url=server.url)
    assert len(data.paths) == 3
    assert not (tmp_path / "emodb" / "erkennung.txt").exists()


@pytest.mark.usefixtures("small_corpus")
def test_the_next_address_serves(server, tmp_path, monkeypatch):
    other = server.url.replace("http:", "https:")
    change_archive(monkeypatch, urls=(other, server.url))
    server.reply(make_archive())
    assert len(fetch_emodb(tmp_path).paths) == 3


def test_sums_of_the_whole_corpus_ship_with_the_package():
    sums = CORPORA["emodb"].archive.files
    assert len(sums) == 535
    assert all(len(digest) == 64 for digest in sums.values())


@pytest.mark.emodb
def test_whole_corpus(server, tmp_path, emodb_path):
    original = load_emodb(emodb_path)
    members = {
        f"wav/{path.name}": path.read_bytes() for path in map(Path, original.paths)
    }
    members["erkennung.txt"] = (emodb_path / "erkennung.txt").read_bytes()
    server.reply(make_archive(members))
    data = fetch_emodb(tmp_path, url=server.url)
    assert data.paths.shape == (535,)
    for name in ["target", "speakers", "texts", "recognition"]:
        np.testing.assert_array_equal(data[name], original[name])
    assert server.n_requests == 1
    fetch_emodb(tmp_path, download_if_missing=False)


STUDIO = {
    "speech/anna/anger_1.wav": b"loud" * 100,
    "speech/anna/sadness_1.wav": b"faint" * 100,
    "speech/bert/anger_1.flac": b"louder" * 100,
}


def parse(path):
    emotion, found, _ = path.stem.partition("_")
    return {"label": emotion, "speaker": path.parent.name} if found else None


def studio(body, **changes):
    """A corpus of one's own, of which nothing but the archive's sum is known."""
    checksum = "md5:" + hashlib.md5(body).hexdigest()
    archive = Archive(["http://127.0.0.1:9/a.zip"], len(body), checksum)
    return Corpus("studio", parse, folder="speech", archive=archive, **changes)


def test_a_corpus_of_which_the_archive_alone_is_verified(server, tmp_path, capfd):
    others = ["../anger_1.wav", "/anger_1.wav", "speech/../../anger_1.wav", "speech/x"]
    others += ["speech/._anger_1.wav", "other/anger_1.wav", "speech/take.wav"]
    body = make_archive(STUDIO | dict.fromkeys(others, b"other"))
    corpus = studio(body, n_recordings=3)
    server.reply(body)
    data = fetch_corpus(corpus, tmp_path / "home", url=server.url)
    again = fetch_corpus(corpus, tmp_path / "home", download_if_missing=False)
    assert server.n_requests == 1
    assert data.paths.tolist() == again.paths.tolist()
    assert data.paths.tolist() == [str(tmp_path / "home/studio" / n) for n in STUDIO]
    assert data.target.tolist() == ["anger", "sadness", "anger"]
    assert data.speakers.tolist() == ["anna", "anna", "bert"]
    files = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    names = [Path(name).name for name in STUDIO]
    assert sorted(files) == sorted([*names, "SHA256SUMS"])
    assert capfd.readouterr() == ("", "")
    os.remove(data.paths[0])
    Path(data.paths[1]).write_bytes(b"!")
    with pytest.raises(OSError, match=r"1 of 3 .* missing: anger_1.*damaged: sad"):
        fetch_corpus(corpus, tmp_path / "home")
    (tmp_path / "home/studio/SHA256SUMS").unlink()
    with pytest.raises(OSError, match=r"no file SHA256SUMS.*put there in another way"):
        fetch_corpus(corpus, tmp_path / "home")


def test_another_archive_is_refused_at_once(server, tmp_path):
    body = make_archive(STUDIO)
    corpus = studio(body)
    server.reply(body.replace(b"louder", b"luuder", 1))
    with pytest.raises(OSError, match=r"another file .*load_corpus\('studio'\)"):
        fetch_corpus(corpus, tmp_path, url=server.url)
    assert server.n_requests == 1
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("n_recordings", "members", "message"),
    [(4, STUDIO, "3 of 4"), (None, {"speech/a.txt": b""}, "0 of 1 recordings")],
)
def test_an_archive_without_all_recordings(
    server, tmp_path, n_recordings, members, message
):
    body = make_archive(members)
    server.reply(body)
    with pytest.raises(OSError, match=f"not that of the corpus, {message}"):
        fetch_corpus(studio(body, n_recordings=n_recordings), tmp_path, url=server.url)
    assert_nothing_left(tmp_path)


def test_a_parser_that_fails_leaves_nothing(server, tmp_path):
    body = make_archive(STUDIO)
    corpus = replace(studio(body), parse=lambda path: {"label": path.name[99]})
    server.reply(body)
    with pytest.raises(ValueError, match=r"'studio' fails for 'anna.anger_1\.wav'"):
        fetch_corpus(corpus, tmp_path, url=server.url)
    assert_nothing_left(tmp_path)


def test_without_an_archive_nothing_is_fetched(tmp_path):
    with pytest.raises(ValueError, match=r"has no archive .* load_corpus"):
        fetch_corpus(Corpus("mine", parse), tmp_path)
    with pytest.raises(ValueError, match=r"No corpus is called 'mine'; known are"):
        fetch_corpus("mine", tmp_path)


def test_pooch_goes_on_telling_others_what_it_does(server, tmp_path):
    import logging

    import pooch

    told = []
    handler = logging.Handler()
    handler.emit = told.append
    logger = pooch.get_logger()
    logger.addHandler(handler)
    try:
        body = make_archive(STUDIO)
        server.reply(body)
        fetch_corpus(studio(body), tmp_path, url=server.url)
        assert told == []
        logger.info("others")
        assert len(told) == 1
    finally:
        logger.removeHandler(handler)
