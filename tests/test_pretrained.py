"""The model that comes with the package."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import skemotion
from skemotion import load_pretrained, make_emotion_pipeline
from skemotion.cli import main

FROZEN = Path(__file__).parent / "data" / "pretrained.npz"
FOLDER = Path(skemotion.__file__).parent / "pretrained"


@pytest.fixture(scope="module")
def frozen():
    with np.load(FROZEN) as file:
        signals = [file[name] for name in file if name.startswith("signal")]
        return signals, file["probabilities"]


@pytest.fixture(scope="module")
def pretrained():
    return load_pretrained()


def test_it_predicts_what_it_predicted_when_it_was_made(frozen, pretrained):
    signals, expected = frozen
    probabilities = pretrained.predict_proba(signals)
    np.testing.assert_allclose(probabilities, expected, atol=1e-3)
    assert len(np.unique(np.round(expected, 3))) > 2
    np.testing.assert_array_equal(
        pretrained.predict(signals), pretrained.classes_[expected.argmax(axis=1)]
    )


def test_it_hears_no_gain(frozen, pretrained):
    signals, expected = frozen
    softer = [signal / np.float32(32768 * 16) for signal in signals]
    np.testing.assert_allclose(pretrained.predict_proba(softer), expected, atol=1e-3)


def test_it_is_the_recommended_recipe(pretrained):
    wanted = make_emotion_pipeline(random_state=0)
    for name, step in wanted.named_steps.items():
        if step != "passthrough":
            assert pretrained[name].get_params() == step.get_params()
    assert list(pretrained.named_steps) == list(wanted.named_steps)
    assert pretrained.hop_duration == wanted.hop_duration == 2.5
    assert pretrained.detect_speech
    assert wanted.detect_speech


def test_each_call_gives_a_model_of_its_own(pretrained):
    assert load_pretrained() is not pretrained


def test_it_is_small_and_has_a_card():
    assert (FOLDER / "emodb.skemotion").stat().st_size <= 5_000_000
    card = (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    for word in ["CC0", "not for", "confidence is not meaningful"]:
        assert word in card


def test_predict_uses_it_where_no_model_is_named(frozen, pretrained, tmp_path, capfd):
    signals, expected = frozen
    path = str(tmp_path / "a.wav")
    soundfile.write(path, signals[0], 16000, subtype="PCM_16")
    assert main(["predict", path]) == 0
    label = pretrained.classes_[expected[0].argmax()]
    out = capfd.readouterr().out
    assert path in out
    assert label in out
