"""Occlusion: what the pipeline itself says of silenced copies is the oracle."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from skemotion import EmotionPipeline, SpeechFeatureExtractor
from skemotion.datasets import make_emotional_speech
from skemotion.exceptions import AudioError
from skemotion.inspection import occlusion_over_time

RATE = 16000


class LoudAndHigh(ClassifierMixin, BaseEstimator):
    """The louder, the more it is the second class."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        loud = np.sqrt(X[:, :, 5]).mean(axis=1)
        share = loud / (loud + 0.05)
        return np.stack([1 - share, share], axis=1)


class Detector:
    """Finds quiet recordings strange."""

    offset_ = -0.15

    def score_samples(self, X):
        return -0.05 / (0.2 + X[:, :, 5].max(axis=1))

    def rank_scores(self, scores):
        return np.zeros(len(scores))


@pytest.fixture(scope="module")
def speech():
    made = make_emotional_speech(n_speakers=1, n_texts=2, random_state=0)
    return np.concatenate(made.signals[:8]).astype(np.float32)


def fit(**params):
    steps = [("extract", SpeechFeatureExtractor()), ("classify", LoudAndHigh())]
    noise = np.random.default_rng(0).normal(size=RATE)
    return EmotionPipeline(steps, **params).fit([noise, noise], ["calm", "loud"])


def silence(signal, begin, end, rate=RATE, fade=0.005):
    """Fade to silence before a stretch, and back behind it."""
    times = np.arange(len(signal)) / rate
    gain = np.clip(np.maximum(begin - times, times - end) / fade, 0, 1)
    return (signal * gain).astype(np.float32)


WAYS = {
    "one window": {},
    "windows": {"hop_duration": 2.5},
    "speech": {"hop_duration": 2.5, "detect_speech": True},
}


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("seconds", [1.7, 7.3])
@pytest.mark.parametrize("with_novelty", [False, True])
def test_falls_equal_those_of_whole_recordings_asked_again(
    speech, how, seconds, with_novelty
):
    signal = speech[: int(seconds * RATE)]
    pipeline = fit(**WAYS[how])
    if with_novelty:
        pipeline.novelty_detector_ = Detector()
    edges, falls = occlusion_over_time(pipeline, (signal, RATE), stretch_seconds=0.5)
    assert len(falls) == round(seconds / 0.5)
    np.testing.assert_allclose(np.diff(edges), seconds / len(falls), rtol=1e-3)
    versions = [
        signal,
        *(silence(signal, *edges[i : i + 2]) for i in range(len(falls))),
    ]
    if how == "one window":  # so that nothing is said of what is cut
        versions = [version[: 5 * RATE] for version in versions]
    probabilities = pipeline.predict_proba([(version, RATE) for version in versions])
    best = probabilities[0].argmax()
    expected = probabilities[0, best] - probabilities[1:, best]
    np.testing.assert_allclose(falls, expected, atol=2e-4)
    assert np.abs(falls).max() > 0.01


def test_a_click_of_sound_is_what_is_needed():
    signal = np.full(3 * RATE, 1e-4, dtype=np.float32)
    signal[RATE : RATE + 4000] = np.random.default_rng(0).normal(size=4000)
    _, falls = occlusion_over_time(fit(), (signal, RATE), stretch_seconds=0.25)
    assert falls.argmax() == 4


def test_without_speech_nothing_falls():
    pipeline = fit(detect_speech=True, hop_duration=2.5)
    noise = np.random.default_rng(0).normal(size=2 * RATE) / 10
    edges, falls = occlusion_over_time(pipeline, (noise, RATE), stretch_seconds=1)
    assert edges.tolist() == [0, 1, 2]
    assert falls.tolist() == [0, 0]


def test_recording_shorter_than_a_stretch_is_silenced_as_a_whole(speech):
    edges, falls = occlusion_over_time(fit(), (speech[:1600], RATE))
    assert edges.tolist() == [0, 0.1]
    assert falls.shape == (1,)


def test_recording_is_left_alone(speech):
    signal = speech.copy()
    occlusion_over_time(fit(), (signal, RATE), stretch_seconds=2)
    np.testing.assert_array_equal(signal, speech)


def test_errors_say_what_to_give():
    pipeline = fit()
    with pytest.raises(AudioError, match=r"nowhere\.wav"):
        occlusion_over_time(pipeline, "nowhere.wav")
    with pytest.raises(ValueError, match="'stretch_seconds' parameter"):
        occlusion_over_time(pipeline, "a.wav", stretch_seconds=0)
    with pytest.raises(TypeError, match="no step that takes recordings"):
        occlusion_over_time(pipeline[1:], "a.wav")
    unfitted = EmotionPipeline(
        [("extract", SpeechFeatureExtractor()), ("classify", LoudAndHigh())]
    )
    with pytest.raises(NotFittedError):
        occlusion_over_time(unfitted, "a.wav")
