"""Predictions of recordings of any length."""

import io
import tracemalloc
import warnings

import joblib
import numpy as np
import pytest
import sklearn
import soundfile
from imblearn.pipeline import Pipeline as ImbalancedPipeline
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skemotion import (
    EmotionPipeline,
    SequenceFunctionals,
    SequenceScaler,
    SequenceUnion,
    SpeechAugmenter,
    SpeechFeatureExtractor,
    load_model,
    make_emotion_pipeline,
    save_model,
)
from skemotion.exceptions import (
    AudioError,
    CancellationWarning,
    NoSpeechWarning,
    TruncationWarning,
)
from skemotion.feature_extraction import _extractor
from skemotion.pipeline import _windows

RATE = 16000
DURATION = 0.5
HOP = 0.2
RNG = np.random.default_rng(0)
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]


def tone(frequency, seconds, rate=RATE):
    time = np.arange(int(seconds * rate)) / rate
    noise = RNG.normal(size=time.size)
    return (0.3 * np.sin(2 * np.pi * frequency * time) + 0.03 * noise).astype(
        np.float32
    )


FREQUENCIES = {"anger": 900, "fear": 400, "sadness": 150}
y = np.repeat(list(FREQUENCIES), 8)
SHORT = [
    tone(FREQUENCIES[label] * RNG.uniform(0.7, 1.4), seconds)
    for label, seconds in zip(y, [0.4, 0.5, 0.3, 0.5] * 6, strict=True)
]
# Anger and then sadness, of no whole number of windows.
LONG = np.concatenate([tone(900, 0.95), tone(150, 0.75)])


def extractor(**parameters):
    return SpeechFeatureExtractor(duration=DURATION, n_mfcc=5, n_mels=16, **parameters)


def make(last=None, *, front=None, hop_duration=HOP, **parameters):
    return EmotionPipeline(
        [
            ("augment", "passthrough"),
            ("extract", extractor() if front is None else front),
            ("functionals", SequenceFunctionals(["mean"], loudness=5)),
            ("scale", StandardScaler()),
            ("classify", LogisticRegression(C=0.1) if last is None else last),
        ],
        hop_duration=hop_duration,
        **parameters,
    )


@pytest.fixture(autouse=True)
def every_sound_is_speech(monkeypatch):
    """Let tones count as speech, which they are not."""

    def frames(signal, sampling_rate):
        n_frames = -(-len(signal) * 100 // sampling_rate)
        return np.full(int(n_frames), np.any(np.abs(signal) > 1e-4))

    monkeypatch.setattr(_windows, "speech_frames", frames)


@pytest.fixture(scope="module")
def fitted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(hop_duration=None).fit(SHORT, y)


@pytest.fixture
def pipeline(fitted):
    return with_hop(fitted)


def with_hop(fitted, hop_duration=HOP, **parameters):
    """Share fitted steps with a pipeline of other windows."""
    part = fitted[:]
    return part.set_params(hop_duration=hop_duration, **parameters)


def windows_by_hand(signal, rate=RATE, duration=DURATION, hop=HOP):
    length, step = int(duration * rate), int(hop * rate)
    starts = [0]
    while starts[-1] + length < len(signal) and starts[-1] + step < len(signal):
        starts.append(starts[-1] + step)
    return [signal[start : start + length] for start in starts]


def mean_by_hand(fitted, windows, weights=None, method="predict_proba", rate=RATE):
    """Transform windows by the extractor, alone, and average."""
    X = fitted[:-1].transform([(window, rate) for window in windows])
    values = getattr(fitted[-1], method)(X)
    weights = [len(window) for window in windows] if weights is None else weights
    return np.average(values, axis=0, weights=weights)


# What is looked at


def test_a_long_recording_is_the_weighted_mean_of_its_windows(fitted, pipeline):
    windows = windows_by_hand(LONG)
    assert len(windows) == 7
    assert [len(window) for window in windows] == [8000] * 6 + [8000]
    expected = mean_by_hand(fitted, windows)
    np.testing.assert_allclose(pipeline.predict_proba([LONG])[0], expected, atol=1e-6)
    first, last = fitted.predict_proba([LONG[:8000], LONG[-8000:]])
    assert np.abs(expected - first).max() > 0.1
    assert np.abs(expected - last).max() > 0.1


def test_the_last_window_may_be_shorter_and_counts_less(fitted, pipeline):
    signal = LONG[:-1000]
    windows = windows_by_hand(signal)
    assert len(windows[-1]) < len(windows[0])
    expected = mean_by_hand(fitted, windows)
    np.testing.assert_allclose(pipeline.predict_proba([signal])[0], expected, atol=1e-6)
    even = mean_by_hand(fitted, windows, weights=np.ones(len(windows)))
    assert np.abs(even - expected).max() > 1e-5


@pytest.mark.parametrize("hop", [0.1, DURATION, 0.8, 100.0])
def test_any_hop(fitted, hop):
    windows = windows_by_hand(LONG, hop=hop)
    found = with_hop(fitted, hop).predict_proba([LONG])[0]
    np.testing.assert_allclose(found, mean_by_hand(fitted, windows), atol=1e-6)
    assert len(windows) == {0.1: 13, DURATION: 4, 0.8: 3, 100.0: 1}[hop]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("detect_speech", [False, True])
@pytest.mark.parametrize("hop", [None, HOP])
def test_short_recordings_are_what_they_were_bit_for_bit(
    fitted, method, detect_speech, hop
):
    recordings = [*SHORT, LONG[:8000], LONG[:3200], LONG[:1], (SHORT[0][:4000], 8000.0)]
    recordings = [r for r in recordings if len(r) > 1 or not detect_speech]
    pipeline = with_hop(fitted, hop, detect_speech=detect_speech)
    expected = getattr(fitted, method)(recordings)
    found = getattr(pipeline, method)(recordings)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    assert pipeline.score(SHORT, y) == fitted.score(SHORT, y)


def test_all_that_predicts_agrees(fitted, pipeline):
    recordings = [LONG, *SHORT[:5], LONG[::-1], SHORT[20]]
    proba = pipeline.predict_proba(recordings)
    labels = pipeline.predict(recordings)
    np.testing.assert_array_equal(labels, pipeline.classes_[proba.argmax(axis=1)])
    np.testing.assert_allclose(
        pipeline.predict_log_proba(recordings), np.log(proba), atol=1e-6
    )
    decisions = mean_by_hand(fitted, windows_by_hand(LONG), method="decision_function")
    np.testing.assert_allclose(
        pipeline.decision_function(recordings)[0], decisions, atol=1e-6
    )
    target = ["anger", *y[:5], "fear", "fear"]
    weights = np.arange(8.0)
    right = labels == target
    assert pipeline.score(recordings, target) == right.mean()
    assert pipeline.score(recordings, target, weights) == pytest.approx(
        np.average(right, weights=weights)
    )


def test_what_is_no_prediction_stays_the_first_seconds(fitted, pipeline):
    for part in (pipeline[:-1], pipeline["extract"]):
        with pytest.warns(TruncationWarning, match="1 of 1"):
            found = part.transform([LONG])
        np.testing.assert_array_equal(found, part.transform([LONG[:8000]]))
    X = pipeline["extract"].transform(SHORT)
    steps = pipeline.sequence_steps
    assert (steps.hop_duration, steps.detect_speech) == (HOP, False)
    np.testing.assert_array_equal(
        steps.predict_proba(X), fitted.sequence_steps.predict_proba(X)
    )


def test_order_of_rows_in_batches(fitted, pipeline, monkeypatch):
    recordings = [SHORT[0], LONG, SHORT[9], LONG[::-1], SHORT[17], LONG[:9000], LONG]
    expected = np.concatenate([pipeline.predict_proba([r]) for r in recordings])
    for limit in (1, 3, 5):
        monkeypatch.setattr(_windows, "_MAX_WINDOWS", limit)
        np.testing.assert_allclose(
            pipeline.predict_proba(recordings), expected, atol=1e-6
        )
    monkeypatch.setattr(_windows, "_MAX_SAMPLES", 20_000)
    np.testing.assert_allclose(pipeline.predict_proba(recordings), expected, atol=1e-6)


def encoded(signal, rate=RATE, **options):
    file = io.BytesIO()
    soundfile.write(file, signal, rate, **{"format": "FLAC", **options})
    file.seek(0)
    return file


class Pipe(io.BytesIO):
    def seekable(self):
        return False


def test_kinds_of_recordings(fitted, pipeline, tmp_path):
    integers = (LONG * 2**15).astype(np.int16)
    signal = integers / np.float32(2**15)
    path = tmp_path / "long.flac"
    path.write_bytes(encoded(integers).getvalue())
    file = encoded(integers)
    file.seek(7)
    recordings = [
        *(str(path), path, file, Pipe(encoded(integers).getvalue())),
        *(integers, signal, signal.astype(float), (integers, RATE)),
        lambda sampling_rate, duration: (signal, sampling_rate),
        lambda sampling_rate, duration: signal,
    ]
    found = pipeline.predict_proba(recordings)
    assert file.tell() == 7
    np.testing.assert_allclose(
        found, np.tile(found[:1], (len(recordings), 1)), atol=1e-6
    )
    expected = mean_by_hand(fitted, windows_by_hand(signal))
    np.testing.assert_allclose(found[0], expected, atol=1e-6)
    for X in (iter(recordings[4:]), np.array([str(path)] * 2), tuple(recordings[4:])):
        assert len(pipeline.predict(X)) in (2, 6)


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_rates_and_channels(fitted, pipeline, rate):
    signal = np.concatenate([tone(900, 0.95, rate), tone(150, 0.73, rate)])
    stereo = np.stack([signal * 1.5, signal * 0.5], axis=1)
    mixed = soundfile.read(encoded(stereo, rate), dtype="float32")[0].mean(axis=1)
    expected = mean_by_hand(fitted, windows_by_hand(mixed, rate), rate=rate)
    found = pipeline.predict_proba([encoded(stereo, rate)])[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_mp3_is_decoded_in_one_go(fitted, pipeline):
    file = encoded(np.tile(LONG, 8), format="MP3")
    whole = soundfile.read(file, dtype="float32")[0]
    expected = mean_by_hand(fitted, windows_by_hand(whole))
    np.testing.assert_allclose(pipeline.predict_proba([file])[0], expected, atol=1e-6)


def test_no_warning_of_what_is_looked_at(fitted, pipeline):
    pipeline.predict([LONG])
    for speech in (False, True):
        with pytest.warns(TruncationWarning, match="2 of 3 .*0.5 s.*: X") as caught:
            with_hop(fitted, None, detect_speech=speech).predict(
                [LONG, SHORT[0], LONG, lambda sampling_rate, duration: LONG]
            )
        assert len(caught) == 1
        assert not speech or caught[0].filename == __file__


# What counts


def test_digital_silence_never_counts_where_there_is_sound(fitted, pipeline):
    zeros = np.zeros(20_000, dtype=np.float32)
    signal = np.concatenate([zeros, LONG, zeros])
    windows = [window for window in windows_by_hand(signal) if window.any()]
    assert len(windows) < len(windows_by_hand(signal)) - 8
    np.testing.assert_allclose(
        pipeline.predict_proba([signal])[0], mean_by_hand(fitted, windows), atol=1e-6
    )
    np.testing.assert_array_equal(
        pipeline.predict_proba([zeros]), fitted.predict_proba([zeros[:8000]])
    )


def test_windows_count_by_their_seconds_of_speech(fitted, monkeypatch):
    def activity(signal, sampling_rate):
        assert sampling_rate == RATE
        frames = np.resize(signal, (len(signal) // 160, 160))
        return np.abs(frames).max(axis=1) > 0.5

    monkeypatch.setattr(_windows, "speech_frames", activity)
    loud = LONG * np.where(np.arange(len(LONG)) < 9000, 3, 1).astype(np.float32)
    loud[:5000] *= 0.1
    windows = windows_by_hand(loud)
    weights = [activity(window, RATE).sum() for window in windows]
    assert weights[0] > weights[2] > weights[-1] == 0
    pipeline = with_hop(fitted, detect_speech=True)
    found = pipeline.predict_proba([SHORT[0] * 4, loud])[1]
    expected = mean_by_hand(fitted, windows, weights)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def antiphase(seconds):
    signal = tone(500, seconds)
    return encoded(np.stack([signal, -signal], axis=1))


@pytest.mark.parametrize("hop", [None, HOP])
def test_no_speech(fitted, hop):
    silences = [np.zeros(3000), antiphase(0.4), np.zeros(RATE), antiphase(1.5)]
    recordings = [SHORT[0], *silences, SHORT[-1]]
    recordings = [*recordings, np.zeros(100)] if hop else [*recordings[:3], SHORT[-1]]
    speaks = [isinstance(r, np.ndarray) and bool(r.any()) for r in recordings]
    rows = np.flatnonzero(~np.array(speaks)).tolist()
    pipeline = with_hop(fitted, hop, detect_speech=True)
    for method in METHODS:
        with pytest.warns((NoSpeechWarning, CancellationWarning)) as caught:
            found = getattr(pipeline, method)(recordings)
        cancelled = [w for w in caught if w.category is CancellationWarning]
        caught = [w for w in caught if w.category is not CancellationWarning]
        assert [w.message.names for w in cancelled] == [
            ["X[2]", "X[4]"][: len(rows) // 2]
        ]
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert caught[0].message.rows == rows
        assert str(caught[0].message).startswith(
            f"{len(rows)} of {len(recordings)} recordings hold no speech, so that all "
            "classes are as likely there: row 1, row 2"
        )
        neutral = {"predict": "anger", "decision_function": 0}.get(method, 1 / 3)
        if method == "predict_log_proba":
            neutral = np.log(1 / 3)
        if method == "predict":
            assert found[rows].tolist() == ["anger"] * len(rows)
        else:
            np.testing.assert_allclose(found[rows], neutral)
        others = np.flatnonzero(speaks)
        np.testing.assert_array_equal(
            found[others], getattr(fitted, method)([recordings[row] for row in others])
        )
    with pytest.warns(NoSpeechWarning), pytest.warns(CancellationWarning):
        assert pipeline.score(recordings, ["anger"] * len(recordings)) >= 0.5


def test_nothing_but_silence(fitted, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(RATE), RATE)
    pipeline = with_hop(fitted, detect_speech=True)
    recordings = [str(path)] * 12
    with pytest.warns(NoSpeechWarning, match=r"row 0 \(.*silence.wav\), .*and 2 more"):
        np.testing.assert_allclose(pipeline.predict_proba(recordings), 1 / 3)
    with pytest.warns(NoSpeechWarning):
        assert pipeline.predict(recordings).tolist() == ["anger"] * 12
    with pytest.warns(NoSpeechWarning):
        assert pipeline.decision_function(recordings).shape == (12, 3)


# What goes wrong


def test_bad_recordings_are_named_in_one_error(pipeline, tmp_path):
    torn = tmp_path / "torn.flac"
    content = bytearray(encoded(np.tile(LONG, 20)).getvalue())
    content[60_000:60_300] = bytes(300)
    torn.write_bytes(content)
    late = np.append(np.tile(LONG, 3), np.nan)
    bad = [late, str(torn), np.empty(0), np.append(LONG, np.inf)]
    with pytest.raises(AudioError) as caught:
        pipeline.predict([SHORT[0], *bad[:2], LONG, *bad[2:], SHORT[1]])
    names = [name for name, _ in caught.value.failures]
    assert names == ["X[1]", str(torn), "X[4]", "X[5]"]


def test_headers_are_probed_before_any_work(pipeline, monkeypatch):
    monkeypatch.setattr(_windows, "iter_windows", None)
    with pytest.raises(AudioError) as caught:
        pipeline.predict([SHORT[0], "gone.wav", LONG, "lost.wav"])
    assert [name for name, _ in caught.value.failures] == ["gone.wav", "lost.wav"]


def test_what_the_first_step_refuses_is_named_by_its_recording(pipeline, monkeypatch):
    describe = _extractor.describe

    def refuse(signal, native_rate, settings, **options):
        if np.abs(signal).max() > 100:
            raise AudioError([])
        return describe(signal, native_rate, settings, **options)

    monkeypatch.setattr(_extractor, "describe", refuse)
    monkeypatch.setattr(
        SpeechFeatureExtractor,
        "transform",
        refusing(SpeechFeatureExtractor.transform),
    )
    monkeypatch.setattr(_windows, "_MAX_WINDOWS", 2)
    spoilt = np.append(LONG, 1000 * LONG)
    with pytest.raises(AudioError) as caught:
        pipeline.predict([SHORT[0], spoilt, SHORT[1], 1000 * SHORT[0], np.empty(0)])
    assert caught.value.failures[0] == ("X[1]", "too loud")
    assert ("X[4]", "it holds no samples") in caught.value.failures


def refusing(transform):
    def refuse(self, X):
        from skemotion.audio import load_audio, recording_name

        loud = [np.abs(load_audio(r)).max() > 100 for r in X]
        if any(loud):
            raise AudioError(
                (recording_name(r, i), "too loud") for i, r in enumerate(X) if loud[i]
            )
        return transform(self, X)

    return refuse


@pytest.mark.parametrize("value", [0, -1.0, "2", np.nan])
def test_bad_parameters(fitted, value):
    with pytest.raises(ValueError, match="'hop_duration' parameter"):
        make(hop_duration=value).fit(SHORT, y)
    with pytest.raises(ValueError, match="'hop_duration' parameter"):
        with_hop(fitted, value).predict(SHORT)
    with pytest.raises(ValueError, match="'detect_speech' parameter"):
        with_hop(fitted, detect_speech="yes").predict(SHORT)


def test_first_steps_without_duration(fitted):
    class Short(SpeechFeatureExtractor):
        def transform(self, X):
            return super().transform(X)

    front = extractor()
    front.__class__ = Short
    front.duration = None
    pipeline = with_hop(fitted)
    pipeline.steps[1] = ("extract", front)
    with pytest.raises(ValueError, match="Short has no duration"):
        pipeline.predict(SHORT)


# Other last steps


def test_decisions_are_averaged_where_there_are_no_probabilities():
    pipeline = make(SVC()).fit(SHORT, y)
    windows = windows_by_hand(LONG)
    mean = mean_by_hand(pipeline, windows, method="decision_function")
    found = pipeline.predict([SHORT[9], LONG, SHORT[20]])
    assert found[1] == pipeline.classes_[mean.argmax()]
    assert [found[0], found[2]] == pipeline[-1].predict(
        pipeline[:-1].transform([SHORT[9], SHORT[20]])
    ).tolist()
    with pytest.raises(AttributeError):
        pipeline.predict_proba([LONG])


def test_two_classes():
    labels = np.where(y == "anger", "anger", "other")
    pipeline = make(SVC()).fit(SHORT, labels)
    mean = mean_by_hand(pipeline, windows_by_hand(LONG), method="decision_function")
    np.testing.assert_allclose(pipeline.decision_function([LONG, SHORT[0]])[0], mean)
    assert pipeline.predict([LONG]) == pipeline.classes_[int(mean > 0)]
    pipeline.set_params(detect_speech=True)
    with pytest.warns(NoSpeechWarning):
        assert pipeline.decision_function([np.zeros(9000)]).tolist() == [0.0]


def test_last_steps_without_a_mean():
    pairs = make(SVC(decision_function_shape="ovo")).fit(SHORT, y)
    pairs_of_four = make(SVC(decision_function_shape="ovo")).fit(
        SHORT, np.arange(24) % 4
    )
    assert pairs.predict(SHORT).shape == (24,)
    with pytest.raises(ValueError, match="6 decisions for 4 classes.*'ovr'"):
        pairs_of_four.predict([LONG])
    columns = np.stack([y == "fear", y == "anger"], axis=1)
    several = make(MultiOutputClassifier(LogisticRegression())).fit(SHORT, columns)
    with pytest.raises(ValueError, match="gives several arrays"):
        several.predict([LONG])


def test_regression():
    loudness = np.array([np.abs(signal).max() for signal in SHORT])
    pipeline = make(LinearRegression()).fit(SHORT, loudness)
    windows = windows_by_hand(LONG)
    expected = mean_by_hand(pipeline, windows, method="predict")
    np.testing.assert_allclose(pipeline.predict([SHORT[0], LONG])[1], expected)
    assert pipeline.score(SHORT, loudness) <= 1
    pipeline.set_params(detect_speech=True)
    with pytest.warns(NoSpeechWarning):
        assert np.isnan(pipeline.predict([np.zeros(100), SHORT[0]])).tolist() == [1, 0]


def test_a_score_of_its_own_is_not_replaced_in_silence():
    search = GridSearchCV(LogisticRegression(C=0.1), {"C": [1]}, cv=2)
    pipeline = make(search).fit(SHORT, y)
    assert pipeline.predict_proba([LONG]).shape == (1, 3)
    with pytest.raises(ValueError, match="GridSearchCV has a score of its own"):
        pipeline.score(SHORT, y)
    nested = make(make_pipeline(SequenceFunctionals(["mean"]), RidgeClassifier()))
    nested.set_params(functionals="passthrough", scale="passthrough").fit(SHORT, y)
    assert nested.score([*SHORT, LONG], [*y, "anger"]) <= 1


# Other first steps


def test_unions_and_nested_fronts(fitted):
    union = SequenceUnion([("a", extractor()), ("b", make_pipeline(extractor()))])
    pipeline = make(front=union, random_state=0).fit(SHORT, y)
    expected = mean_by_hand(pipeline, windows_by_hand(LONG))
    np.testing.assert_allclose(pipeline.predict_proba([LONG])[0], expected, atol=1e-6)
    nested = with_hop(fitted)
    nested.steps[1] = (
        "extract",
        make_pipeline(extractor(), SequenceScaler()).fit(SHORT),
    )
    expected = mean_by_hand(nested, windows_by_hand(LONG))
    np.testing.assert_allclose(nested.predict_proba([LONG])[0], expected, atol=1e-6)


def test_samplers_of_recordings_are_passed_by(fitted):
    pipeline = with_hop(fitted, augment=SpeechAugmenter(1, random_state=0))
    expected = mean_by_hand(fitted, windows_by_hand(LONG))
    np.testing.assert_allclose(pipeline.predict_proba([LONG])[0], expected, atol=1e-6)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_workers_cache_and_progress(fitted, tmp_path, n_jobs, monkeypatch, capfd):
    names = {"n_jobs": n_jobs, "memory": tmp_path, "verbose": 1}
    cached = extractor(**names)
    cached.transform(SHORT[:1])
    pipeline = with_hop(fitted)
    pipeline.steps[1] = ("extract", cached)
    recordings = [SHORT[0], LONG, SHORT[9]]
    expected = with_hop(fitted).predict_proba(recordings)
    n_before = len(list(tmp_path.rglob("*.features")))
    np.testing.assert_array_equal(pipeline.predict_proba(recordings), expected)
    # What is not longer than a window is found under the key that it had.
    assert len(list(tmp_path.rglob("*.features"))) == n_before + 7 + 1
    monkeypatch.setattr(_extractor, "describe", not_called)
    np.testing.assert_array_equal(pipeline.predict_proba(recordings), expected)
    assert "extract" in capfd.readouterr().err


def not_called(*args, **options):
    raise AssertionError


def test_functions_are_found_in_the_cache_under_their_own_key(fitted, tmp_path):
    copies, _ = SpeechAugmenter(1, effects=["noise"], random_state=0).fit_resample(
        SHORT[:3], "abc"
    )
    cached = extractor(memory=tmp_path)
    cached.transform(copies[3:])
    pipeline = with_hop(fitted)
    pipeline.steps[1] = ("extract", cached)
    expected = fitted.predict_proba(copies[3:])
    np.testing.assert_array_equal(pipeline.predict_proba(copies[3:]), expected)
    assert len(list(tmp_path.rglob("*.features"))) == 3
    pipeline.predict_proba([lambda sampling_rate, duration: (LONG, RATE)])
    assert len(list(tmp_path.rglob("*.features"))) == 3


# Parameters of methods


class Told(LogisticRegression):
    """Keeps what it was told."""

    def predict(self, X, marks=None):
        self.marks_ = None if marks is None else list(marks)
        return super().predict(X)

    def predict_proba(self, X, marks=None):
        self.proba_marks_ = None if marks is None else list(marks)
        return super().predict_proba(X)


def test_parameters_follow_the_rows_of_windows():
    pipeline = make(Told(C=0.1)).fit(SHORT, y)
    pipeline.predict([SHORT[0], LONG, SHORT[1]], marks=np.array([1, 2, 3]))
    assert pipeline[-1].marks_ == [1, 3]
    assert pipeline[-1].proba_marks_ == [2] * 7
    pipeline.predict_proba([SHORT[0], LONG], marks="same")
    assert pipeline[-1].proba_marks_ == list("same")


def test_routed_metadata():
    with sklearn.config_context(enable_metadata_routing=True):
        last = Told(C=0.1).set_predict_request(marks=True)
        last.set_score_request(sample_weight=True)
        pipeline = make(last).fit(SHORT, y)
        pipeline.predict([SHORT[0], LONG, SHORT[1]], marks=np.array([1, 2, 3]))
        assert pipeline[-1].marks_ == [1, 3]
        labels = pipeline.predict([SHORT[0], LONG])
        target = [labels[0], "none"]
        assert pipeline.score([SHORT[0], LONG], target) == 0.5
        weighted = pipeline.score([SHORT[0], LONG], target, sample_weight=[3, 1])
        assert weighted == 0.75
        assert pipeline.predict_proba([LONG]).shape == (1, 3)


# Memory, persistence, searches


class Endless(io.RawIOBase):
    """A WAV file of noise that is made while it is read."""

    def __init__(self, seconds, rate=RATE):
        self.n_bytes = 2 * int(seconds * rate)
        header = io.BytesIO()
        soundfile.write(header, np.zeros(0), rate, format="WAV", subtype="PCM_16")
        content = bytearray(header.getvalue())
        content[4:8] = (self.n_bytes + len(content) - 8).to_bytes(4, "little")
        content[-4:] = self.n_bytes.to_bytes(4, "little")
        self.header, self.position, self.most = bytes(content), 0, 0
        self.noise = RNG.integers(-3000, 3000, 2**15).astype("<i2").tobytes()

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.position

    def seek(self, offset, whence=0):
        end = len(self.header) + self.n_bytes
        self.position = offset + (0, self.position, end)[whence]
        return self.position

    def readinto(self, buffer):
        size = min(len(buffer), len(self.header) + self.n_bytes - self.position)
        self.most = max(self.most, size)
        head = self.header[self.position : self.position + size]
        rest = size - len(head)
        start = max(self.position - len(self.header), 0) % len(self.noise)
        body = (self.noise * (2 + rest // len(self.noise)))[start : start + rest]
        buffer[:size] = head + body
        self.position += size
        return size


def peak_of(work):
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_is_bounded(fitted, monkeypatch):
    monkeypatch.setattr(_windows, "_MAX_SAMPLES", 100_000)
    pipeline = with_hop(fitted, DURATION)
    pipeline.predict([Endless(2)])
    held, peaks = [], []
    transform = SpeechFeatureExtractor.transform

    def count(self, X):
        held.append(sum(len(signal) for signal, _ in X))
        return transform(self, X)

    monkeypatch.setattr(SpeechFeatureExtractor, "transform", count)
    for seconds in (20, 80):
        file = Endless(seconds)
        peaks.append(peak_of(lambda file=file: pipeline.predict([file])))
        assert file.most < 200_000
        assert file.tell() == 0
    assert max(held) < 100_000 + DURATION * RATE
    assert len(held) > 10
    assert peaks[1] < 1.3 * peaks[0]


def test_parameters_persist(fitted, tmp_path):
    pipeline = with_hop(fitted, detect_speech=True)
    assert clone(pipeline).get_params()["hop_duration"] == HOP
    joblib.dump(pipeline, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    assert (loaded.hop_duration, loaded.detect_speech) == (HOP, True)
    np.testing.assert_array_equal(
        loaded.predict_proba([LONG]), pipeline.predict_proba([LONG])
    )
    front = EmotionPipeline(
        [("extract", extractor()), ("scale", SequenceScaler())],
        hop_duration=HOP,
        detect_speech=True,
    ).fit(SHORT)
    save_model(front, tmp_path / "front.skemotion")
    loaded = load_model(tmp_path / "front.skemotion")
    assert (loaded.hop_duration, loaded.detect_speech) == (HOP, True)


def test_pickles_without_the_parameters(fitted):
    old = fitted[:]
    state = old.__getstate__()
    del state["hop_duration"], state["detect_speech"]
    old = EmotionPipeline.__new__(EmotionPipeline)
    old.__setstate__(state)
    np.testing.assert_array_equal(old.predict(SHORT), fitted.predict(SHORT))
    assert (old.hop_duration, old.detect_speech) == (None, False)


def test_search_over_the_hop():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        search = GridSearchCV(
            make(),
            {"hop_duration": [None, 0.1, 0.5], "detect_speech": [False, True]},
            cv=2,
            error_score="raise",
        ).fit([*SHORT, *[LONG] * 4], [*y, *["anger", "sadness"] * 2])
    assert len(search.cv_results_["params"]) == 6


def test_the_recipes():
    pipeline = make_emotion_pipeline()
    assert (pipeline.hop_duration, pipeline.detect_speech) == (2.5, True)
    pipeline = make_emotion_pipeline("post")
    assert (pipeline.hop_duration, pipeline.detect_speech) == (None, False)


def test_it_is_imbalanced_learns_pipeline_where_it_is_off(fitted):
    plain = ImbalancedPipeline(fitted.steps)
    for method in METHODS:
        np.testing.assert_array_equal(
            getattr(fitted, method)(SHORT), getattr(plain, method)(SHORT)
        )
