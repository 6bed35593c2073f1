"""Emotions over time: where they begin and end, and what is certain when."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from skemotion import AudioError, emotion_timeline, iter_timeline
from skemotion.timeline._listener import SpeechListener

sys.path.insert(0, str(Path(__file__).parent))

from loudness import (
    RATE,
    Loudness,
    join,
    speech,
)

JOINED = join(0.8, speech(8, 0.01), 0.3, speech(7.3, 0.1), 1.5, speech(2, 0.01), 0.4)


def tell(signal, rate=RATE, **parameters):
    return emotion_timeline(Loudness(), (signal, rate), **parameters)


def check_sound(timeline, duration):
    """Check what holds for all timelines."""
    assert timeline.duration == pytest.approx(duration)
    assert timeline.starts.dtype == timeline.probabilities.dtype == np.float64
    assert (np.diff(timeline.starts) > 0).all()
    assert (timeline.starts < timeline.ends).all()
    np.testing.assert_allclose(timeline.probabilities.sum(axis=1), 1)
    edges = timeline.speech.ravel()
    assert (np.diff(edges) > 0).all()
    assert timeline.speech.shape == (len(edges) // 2, 2)
    times = [time for segment in timeline.segments for time in segment[:2]]
    assert (np.diff(times) >= 0).all()
    for start, end in [*zip(timeline.starts, timeline.ends, strict=True)] + [
        segment[:2] for segment in timeline.segments
    ]:
        (within,) = [(a, b) for a, b in timeline.speech if a <= start < b]
        assert start < end <= within[1] <= timeline.duration
    for segment in timeline.segments:
        assert segment.emotion in timeline.classes
        assert 0.5 <= segment.confidence <= 1


def test_segments_are_where_the_emotions_are():
    timeline = tell(JOINED)
    check_sound(timeline, len(JOINED) / RATE)
    labels = [segment.emotion for segment in timeline.segments]
    assert labels == ["calm", "loud", "calm"]
    times = [time for segment in timeline.segments for time in segment[:2]]
    expected = [0.8, 8.8, 9.1, 16.4, 17.9, 19.9]
    np.testing.assert_allclose(times, expected, atol=0.15)
    # Between the first two is a pause, though a short one, and so is the border.
    assert len(timeline.speech) == 2
    assert timeline.classes.tolist() == ["calm", "loud"]


def test_emotion_changes_within_speech_that_never_pauses():
    timeline = tell(join(speech(9, 0.01), speech(9, 0.1)))
    check_sound(timeline, 18)
    first, second = timeline.segments
    assert (first.emotion, second.emotion) == ("calm", "loud")
    assert first.start == 0
    assert first.end == second.start == pytest.approx(9, abs=1)
    assert second.end == 18


def test_a_window_never_reaches_over_a_long_pause():
    pipeline = Loudness()
    signal = join(speech(2, 0.01), 1, speech(2, 0.1))
    timeline = emotion_timeline(pipeline, (signal, RATE))
    assert max(pipeline.asked) < 2.5
    assert [segment.emotion for segment in timeline.segments] == ["calm", "loud"]
    # Where a pause has to be longer, it is one stretch, of one window.
    (segment,) = tell(signal, min_pause=2, max_utterance=6).segments
    assert segment.start == 0
    assert segment.end == 5


def test_windows_have_the_length_and_hop_that_are_asked_for():
    pipeline = Loudness()
    timeline = emotion_timeline(pipeline, speech(10, 0.1), window=2, hop=0.7)
    lengths = timeline.ends - timeline.starts
    np.testing.assert_allclose(lengths, 2)
    np.testing.assert_allclose(pipeline.asked, 2)
    np.testing.assert_allclose(np.diff(timeline.starts)[:-1], 0.7)
    assert timeline.ends[-1] == timeline.speech[-1, 1]


def test_a_short_utterance_is_one_window():
    timeline = tell(speech(4.5, 0.1))
    assert len(timeline.starts) == 1
    timeline = tell(speech(4.5, 0.1), max_utterance=0)
    assert len(timeline.starts) == 4


def test_smoothing_is_a_mean_over_time():
    signal = join(speech(6, 0.01), speech(6, 0.1))
    raw = tell(signal, smoothing=0)
    smooth = tell(signal, smoothing=1.0)
    centres = (raw.starts + raw.ends) / 2
    for centre, row in zip(centres, smooth.probabilities, strict=True):
        near = np.abs(centres - centre) <= 0.5 + 1e-9
        np.testing.assert_allclose(row, raw.probabilities[near].mean(axis=0))


@pytest.mark.parametrize("n_samples", [0.1, 0.0101, 1.37, 30.0])
@pytest.mark.parametrize("parameters", [{}, {"min_pause": 0, "smoothing": 2.5}])
def test_a_stream_tells_what_the_whole_does(n_samples, parameters):
    size = max(int(n_samples * RATE), 1)
    blocks = (JOINED[start : start + size] for start in range(0, len(JOINED), size))
    pieces = list(iter_timeline(Loudness(), blocks, **parameters))
    whole = tell(JOINED, **parameters)
    check_sound(whole, len(JOINED) / RATE)
    for name in ("starts", "ends", "probabilities", "speech"):
        joined = np.concatenate([getattr(piece, name) for piece in pieces])
        np.testing.assert_allclose(joined, getattr(whole, name), atol=1e-12)
    segments = [segment for piece in pieces for segment in piece.segments]
    assert [segment[:3] for segment in segments] == [s[:3] for s in whole.segments]
    assert pieces[-1].duration == whole.duration


def test_segments_come_while_the_stream_goes_on():
    heard = 0.0

    def microphone():
        nonlocal heard
        for start in range(0, len(JOINED), 1600):
            heard = start / RATE
            yield JOINED[start : start + 1600]

    waits = [
        heard - segment.end
        for piece in iter_timeline(Loudness(), microphone())
        for segment in piece.segments
    ]
    assert len(waits) == 3
    assert max(waits) < 5


def test_blocks_of_a_sound_card():
    """Integers, of two channels, with a rate of their own."""
    rate = 8000
    signal = np.int16(JOINED[::2] * (2**15 - 1))
    stereo = np.stack([signal, signal], axis=1)
    blocks = ((part, rate) for part in np.array_split(stereo, 50))
    pieces = list(iter_timeline(Loudness(), blocks))
    expected = tell(signal, rate)
    segments = [segment for piece in pieces for segment in piece.segments]
    assert [segment[:3] for segment in segments] == [s[:3] for s in expected.segments]
    assert len(segments) == 3


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([], "no samples"),
        ([np.empty(0)], "no samples"),
        ([np.full(9, np.nan)], "NaN"),
        ([(np.ones(9), 8000), (np.ones(9), 16000)], "16000 Hz, but the first was"),
        (["abc"], "a recording is"),
        ([np.ones((2, 2, 2))], "a recording is"),
    ],
)
def test_bad_blocks_are_refused(blocks, message):
    with pytest.raises(ValueError, match=message):
        list(iter_timeline(Loudness(), blocks))


@pytest.mark.parametrize(
    "signal",
    [np.zeros(3 * RATE), np.random.RandomState(0).normal(size=7 * RATE), np.ones(1)],
    ids=["silence", "noise", "one sample"],
)
def test_no_speech_is_in_no_segment(signal):
    timeline = tell(signal)
    assert timeline.segments == []
    assert timeline.probabilities.shape == (0, 2)
    assert timeline.speech.shape == (0, 2)
    assert timeline.duration == len(signal) / RATE


@pytest.mark.parametrize("rate", [8000, 11025, 44100])
def test_times_are_those_of_the_recording_at_any_rate(rate):
    from skemotion.audio import resample

    signal = resample(JOINED, RATE, rate)
    timeline = tell(signal, rate)
    check_sound(timeline, len(signal) / rate)
    times = [time for segment in timeline.segments for time in segment[:2]]
    np.testing.assert_allclose(times, [0.8, 8.8, 9.1, 16.4, 17.9, 19.9], atol=0.15)


def test_anything_that_holds_a_recording(tmp_path):
    path = tmp_path / "joined.wav"
    soundfile.write(path, JOINED, RATE, subtype="FLOAT")
    expected = tell(JOINED)
    for recording in (
        path,
        str(path),
        io.BytesIO(path.read_bytes()),
        JOINED,
        lambda sampling_rate, duration: (JOINED, RATE),
    ):
        timeline = emotion_timeline(Loudness(), recording)
        assert [s[:3] for s in timeline.segments] == [s[:3] for s in expected.segments]


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        ("gone.wav", "gone.wav: no such file"),
        (np.empty(0), r"X\[0\]: it holds no samples"),
        (np.array([0.1, np.inf]), "NaN or infinite"),
        (io.BytesIO(b"no audio"), "it is text"),
        (3.0, "a recording is a path"),
        (lambda sampling_rate, duration: (np.empty(0), 8000), "no samples"),
    ],
)
def test_what_cannot_be_read_is_named(recording, message):
    with pytest.raises(AudioError, match=message):
        emotion_timeline(Loudness(), recording)


def test_bad_samples_late_in_a_long_recording_are_found():
    signal = np.concatenate([JOINED, [np.nan]])
    with pytest.raises(AudioError, match="NaN"):
        tell(signal)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"window": 0}, "window must be a positive, finite number"),
        ({"hop": -1}, "hop must be a positive, finite number"),
        ({"smoothing": -0.1}, "smoothing must be a finite number from 0 on"),
        ({"min_pause": "long"}, "min_pause must be a finite number from 0 on"),
        ({"max_utterance": None}, "max_utterance must be a finite number from 0 on"),
        ({"max_utterance": np.inf}, "max_utterance must be a finite number from 0"),
        ({"smoothing": np.inf}, "smoothing must be a finite number from 0 on"),
        ({"window": float("inf")}, "window must be a positive, finite number"),
        ({"sampling_rate": 0}, "sampling_rate must be a positive, finite number"),
        ({"window": 2, "hop": 2.1}, "hop=2.1 is longer than window=2"),
    ],
)
def test_parameters_out_of_range_are_refused_at_once(parameters, message):
    def never():
        raise AssertionError("something was read")
        yield

    with pytest.raises(ValueError, match=message):
        emotion_timeline(Loudness(), "gone.wav", **parameters)
    with pytest.raises(ValueError, match=message):
        iter_timeline(Loudness(), never(), **parameters)


def test_what_predicts_no_probabilities_is_refused():
    with pytest.raises(ValueError, match="pipeline must have predict_proba"):
        emotion_timeline(object(), JOINED)


def test_memory_does_not_grow_with_the_recording():
    listener = SpeechListener(RATE, window=3, hop=0.5, min_pause=0.5, max_utterance=5)
    for part in [JOINED] * 3 + [speech(60, 0.1)]:
        for start in range(0, len(part), 1600):
            listener.feed(part[start : start + 1600])
            assert len(listener._held) < 7 * RATE


def test_pipelines_that_look_for_speech_are_not_asked_to_again(emodb_speech):
    """Short windows would be called no speech, and have equal probabilities."""
    pipeline, recording, emotion = emodb_speech
    timeline = emotion_timeline(pipeline, recording)
    assert pipeline.detect_speech
    assert [segment.emotion for segment in timeline.segments] == [emotion]


@pytest.fixture
def emodb_speech(emodb):
    from skemotion import load_pretrained

    row = emodb.target.tolist().index("anger")
    return load_pretrained(), emodb.paths[row], "anger"


def test_any_pipeline_that_predicts_probabilities():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from skemotion import SequenceFunctionals, SpeechFeatureExtractor

    parts = [
        speech(2 + number / 4, gain) for number in range(4) for gain in (0.01, 0.1)
    ]
    logistic = make_pipeline(
        SpeechFeatureExtractor(),
        SequenceFunctionals(),
        StandardScaler(),
        LogisticRegression(),
    ).fit(parts, [0, 1] * 4)
    timeline = emotion_timeline(logistic, JOINED)
    assert [segment.emotion for segment in timeline.segments] == [0, 1, 0]
