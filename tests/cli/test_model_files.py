"""Which files of models are loaded, and how."""

import os
import pickle
import shutil
from pathlib import Path

import joblib
import pytest

from skemotion.cli import main
from skemotion.cli._model_files import check_new_model, read_model
from skemotion.persistence import save_model


class Payload:
    """What writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "name",
    [
        "evil.skemotion",
        "evil.SKEMOTION",
        "evil.joblib.skemotion",
        "evil",
        "evil.bin",
        "evil.zip",
        "evil.model",
        "joblib",
        ".joblib.txt",
    ],
)
@pytest.mark.parametrize("dump", [joblib.dump, "gzip", "plain"])
def test_nothing_is_unpickled_that_is_not_called_so(name, dump, tmp_path, capfd):
    path, ran = tmp_path / name, tmp_path / "ran"
    if dump == "plain":
        path.write_bytes(pickle.dumps(Payload(ran)))
    else:
        joblib.dump(Payload(ran), path, compress=("gzip", 3) if dump == "gzip" else 0)
    for command in (["predict"], ["timeline"], ["adapt", "-o", "x.joblib"]):
        assert main([*command, "-m", str(path), "a.wav"]) == 1
        assert str(path) in capfd.readouterr().err
    assert not ran.exists()


def test_a_bundle_is_one_by_any_name(model, tmp_path):
    save_model(joblib.load(model), tmp_path / "a.skemotion")
    for name in ("a.zip", "a", "a.joblib"):
        shutil.copy(tmp_path / "a.skemotion", tmp_path / name)
        assert read_model(tmp_path / name).classes_.tolist()


@pytest.mark.parametrize("name", ["m.joblib", "m.JOBLIB", "m.pkl", "m.joblib.gz"])
def test_files_of_joblib(model, tmp_path, name):
    joblib.dump(joblib.load(model), tmp_path / name)
    assert read_model(tmp_path / name).classes_.tolist()
    check_new_model(tmp_path / f"new-{name}")


@pytest.mark.parametrize("command", ["train", "adapt"])
def test_what_could_not_be_loaded_is_not_written(command, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model", "model.bin", "joblib"):
        assert main([command, "corpus", "-o", name]) == 1
        assert f"the name of {name} does not tell" in capfd.readouterr().err
    assert os.listdir(tmp_path) == []
