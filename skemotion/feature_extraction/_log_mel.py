"""The log-mel spectrogram that Whisper hears, by NumPy alone."""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

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
    window, filters = _window(), mel_filters(n_mels)
    # In double precision: a square of what decoders give may be 1e76.
    mel = np.empty((len(frames), n_mels))
    for start in range(0, len(frames), _N_FRAMES_AT_ONCE):
        rows = slice(start, start + _N_FRAMES_AT_ONCE)
        spectra = np.fft.rfft(frames[rows] * window, axis=1)
        mel[rows] = (spectra.real**2 + spectra.imag**2) @ filters
    log_mel = np.log10(np.maximum(mel, 1e-10))
    return ((np.maximum(log_mel, log_mel.max() - 8) + 4) / 4).astype(np.float32)


@lru_cache(maxsize=2)
def mel_filters(n_mels: int) -> NDArray[np.float64]:
    """Return triangular filters of equal area on Slaney's mel scale.

    Parameters
    ----------
    n_mels : int
        Number of bands between 0 Hz and half the sampling rate.

    Returns
    -------
    ndarray of shape (201, n_mels), dtype float64
        The weight of each frequency bin in each band.
    """
    frequencies = np.fft.rfftfreq(_FRAME_LENGTH, 1 / SAMPLING_RATE)
    edges = _mel_to_hertz(np.linspace(0, hertz_to_mel(SAMPLING_RATE / 2), n_mels + 2))
    distances = frequencies[:, np.newaxis] - edges
    widths = np.diff(edges)
    rising = distances[:, :-2] / widths[:-1]
    falling = -distances[:, 2:] / widths[1:]
    filters = np.maximum(np.minimum(rising, falling), 0) * 2 / (edges[2:] - edges[:-2])
    filters.flags.writeable = False
    return filters


# Slaney's scale is linear up to 1 kHz, which is 15 mel, and logarithmic from there.
_LINEAR = 3 / 200  # mel per hertz
_LOGARITHMIC = 27 / np.log(6.4)  # mel for each factor of e


def hertz_to_mel(hertz):
    """Return where frequencies from 1 kHz on lie on Slaney's scale."""
    return 15 + _LOGARITHMIC * np.log(hertz / 1000)


def _mel_to_hertz(mel):
    return np.where(
        mel < 15,
        mel / _LINEAR,
        1000 * np.exp((np.maximum(mel, 15) - 15) / _LOGARITHMIC),
    )


@lru_cache(maxsize=1)
def _window():
    # Periodic, so that one more sample would close it.
    return np.hanning(_FRAME_LENGTH + 1)[:-1]
