"""The log-mel spectrogram that Whisper hears, by NumPy alone."""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from skemotion.feature_extraction._mel import mel_filters

SAMPLING_RATE = 16_000
HOP_LENGTH = 160  # samples
_FRAME_LENGTH = 400  # samples
_N_FRAMES_AT_ONCE = 256  # whose spectra fit into the processor's cache


def log_mel_spectrogram(
    signal: NDArray[np.float32], n_mels: int = 80
) -> NDArray[np.float32]:
    """Compute the input of Whisper's encoder [1]_.

    It equals what OpenAI's own front end computes of the samples, without the
    30 s to which that pads: powers in `n_mels` bands over windows of 25 ms, their
    logarithm floored 8 decades below the largest, shifted and scaled.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Samples at 16 kHz; at least 201, for the ends are mirrored.
    n_mels : int, default=80
        Number of mel bands.

    Returns
    -------
    ndarray of shape (n_samples // 160, n_mels), dtype float32

    References
    ----------
    .. [1] A. Radford et al., "Robust Speech Recognition via Large-Scale Weak
       Supervision", Proc. ICML 2023.
    """
    half = _FRAME_LENGTH // 2
    frames = sliding_window_view(np.pad(signal, half, mode="reflect"), _FRAME_LENGTH)
    frames = frames[::HOP_LENGTH][: len(signal) // HOP_LENGTH]
    window, filters = (
        _window(),
        mel_filters(SAMPLING_RATE, _FRAME_LENGTH, n_mels, dtype=np.float64),
    )
    # In double precision: a square of what decoders give may be 1e76.
    mel = np.empty((len(frames), n_mels))
    for start in range(0, len(frames), _N_FRAMES_AT_ONCE):
        rows = slice(start, start + _N_FRAMES_AT_ONCE)
        spectra = np.fft.rfft(frames[rows] * window, axis=1)
        mel[rows] = (spectra.real**2 + spectra.imag**2) @ filters
    log_mel = np.log10(np.maximum(mel, 1e-10))
    return ((np.maximum(log_mel, log_mel.max() - 8) + 4) / 4).astype(np.float32)


@lru_cache(maxsize=1)
def _window():
    # Periodic, so that one more sample would close it.
    return np.hanning(_FRAME_LENGTH + 1)[:-1]
