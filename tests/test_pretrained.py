"""The models that come with the package."""

import io
import socket
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors.numpy import load, save_file

import skemotion
from skemotion import SpeechEncoder, load_pretrained, make_emotion_pipeline
from skemotion.cli import main
from skemotion.exceptions import CancellationWarning, NoSpeechWarning
from skemotion.pretrained._files import BUNDLES

FROZEN = Path(__file__).parent / "data" / "pretrained.npz"
ROOT = Path(skemotion.__file__).parent
FOLDER = ROOT / "pretrained"
RECIPES = {"emodb": "recommended", "emodb-descriptors": "descriptors"}


@pytest.fixture(scope="module")
def frozen():
    with np.load(FROZEN) as file:
        signals = [file[name] for name in file if name.startswith("signal")]
        return signals, {name: file[name] for name in RECIPES}


@pytest.fixture(scope="module", params=RECIPES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def models():
    return {name: load_pretrained(name) for name in RECIPES}


@pytest.fixture(scope="module")
def model(models, name):
    return models[name]


@pytest.fixture(scope="module")
def pretrained(models):
    return models["emodb"]


def test_it_predicts_what_it_predicted_when_it_was_made(frozen, model, name):
    signals, expected = frozen[0], frozen[1][name]
    probabilities = model.predict_proba(signals)
    np.testing.assert_allclose(probabilities, expected, atol=1e-3)
    assert len(np.unique(np.round(expected, 3))) > 2
    np.testing.assert_array_equal(
        model.predict(signals), model.classes_[expected.argmax(axis=1)]
    )


def test_it_hears_no_gain(frozen, model, name):
    signals, expected = frozen[0], frozen[1][name]
    softer = [signal / np.float32(32768 * 16) for signal in signals]
    np.testing.assert_allclose(model.predict_proba(softer), expected, atol=1e-3)


def test_it_is_the_recipe(model, name):
    wanted = make_emotion_pipeline(RECIPES[name], random_state=0)
    for step_name, step in wanted.named_steps.items():
        if step != "passthrough":
            assert model[step_name].get_params() == step.get_params()
    assert list(model.named_steps) == list(wanted.named_steps)
    assert model.hop_duration == wanted.hop_duration == 2.5
    assert model.detect_speech
    assert wanted.detect_speech
    assert repr(model.novelty_detector) == repr(wanted.novelty_detector)
    assert hasattr(model, "novelty_detector_") == (name == "emodb")


# What is loaded and traced by the first prediction is waited for by the others.
AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
from skemotion import load_pretrained
from skemotion.datasets import make_emotional_speech

name, folder = sys.argv[1:]
speech = make_emotional_speech(2, 1, folder=folder, random_state=0)
paths = speech.paths[:8]
model, all_there = load_pretrained(name), Barrier(8)
def predict(path):
    all_there.wait()
    return model.predict_proba([path])
with ThreadPoolExecutor(8) as pool:
    at_once = list(pool.map(predict, paths))
alone = [model.predict_proba([path]) for path in paths]
np.testing.assert_array_equal(at_once, alone)
"""


@pytest.mark.parametrize("name", BUNDLES)
def test_first_predictions_by_threads_are_those_alone(name, tmp_path):
    command = [sys.executable, "-c", AT_ONCE, name, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_names():
    assert set(BUNDLES) == set(RECIPES)
    default, named = load_pretrained(), load_pretrained("emodb")
    assert default is not named
    assert isinstance(default["extract"], SpeechEncoder)
    assert default.get_params().keys() == named.get_params().keys()
    with pytest.raises(ValueError, match=r"'name' parameter .*'emodb-descriptors'"):
        load_pretrained("ravdess")


def test_they_are_small():
    sizes = {path: len(zlib.compress(path.read_bytes())) for path in BUNDLES.values()}
    assert sizes[BUNDLES["emodb"]] <= 21_000_000
    assert sizes[BUNDLES["emodb-descriptors"]] <= 5_000_000
    others = [path for path in ROOT.rglob("*") if path.suffix not in (".pyc", "")]
    rest = sum(
        len(zlib.compress(path.read_bytes())) for path in others if path not in sizes
    )
    assert sum(sizes.values()) + rest < 25_000_000


def test_card_and_licence():
    notice = (FOLDER / "NOTICE").read_text(encoding="utf-8")
    top = ROOT.parent / "NOTICE"
    if top.exists():  # not where the package is installed
        assert notice == top.read_text(encoding="utf-8")
    for words in ["emodb.skemotion", "MIT License", "(c) 2022 OpenAI", "WARRANTY"]:
        assert words in notice
    card = (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    for words in ["CC0", "not for", "confidence is not meaningful"]:
        assert words in card
    for words in ["NOTICE", "MIT", "Whisper"]:
        assert words in card


def test_predict_uses_it_where_no_model_is_named(frozen, pretrained, tmp_path, capfd):
    signals, expected = frozen[0], frozen[1]["emodb"]
    path = str(tmp_path / "a.wav")
    soundfile.write(path, signals[0], 16000, subtype="PCM_16")
    assert main(["predict", path]) == 0
    label = pretrained.classes_[expected[0].argmax()]
    out = capfd.readouterr().out
    assert path in out
    assert label in out


# What is no speech, and what is


def antiphase(frozen):
    """Return a file whose channels cancel each other out."""
    file, (speech, _) = io.BytesIO(), frozen[0]
    soundfile.write(file, np.stack([speech, -speech], axis=1), 16000, format="WAV")
    file.seek(0)
    return file


def test_no_speech(frozen, model, name):
    silence, speech = np.zeros(32000, dtype=np.float32), frozen[0][0]
    recordings = [silence, speech, antiphase(frozen)]
    with (
        pytest.warns(CancellationWarning, match=r"of 1 of 3 recordings .*: X\[2\]"),
        pytest.warns(NoSpeechWarning, match="2 of 3 recordings hold no speech") as all_,
    ):
        probabilities = model.predict_proba(recordings)
    (found,) = (each for each in all_ if each.category is NoSpeechWarning)
    assert found.message.rows == [0, 2]
    np.testing.assert_allclose(probabilities[[0, 2]], 1 / 7, rtol=1e-6)
    np.testing.assert_allclose(probabilities[1], frozen[1][name][0], atol=1e-3)


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.NoSpeechWarning")
def test_sounds_are_no_emotions(benchmark, pretrained):
    sounds = benchmark("_sounds")
    recordings = [
        sounds.make_sound(np.random.default_rng(seed), kind)[1]
        for kind in sounds.KINDS
        for seed in range(2)
    ]
    assert pretrained.predict_proba(recordings).max() < 0.5


@pytest.mark.emodb
def test_what_it_was_trained_on(emodb, model):
    rows = np.arange(0, len(emodb.paths), 27)
    probabilities = model.predict_proba(emodb.paths[rows])
    correct = model.classes_[probabilities.argmax(axis=1)] == emodb.target[rows]
    assert correct.mean() > 0.9
    # None of it is strange.
    assert np.median(probabilities.max(axis=1)) > 0.9


# The encoder that is inside


def test_its_encoder_is_found_by_name_without_a_connection(pretrained, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no connection")

    monkeypatch.setattr(socket, "socket", refuse)
    encoder = SpeechEncoder(weights="whisper-base", layer=(2, 3)).fit(["a.wav"])
    shipped = pretrained["extract"].weights_
    assert encoder.weights_.keys() == shipped.keys()
    for key, array in encoder.weights_.items():
        np.testing.assert_array_equal(array, shipped[key], strict=True)
    assert encoder.get_feature_names_out()[[0, -1]].tolist() == [
        *("layer2_0", "layer3_511")
    ]
    for layer in (1, 2, 3):
        assert SpeechEncoder(layer=layer).fit(["a.wav"]).layers_ == (layer,)
    for layer in (4, (2, 6)):
        with pytest.raises(ValueError, match=r"'whisper-base' .* holds 3 blocks, and"):
            SpeechEncoder(layer=layer).fit(["a.wav"])


@pytest.mark.models
def test_its_encoder_is_the_whole_one_rounded(
    benchmark, frozen, pretrained, models_path, tmp_path
):
    """Bit by bit: the cut, and the frames of all blocks with rounded weights."""
    benchmark = benchmark("train_pretrained")
    source = models_path / benchmark.ENCODER
    benchmark.cut_encoder(source, (2, 3), tmp_path / "cut.safetensors")
    with zipfile.ZipFile(BUNDLES["emodb"]) as bundle:
        (member,) = [n for n in bundle.namelist() if n.endswith(".safetensors")]
        assert bundle.read(member) == (tmp_path / "cut.safetensors").read_bytes()
    whole = {n: benchmark.shorten(a) for n, a in load(source.read_bytes()).items()}
    save_file(whole, tmp_path / "whole.safetensors")
    signals, extract = frozen[0][:1], pretrained["extract"]
    rounded = SpeechEncoder(
        weights=tmp_path / "whole.safetensors",
        layer=extract.layer,
        frame_step=extract.frame_step,
    )
    np.testing.assert_array_equal(
        extract.transform(signals), rounded.fit_transform(signals), strict=True
    )
    rounded.set_params(layer=6).fit(signals)  # what ships has not this one
