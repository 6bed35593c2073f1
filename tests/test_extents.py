"""How long recordings are, and for how much of that someone speaks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skemotion import SpeechFeatureExtractor
from skemotion.datasets import make_emotional_speech
from skemotion.pipeline._extents import (
    Extent,
    ExtentMeter,
    extents_noted,
    measure_extent,
)
from skemotion.pipeline._windows import WindowedRecordings, WindowRule
from skemotion.voice_activity import speech_frames, speech_seconds, voice_activity

RATE = 16000
WINDOWS = {"sampling_rate": RATE, "duration": 2.0, "hop_duration": 1.0}


@pytest.fixture(scope="module")
def signals():
    return make_emotional_speech(n_speakers=1, n_texts=3, random_state=0).signals


@given(
    n_samples=st.integers(1, 2000),
    hop=st.integers(1, 40),
    length=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_overlapping_windows_count_once(n_samples, hop, length, seed):
    """A window of any frames of 10 ms, of which some are speech."""
    hop, length = 10 * hop, 10 * length
    is_speech = np.random.default_rng(seed).random(-(-n_samples // 10)) < 0.5
    meter, heard, start = ExtentMeter(hop / 1000), np.zeros_like(is_speech), 0
    while True:
        end = min(start + length, n_samples)
        frames = slice(start // 10, -(-end // 10))
        meter.add(end - start, 1000, is_speech[frames])
        heard[frames] = True
        start += hop
        if end == n_samples or start >= n_samples:
            break
    extent = meter.read()
    assert extent.seconds == pytest.approx(end / 1000)
    expected = np.count_nonzero(is_speech & heard) / 100
    assert extent.speech_seconds == pytest.approx(expected)
    assert 0 <= extent.speech <= 1


def test_what_is_speech_in_one_window_is_speech():
    meter = ExtentMeter(0.02)
    meter.add(40, 1000, np.array([False, False, True, True]))
    meter.add(40, 1000, np.array([False, True, False, False]))
    assert meter.read() == pytest.approx((0.06, 0.02))


def test_a_frame_that_begins_before_the_end_counts_no_more_than_there_is():
    assert Extent(1.001, 1.01).speech == 1.0


def test_share_of_speech(signals):
    speech = np.concatenate(signals[:3])
    silence = np.zeros(3 * len(speech), dtype=np.float32)
    extent = measure_extent((np.concatenate([silence, speech]), RATE), **WINDOWS)
    assert extent.seconds == pytest.approx(4 * len(speech) / RATE)
    assert 0.17 < extent.speech < 0.26
    nothing = measure_extent((silence, RATE), **WINDOWS)
    assert nothing == (len(silence) / RATE, 0.0)


def test_what_is_no_speech_on_the_whole_has_no_frames_of_it(signals):
    for signal in (signals[0], signals[0][: RATE // 5], np.zeros(RATE)):
        frames = speech_frames(signal, RATE)
        assert frames.shape == voice_activity(signal, RATE).shape
        assert 0.01 * frames.sum() == pytest.approx(speech_seconds(signal, RATE))
    assert speech_frames(signals[0], RATE).any()


@pytest.mark.parametrize("hop_duration", [1.0, None])
def test_pipelines_note_what_they_find(signals, hop_duration):
    rule = WindowRule(2.0, RATE, hop_duration, True)
    long = np.concatenate(signals[:3])
    with extents_noted() as extents:
        list(WindowedRecordings([signals[0], long, np.zeros(99)], rule).batches())
        list(WindowedRecordings([np.zeros(RATE), long], rule).batches())
    assert extents[0] == (1.0, 0.0)
    if hop_duration is None:  # nobody has looked behind the first window
        assert extents.keys() == {0}
    else:
        assert extents[1] == measure_extent(long, **WINDOWS)
    list(WindowedRecordings([long], rule).batches())
    assert extents.keys() <= {0, 1}


def test_nothing_is_noted_that_was_not_looked_for(signals):
    with extents_noted() as extents:
        list(
            WindowedRecordings(
                [signals[0]], WindowRule(2.0, RATE, 1.0, False)
            ).batches()
        )
        SpeechFeatureExtractor(duration=2.0).transform([signals[0][:RATE]])
    assert extents == {}
