"""SpeechEncoder: where frames stand, what they depend on, and what is kept."""

import io
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import soundfile
import soxr
from joblib import Memory
from safetensors.numpy import save_file
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skemotion import AudioError, SequenceFunctionals, SpeechEncoder
from skemotion._sequences import takes_recordings
from skemotion.exceptions import SilentBeginningWarning, TruncationWarning
from skemotion.feature_extraction import _encoder, _encoding
from skemotion.feature_extraction._weights import load_weights
from skemotion.networks import find_encoder, hash_weights
from skemotion.preprocessing import padding_mask

RATE = 16_000
CUTS = pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
RNG = np.random.default_rng(0)


def make_signal(n_samples):
    """Noise that grows and fades, as no two stretches of speech are alike."""
    wave = 0.3 + 0.2 * np.sin(np.arange(n_samples) / 700)
    return (wave * RNG.uniform(-0.9, 0.9, n_samples)).astype(np.float32)


SIGNALS = [make_signal(n) for n in (16_000, 7_000, 11_111)]


@pytest.fixture
def make(encoder_file):
    """Return a function that makes a fitted encoder of the small weights."""

    def make_fitted(**parameters):
        parameters = {"weights": encoder_file, "duration": 1.0, **parameters}
        return SpeechEncoder(**parameters).fit(["a.wav"])

    return make_fitted


def assert_same(actual, expected):
    np.testing.assert_array_equal(actual, expected)


def test_shape_names_and_type(make):
    encoder = make(layer=(3, 1))
    frames = encoder.transform(SIGNALS)
    assert frames.shape == (3, 25, 128)
    assert frames.dtype == np.float32
    assert encoder.layers_ == (3, 1)
    assert encoder.n_dims_out_ == 128
    names = encoder.get_feature_names_out()
    assert names[[0, 63, 64, 127]].tolist() == [
        "layer3_0",
        "layer3_63",
        "layer1_0",
        "layer1_63",
    ]
    assert len(names) == 128
    assert takes_recordings(encoder)
    assert encoder.set_output(transform="pandas") is encoder
    assert isinstance(encoder.transform(SIGNALS[:1]), np.ndarray)


@CUTS
@pytest.mark.parametrize("frame_step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("duration", [0.001, 0.02, 0.29, 1.0, 1.01, 2.01])
def test_number_of_frames(duration, frame_step, make):
    encoder = make(duration=duration, frame_step=frame_step, layer=1)
    frames = encoder.transform([SIGNALS[0], SIGNALS[0][:1]])
    assert frames.shape == (2, -(-max(duration * 50, 1) // frame_step), 64)
    assert np.any(frames, axis=(1, 2)).all()


def test_frames_are_those_of_the_network(make, encoder_file):
    weights = load_weights(encoder_file, (2,))
    network = find_encoder(*weights, hash_weights(weights.arrays))
    from skemotion.feature_extraction._log_mel import log_mel_spectrogram

    signal = SIGNALS[0] / np.abs(SIGNALS[0]).max()
    mel = log_mel_spectrogram(signal)[np.newaxis]
    expected = network(mel, np.array([100], np.int32))[0]
    frames = make(frame_step=1).transform(SIGNALS[:1])[0]
    assert_same(frames, expected)


@pytest.mark.models
def test_recordings_through_whisper(models_path, encoder_oracle):
    weights = models_path / "whisper-base-encoder.safetensors"
    signals = [encoder_oracle[f"signal_{row}"] / np.float32(32768) for row in (0, 1)]
    encoder = SpeechEncoder(
        weights=weights, layer=(1, 3), frame_step=1, duration=1.2, normalize=None
    )
    frames = encoder.fit_transform(signals)
    assert frames.shape == (2, 60, 1024)
    for row, start in enumerate((20, 0)):
        for i, layer in enumerate((1, 3)):
            expected = encoder_oracle[f"base_{row}_{layer}"]
            ours = frames[row, start:, i * 512 : (i + 1) * 512 : 8]
            assert np.abs(ours - expected).max() <= 1e-3 * expected.std()


def test_a_recording_does_not_depend_on_the_others(make):
    together = make().transform(SIGNALS)
    for row, signal in enumerate(SIGNALS):
        assert_same(make().transform([signal])[0], together[row])
    assert_same(make().transform(SIGNALS[::-1]), together[::-1])


def test_frame_steps_are_averages(make):
    fine = make(frame_step=1).transform(SIGNALS[:1])[0]
    for step in (2, 5):
        coarse = make(frame_step=step).transform(SIGNALS[:1])[0]
        expected = fine.reshape(-1, step, 64).mean(axis=1)
        np.testing.assert_allclose(coarse, expected, rtol=1e-5, atol=1e-5)
    # The last may be of fewer.
    coarse = make(frame_step=4, padding_side="right").transform(SIGNALS[:1])[0]
    np.testing.assert_allclose(coarse[-1], fine[48:].mean(axis=0), rtol=1e-5, atol=1e-5)


def test_layers_side_by_side_are_those_alone(make):
    both = make(layer=(1, 3)).transform(SIGNALS)
    for i, layer in enumerate((1, 3)):
        alone = make(layer=layer).transform(SIGNALS)
        np.testing.assert_allclose(both[..., 64 * i : 64 * i + 64], alone, atol=1e-5)
    assert_same(make(layer=[1, 3]).transform(SIGNALS), both)
    assert_same(make(layer=(1, np.int64(3))).transform(SIGNALS), both)


@pytest.mark.parametrize("padding_side", ["left", "right"])
@pytest.mark.parametrize(
    ("before", "behind"), [(0, 0), (3200, 0), (0, 1600), (640, 4800)]
)
def test_digital_silence_is_padding(before, behind, padding_side, make):
    sound = make_signal(6400)
    alone = make(duration=0.4).transform([sound])[0]
    assert alone.shape == (10, 64)
    encoder = make(padding_side=padding_side)
    (frames,) = encoder.transform([np.pad(sound, (before, behind))])
    first = before // 640
    if padding_side == "left":
        first += 25 - -(-(before + 6400 + behind) // 640)
    assert_same(frames[first : first + 10], alone)
    expected = np.ones(25, dtype=bool)
    expected[first : first + 10] = False
    assert_same(padding_mask(frames[np.newaxis])[0], expected)
    assert not frames[expected].any()


def test_silence_within_a_recording_is_heard(make):
    signal = SIGNALS[0].copy()
    signal[4000:12_000] = 0
    (frames,) = make().transform([signal])
    assert np.any(frames, axis=1).all()


def test_what_is_behind_the_duration_is_not_heard(make):
    signal = make_signal(40_000)
    expected = make().transform([signal[:16_000]])
    with pytest.warns(TruncationWarning, match="1 of 1 recordings is longer"):
        assert_same(make().transform([signal]), expected)
    loud = signal.copy()
    loud[16_000:] *= 1000
    with pytest.warns(TruncationWarning):
        assert_same(make().transform([loud]), expected)
    # Nothing is left of a recording that begins later.
    with pytest.warns(TruncationWarning), pytest.warns(SilentBeginningWarning):
        assert not make().transform([np.pad(signal, (16_000, 0))]).any()


@pytest.mark.parametrize("gain", [2.0**-20, 1e-4, 0.37, 2.0**10, 1e30, 1e-40])
def test_gain_changes_nothing(gain, make):
    expected = make().transform(SIGNALS)
    frames = make().transform([signal * np.float32(gain) for signal in SIGNALS])
    tolerance = 1e-2 if gain == 1e-40 else 1e-3  # subnormals have fewer digits
    np.testing.assert_allclose(frames, expected, atol=tolerance * expected.std())


def test_gain_is_heard_without_normalization(make):
    encoder = make(normalize=None)
    frames = encoder.transform([SIGNALS[0], SIGNALS[0] / 100])
    assert np.abs(frames[0] - frames[1]).max() > 0.1
    assert np.isfinite(encoder.transform([SIGNALS[0] * 1e30])).all()


@CUTS
def test_recordings_of_silence(make):
    for signal in (np.zeros(1), np.zeros(9000), np.zeros(90_000)):
        assert not make().transform([signal]).any()


@pytest.mark.parametrize("n_samples", [1, 160, 200, 399, 400, 479, 480, 641])
@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_short_recordings(n_samples, padding_side, make):
    encoder = make(padding_side=padding_side, frame_step=1)
    signal = make_signal(n_samples)
    frames = encoder.transform([signal, np.pad(signal, (8000, 0))])
    assert np.isfinite(frames).all()
    n_real = np.count_nonzero(np.any(frames, axis=2), axis=1)
    np.testing.assert_array_equal(n_real, 2 if n_samples >= 480 else 1)
    real = np.any(frames[0], axis=1)
    assert real[-1 if padding_side == "left" else 0]
    # They are the same wherever they stand.
    assert_same(frames[0][real], frames[1][np.any(frames[1], axis=1)])


@CUTS
def test_thirty_seconds_at_most(make):
    signal = make_signal(30 * RATE + 500)
    frames = make(duration=30, layer=1).transform([signal])
    assert frames.shape == (1, 750, 64)
    for duration in (30.01, 60, 0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="duration"):
            make(duration=duration)


@pytest.mark.parametrize(
    "parameters",
    [
        {"layer": 0},
        {"layer": ()},
        {"layer": (1, 1)},
        {"layer": (0, 1)},
        {"layer": (1, "2")},
        {"layer": (1, 2.0)},
        {"layer": (1, [2])},
        {"layer": 1.5},
        {"layer": "2"},
        {"layer": 4},
        {"layer": (2, 10**6)},
        {"frame_step": 0},
        {"frame_step": 1.5},
        {"padding_side": "both"},
        {"normalize": "rms"},
        {"weights": 3},
        {"weights": None},
        {"memory": 3},
        {"n_jobs": "2"},
    ],
    ids=str,
)
def test_parameters_that_mean_nothing(parameters, make):
    (name,) = parameters
    with pytest.raises(ValueError, match=name):
        make(**parameters)


@pytest.mark.parametrize(
    "parameters", [{"duration": -1.0}, {"frame_step": 0}, {"padding_side": "both"}]
)
def test_parameters_that_are_set_later_are_checked_before_work(parameters, make):
    (name,) = parameters
    encoder = make().set_params(**parameters)
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        encoder.transform(["missing.wav"])


def test_recordings_of_every_kind(make, tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, SIGNALS[0], RATE, subtype="FLOAT")
    recordings = [
        path,
        str(path),
        io.BytesIO(path.read_bytes()),
        SIGNALS[0],
        SIGNALS[0].astype(np.float64),
        (SIGNALS[0], RATE),
        lambda sampling_rate, duration: (SIGNALS[0], RATE),
    ]
    frames = make().transform(recordings)
    for each in frames:
        assert_same(each, frames[0])
    assert_same(make().transform(iter(recordings[:2])), frames[:2])


def test_other_rates_are_resampled(make):
    low = make().transform(SIGNALS[:1])
    high = make().transform([(soxr.resample(SIGNALS[0], RATE, 48_000), 48_000)])
    assert np.corrcoef(high.ravel(), low.ravel())[0, 1] > 0.95


def test_unreadable_recordings_are_all_named(make, tmp_path):
    (tmp_path / "no.wav").write_bytes(b"no audio")
    recordings = [SIGNALS[0], str(tmp_path / "no.wav"), [[0.1]], "missing.wav"]
    with pytest.raises(AudioError) as caught:
        make().transform(recordings)
    message = str(caught.value)
    for name in ("no.wav", "X[2]", "missing.wav"):
        assert name in message
    with pytest.raises(AudioError, match=r"X\[1\](.|\n)*X\[2\]"):
        make().transform([SIGNALS[0], [np.nan], [np.inf]])
    with pytest.raises(TypeError):
        make().transform("a.wav")
    with pytest.raises(TypeError):
        make().fit(iter(SIGNALS))


@CUTS
def test_an_estimator_like_others(make, encoder_file):
    encoder = make(layer=(1, 2), frame_step=3)
    copy = clone(encoder)
    assert copy.get_params() == encoder.get_params()
    for method in (copy.transform, copy.get_feature_names_out):
        with pytest.raises(NotFittedError):
            method(*[SIGNALS] * (method == copy.transform))
    # What is fitted stays until it is fitted again; the rest is read at once.
    encoder.set_params(layer=3, duration=0.5)
    assert encoder.transform(SIGNALS).shape == (3, 9, 128)
    assert encoder.fit(SIGNALS).transform(SIGNALS).shape == (3, 9, 64)
    with pytest.raises(ValueError, match="frame_step"):
        encoder.set_params(frame_step=-1).transform(SIGNALS)
    pipeline = make_pipeline(
        clone(encoder).set_params(frame_step=2), SequenceFunctionals(["mean"]), SVC()
    )
    y = ["a", "b", "a"]
    assert pipeline.fit(SIGNALS, y).predict(SIGNALS).shape == (3,)
    assert pipeline[:-1].get_feature_names_out()[0] == "layer3_0_mean"


def test_workers_change_no_bit(make):
    expected = make().transform(SIGNALS * 5)
    for n_jobs in (2, -1):
        assert_same(make(n_jobs=n_jobs).transform(SIGNALS * 5), expected)
    # Processes would lack the encoder.
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert_same(make().transform(SIGNALS * 5), expected)


def test_progress_is_shown_on_request(make, capsys):
    make().transform(SIGNALS)
    assert capsys.readouterr() == ("", "")
    make(verbose=1).transform(SIGNALS)
    out, err = capsys.readouterr()
    assert out == ""
    assert "3/3" in err


CODE = """
import joblib, numpy as np, sys
encoder, signals, frames = joblib.load(sys.argv[1])
np.testing.assert_array_equal(encoder.transform(signals), frames)
print("same bits", *encoder.get_feature_names_out()[:1])
"""


def test_a_fresh_process_needs_no_file(make, encoder_file, tmp_path):
    weights = tmp_path / "moved.safetensors"
    weights.write_bytes(encoder_file.read_bytes())
    encoder = make(weights=weights)
    frames = encoder.transform(SIGNALS)
    weights.unlink()
    assert_same(pickle.loads(pickle.dumps(encoder)).transform(SIGNALS), frames)
    file = tmp_path / "encoder.joblib"
    joblib.dump((encoder, SIGNALS, frames), file)
    assert file.stat().st_size < 2.5e6  # half precision stays
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(file)], capture_output=True, text=True
    )
    assert done.stdout == "same bits layer2_0\n", done.stderr


class TestMemory:
    @pytest.fixture
    def n_encoded(self, monkeypatch):
        """Count the recordings that are encoded."""
        calls = []
        encode = _encoder.encode

        def counted(*args, **kwargs):
            calls.append(1)
            return encode(*args, **kwargs)

        monkeypatch.setattr(_encoder, "encode", counted)
        return lambda: len(calls)

    @pytest.mark.parametrize("kind", ["folder", "joblib"])
    def test_a_second_pass_encodes_nothing(self, kind, make, tmp_path, n_encoded):
        memory = tmp_path if kind == "folder" else Memory(tmp_path, verbose=0)
        expected = make().transform(SIGNALS)
        assert n_encoded() == 3
        for n_jobs in (1, 2):
            assert_same(make(memory=memory, n_jobs=n_jobs).transform(SIGNALS), expected)
        assert n_encoded() == 6

    @CUTS
    def test_an_entry_is_found_by_what_it_hangs_on(
        self, make, encoder_file, encoder_arrays, tmp_path, n_encoded
    ):
        cache, path = tmp_path / "cache", tmp_path / "a.wav"
        soundfile.write(path, SIGNALS[0], RATE, subtype="FLOAT")
        expected = make(memory=cache).transform([path])
        same = tmp_path / "same.safetensors"
        save_file(encoder_arrays, same)  # in other precision, by other names
        renamed = path.rename(tmp_path / "b.wav")
        others = {"weights": same}, {"n_jobs": 2}, {"verbose": 0}, {"on_error": "warn"}
        for other in ({}, *others):
            assert_same(make(memory=cache, **other).transform([renamed]), expected)
        assert n_encoded() == 1

        changed = {**encoder_arrays, "conv1.bias": encoder_arrays["conv1.bias"] + 1}
        file = tmp_path / "other.safetensors"
        save_file(changed, file)
        others = [
            {"layer": 1},
            {"layer": 3},
            {"layer": (2, 3)},
            {"layer": (3, 2)},
            {"weights": file},
            {"duration": 0.9},
            {"frame_step": 1},
            {"padding_side": "right"},
            {"normalize": None},
        ]
        tried = {name for other in others for name in other}
        local = {"n_jobs", "memory", "on_error", "verbose"}
        assert tried | local == SpeechEncoder().get_params().keys()
        for number, other in enumerate(others, 2):
            frames = make(memory=cache, **other).transform([renamed])
            assert_same(frames, make(**other).transform([renamed]))
            assert n_encoded() == 2 * number - 1
        soundfile.write(renamed, SIGNALS[0] * 0.5, RATE, subtype="FLOAT")
        make(memory=cache).transform([renamed])
        assert n_encoded() == 2 * number

    def test_a_folder_that_cannot_be_made(self, make, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.warns(UserWarning, match="file' cannot be used"):
            frames = make(memory=tmp_path / "file").transform(SIGNALS)
        np.testing.assert_array_equal(frames, make().transform(SIGNALS))


def test_values_of_half_and_single_precision_give_the_same(
    make, encoder_arrays, tmp_path
):
    path = tmp_path / "single.safetensors"
    save_file(encoder_arrays, path)
    single, half = make(weights=path), make()
    assert single.weights_["conv1.weight"].dtype == np.float32
    assert half.weights_["conv1.weight"].dtype == np.float16
    assert_same(single.transform(SIGNALS), half.transform(SIGNALS))
    assert single._settings() == half._settings()


def test_averages_of_uneven_numbers():
    frames = np.arange(14, dtype=np.float32).reshape(7, 2)
    joined = _encoding.join_frames(frames, 3)
    assert joined.dtype == np.float32
    assert_same(joined, [[2, 3], [8, 9], [12, 13]])
    assert_same(_encoding.join_frames(frames, 10), [[6, 7]])
    assert _encoding.join_frames(frames, 1) is frames
