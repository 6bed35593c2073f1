"""Attention on the recording's own time: bursts of sound are where they were made."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.exceptions import NotFittedError

from skemotion import (
    EmotionPipeline,
    SequenceUnion,
    SpeechEncoder,
    SpeechFeatureExtractor,
)
from skemotion.exceptions import AudioError
from skemotion.inspection import AttentionDisplay, attention_over_time

RATE = 16000


class LoudnessListener(ClassifierMixin, BaseEstimator):
    """Attends to frames as loud as they are, by a column or by all of them."""

    def __init__(self, column=None, even=False):
        self.column = column
        self.even = even

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def attention(self, X):
        if self.even:
            return np.full(X.shape[:2], 1 / X.shape[1])
        values = X if self.column is None else X[:, :, [self.column]]
        loud = (values.astype(float) ** 2).sum(axis=2) + 1e-30
        return loud / loud.sum(axis=1, keepdims=True)

    def predict_proba(self, X):
        share = 1 / (1 + np.abs(X).mean(axis=(1, 2)))
        return np.stack([share, 1 - share], axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class Skipping(TransformerMixin, BaseEstimator):
    """Takes every other frame."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[:, ::2]

    def __sklearn_is_fitted__(self):
        return True


def make_burst(seconds, begin, end, rate=RATE):
    signal = np.zeros(int(seconds * rate), dtype=np.float32)
    inside = slice(int(begin * rate), int(end * rate))
    signal[inside] = np.random.default_rng(0).normal(size=inside.stop - inside.start)
    return signal / 8, rate


def fit(front, *others, hop_duration=None, detect_speech=False, **listener):
    pipeline = EmotionPipeline(
        [
            ("extract", front),
            *((f"other{i}", step) for i, step in enumerate(others)),
            ("classify", LoudnessListener(**listener)),
        ],
        hop_duration=hop_duration,
        detect_speech=detect_speech,
    )
    return pipeline.fit([make_burst(1, 0.2, 0.8)] * 2, ["calm", "loud"])


def centre(edges, weights):
    return float(np.sum((edges[1:] + edges[:-1]) / 2 * weights) / weights.sum())


FRONTS = {
    "left": (SpeechFeatureExtractor(), 5, 0.01),
    "right": (SpeechFeatureExtractor(padding_side="right"), 5, 0.01),
    "hop": (SpeechFeatureExtractor(hop_length=333, duration=4), 5, 0.01),
    "rate": (SpeechFeatureExtractor(sampling_rate=22050), 5, 0.01),
}


@pytest.mark.parametrize("name", FRONTS)
@pytest.mark.parametrize("native_rate", [16000, 44100, 11025])
@pytest.mark.parametrize("begin", [0.3, 1.5, 2.4])
def test_descriptors_are_where_the_sound_was(name, native_rate, begin):
    front, rms, tolerance = FRONTS[name]
    burst = make_burst(3.1, begin, begin + 0.3, native_rate)
    edges, weights = attention_over_time(fit(front, column=rms), burst)
    assert edges[0] == 0
    assert edges[-1] == pytest.approx(3.1, abs=1e-4)
    assert weights.sum() == pytest.approx(1)
    assert centre(edges, weights) == pytest.approx(begin + 0.15, abs=tolerance)


@pytest.mark.parametrize("padding_side", ["left", "right"])
@pytest.mark.parametrize("frame_step", [1, 4])
@pytest.mark.parametrize("begin", [0.32, 1.6, 2.4])
def test_encoders_frames_are_where_the_sound_was(
    encoder_file, padding_side, frame_step, begin
):
    front = SpeechEncoder(
        weights=encoder_file, padding_side=padding_side, frame_step=frame_step
    )
    recording = make_burst(3.0, begin, begin + 0.4)
    edges, weights = attention_over_time(fit(front), recording)
    heard = np.flatnonzero(weights > 1e-6)
    step = front.frame_seconds
    assert edges[heard[0]] == pytest.approx(begin, abs=step)
    assert edges[heard[-1] + 1] == pytest.approx(begin + 0.4, abs=step)
    assert centre(edges, weights) == pytest.approx(begin + 0.2, abs=step)


def test_unions_have_the_time_of_what_they_join(encoder_file):
    union = SequenceUnion(
        [
            ("encoder", SpeechEncoder(weights=encoder_file)),
            ("post", SpeechFeatureExtractor()),
        ]
    )
    pipeline = fit(union, column=64 + 5)
    edges, weights = attention_over_time(pipeline, make_burst(2.7, 1.1, 1.4))
    assert centre(edges, weights) == pytest.approx(1.25, abs=0.02)


def test_steps_may_change_the_number_of_frames():
    pipeline = fit(SpeechFeatureExtractor(), Skipping(), column=5)
    edges, weights = attention_over_time(pipeline, make_burst(2.7, 1.1, 1.4))
    assert centre(edges, weights) == pytest.approx(1.25, abs=0.04)


@pytest.mark.parametrize("begin", [0.5, 4.8, 8.3, 11.6])
def test_long_recordings_are_put_together_from_windows(begin):
    pipeline = fit(SpeechFeatureExtractor(), column=5, hop_duration=2.0)
    edges, weights = attention_over_time(pipeline, make_burst(12, begin, begin + 0.2))
    assert edges[-1] <= 12  # windows of digital silence are not looked at
    assert np.ptp(np.diff(edges)[1:-1]) == pytest.approx(0, abs=1e-9)
    assert weights.sum() == pytest.approx(1)
    assert centre(edges, weights) == pytest.approx(begin + 0.1, abs=0.02)


def test_windows_count_as_in_predictions():
    pipeline = fit(SpeechFeatureExtractor(), even=True, hop_duration=2.5)
    noise = np.random.default_rng(0).normal(size=10 * RATE) / 10
    edges, weights = attention_over_time(pipeline, (noise, RATE))
    density = weights / np.diff(edges)
    middles = (edges[1:] + edges[:-1]) / 2
    # Windows from 0, 2.5 and 5 s: the middle is in two of the three.
    parts = ((0.1, 2.4, 1), (2.7, 4.9, 2), (5.1, 7.3, 2), (7.7, 9.9, 1))
    for low, high, n_windows in parts:
        part = density[(middles > low) & (middles < high)]
        np.testing.assert_allclose(part, n_windows / 15, rtol=0.02)


def test_attention_to_padding_is_not_shown_as_attention_to_speech():
    pipeline = fit(SpeechFeatureExtractor(), even=True)
    noise = np.random.default_rng(0).normal(size=3 * RATE) / 10
    edges, weights = attention_over_time(pipeline, (noise, RATE))
    assert edges[-1] == 3
    assert weights.sum() == pytest.approx(3 / 5, abs=0.02)


def test_only_what_is_looked_at_has_a_course():
    pipeline = fit(SpeechFeatureExtractor(), even=True)
    noise = np.random.default_rng(0).normal(size=8 * RATE) / 10
    edges, weights = attention_over_time(pipeline, (noise, RATE))
    assert edges[-1] == pytest.approx(5)
    assert weights.sum() == pytest.approx(1)


def test_without_speech_there_are_no_stretches():
    pipeline = fit(SpeechFeatureExtractor(), even=True)
    pipeline.set_params(detect_speech=True, hop_duration=2.5)
    noise = np.random.default_rng(0).normal(size=3 * RATE) / 10
    edges, weights = attention_over_time(pipeline, (noise, RATE))
    assert edges.tolist() == [0]
    assert weights.tolist() == []


@pytest.mark.parametrize(
    "recording", [np.zeros(RATE), make_burst(0.011, 0, 0.011), make_burst(0.4, 0, 0.4)]
)
def test_silent_and_very_short_recordings(recording):
    pipeline = fit(SpeechFeatureExtractor(), even=True, hop_duration=2.5)
    edges, weights = attention_over_time(pipeline, recording)
    assert (np.diff(edges) > 0).all()
    assert len(edges) == len(weights) + 1
    assert 0 < weights.sum() < 1.001


def test_errors_say_what_to_give():
    pipeline = fit(SpeechFeatureExtractor())
    with pytest.raises(AudioError, match=r"nowhere\.wav"):
        attention_over_time(pipeline, "nowhere.wav")
    with pytest.raises(TypeError, match="no step that takes recordings"):
        attention_over_time(pipeline[1:], "a.wav")
    with pytest.raises(TypeError, match="has no method attention"):
        attention_over_time(pipeline[:-1], "a.wav")
    with pytest.raises(NotFittedError):
        attention_over_time(EmotionPipeline([("c", LoudnessListener())]), "a.wav")


# AttentionDisplay over shares of speech


@pytest.mark.parametrize("lead", [0.0, 0.7])
def test_shares_of_speech_leave_padding_and_silence_out(lead):
    pipeline = fit(SpeechFeatureExtractor(), column=5)
    recordings = [
        make_burst(lead + length, lead, lead + length) for length in (1, 2, 4)
    ]
    for signal, rate in recordings:  # the second half is loud
        signal[int((lead + (len(signal) / rate - lead) / 2) * rate) :] *= 10
    display = AttentionDisplay.from_estimator(
        pipeline, recordings, time="speech", n_bins=2
    )
    (row,) = np.flatnonzero(display.counts)
    assert display.counts[row] == 3
    assert display.heatmap[row, 1] > 0.9
    assert display.ax_.get_xlabel() == "Time (% of the recording)"
    assert display.im_.get_extent()[:2] == [0, 100]
