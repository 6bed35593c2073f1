"""Faults of the machine: a slice of what ``benchmarks/reliability_faults.py`` tries."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
import scipy
from sklearn.utils.fixes import parse_version

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it forks")
SCRIPT = Path(__file__).parents[1] / "benchmarks" / "reliability_faults.py"


@pytest.mark.skipif(
    parse_version(scipy.__version__) < parse_version("1.13"),
    reason="where memory is refused to the OpenBLAS of this SciPy, it hangs",
)
def test_a_slice_of_faults_leaves_nothing_half_written():
    # In a process without threads, of which it makes many forks.
    done = subprocess.run(
        [sys.executable, SCRIPT, "--slice", "--most", "1"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


WORK = """
import sys
from skemotion.feature_extraction import _extraction
_extraction._MANY_RECORDINGS = 1
from skemotion.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def at_work(tmp_path):
    """A process with two workers, and these; all are ended after the test."""
    from skemotion.datasets import make_emotional_speech

    speech = make_emotional_speech(
        n_speakers=1, n_texts=1, folder=tmp_path / "speech", random_state=0
    )
    names = tmp_path / "names.txt"
    names.write_text("\n".join(list(speech.paths) * 400))
    arguments = ["extract", "--files-from", str(names), "-o", "out.npy"]
    arguments += ["--n-jobs", "2", "--chunk-size", "5000", "--cache", "cache"]
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    workers = wait_for(lambda: len(found := workers_of(process.pid)) == 2 and found)
    # A worker that does not work yet ends when it has waited for some minutes.
    wait_for(lambda: sum(1 for _ in tmp_path.glob("cache/*/*/*.features")) > 5)
    yield process, workers
    for pid in [process.pid, *workers]:
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


def wait_for(ask):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := ask():
            return found
        time.sleep(0.05)
    raise TimeoutError


def workers_of(pid):
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == pid and b"popen_loky" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def is_running(pid):
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False


def test_a_worker_that_dies_is_said_to_have(at_work):
    process, workers = at_work
    os.kill(workers[0], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("skemotion extract: error: a worker process has died")
    assert "(n_jobs)" in err
    assert len(err.splitlines()) == 1
    wait_for(lambda: not any(map(is_running, workers)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_parent(at_work, number):
    process, workers = at_work
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=60)
    if number == signal.SIGTERM:
        assert process.returncode == 128 + number
        assert err == "skemotion extract: stopped by SIGTERM\n"
    wait_for(lambda: not any(map(is_running, workers)))


FOLDS = """
import os, sys, time
import numpy as np
from skemotion.cli import _evaluating, main
from skemotion.cli._folds import Fold
from skemotion.cli._trials import RecipeTrial

class Trial(RecipeTrial):  # the first fold ends at once, others when they are let
    def extract(self, *part):
        pass

    def run(self, number, features):
        while number > 0 and os.path.exists("wait"):
            time.sleep(0.05)
        test = self.parts[number]
        shape = len(test), len(self.classes)
        return Fold(test, np.full(shape, 1 / shape[1]), np.zeros(len(test), bool))

_evaluating.prepare_trial = Trial
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("to_all", [True, False], ids=["Ctrl-C", "a dying worker"])
def test_folds_side_by_side_are_resumed_side_by_side(to_all, tmp_path):
    from skemotion.datasets import make_emotional_speech

    speech = make_emotional_speech(
        n_speakers=4, n_texts=1, folder=tmp_path / "speech", random_state=0
    )
    rows = zip(speech.paths, speech.target, speech.speakers, strict=True)
    lines = ["path,label,speaker", *map(",".join, rows)]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    arguments = ["evaluate", "table.csv", "--n-jobs", "2", "-o", "out.csv"]

    def start():
        return subprocess.Popen(
            [sys.executable, "-c", FOLDS, *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    (tmp_path / "wait").touch()
    process = start()
    try:
        wait_for(lambda: list(tmp_path.glob("out.csv.partial/*/0000.fold")))
        workers = workers_of(process.pid)
        assert len(workers) == 2
        if to_all:  # as a terminal does
            os.killpg(process.pid, signal.SIGINT)
        else:
            os.kill(workers[0], signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        wait_for(lambda: not any(map(is_running, workers)))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    said = "interrupted" if to_all else "error: a worker process has died"
    assert err.startswith(f"skemotion evaluate: {said}")
    assert len(err.splitlines()) == 1
    assert process.returncode == (130 if to_all else 1)

    (tmp_path / "wait").unlink()
    resumed = start()
    out, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, err
    assert "1 of 4 folds" in out + err
    assert "2 folds at a time" in out
    assert (tmp_path / "out.csv").read_text().count("\n") == 1 + 28
    assert not (tmp_path / "out.csv.partial").exists()


def test_temporary_files_are_private_and_go_away(tmp_path):
    from skemotion._files import atomic_path

    target = tmp_path / ("n" * 250 + ".json")
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert temporary.parent.parent == tmp_path
        assert stat.S_IMODE(temporary.parent.stat().st_mode) == 0o700
        assert not target.exists()
    assert os.listdir(tmp_path) == [target.name]
    target.chmod(0o600)
    with atomic_path(target) as temporary:
        temporary.write_text("newer")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("late", [False, True], ids=["unopened", "unlocked"])
def test_a_folder_that_others_have_swept_away_is_made_again(
    late, tmp_path, monkeypatch
):
    from skemotion import _files

    swept = []

    def sweep_first(folder):
        if not swept:
            os.rmdir(folder)
            swept.append(folder)
        return folder

    def make(*args, make=tempfile.mkdtemp, **kwargs):
        return sweep_first(make(*args, **kwargs))

    def lock(handle, lock=_files.try_lock, **kwargs):
        sweep_first(*tmp_path.glob(".skemotion-*"))
        return lock(handle, **kwargs)

    if late:
        monkeypatch.setattr(_files, "try_lock", lock)
    else:
        monkeypatch.setattr(tempfile, "mkdtemp", make)
    _files.write_file(tmp_path / "target", b"new")
    assert len(swept) == 1
    assert os.listdir(tmp_path) == ["target"]
    with pytest.raises(FileNotFoundError, match="gone"):
        _files.write_file(tmp_path / "gone" / "target", b"new")


def test_what_killed_processes_have_left_is_deleted_and_nothing_else(tmp_path):
    from skemotion._files import atomic_path

    left, foreign = tmp_path / ".skemotion-left", tmp_path / ".mine"
    left.mkdir()
    (left / "half").touch()
    foreign.mkdir()
    with atomic_path(tmp_path / "other") as other:
        other.touch()
        with atomic_path(tmp_path / "new") as temporary:
            temporary.touch()
        assert other.exists()  # of a process that is at work
    assert sorted(os.listdir(tmp_path)) == [".mine", "new", "other"]


def test_no_device_is_replaced(tmp_path):
    from skemotion._files import atomic_path

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with (
        pytest.raises(FileExistsError, match="pipe is no regular file"),
        atomic_path(pipe) as temporary,
    ):
        temporary.touch()
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("parent", "error"), [("missing", FileNotFoundError), ("file", NotADirectoryError)]
)
def test_errors_name_the_target(tmp_path, parent, error):
    from skemotion._files import atomic_path

    (tmp_path / "file").touch()
    target = tmp_path / parent / "x.json"
    with pytest.raises(error) as caught, atomic_path(target):
        pass
    assert caught.value.filename == str(target)


def test_foreign_files_in_a_folder_of_unfinished_work_stay(tmp_path, capfd):
    from skemotion.cli import main
    from skemotion.datasets import make_emotional_speech

    make_emotional_speech(
        n_speakers=1, n_texts=1, folder=tmp_path / "speech", random_state=0
    )
    mine = tmp_path / "x.npy.partial" / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    command = ["extract", str(tmp_path / "speech"), "-o", str(tmp_path / "x.npy")]
    assert main(command) == 1
    assert "holds notes.txt: move it" in capfd.readouterr().err
    assert mine.read_text() == "mine"
    assert not (tmp_path / "x.npy").exists()
