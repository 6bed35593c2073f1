"""The page on how to extend the package does what it says, word by word."""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
import soundfile

import skemotion
from skemotion import (
    SpeechAugmenter,
    SpeechFeatureExtractor,
    load_model,
    save_model,
)
from skemotion.augmentation import _effects
from skemotion.cli._sources import open_source
from skemotion.datasets import fetch_corpus, load_corpus, make_emotional_speech
from skemotion.datasets._known import CORPORA
from skemotion.feature_extraction._sets import DESCRIPTOR_SETS
from skemotion.pipeline import RECIPES

DOCS = Path(__file__).parents[1] / "docs"


def python_blocks(section, page="extending.rst"):
    """Return the code under a heading of a page, block by block."""
    text = (DOCS / page).read_text("utf-8")
    (body,) = re.findall(rf"^{section}\n=+\n(.*?)(?=^[^\n]+\n==|\Z)", text, re.S | re.M)
    blocks = re.findall(
        r"^( *)\.\. code-block:: python\n\n((?:\1 +[^\n]*\n|\n)+)", body, re.M
    )
    return [textwrap.dedent(block) for _, block in blocks]


@pytest.fixture
def my_speech(tmp_path, monkeypatch):
    """The current folder has one of recordings as the page names them."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my-speech"
    folder.mkdir()
    for name in ("anna_anger_01.wav", "bert_sadness_01.wav", "bert_anger_02.flac"):
        soundfile.write(folder / name, np.zeros(100), 16000)
    (folder / "notes.txt").touch()
    return folder


@pytest.mark.parametrize("page", ["extending.rst", "guide/recordings.rst"])
def test_a_corpus_of_ones_own(my_speech, page):
    section = "A corpus" if page == "extending.rst" else "Recordings and data sets"
    (code,) = [code for code in python_blocks(section, page) if "Corpus(" in code][:1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    names = {}
    exec(code, names)
    assert names["data"].speakers.tolist() == ["anna", "bert", "bert"]
    source = open_source("mine.csv")
    assert source.columns == ["path", "label", "speaker"]
    assert [row[1] for row in source.rows] == ["anger", "anger", "sadness"]


def test_a_corpus_in_the_package(tmp_path, monkeypatch):
    _, code = python_blocks("A corpus")
    names = {}
    exec(code, names)
    monkeypatch.setitem(CORPORA, "studio", names["STUDIO"])
    for name in ("anna/A1.wav", "anna/N1.wav", "bert/A1.wav", "bert/S1.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    rows = list(open_source(f"studio:{tmp_path}").rows)
    assert [row[1:] for row in rows] == [
        *(("anger", "anna"), ("neutral", "anna"), ("anger", "bert")),
        ("sadness", "bert"),
    ]
    assert names["STUDIO"].description == load_corpus("studio", tmp_path).DESCR
    with pytest.raises(OSError, match="run 'skemotion fetch studio'"):
        fetch_corpus("studio", tmp_path / "home", download_if_missing=False)


@pytest.fixture
def speech():
    speech = make_emotional_speech(n_speakers=2, n_texts=1, random_state=0)
    return list(speech.signals), speech.target


def test_an_effect_of_ones_own(speech):
    names = {}
    exec(python_blocks("An effect")[0], names)
    augmenter = names["pipeline"]["augment"]
    X, _ = augmenter.fit_resample(*speech)
    assert len(X) == 3 * len(speech[0])
    assert any(names["clip"] in copy.effects for copy in X[len(speech[0]) :])
    assert all(copy.cache_key for copy in X[len(speech[0]) :])


def test_an_effect_in_the_package(speech, tmp_path, monkeypatch):
    names = dict(vars(_effects))
    exec(python_blocks("An effect")[1], names)
    monkeypatch.setitem(_effects.EFFECTS, "limit", names["Limit"]())
    options = {
        "effects": ("noise", "limit"),
        "probability": {"noise": 0.3, "limit": 0.8},
    }
    augmenter = SpeechAugmenter(1, random_state=0, **options)
    X, _ = augmenter.fit_resample(*speech)
    copies = [copy for copy in X[len(speech[0]) :] if copy.effects == ("limit",)]
    assert copies
    for copy in copies:
        heard, _ = copy(16000, None)
        assert np.sum(np.abs(heard) == np.abs(heard).max()) > 1
        assert copy.cache_key
    augmenter.set_params(effects=("noise", names["Limit"]((0.5, 0.6))))
    save_model(augmenter, tmp_path / "a.skemotion")
    assert load_model(tmp_path / "a.skemotion").effects == augmenter.effects


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
def test_a_network(speech):
    names = {}
    exec(python_blocks("A network")[0], names)
    pipeline = names["pipeline"].set_params(
        augment="passthrough", validation_fraction=None
    )
    probabilities = pipeline.fit(*speech).predict_proba(speech[0][:2])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_a_descriptor_of_ones_own_and_in_the_package(monkeypatch):
    own, in_package = python_blocks("A descriptor")
    names = {}
    exec(own, names)
    exec(in_package, names)
    monkeypatch.setitem(DESCRIPTOR_SETS, "studio", names["DESCRIPTORS"])
    extractor = SpeechFeatureExtractor(descriptors="studio")
    assert extractor.transform([np.ones(80000)])[0].ravel().tolist() == [1.0] * 157


def test_a_recipe_of_ones_own_and_in_the_package(monkeypatch):
    own, in_package = python_blocks("A recipe")
    monkeypatch.setattr(skemotion.pipeline, "RECIPES", dict(RECIPES))
    names = {}
    exec(own, names)
    assert names["pipeline"]["classify"].epochs == 2
    assert names["pipeline"]["augment"] == "passthrough"
    exec(in_package, names)
    assert names["RECIPES"]["quick"].augment is None
