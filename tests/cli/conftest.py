"""What the tests of commands share: a corpus, and models trained on it."""

import csv

import pytest

from skemotion.cli import main
from skemotion.datasets import make_emotional_speech


@pytest.fixture(scope="session")
def tiny():
    """Options of a training that takes no time."""
    options = ["--recipe", "descriptors"]
    for name in ("units=4", "epochs=1", "n_members=1"):
        options += ["--set", f"classify__{name}"]
    return [*options, "--set", "augment=passthrough"]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A folder per class, and a table with speakers."""
    folder = tmp_path_factory.mktemp("speech")
    speech = make_emotional_speech(
        n_speakers=3, n_texts=4, folder=folder, random_state=0
    )
    with open(folder / "table.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "speaker"])
        writer.writerows(zip(speech.paths, speech.target, speech.speakers, strict=True))
    return folder


@pytest.fixture(scope="session")
def model(corpus, tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.joblib"
    assert main(["train", str(corpus), "-o", str(path), *tiny]) == 0
    return path


@pytest.fixture(scope="session")
def model_by_speaker(corpus, tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "by_speaker.joblib"
    arguments = ["train", str(corpus / "table.csv"), "--by-speaker", "-o", str(path)]
    assert main([*arguments, *tiny]) == 0
    return path
