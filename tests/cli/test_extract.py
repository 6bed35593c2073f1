"""``skemotion extract``: what is written, and what a kill leaves."""

import csv
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skemotion import SpeechFeatureExtractor
from skemotion.cli import main
from skemotion.cli._journal import Journal

# The second that is extracted is enough for what is tested.
pytestmark = pytest.mark.filterwarnings(
    "ignore::skemotion.exceptions.TruncationWarning"
)

SHORT = ["--set", "duration=1.0"]


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def paths(corpus):
    return [str(path) for path in sorted(corpus.glob("*/*.wav"))[:10]]


@pytest.fixture
def listed(paths, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("\n".join(paths) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def expected(paths):
    return SpeechFeatureExtractor(duration=1.0).transform(paths)


def extract_list(listed, out, chunk_size=3):
    chunks = ["--chunk-size", str(chunk_size)]
    source = ["--files-from", str(listed), "--out", str(out)]
    return main(["extract", *source, *chunks, *SHORT])


def test_array_and_index(listed, paths, expected, tmp_path, capfd):
    assert extract_list(listed, tmp_path / "new" / "X.npy") == 0
    X = np.load(tmp_path / "new" / "X.npy", mmap_mode="r")
    assert X.dtype == np.float32
    np.testing.assert_allclose(X, expected, atol=1e-4)
    assert [row["path"] for row in read_rows(tmp_path / "new" / "X.csv")] == paths
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {"X.npy", "X.csv"}
    captured = capfd.readouterr()
    assert "(10 x 32 x 46, float32)" in captured.out
    assert captured.err == ""


def test_index_of_a_corpus_has_labels_and_speakers(corpus, tmp_path):
    table = tmp_path / "table.csv"
    rows = read_rows(corpus / "table.csv")[::10]
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    out = tmp_path / "X.npy"
    assert main(["extract", str(table), "--out", str(out), *SHORT]) == 0
    assert read_rows(tmp_path / "X.csv") == rows
    assert len(np.load(out)) == len(rows)


def test_bad_recordings_are_left_out_and_named(paths, expected, tmp_path, capfd):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")
    bad = [str(tmp_path / "gone.wav"), str(broken)]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join([*paths[:4], bad[0], *paths[4:], bad[1]]))
    assert extract_list(listed, tmp_path / "X.npy") == 1
    np.testing.assert_allclose(np.load(tmp_path / "X.npy"), expected, atol=1e-4)
    assert [row["path"] for row in read_rows(tmp_path / "X.csv")] == paths
    failed = read_rows(tmp_path / "X.failed.csv")
    assert [row["path"] for row in failed] == bad
    err = capfd.readouterr().err
    assert err.startswith("skemotion extract: error: 2 recordings cannot be read:")
    assert all(f"{row['path']}: {row['error']}" in err for row in failed)


def test_where_nothing_can_be_read_the_array_has_no_rows(tmp_path):
    (tmp_path / "list.txt").write_text("gone.wav\nlost.wav\n")
    assert extract_list(tmp_path / "list.txt", tmp_path / "X.npy") == 1
    assert np.load(tmp_path / "X.npy").shape == (0, 32, 46)
    assert len(read_rows(tmp_path / "X.failed.csv")) == 2


def interrupt(monkeypatch, after):
    """Let the work be interrupted in the chunk after the given number of them."""
    transform, calls = SpeechFeatureExtractor.transform, []

    def transform_until(self, X):
        calls.append(list(X))
        if len(calls) > after + 1:  # the first call is for the shape
            raise KeyboardInterrupt
        return transform(self, X)

    monkeypatch.setattr(SpeechFeatureExtractor, "transform", transform_until)
    return calls


def test_resumed_work_repeats_nothing(
    listed, paths, expected, tmp_path, monkeypatch, capfd
):
    out, partial = tmp_path / "X.npy", tmp_path / "X.npy.partial"
    with monkeypatch.context() as patch:
        interrupt(patch, after=2)
        assert extract_list(listed, out) == 130
    assert not out.exists()
    for torn in partial.glob("*.[nc]*"):  # what was written and not noted
        with open(torn, "ab") as file:
            file.write(b"half a row")
    capfd.readouterr()
    calls = interrupt(monkeypatch, after=100)
    assert extract_list(listed, out, chunk_size=4) == 0
    assert "resuming after 6 of 10" in capfd.readouterr().err
    assert [path for call in calls[1:] for path in call] == paths[6:]
    np.testing.assert_allclose(np.load(out), expected, atol=1e-4)
    assert [row["path"] for row in read_rows(tmp_path / "X.csv")] == paths
    assert not partial.exists()


@pytest.mark.parametrize("change", ["list", "parameters", "damage", "state"])
def test_other_work_is_not_mixed_in(change, listed, tmp_path, monkeypatch, capfd):
    out, partial = tmp_path / "X.npy", tmp_path / "X.npy.partial"
    with monkeypatch.context() as patch:
        interrupt(patch, after=2)
        assert extract_list(listed, out) == 130
    more = []
    if change == "list":
        listed.write_text(listed.read_text().replace("\n", "\nother.wav\n", 1))
    elif change == "parameters":
        more = ["--set", "n_mfcc=13"]
    elif change == "damage":
        (partial / "index.csv").write_text("")
    else:
        (partial / "state.json").write_text("{")
    capfd.readouterr()
    source = ["--files-from", str(listed), "--out", str(out)]
    assert main(["extract", *source, *SHORT, *more]) == 1
    assert re.search("begun with other|is damaged", capfd.readouterr().err)
    assert not out.exists()


def test_finished_work_is_not_done_again(listed, tmp_path, capfd):
    out = tmp_path / "X.npy"
    assert extract_list(listed, out) == 0
    for present in (out, tmp_path / "X.csv"):
        assert extract_list(listed, out) == 1
        assert f"{present} exists: delete it" in capfd.readouterr().err
        present.unlink()
    assert extract_list(listed, out) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no locks of fcntl")
def test_two_processes_do_not_share_the_work(listed, tmp_path, monkeypatch, capfd):
    codes = []
    commit = Journal.commit

    def commit_and_start_another(self, n_new):
        commit(self, n_new)
        monkeypatch.setattr(Journal, "commit", commit)
        codes.append(extract_list(listed, tmp_path / "X.npy"))

    monkeypatch.setattr(Journal, "commit", commit_and_start_another)
    assert extract_list(listed, tmp_path / "X.npy") == 0
    assert codes == [1]
    assert "another process is at work" in capfd.readouterr().err


KILLED_AT_THE_THIRD_CHUNK = """
import os, signal, sys
from skemotion.cli import main
from skemotion.cli._journal import Journal
write_rows, commits = Journal.write_rows, []
commit = Journal.commit
def noting(self, n_new):
    commit(self, n_new)
    commits.append(n_new)
def killing(self, name, rows):
    write_rows(self, name, rows)
    if len(commits) == 2:
        for file in self._files.values():
            file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
Journal.commit, Journal.write_rows = noting, killing
main(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_process_is_resumed(listed, paths, expected, tmp_path, capfd):
    source = ["--files-from", listed, "--out", tmp_path / "X.npy", "--chunk-size", "3"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_THE_THIRD_CHUNK, "extract", *source, *SHORT],
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert extract_list(listed, tmp_path / "X.npy") == 0
    assert "resuming after 6 of 10" in capfd.readouterr().err
    np.testing.assert_allclose(np.load(tmp_path / "X.npy"), expected, atol=1e-4)
    assert [row["path"] for row in read_rows(tmp_path / "X.csv")] == paths


def test_a_kill_between_the_last_moves(listed, expected, tmp_path, monkeypatch):
    replace = os.replace

    def replace_until(source, target):
        if Path(target).name == "X.npy":
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("skemotion.cli._journal.os.replace", replace_until)
        assert extract_list(listed, tmp_path / "X.npy") == 130
    assert (tmp_path / "X.csv").exists()
    assert not (tmp_path / "X.npy").exists()
    assert extract_list(listed, tmp_path / "X.npy") == 0
    np.testing.assert_allclose(np.load(tmp_path / "X.npy"), expected, atol=1e-4)
    assert len(read_rows(tmp_path / "X.csv")) == 10


def test_progress_shows_a_rate_and_an_estimate(listed, tmp_path, capfd):
    source = ["--files-from", str(listed), "--out", str(tmp_path / "X.npy")]
    assert main(["extract", *source, *SHORT, "--progress", "--chunk-size", "2"]) == 0
    err = capfd.readouterr().err
    assert re.search(r"10/10 \[\d\d:\d\d<\d\d:\d\d, +[\d.]+(rec/s|s/rec)\]", err)


def test_an_empty_list(tmp_path, capfd):
    (tmp_path / "list.txt").write_text("\n")
    assert extract_list(tmp_path / "list.txt", tmp_path / "X.npy") == 1
    assert "holds no recordings" in capfd.readouterr().err
