"""Output of long work: killed anywhere, resumed, and never two at once."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from skemotion.cli import _journal
from skemotion.cli._journal import open_journal, refuse_finished

N_CHUNKS = 3
IDENTITY = {"command": "test"}
WHOLE = "".join(f"row {number}\n" for number in range(N_CHUNKS))


def targets_in(folder):
    return {"table": folder / "out.csv", "failed.csv": folder / "out.csv.failed"}


def work(folder, identity=IDENTITY, failures=False):
    """Write a table of some chunks, and perhaps what failed; return where it began."""
    with open_journal(targets_in(folder), identity) as journal:
        began = journal.n_done
        for number in range(began, N_CHUNKS):
            journal.write("table", f"row {number}\n".encode())
            journal.write_failures("failed.csv", {"a.wav": "bad"} if failures else {})
            journal.commit(1)
    return began


def killed_at(step, monkeypatch, folder, failures):
    """Do the work until the given call that changes files; tell if it got there."""
    calls = iter(range(step + 1))

    def until(function):
        def call(*args, **kwargs):
            if next(calls, None) is None:
                raise KeyboardInterrupt
            return function(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(_journal.os, "replace", until(os.replace))
        patch.setattr(Path, "unlink", until(Path.unlink))
        patch.setattr(Path, "touch", until(Path.touch))
        patch.setattr(Path, "rmdir", until(Path.rmdir))
        try:
            work(folder, failures=failures)
        except KeyboardInterrupt:
            return True
    return False


@pytest.mark.parametrize("failures", [False, True])
def test_a_kill_at_any_step_loses_nothing(tmp_path, monkeypatch, failures):
    n_steps = 0
    for step in range(100):
        folder = tmp_path / str(step)
        folder.mkdir()
        if not killed_at(step, monkeypatch, folder, failures):
            break
        n_steps += 1
        out = folder / "out.csv"
        if out.exists():  # never without the others, and whole
            assert out.read_text() == WHOLE
            assert (folder / "out.csv.failed").exists() == failures
        if not (out.exists() and not (folder / "out.csv.partial").exists()):
            if (folder / "out.csv.partial" / "state.json").exists():
                refuse_finished(out)
            elif out.exists():  # nothing is left to do but a folder
                continue
            work(folder, failures=failures)
        assert out.read_text() == WHOLE
        expected = ["out.csv", "out.csv.failed"] if failures else ["out.csv"]
        assert sorted(os.listdir(folder)) == expected
    assert 5 < n_steps < 99


def test_what_is_done_is_refused(tmp_path):
    assert work(tmp_path) == 0
    for refuses in (work, lambda folder: refuse_finished(folder / "out.csv")):
        with pytest.raises(FileExistsError, match=r"out\.csv exists: delete it"):
            refuses(tmp_path)
    assert os.listdir(tmp_path) == ["out.csv"]


def begin(folder, n_chunks=2):
    """Leave work that was killed after some chunks."""
    with (
        suppress(KeyboardInterrupt),
        open_journal(targets_in(folder), IDENTITY) as journal,
    ):
        for number in range(n_chunks):
            journal.write("table", f"row {number}\n".encode())
            journal.commit(1)
        raise KeyboardInterrupt


def test_other_work_is_not_gone_on_with(tmp_path):
    begin(tmp_path)
    with pytest.raises(ValueError, match="begun with other recordings"):
        work(tmp_path, {"command": "other"})
    assert work(tmp_path) == 2


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"not json",
        b"\xff",
        b'{"n_done": 2}',
        {"n_done": 1},
        {"n_done": 3},
        {"sizes": {"table": 6, "failed.csv": 0}},
        b"[" * 100_000,
        {"n_done": -1},
        {"n_done": 1.5},
        {"n_done": True},
        {"n_done": "2"},
        {"sizes": {}},
        {"sizes": {"table": 12}},
        {"sizes": {"table": -1, "failed.csv": 0}},
        {"sizes": {"table": 10**6, "failed.csv": 0}},
        {"sizes": {"table": "12", "failed.csv": 0}},
        {"identity": None},
    ],
)
def test_a_damaged_state_is_said_to_be_one(tmp_path, state):
    begin(tmp_path)
    path = tmp_path / "out.csv.partial" / "state.json"
    if isinstance(state, dict):
        state = json.dumps(json.loads(path.read_text()) | state).encode()
    path.write_bytes(state)
    with pytest.raises(ValueError, match=r"(is damaged|begun with other).*delete it"):
        work(tmp_path)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"pith,error\r\na.wav,bad\r\n",
        b'path,error\n"a.wav,bad\n',
        b"path,error\na.wav\n",
        b"\0" * 20,
        b"path,error\n" + b"x" * 140_000,
    ],
)
def test_a_damaged_table_of_failures_is_said_to_be_one(tmp_path, content):
    targets, end = targets_in(tmp_path), suppress(KeyboardInterrupt)
    with end, open_journal(targets, IDENTITY) as journal:
        journal.write("failed.csv", content)
        journal.commit(1)
        raise KeyboardInterrupt
    with (
        pytest.raises(ValueError, match=r"is damaged \(failed\.csv.*delete it"),
        open_journal(targets, IDENTITY) as journal,
    ):
        journal.read_failures("failed.csv")


def test_a_file_that_is_gone_is_damage(tmp_path):
    begin(tmp_path)
    (tmp_path / "out.csv.partial" / "table").unlink()
    with pytest.raises(ValueError, match="damaged \\(table is missing"):
        work(tmp_path)


SECOND = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_journal import work
work(Path(sys.argv[1]))
"""


def second_process(folder):
    code = SECOND.format(tests=str(Path(__file__).parent))
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no locks")
@pytest.mark.parametrize("moment", ["chunk", "replace"])
def test_a_second_process_is_kept_out_until_the_end(tmp_path, monkeypatch, moment):
    found = []

    def with_second(function):
        def call(*args, **kwargs):
            found.append(second_process(tmp_path))
            return function(*args, **kwargs)

        return call

    if moment == "chunk":
        commit = with_second(_journal.Journal.commit)
        monkeypatch.setattr(_journal.Journal, "commit", commit)
    else:  # while files are moved, too
        monkeypatch.setattr(_journal, "_move", with_second(_journal._move))
    work(tmp_path)
    assert found
    for done in found:
        assert done.returncode == 1
        assert "another process is at work" in done.stderr
    assert (tmp_path / "out.csv").read_text() == WHOLE
    assert os.listdir(tmp_path) == ["out.csv"]
