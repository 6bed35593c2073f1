"""One recording: librosa is the oracle of decoding and resampling."""

import io
import os

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from skemotion import SpeechFeatureExtractor
from skemotion.audio import check_audio, fix_length, load_audio, recording_name

RNG = np.random.default_rng(0)


def write(path, signal, rate, **options):
    soundfile.write(path, signal, rate, **options)
    return path


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_file_equals_librosa(tmp_path, rate, n_channels):
    signal = RNG.uniform(-0.5, 0.5, size=(2 * rate, n_channels))
    path = write(tmp_path / "a.wav", signal, rate)
    expected, _ = librosa.load(path, sr=16000, mono=True, duration=1.5)
    loaded = load_audio(path, sampling_rate=16000, duration=1.5)
    np.testing.assert_array_equal(loaded, expected)
    assert loaded.dtype == np.float32


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3", ".aiff"])
def test_formats_of_libsndfile(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", 0.1 * RNG.normal(size=16000), 16000)
    assert load_audio(path).size >= 16000


@pytest.mark.emodb
def test_emodb_equals_librosa(emodb_path):
    for path in sorted((emodb_path / "wav").glob("*.wav"))[::50]:
        expected, _ = librosa.load(path, sr=16000, mono=True, duration=5)
        np.testing.assert_array_equal(load_audio(path, duration=5), expected)


def test_duration_limits_what_is_read(tmp_path):
    path = write(tmp_path / "long.wav", np.zeros(160000), 16000)
    with open(path, "rb") as raw:
        head = io.BytesIO(raw.read(44 + 2 * 16000))
    # The file breaks off after a second, which asking for less does not notice.
    assert load_audio(head, duration=0.5).shape == (8000,)


def test_file_object_is_read_from_its_start(tmp_path):
    path = write(tmp_path / "a.wav", 0.1 * RNG.normal(size=4000), 16000)
    with open(path, "rb") as file:
        first = load_audio(file)
        second = load_audio(file)
    np.testing.assert_array_equal(first, load_audio(path))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8"])
def test_integer_signals_are_scaled_like_files(tmp_path, dtype):
    signal = (0.5 * np.sin(np.arange(3000))).astype(np.float64)
    subtype = {"int16": "PCM_16", "int32": "PCM_32", "uint8": "PCM_U8"}[dtype]
    path = write(tmp_path / "a.wav", signal, 16000, subtype=subtype)
    if dtype == "uint8":
        raw = np.frombuffer(path.read_bytes()[-3000:], dtype="uint8")
    else:
        raw, _ = soundfile.read(path, dtype=dtype)
    np.testing.assert_array_equal(load_audio(raw), load_audio(path))


def test_pair_is_resampled_and_cut():
    signal = 0.1 * RNG.normal(size=44100)
    expected = librosa.resample(
        signal[:22050].astype(np.float32), orig_sr=44100, target_sr=16000
    )
    loaded = load_audio((signal, 44100), sampling_rate=16000, duration=0.5)
    np.testing.assert_array_equal(loaded, expected)


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        ("missing.wav", "no such file"),
        (".", "it is a folder"),
        (np.zeros((3, 4)), r"1-D numeric signal.*shape \(3, 4\)"),
        (np.zeros(0), "no samples"),
        ([0.0, np.nan], "NaN or infinite"),
        ([0.0, np.inf], "NaN or infinite"),
        (["a", "b"], "1-D numeric signal"),
        ([[1.0], [1.0, 2.0]], "1-D numeric signal"),
        (b"RIFF", "io.BytesIO"),
        (None, "1-D numeric signal"),
        ((np.zeros(9), 0), "sampling rate must be a positive number"),
        ((np.zeros(9), "16k"), "sampling rate must be a positive number"),
        (io.BytesIO(b"not audio at all"), "convert it to WAV or FLAC"),
    ],
)
def test_unreadable_recordings_say_why(recording, message):
    with pytest.raises(ValueError, match=message):
        load_audio(recording)


def test_text_file_is_no_audio(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no audio")
    with pytest.raises(ValueError, match="convert it to WAV or FLAC"):
        load_audio(path)


def test_functions_are_called_where_recordings_are_needed():
    calls = []

    def record(sampling_rate, duration):
        calls.append((sampling_rate, duration))
        return np.ones(8000, dtype="f"), 8000

    check_audio(record)
    assert calls == []
    assert len(load_audio(record, sampling_rate=16000, duration=0.5)) == 8000
    assert calls == [(16000, 0.5)]
    with pytest.raises(ValueError, match="function that returns one"):
        load_audio(lambda sampling_rate, duration: "a.wav")


@given(
    n=st.integers(1, 50),
    n_samples=st.integers(1, 50),
    side=st.sampled_from(["left", "right"]),
)
def test_fix_length_keeps_the_beginning_and_pads_one_side(n, n_samples, side):
    signal = np.arange(1.0, n + 1)
    fixed = fix_length(signal, n_samples, padding_side=side)
    assert fixed.shape == (n_samples,)
    np.testing.assert_array_equal(fixed[fixed > 0], signal[:n_samples])
    if n < n_samples:
        assert (fixed[-1] > 0) == (side == "left")


def test_recording_names(tmp_path):
    assert recording_name(tmp_path / "a.wav", 3) == str(tmp_path / "a.wav")
    assert recording_name(np.zeros(3), 3) == "X[3]"
    assert recording_name((np.zeros(3), 16000), 0) == "X[0]"
    path = write(tmp_path / "b.wav", np.zeros(9), 16000)
    with open(path, "rb") as file:
        assert recording_name(file, 0) == str(path)


class CountingFile(io.FileIO):
    """A file that knows how much of it was read."""

    n_read = 0

    def read(self, size=-1):
        content = super().read(size)
        self.n_read += len(content)
        return content

    def readinto(self, buffer):
        size = super().readinto(buffer)
        self.n_read += size
        return size


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_no_more_of_a_long_recording_is_read_than_is_used(tmp_path, subtype):
    path = write(tmp_path / "long.wav", np.full(16000, 0.5), 16000, subtype=subtype)
    make_hours_long(path)
    assert soundfile.info(path).duration > 3600
    with CountingFile(path) as file:
        samples = load_audio(file, duration=2.0)
        n_read = file.n_read
        file.n_read = 0
        features = SpeechFeatureExtractor(duration=2.0).transform([file])
        assert file.n_read == n_read
    used = 2 * 16000 * (2 if subtype == "PCM_16" else 4)
    assert used <= n_read < used + 100_000
    assert samples.shape == (32000,)
    np.testing.assert_array_equal(
        features, SpeechFeatureExtractor(duration=2.0).transform([path])
    )


def make_hours_long(path):
    """Claim hours in the header, and let the disk keep a hole for them."""
    header = bytearray(path.read_bytes())
    n_bytes = 3 * 3600 * 16000 * soundfile.info(path).channels * 2
    start = header.index(b"data") + 8
    header[4:8] = (start - 8 + n_bytes).to_bytes(4, "little")
    header[start - 4 : start] = n_bytes.to_bytes(4, "little")
    path.write_bytes(header)
    os.truncate(path, start + n_bytes)
