"""``skemotion train --checkpoint``: killed, and gone on with."""

import warnings

import joblib
import pytest

from skemotion import load_model
from skemotion.cli import main
from skemotion.cli._journal import alone_in
from skemotion.exceptions import CheckpointWarning
from skemotion.networks import _keeping


@pytest.fixture
def train(corpus, tiny, tmp_path):
    """A function that trains, and returns the bytes of the model."""

    def run(name, *options):
        options = [*tiny, "--set", "classify__epochs=4", *options]
        path = tmp_path / name
        code = main(["train", str(corpus / "table.csv"), "-o", str(path), *options])
        return path.read_bytes() if code == 0 else code

    return run


@pytest.fixture
def kept(monkeypatch):
    """The places at which a training was kept; at the fifth, it is interrupted."""
    monkeypatch.setattr(_keeping, "SECONDS", 0.0)
    monkeypatch.setattr(_keeping, "_MAX_SHARE", 1e9)
    keep, places = _keeping.Keeper.keep, []

    def note(self, model, callbacks, place):
        keep(self, model, callbacks, place)
        if self._checkpoint is None:  # a rehearsal
            return
        places.append((place.epoch, place.batch))
        if len(places) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(_keeping.Keeper, "keep", note)
    return places


def test_an_interrupted_training_ends_like_another(train, kept, tmp_path, capfd):
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    assert train("a.skemotion", "--checkpoint", str(folder)) == 130
    assert len(list(folder.glob("*.checkpoint"))) == 1
    assert len(list(folder.glob("features/*/*/*.features"))) == 84
    n_kept = len(kept)
    model = train("a.skemotion", "--checkpoint", str(folder), "-v")
    assert kept[n_kept] > kept[n_kept - 1] > (1, 0)
    shown = capfd.readouterr().err
    assert "epoch 1 of 4" not in shown
    assert "epoch 4 of 4" in shown
    # All that was kept is gone, and nothing else.
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert train("b.skemotion") == model


@pytest.mark.parametrize("by_speaker", [False, True])
def test_nothing_of_it_is_in_the_model(by_speaker, train, tmp_path):
    folder = tmp_path / "kept"
    cache = tmp_path / "cache"
    options = ["--by-speaker"] if by_speaker else []
    train("a.joblib", "--checkpoint", str(folder), *options)
    train("b.joblib", "--checkpoint", str(folder), "--cache", str(cache), *options)
    assert not folder.exists()
    for name, memory in [("a.joblib", None), ("b.joblib", str(cache))]:
        params = joblib.load(tmp_path / name).get_params()
        assert params["classify__checkpoint"] is None
        assert params["extract__memory"] == memory
    assert len(list(cache.glob("*/*/*.features"))) == 84


def test_folders_that_cannot_be_written_are_refused_first(train, tmp_path, capfd):
    taken = tmp_path / "file"
    taken.write_text("mine")
    assert train("a.skemotion", "--checkpoint", str(taken)) == 1
    assert f"{taken} is not a folder" in capfd.readouterr().err
    folder = tmp_path / "kept"
    with alone_in(folder):
        assert train("a.skemotion", "--checkpoint", str(folder)) == 1
    assert "another process is at work" in capfd.readouterr().err
    assert not (tmp_path / "a.skemotion").exists()


def test_another_training_says_that_it_is_another(train, kept, tmp_path, capfd):
    folder = tmp_path / "kept"
    assert train("a.skemotion", "--checkpoint", str(folder)) == 130
    with warnings.catch_warnings():
        warnings.simplefilter("default", CheckpointWarning)
        train("a.skemotion", "--checkpoint", str(folder), "--seed", "1")
    said = capfd.readouterr().err
    assert "skemotion train: warning: training starts anew: the checkpoint" in said
    assert "a training with other parameters" in said
    assert len(list(folder.glob("*.checkpoint"))) == 1
    assert load_model(tmp_path / "a.skemotion").classes_.size == 7
