"""Descriptors of magnitude spectra, equal to librosa's, without its inner loops.

Spectra have the shape (n_frames, n_bins).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# librosa's defaults.
_ROLL_PERCENT = 0.85
_CONTRAST_FMIN = 200.0
_CONTRAST_QUANTILE = 0.02
_MAX_CONTRAST_BANDS = 6
_MIN_POWER = 1e-10
_TOP_DB = 80.0

# For the rounding of means that are compared with single values.
_MARGIN = 1 - 1e-5


class Band(NamedTuple):
    """Bins of a contrast band, and how many of them make its peak or valley."""

    start: int
    stop: int
    n_extreme: int


def centroid_and_bandwidth(
    magnitudes: NDArray[np.float32], frequencies: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of the frequency, in Hz."""
    # Small differences of large moments: single precision would not do.
    weights = magnitudes.astype(np.float64)
    total = weights.sum(axis=1)
    total[total < np.finfo(np.float32).tiny] = 1.0
    centroid = np.einsum("tf,f->t", weights, frequencies) / total
    square = np.einsum("tf,f->t", weights, frequencies**2) / total
    return centroid, np.sqrt(np.maximum(square - centroid**2, 0.0))


def roll_off(
    magnitudes: NDArray[np.float32], frequencies: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return the frequency below which 85 % of the magnitude lie, in Hz."""
    # In single precision and bin by bin like librosa's sum, for a sum that rounds
    # otherwise moves the threshold to the next bin now and then.
    cumulated = np.cumsum(magnitudes, axis=1)
    below = cumulated < _ROLL_PERCENT * cumulated[:, -1:]
    return frequencies[np.count_nonzero(below, axis=1)]


@lru_cache(maxsize=8)
def contrast_bands(
    sampling_rate: int, frame_length: int, fmax: float = np.inf
) -> tuple[Band, ...]:
    """Divide the bins as librosa's spectral contrast does.

    The octave bands that start at or above the Nyquist frequency are left out, and
    so are bins above `fmax`.
    """
    frequencies = np.fft.rfftfreq(frame_length, 1 / sampling_rate)
    starts = _CONTRAST_FMIN * 2.0 ** np.arange(_MAX_CONTRAST_BANDS)
    edges = [0.0, *starts[starts < sampling_rate / 2]]
    bands = []
    for number, low in enumerate(edges):
        start = int(np.searchsorted(frequencies, low, side="left"))
        start -= number > 0
        if number == len(edges) - 1:
            n_bins = int(np.searchsorted(frequencies, fmax, side="right"))
            size = trimmed = n_bins - start
        else:
            high = _CONTRAST_FMIN * 2.0**number
            size = int(np.searchsorted(frequencies, high, side="right")) - start
            trimmed = size - 1
        n_extreme = max(int(np.rint(_CONTRAST_QUANTILE * size)), 1)
        bands.append(Band(start, start + trimmed, n_extreme))
    return tuple(bands)


def lowest_contrast(
    magnitudes: NDArray[np.float32], bands: tuple[Band, ...]
) -> NDArray[np.float64]:
    """Return peak over valley of the lowest band, in dB.

    librosa bounds peaks and valleys to 80 dB below the highest of all bands and
    frames, so the other bands count as well, if only by their highest.
    """
    start, stop, n_extreme = bands[0]
    band = magnitudes[:, start:stop]
    peaks = _peaks(band, n_extreme).astype(np.float64)
    valleys = _valleys(band, n_extreme).astype(np.float64)
    peaks = _to_db(peaks, _highest_peak(magnitudes, bands))
    return peaks - _to_db(valleys, _highest_valley(magnitudes, bands))


def upper_contrasts(
    magnitudes: NDArray[np.float32], bands: tuple[Band, ...], floor: float
) -> NDArray[np.float64]:
    """Return peak over valley of every band but the lowest, in dB.

    librosa bounds them to 160 dB below the highest, which is no bound for what a
    voice leaves; here, neither is less than the magnitude `floor`.
    """
    peaks, valleys = (
        np.stack(
            [extreme(magnitudes[:, start:stop], n) for start, stop, n in bands[1:]],
            axis=1,
            dtype=np.float64,
        )
        for extreme in (_peaks, _valleys)
    )
    return 10.0 * np.log10(np.maximum(peaks, floor) / np.maximum(valleys, floor))


def _highest_peak(magnitudes, bands):
    """Return the highest peak; sort only where it can be."""
    highest = 0.0
    for start, stop, n_extreme in bands:
        band = magnitudes[:, start:stop]
        bound = band.max(axis=1)
        candidates = bound > _MARGIN * highest
        if candidates.any():
            highest = _peaks(band[candidates], n_extreme).max(initial=highest)
    return highest


def _highest_valley(magnitudes, bands):
    """Return the highest valley; sort only where it can be."""
    highest = 0.0
    for start, stop, n_extreme in bands:
        band = magnitudes[:, start:stop]
        # The mean of the minima of as many parts is no less than the valley.
        parts = np.arange(n_extreme) * (stop - start) // n_extreme
        bound = np.minimum.reduceat(band, parts, axis=1).mean(axis=1)
        candidates = bound > _MARGIN * highest
        if candidates.any():
            highest = _valleys(band[candidates], n_extreme).max(initial=highest)
    return highest


def _peaks(band, n_extreme):
    """Return the mean of the largest, frame by frame."""
    if n_extreme == 1:
        return band.max(axis=1)
    return _mean(np.sort(band, axis=1)[:, -n_extreme:])


def _valleys(band, n_extreme):
    """Return the mean of the smallest, frame by frame."""
    if n_extreme == 1:
        return band.min(axis=1)
    return _mean(np.sort(band, axis=1)[:, :n_extreme])


def _mean(values):
    """Sum from left to right, which rounds as librosa's means do."""
    return np.cumsum(values, axis=1)[:, -1] / values.shape[1]


def mel_cepstrum(
    magnitudes: NDArray[np.float32], filters: NDArray[np.float32], n_mfcc: int
) -> NDArray[np.float32]:
    """Return the MFCCs, of shape (n_frames, n_mfcc)."""
    from scipy.fft import dct

    # The filters are sparse, but a dense product rounds as librosa's does, and of a
    # flat spectrum, such as an impulse's, nothing but the rounding is left.
    power = np.square(magnitudes) @ filters
    return dct(_to_db(power, power.max()), axis=1, norm="ortho")[:, :n_mfcc]


def _to_db(power, highest):
    """Convert to decibels, no less than 80 below the highest."""
    levels = 10.0 * np.log10(np.maximum(power, power.dtype.type(_MIN_POWER)))
    top = 10.0 * np.log10(np.maximum(highest, power.dtype.type(_MIN_POWER)))
    return np.maximum(levels, top - _TOP_DB)
