"""Slaney's mel scale, and triangular filters on it."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# The scale is linear up to 1 kHz, which is 15 mel, and logarithmic from there.
_BREAK_HERTZ, _BREAK_MEL = 1000.0, 15.0
_HERTZ_PER_MEL = 200 / 3
_LOG_STEP = np.log(6.4) / 27  # from one mel to the next
_N_NEIGHBOURS = 16  # filters, which cover few of the bins, to a product


@lru_cache(maxsize=8)
def mel_filters(
    sampling_rate: int,
    frame_length: int,
    n_mels: int,
    fmin: float = 0.0,
    fmax: float | None = None,
    dtype: type = np.float32,
) -> NDArray:
    """Compute triangular filters of equal area on Slaney's mel scale [1]_.

    Parameters
    ----------
    sampling_rate : int
        In Hz.
    frame_length : int
        Samples of which spectra are taken.
    n_mels : int
        Number of bands between `fmin` and `fmax`.
    fmin : float, default=0.0
        Where the lowest begins, in Hz.
    fmax : float, default=None
        Where the highest ends, in Hz. None is half the sampling rate.
    dtype : type, default=np.float32
        Precision, in which triangles are rounded before they are weighed, as
        librosa does: of a flat spectrum little but the rounding is left.

    Returns
    -------
    ndarray of shape (1 + frame_length // 2, n_mels)
        The weight of each frequency bin in each band, equal to librosa's. It is
        kept, and cannot be written to.

    References
    ----------
    .. [1] M. Slaney, "Auditory Toolbox: A MATLAB Toolbox for Auditory Modeling
       Work", Interval Research Corporation, 1998.
    """
    fmax = sampling_rate / 2 if fmax is None else fmax
    frequencies = np.fft.rfftfreq(frame_length, 1 / sampling_rate)
    mels = np.linspace(hertz_to_mel(fmin), hertz_to_mel(fmax), n_mels + 2)
    edges = mel_to_hertz(mels)
    distances = frequencies[:, np.newaxis] - edges
    widths = np.diff(edges)
    rising = distances[:, :-2] / widths[:-1]
    falling = -distances[:, 2:] / widths[1:]
    triangles = np.maximum(np.minimum(rising, falling), 0).astype(dtype)
    filters = (triangles * (2 / (edges[2:] - edges[:-2]))).astype(dtype)
    filters.flags.writeable = False
    return filters


def mel_powers(power: NDArray[np.float32], *bank: float) -> NDArray[np.float32]:
    """Weigh spectra by :func:`mel_filters`, without most of its zeros.

    Parameters
    ----------
    power : ndarray of shape (n_frames, n_bins), dtype float32
        Spectra.
    *bank : float
        As :func:`mel_filters` takes them.

    Returns
    -------
    ndarray of shape (n_frames, n_mels), dtype float32
        What ``power @ mel_filters(*bank)`` is but for rounding.
    """
    blocks = _blocks(*bank)
    return np.hstack([power[:, bins] @ weights for bins, weights in blocks])


@lru_cache(maxsize=8)
def _blocks(*bank):
    """Cut filters into blocks of neighbours, and these down to the bins they cover."""
    filters = mel_filters(*bank)
    blocks = []
    for first in range(0, filters.shape[1], _N_NEIGHBOURS):
        columns = filters[:, first : first + _N_NEIGHBOURS]
        covered = np.flatnonzero(columns.any(axis=1))
        bins = slice(covered[0], covered[-1] + 1) if len(covered) else slice(0)
        blocks.append((bins, np.ascontiguousarray(columns[bins])))
    return blocks


def hertz_to_mel(hertz):
    """Return where frequencies lie on Slaney's scale."""
    hertz = np.asarray(hertz, dtype=np.float64)
    above = np.log(np.maximum(hertz, _BREAK_HERTZ) / _BREAK_HERTZ)
    return np.where(
        hertz < _BREAK_HERTZ, hertz / _HERTZ_PER_MEL, _BREAK_MEL + above / _LOG_STEP
    )


def mel_to_hertz(mel):
    """Undo :func:`hertz_to_mel`."""
    mel = np.asarray(mel, dtype=np.float64)
    above = np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _HERTZ_PER_MEL, _BREAK_HERTZ * above)
