"""``skemotion train``: what is looked at first, and what is said in the end."""

import csv
import shlex
import shutil

import joblib
import numpy as np
import pytest

from skemotion import EmotionPipeline, load_model
from skemotion.cli import main
from skemotion.cli._checks import check_folder


@pytest.fixture
def no_fits(monkeypatch):
    """What would be trained on the corpus; rehearsals on noise are not among it."""
    fit, trained = EmotionPipeline.fit, []

    def note(self, X, y=None, groups=None, **params):
        if "extract" in self.named_steps:
            trained.append(len(X))
            raise AssertionError("trained")
        return fit(self, X, y, groups, **params)

    monkeypatch.setattr(EmotionPipeline, "fit", note)
    return trained


def refuse(arguments, no_fits, capfd):
    """Run a command that is to fail before it trains, and return what it says."""
    assert main(["train", *map(str, arguments)]) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("skemotion train: error: ")
    assert no_fits == []
    return captured.err


def test_outputs_that_cannot_be_written(corpus, tmp_path, no_fits, capfd):
    taken = tmp_path / "taken.joblib"
    taken.write_text("mine")
    for out, message in [
        (tmp_path, "is a folder: give --out the name of a file"),
        (taken, "exists: delete it"),
        (taken / "model.joblib", f"{taken} is not a folder"),
        (taken / "new" / "model.joblib", f"{taken} is not a folder"),
    ]:
        assert message in refuse([corpus, "-o", out], no_fits, capfd)
    assert taken.read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"taken.joblib"}


def test_folders_that_do_not_allow_writing(tmp_path, monkeypatch):
    monkeypatch.setattr("skemotion.cli._checks.os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=f"{tmp_path} does not allow it"):
        check_folder(tmp_path / "new" / "folder")


@pytest.mark.parametrize(
    ("setting", "messages"),
    [
        ("classify=None", ["without classify, nothing predicts"]),
        ("classify=passthrough", ["without classify, nothing predicts"]),
        ("extract=passthrough", ["without extract, nothing hears"]),
        ("scale=StandardScaler", ["scale=passthrough", "cannot be replaced"]),
        ("clasify__units=4", ["no such parameter", "classify__units"]),
        ("classify__unit=4", ["no such parameter", "classify__units"]),
        ("units=4", ["no such parameter", "augment, balance, classify"]),
        ("scale__zzz=4", ["Those of scale are", "scale__scope"]),
        ("classify__units=none", ["classify__units=none: ", "Write None."]),
        ("classify__units=-4", ["classify__units=-4: ", "int in the range"]),
        ("classify__epochs=0", ["classify__epochs=0: "]),
        ("classify__functionals=loudness", ["functionals"]),
        ("classify__optimizer=best", ["best"]),
        ("classify__class_weight={'joy': 2}", ["joy"]),
        ("extract__descriptors=all", ["descriptors"]),
        ("extract__duration=-1", ["extract__duration=-1: "]),
        ("augment__effects=('echo',)", ["echo"]),
        ("validation_fraction=2", ["validation_fraction=2: "]),
        ("hop_duration=0", ["hop_duration=0: "]),
    ],
)
def test_settings_that_cannot_be(setting, messages, corpus, no_fits, capfd):
    arguments = [corpus, "--recipe", "descriptors", "--set", setting, "-o", "x.joblib"]
    err = refuse(arguments, no_fits, capfd)
    for message in messages:
        assert message in err


def test_parameters_of_a_step_that_is_left_out(corpus, no_fits, capfd):
    arguments = [corpus, "--set", "augment__n_copies=3", "--set", "augment=passthrough"]
    assert "augment is left out" in refuse(arguments, no_fits, capfd)


def copy_corpus(corpus, folder, counts):
    for label, count in counts.items():
        (folder / label).mkdir(parents=True)
        for number, path in enumerate(sorted((corpus / label).iterdir())[:count]):
            shutil.copy(path, folder / label / f"{number}.wav")
    return folder


def test_corpora_that_are_too_small(corpus, tmp_path, no_fits, capfd):
    folder = copy_corpus(corpus, tmp_path / "a", {"anger": 3, "fear": 1, "sadness": 1})
    err = refuse([folder, "-o", tmp_path / "m.joblib"], no_fits, capfd)
    assert "one recording only of fear, sadness" in err
    folder = copy_corpus(corpus, tmp_path / "b", {"anger": 3})
    err = refuse([folder, "-o", tmp_path / "m.joblib"], no_fits, capfd)
    assert "at least two classes are needed" in err


def test_recordings_that_cannot_be_read(corpus, tmp_path, no_fits, capfd):
    folder = copy_corpus(corpus, tmp_path / "a", {"anger": 3, "fear": 3})
    (folder / "fear" / "1.wav").write_bytes(b"no audio")
    err = refuse([folder, "-o", tmp_path / "m.joblib"], no_fits, capfd)
    assert "1 recording cannot be read" in err


def test_a_bundle_holds_no_speakers(corpus, tmp_path, no_fits, capfd):
    arguments = [corpus / "table.csv", "--by-speaker", "-o", tmp_path / "m.skemotion"]
    assert "such as" in refuse(arguments, no_fits, capfd)


def test_a_bundle(corpus, tiny, tmp_path):
    out = tmp_path / "model.skemotion"
    assert main(["train", str(corpus), "-o", str(out), *tiny]) == 0
    assert load_model(out).classes_.tolist()[:2] == ["anger", "boredom"]


def test_a_model_of_other_labels(corpus, tiny, tmp_path):
    out = tmp_path / "model.joblib"
    pairs = ["--map", "fear=worry", "--map", "neutral=", "--map", "boredom=sadness"]
    assert main(["train", str(corpus), "-o", str(out), *tiny, *pairs]) == 0
    known = ["anger", "disgust", "happiness", "sadness", "worry"]
    assert joblib.load(out).classes_.tolist() == known


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.ResamplingWarning")
@pytest.mark.parametrize("kind", ["folder", "table", "one speaker"])
def test_the_advice_works_for_that_corpus(kind, corpus, tiny, tmp_path, capfd):
    source = copy_corpus(corpus, tmp_path / "my speech", {"anger": 3, "fear": 3})
    if kind != "folder":
        rows = [["path", "label", "speaker"]]
        for number, path in enumerate(sorted(source.glob("*/*.wav"))):
            speaker = "one" if kind == "one speaker" else f"s{number % 2}"
            rows.append([path, path.parent.name, speaker])
        source = tmp_path / "my table.csv"
        with open(source, "w", newline="") as file:
            csv.writer(file).writerows(rows)
    more = ["--set", "classify__class_weight={'anger': 2.0, 'fear': 1.0}"]
    arguments = [str(source), *tiny, *more, "--seed", "3"]
    assert main(["train", *arguments, "-o", str(tmp_path / "m.joblib")]) == 0
    out = capfd.readouterr().out
    (line,) = [line for line in out.splitlines() if "skemotion evaluate" in line]
    words = shlex.split(line)
    assert ("--protocol" in words) == (kind != "table")
    assert ("expect less on new" in out) == (kind != "table")
    assert words[words.index("--seed") + 1] == "3"
    assert main(words[1:]) == 0
    assert np.count_nonzero([word == "--set" for word in words]) == 5
