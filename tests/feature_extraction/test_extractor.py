"""Features: librosa, called descriptor by descriptor, is the oracle."""

import inspect
import io
import pickle
from dataclasses import replace

import joblib
import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_info, threadpool_limits

from skemotion import AudioError, SpeechFeatureExtractor
from skemotion.exceptions import TruncationWarning
from skemotion.feature_extraction import _extraction, _extractor, _sets

RATE = 16000


# What is left of a flat spectrum is rounding, which depends on BLAS' threads.
@threadpool_limits.wrap(limits=1, user_api="blas")
def describe_as_the_post(y, sr=RATE, hop_length=512, n_fft=2048, n_mfcc=20):
    """Call librosa once per descriptor, each with its own transform."""
    f = librosa.feature
    spectral = {"y": y, "sr": sr, "hop_length": hop_length, "n_fft": n_fft}
    framing = {"hop_length": hop_length, "frame_length": n_fft}
    mfcc = f.mfcc(n_mfcc=n_mfcc, **spectral)
    return np.concatenate(
        [
            f.spectral_centroid(**spectral),
            f.spectral_contrast(**spectral)[:1],
            f.spectral_bandwidth(**spectral),
            f.spectral_rolloff(**spectral),
            f.zero_crossing_rate(y, **framing),
            f.rms(y=y, **framing),
            mfcc,
            f.delta(mfcc),
        ]
    ).T


def padded(signal, n_samples=5 * RATE):
    signal = np.asarray(signal, dtype=np.float32)[:n_samples]
    return np.concatenate([np.zeros(n_samples - len(signal), np.float32), signal])


def assert_equal_features(actual, expected, spread=None):
    """Compare within 1e-4 of each column's spread."""
    if spread is None:
        spread = expected.std(axis=0) + 1e-6 * np.abs(expected).max(axis=0)
    # In the precision of the result: a spread may be less than its resolution.
    error = np.abs(actual - expected.astype(actual.dtype)).max(axis=0)
    assert (error <= 1e-4 * spread + 1e-12).all(), error / spread


def tone(frequency, n=RATE, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(n) / RATE)


RNG = np.random.default_rng(0)
EDGE_CASES = {
    "silence": np.zeros(RATE),
    "one sample": np.array([0.3]),
    "constant": np.full(RATE, 0.5),
    "impulse": np.eye(1, RATE, 100)[0],
    "tone": tone(440),
    "low tone": tone(50),
    "tone at Nyquist": np.tile([0.5, -0.5], RATE // 2),
    "noise": RNG.normal(size=RATE),
    "faint noise": 1e-6 * RNG.normal(size=RATE),
    "loud noise": 30 * RNG.normal(size=RATE),
    "exactly five seconds": 0.1 * RNG.normal(size=5 * RATE),
    "longer": 0.1 * RNG.normal(size=6 * RATE),
    "silence within": np.concatenate([tone(300), np.zeros(RATE), tone(600)]),
    "zeros that alternate in sign": np.tile([0.0, -0.0, 1e-12, -1e-12], RATE // 4),
}


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
@pytest.mark.parametrize("name", EDGE_CASES)
def test_equals_librosa_on_edge_cases(name):
    signal = EDGE_CASES[name]
    features = SpeechFeatureExtractor().transform([signal])
    assert features.shape == (1, 157, 46)
    assert features.dtype == np.float32
    assert_equal_features(features[0], describe_as_the_post(padded(signal)))


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
@settings(max_examples=15, deadline=None)
@given(
    # The spectrum of a click is flat, and its contrast nothing but rounding.
    n=st.integers(RATE // 20, 6 * RATE),
    frequency=st.floats(20, 7900),
    noise=st.floats(0, 1),
    gain=st.floats(1e-4, 10),
    seed=st.integers(0, 99),
)
def test_equals_librosa_on_mixtures(n, frequency, noise, gain, seed):
    rng = np.random.default_rng(seed)
    signal = gain * (tone(frequency, n) + noise * rng.normal(size=n))
    features = SpeechFeatureExtractor().transform([signal])
    assert_equal_features(features[0], describe_as_the_post(padded(signal)))


@pytest.mark.emodb
def test_equals_librosa_on_emodb(emodb_path):
    paths = sorted((emodb_path / "wav").glob("*.wav"))
    durations = np.array([soundfile.info(path).duration for path in paths])
    longer, shorter = np.flatnonzero(durations > 5), np.flatnonzero(durations <= 5)
    assert len(longer) == 25
    chosen = [paths[i] for i in np.concatenate([longer[::3], shorter[::20]])]
    expected = np.stack(
        [
            describe_as_the_post(padded(librosa.load(path, sr=RATE, duration=5)[0]))
            for path in chosen
        ]
    )
    with pytest.warns(TruncationWarning, match="9 of 35 recordings"):
        features = SpeechFeatureExtractor().transform(chosen)
    spread = expected.std(axis=(0, 1))
    for actual, wanted in zip(features, expected, strict=True):
        assert_equal_features(actual, wanted, spread)


@pytest.mark.emodb
def test_all_of_emodb(emodb_sequences):
    assert emodb_sequences.shape == (535, 157, 46)
    assert emodb_sequences.dtype == np.float32
    assert np.isfinite(emodb_sequences).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"duration": 2.0},
        {"duration": 1.0, "hop_length": 160, "frame_length": 400, "n_mels": 40},
        {"n_mfcc": 13},
        {"n_mfcc": 40, "frame_length": 1024},
    ],
)
def test_parameters_reach_librosa(parameters):
    extractor = SpeechFeatureExtractor(**parameters)
    signal = 0.1 * RNG.normal(size=8000)
    n_samples = int(extractor.duration * RATE)
    features = extractor.transform([signal])[0]
    n_mfcc = extractor.n_mfcc
    assert features.shape == (1 + n_samples // extractor.hop_length, 6 + 2 * n_mfcc)
    assert extractor.get_feature_names_out().shape == (6 + 2 * n_mfcc,)
    if extractor.n_mels == 128:
        expected = describe_as_the_post(
            padded(signal, n_samples),
            hop_length=extractor.hop_length,
            n_fft=extractor.frame_length,
            n_mfcc=n_mfcc,
        )
        assert_equal_features(features, expected)


@pytest.mark.parametrize(
    "parameters",
    [
        {"sampling_rate": 22050, "frame_length": 4096},
        {"sampling_rate": 48000, "hop_length": 1000},
        {"sampling_rate": 12900},
        {"frame_length": 1200, "hop_length": 100},
        {"frame_length": 2048, "hop_length": 3000},
    ],
)
def test_equals_librosa_with_other_settings(parameters):
    extractor = SpeechFeatureExtractor(**parameters)
    rate = extractor.sampling_rate
    sound = RNG.normal(size=rate) * np.hanning(rate)
    signal = np.concatenate([sound, np.zeros(rate), 0.01 * sound, np.zeros(rate // 2)])
    expected = describe_as_the_post(
        padded(signal, 5 * rate),
        sr=rate,
        hop_length=extractor.hop_length,
        n_fft=extractor.frame_length,
    )
    assert_equal_features(extractor.transform([signal])[0], expected)


@pytest.mark.parametrize("n_samples", [16000, 16001])
@pytest.mark.parametrize(
    ("frame_length", "hop_length"),
    [
        (1001, 100),
        (1001, 101),
        (1001, 128),
        (1000, 100),
        (1000, 127),
        (401, 160),
        (801, 1000),
        (2047, 512),
        (4095, 5),
    ],
)
def test_equals_librosa_for_odd_and_even_frames(frame_length, hop_length, n_samples):
    n_samples = min(n_samples, 1000 * hop_length)
    extractor = SpeechFeatureExtractor(
        frame_length=frame_length, hop_length=hop_length, duration=n_samples / RATE
    )
    signal = np.random.default_rng(0).normal(size=n_samples)
    signal *= np.hanning(n_samples)
    signal[: n_samples // 4] = signal[-n_samples // 4 :] = 0
    expected = describe_as_the_post(
        signal.astype(np.float32), hop_length=hop_length, n_fft=frame_length
    )
    actual = extractor.fit([signal]).transform([signal])[0]
    assert actual.shape == expected.shape
    assert_equal_features(actual, expected)

    extended = extractor.set_params(descriptors="extended").transform([signal])[0]
    np.testing.assert_array_equal(extended[:, : actual.shape[1]], actual)
    assert np.isfinite(extended).all()


def test_low_rate_uses_the_contrast_bands_that_fit():
    features = SpeechFeatureExtractor(sampling_rate=8000).transform([tone(300)])
    assert np.isfinite(features).all()


def test_padding_side():
    signal = tone(440)
    left = SpeechFeatureExtractor().transform([signal])[0, :, 5]
    right = SpeechFeatureExtractor(padding_side="right").transform([signal])[0, :, 5]
    assert left[0] == 0
    assert left[-1] > 0
    assert right[0] > 0
    assert right[-1] == 0


@pytest.mark.parametrize(
    ("padding_side", "seconds", "padding"),
    [("left", 3.5, 1.5), ("left", 5.0, 0.0), ("left", 9.0, 0.0), ("right", 3.5, 0.0)],
)
def test_edges_of_frames_are_on_the_recordings_own_time(padding_side, seconds, padding):
    extractor = SpeechFeatureExtractor(padding_side=padding_side)
    edges = extractor.frame_edges(seconds)
    assert edges.shape == (158,)
    assert extractor.frame_seconds == 0.032
    centres = (edges[1:] + edges[:-1]) / 2
    np.testing.assert_allclose(centres, 0.032 * np.arange(157) - padding, atol=1e-12)


def test_feature_names():
    names = SpeechFeatureExtractor().get_feature_names_out()
    assert names.shape == (46,)
    assert len(set(names)) == 46
    assert names[5] == "rms"
    assert list(names[[6, 25, 26, 45]]) == [
        "mfcc_0",
        "mfcc_19",
        "delta_mfcc_0",
        "delta_mfcc_19",
    ]


def test_kinds_of_recordings_agree(tmp_path):
    signal = (0.3 * RNG.uniform(-1, 1, size=20000)).astype(np.float32)
    path = tmp_path / "a.wav"
    soundfile.write(path, signal, RATE, subtype="FLOAT")
    file = io.BytesIO(path.read_bytes())
    X = [path, str(path), file, (signal, RATE), signal, signal.tolist()]
    features = SpeechFeatureExtractor().fit_transform(X)
    for row in features[1:]:
        np.testing.assert_array_equal(row, features[0])


@pytest.mark.parametrize("container", [tuple, np.array, pd.Series, iter])
def test_containers_of_paths(tmp_path, container):
    paths = []
    for number in range(3):
        paths.append(str(tmp_path / f"{number}.wav"))
        soundfile.write(paths[-1], tone(200 + number, 4000), RATE)
    expected = SpeechFeatureExtractor().transform(paths)
    np.testing.assert_array_equal(
        SpeechFeatureExtractor().transform(container(paths)), expected
    )


def test_jobs_do_not_change_the_result():
    signals = [tone(100 * i, 8000) for i in range(1, 8)]
    expected = SpeechFeatureExtractor().transform(signals)
    np.testing.assert_array_equal(
        SpeechFeatureExtractor(n_jobs=2).transform(signals), expected
    )


def test_many_recordings_go_to_processes(tmp_path, monkeypatch):
    paths = [tmp_path / f"{number}.wav" for number in range(3)]
    for path in paths:
        soundfile.write(path, tone(300, 4000), RATE)
    file = open(paths[0], "rb")  # noqa: SIM115 - closed below, with the list around it
    X = [*paths, file, tone(200, 8000), [np.nan]]
    expected = SpeechFeatureExtractor().transform(X[:-1])
    monkeypatch.setattr(_extraction, "_MANY_RECORDINGS", 5)
    n_computed = count_calls(monkeypatch, _extractor, "describe")
    extractor = SpeechFeatureExtractor(n_jobs=2, memory=tmp_path / "cache")
    with file:
        np.testing.assert_array_equal(extractor.transform(X[:-1]), expected)
        with pytest.raises(AudioError, match=r"X\[5\]: it holds NaN"):
            extractor.transform(X)
    assert n_computed() == 0  # here


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("a.wav", TypeError, r"pass the list \['a.wav'\]"),
        (io.BytesIO(b""), TypeError, r"pass the list \[file\]"),
        (np.zeros(16000), TypeError, r"pass the list \[signal\]"),
        (pd.DataFrame({"file": ["a.wav"]}), TypeError, "Got the columns file"),
        ([], ValueError, "no recordings"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_wrong_kind_of_X_names_what_was_meant(X, error, message, method):
    with pytest.raises(error, match=message):
        getattr(SpeechFeatureExtractor(), method)(X)


def test_all_unreadable_recordings_are_named_at_once(tmp_path):
    good = tmp_path / "good.wav"
    soundfile.write(good, tone(300, 4000), RATE)
    notes = tmp_path / "notes.wav"
    notes.write_text("text")
    X = [good, tmp_path / "gone.wav", notes, np.zeros((2, 2)), [np.nan], good]
    with pytest.raises(AudioError) as caught:
        SpeechFeatureExtractor().transform(X)
    names = [name for name, _ in caught.value.failures]
    assert names == [str(tmp_path / "gone.wav"), str(notes), "X[3]"]
    assert "3 recordings cannot be read" in str(caught.value)
    assert "no such file" in str(caught.value)
    with pytest.raises(AudioError, match=r"1 recording cannot be read:\n  X\[1\]"):
        SpeechFeatureExtractor().transform([good, [np.nan], good])


def test_many_unreadable_recordings_are_counted():
    with pytest.raises(AudioError, match="and 15 more") as caught:
        SpeechFeatureExtractor().transform([f"{i}.wav" for i in range(25)])
    assert len(caught.value.failures) == 25
    assert str(caught.value).count("no such file") == 10


def test_audio_error_survives_a_worker():
    error = pickle.loads(pickle.dumps(AudioError([("a.wav", "no such file")])))
    assert error.failures == [("a.wav", "no such file")]
    assert "a.wav" in str(error)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sampling_rate": 16000.5}, "sampling_rate"),
        ({"duration": 0}, "duration"),
        ({"hop_length": 0}, "hop_length"),
        ({"padding_side": "front"}, "padding_side"),
        ({"n_mfcc": 200}, "n_mels=128"),
        ({"duration": 0.1}, "raise duration or lower hop_length"),
        ({"frame_length": 64}, "at least 160 samples"),
    ],
)
def test_bad_parameters_are_found_in_fit_and_transform(parameters, message):
    extractor = SpeechFeatureExtractor(**parameters)
    for method in (extractor.fit, extractor.transform):
        with pytest.raises(ValueError, match=message):
            method([np.zeros(9)])


def test_cache_is_keyed_by_samples_and_parameters(tmp_path, monkeypatch):
    first, second = tmp_path / "a.wav", tmp_path / "b.wav"
    signal = tone(250, 8000)
    soundfile.write(first, signal, RATE)
    extractor = SpeechFeatureExtractor(memory=tmp_path / "cache")
    expected = extractor.transform([first])

    first.rename(second)
    n_computed = count_calls(monkeypatch, _extractor, "describe")
    np.testing.assert_array_equal(extractor.transform([second]), expected)
    assert n_computed() == 0  # found again under another name

    soundfile.write(second, 0.5 * signal, RATE)
    assert not np.array_equal(extractor.transform([second]), expected)
    assert n_computed() == 1  # changed content under the same name

    extractor.set_params(n_mfcc=13).transform([second])
    assert n_computed() == 2  # other parameters


def test_cache_outlives_a_new_version_of_another_set(tmp_path, monkeypatch):
    X = [tone(250, 8000)]
    post, extended = (
        SpeechFeatureExtractor(memory=tmp_path, descriptors=name)
        for name in ("post", "extended")
    )
    for extractor in (post, extended):
        extractor.transform(X)
    newer = _sets.DESCRIPTOR_SETS["extended"]
    newer = replace(newer, version=newer.version + 1)
    monkeypatch.setitem(_sets.DESCRIPTOR_SETS, "extended", newer)
    n_computed = count_calls(monkeypatch, _extractor, "describe")
    post.transform(X)
    assert n_computed() == 0
    extended.transform(X)
    assert n_computed() == 1


def test_cache_outlives_no_new_version_of_the_posts_set(tmp_path, monkeypatch):
    X = [tone(250, 8000)]
    extractor = SpeechFeatureExtractor(memory=tmp_path, descriptors="extended")
    extractor.transform(X)
    newer = replace(_sets.DESCRIPTOR_SETS["post"], version=99)
    monkeypatch.setitem(_sets.DESCRIPTOR_SETS, "post", newer)
    n_computed = count_calls(monkeypatch, _extractor, "describe")
    extractor.transform(X)
    assert n_computed() == 1


def test_versions_of_sets():
    assert _sets.descriptor_set_version("post") == 2
    assert _sets.descriptor_set_version("extended") == 2
    with pytest.raises(ValueError, match="nosuch"):
        _sets.descriptor_set_version("nosuch")


def test_cache_accepts_a_memory_object(tmp_path):
    memory = joblib.Memory(tmp_path, verbose=0)
    signals = [tone(250, 8000)]
    expected = SpeechFeatureExtractor().transform(signals)
    for _ in range(2):
        features = SpeechFeatureExtractor(memory=memory).transform(signals)
        np.testing.assert_array_equal(features, expected)


def count_calls(monkeypatch, module, name):
    calls = []
    function = getattr(module, name)

    def counted(*args, **kwargs):
        calls.append(name)
        return function(*args, **kwargs)

    monkeypatch.setattr(module, name, counted)
    return lambda: len(calls)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_blas_has_one_thread_while_extracting(monkeypatch, n_jobs):
    def n_threads():
        libraries = threadpool_info()
        return {lib["num_threads"] for lib in libraries if lib["user_api"] == "blas"}

    def watched(*args, **options):
        seen.append(n_threads())
        return describe(*args, **options)

    seen: list = []
    describe = _extractor.describe
    monkeypatch.setattr(_extractor, "describe", watched)
    with threadpool_limits(limits=2, user_api="blas"):
        before = n_threads()
        with pytest.raises(AudioError):
            SpeechFeatureExtractor(n_jobs=n_jobs).transform([tone(99), [np.nan]])
        assert n_threads() == before
    assert seen == [{1}]


def test_progress_is_shown_on_request_only(capsys):
    SpeechFeatureExtractor().transform([tone(250, 8000)])
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    SpeechFeatureExtractor(verbose=1).transform([tone(250, 8000)])
    captured = capsys.readouterr()
    assert "1/1" in captured.err
    assert captured.out == ""


def test_stateless():
    extractor = SpeechFeatureExtractor(n_mfcc=13)
    try:
        check_is_fitted(extractor)
    except NotFittedError:
        pytest.fail("a stateless transformer needs no fit")
    assert extractor.fit(["any.wav"]) is extractor
    assert vars(extractor) == vars(clone(extractor))


def test_every_parameter_is_documented_and_checked():
    parameters = inspect.signature(SpeechFeatureExtractor).parameters
    assert set(parameters) == set(SpeechFeatureExtractor._parameter_constraints)
    documentation = inspect.getdoc(SpeechFeatureExtractor)
    for name in parameters:
        assert f"\n{name} : " in documentation


@pytest.mark.parametrize("descriptors", ["post", "extended"])
def test_no_descriptor_depends_on_gain_where_the_peak_is_normalised(descriptors):
    signal = 0.3 * np.random.default_rng(0).normal(size=RATE)
    extractor = SpeechFeatureExtractor(
        duration=1.5, normalize="peak", descriptors=descriptors
    )
    # Powers of two change no digit.
    features = extractor.transform([signal, signal / 64, signal * 64])
    np.testing.assert_array_equal(features[1], features[0])
    np.testing.assert_array_equal(features[2], features[0])
    plain = SpeechFeatureExtractor(duration=1.5, descriptors=descriptors)
    scaled = (signal / np.abs(signal).max()).astype(np.float32)
    assert_equal_features(features[0], plain.transform([scaled])[0])
    assert not np.allclose(features[0], plain.transform([signal])[0])


def test_silence_has_no_peak_to_be_normalised():
    silence = np.zeros(RATE, dtype=np.float32)
    features = [
        SpeechFeatureExtractor(normalize=normalize).transform([silence])
        for normalize in (None, "peak")
    ]
    np.testing.assert_array_equal(*features)
