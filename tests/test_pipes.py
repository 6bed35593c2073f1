"""Pipes and devices where a file is wanted: refused, and never waited for."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from skemotion import load_model
from skemotion.cli import main
from skemotion.datasets import load_recordings
from skemotion.runtime import load_exported

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs")


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Raise where a test waits for what never comes."""

    def give_up(number, frame):
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=["pipe.csv", "/dev/zero"])
def endless(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", np.zeros(16000), 16000)
    os.mkfifo("pipe.csv")
    return request.param


@pytest.mark.parametrize("load", [load_model, load_exported, load_recordings])
def test_files_of_python(load, endless):
    with pytest.raises(OSError, match=f"'{endless}' is a pipe or a device, not a file"):
        load(endless)


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "a.wav", "-m"],
        ["predict", "--files-from"],
        ["extract", "-o", "x.npy", "--files-from"],
        ["adapt", "-o", "x.skemotion", "--files-from"],
        ["timeline", "--files-from"],
        ["export", "-o", "x.onnx"],
        ["check"],
        ["train", "-o", "x.joblib"],
        ["evaluate"],
        ["report", "-o", "page"],
    ],
)
def test_files_of_commands(arguments, endless, capfd):
    assert main([*arguments, endless]) == 1
    assert "is a pipe or a device, not a file" in capfd.readouterr().err
    assert sorted(os.listdir()) == ["a.wav", "pipe.csv"]


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_lists_from_other_commands_are_read(name, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    done = subprocess.run(
        [sys.executable, "-m", "skemotion", "predict", "--files-from", name],
        input="a.wav\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (1, "a.wav\t\t\tno speech\n")
