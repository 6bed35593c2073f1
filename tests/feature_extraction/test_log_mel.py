"""What Whisper hears: transformers and librosa are the oracles."""

import librosa
import numpy as np
import pytest

from skemotion.feature_extraction._log_mel import log_mel_spectrogram
from skemotion.feature_extraction._mel import mel_filters

RATE = 16_000
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "fmin", "fmax"),
    [
        (RATE, 400, 80, 0.0, None),
        (RATE, 400, 128, 0.0, None),
        (RATE, 1024, 128, 0.0, None),
        (RATE, 512, 26, 50.0, 7000.0),
        (22_050, 512, 40, 0.0, None),
        (8000, 256, 26, 20.0, 4000.0),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_filters_are_those_of_librosa(rate, n_fft, n_mels, fmin, fmax, dtype):
    expected = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, dtype=dtype
    )
    found = mel_filters(rate, n_fft, n_mels, fmin, fmax, dtype)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected.T, atol=1e-15, rtol=1e-7)


@pytest.mark.parametrize("row", [0, 1])
def test_spectrogram_is_that_of_transformers(row, encoder_oracle):
    signal = encoder_oracle[f"signal_{row}"] / np.float32(32768)
    log_mel = log_mel_spectrogram(signal)
    assert log_mel.dtype == np.float32
    expected = encoder_oracle[f"mel_{row}"]
    np.testing.assert_allclose(log_mel, expected, atol=1e-3 * expected.std())


@pytest.mark.filterwarnings("ignore:n_fft=400 is too large:UserWarning")
@pytest.mark.parametrize("n_samples", [201, 399, 400, 1599, 1600, 70_000])
def test_spectrogram_of_any_length(n_samples):
    signal = RNG.normal(size=n_samples).astype(np.float32)
    log_mel = log_mel_spectrogram(signal, 128)
    assert log_mel.shape == (n_samples // 160, 128)
    power = librosa.feature.melspectrogram(
        y=np.float64(signal),
        sr=RATE,
        n_fft=400,
        hop_length=160,
        n_mels=128,
        pad_mode="reflect",
    )[:, : n_samples // 160]
    expected = np.log10(np.maximum(power, 1e-10))
    expected = (np.maximum(expected, expected.max() - 8) + 4) / 4
    np.testing.assert_allclose(log_mel, expected.T, atol=1e-3 * expected.std())


def test_the_floor_is_that_of_the_signal_at_hand():
    signal = RNG.normal(size=RATE).astype(np.float32)
    signal[8000:] *= 1e-9
    log_mel = log_mel_spectrogram(signal)
    assert log_mel.min() == pytest.approx(log_mel.max() - 2, abs=1e-6)
    assert (log_mel[60:] == log_mel.min()).all()
    assert log_mel_spectrogram(signal[8000:]).max() == pytest.approx((-10 + 4) / 4)


@pytest.mark.parametrize("gain", [1e10, 1e25, 1e38])
def test_gains_that_no_microphone_has(gain):
    signal = RNG.uniform(-1, 1, 4000).astype(np.float32)
    loud = log_mel_spectrogram(signal * np.float32(gain))
    expected = log_mel_spectrogram(signal) + np.log10(gain) / 2
    np.testing.assert_allclose(loud, expected, rtol=1e-5)


@pytest.mark.parametrize("gain", [0, 1e-45, 1e-30])
def test_what_is_below_the_floor(gain):
    signal = RNG.uniform(-1, 1, 4000).astype(np.float32)
    log_mel = log_mel_spectrogram(signal * np.float32(gain))
    np.testing.assert_allclose(log_mel, (-10 + 4) / 4, rtol=1e-6)
