"""Descriptors of magnitude spectra, equal to librosa's, without its inner loops.

Spectra have the shape (n_frames, n_bins).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._mel import mel_filters, mel_powers

# librosa's defaults.
_ROLL_PERCENT = 0.85
_CONTRAST_FMIN = 200.0
_CONTRAST_QUANTILE = 0.02
_MAX_CONTRAST_BANDS = 6
_MIN_POWER = 1e-10
_TOP_DB = 80.0

_ROUNDING_SHOWS = 5.0  # dB between the frames, of which speech has 15 and more

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
    moments = magnitudes.astype(np.float64) @ np.vander(frequencies, 3, increasing=True)
    total, first, second = moments.T
    total = np.where(total < np.finfo(np.float32).tiny, 1.0, total)
    centroid = first / total
    return centroid, np.sqrt(np.maximum(second / total - centroid**2, 0.0))


def roll_off(
    magnitudes: NDArray[np.float32], frequencies: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return the frequency below which 85 % of the magnitude lie, in Hz."""
    # In single precision and bin by bin like librosa's sum, for a sum that rounds
    # otherwise moves the threshold to the next bin now and then.
    cumulated = np.cumsum(magnitudes, axis=1)
    reached = cumulated >= _ROLL_PERCENT * cumulated[:, -1:]
    return frequencies[reached.argmax(axis=1)]


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
    peaks, valleys = _extremes(magnitudes[:, start:stop], n_extreme)
    highest_peak, highest_valley = _highest_extremes(magnitudes, bands)
    peaks = _to_db(peaks.astype(np.float64), highest_peak)
    return peaks - _to_db(valleys.astype(np.float64), highest_valley)


def upper_contrasts(
    magnitudes: NDArray[np.float32], bands: tuple[Band, ...], floor: float
) -> NDArray[np.float64]:
    """Return peak over valley of every band but the lowest, in dB.

    librosa bounds them to 160 dB below the highest, which is no bound for what a
    voice leaves; here, neither is less than the magnitude `floor`.
    """
    extremes = [_extremes(magnitudes[:, start:stop], n) for start, stop, n in bands[1:]]
    peaks, valleys = np.maximum(np.array(extremes, dtype=np.float64), floor).swapaxes(
        0, 1
    )
    return 10.0 * np.log10(peaks / valleys).T


def _highest_extremes(magnitudes, bands):
    """Return the highest peak and the highest valley; sort only where they can be."""
    edges, parts, firsts, n_parts = _parts(bands)
    tops = np.maximum.reduceat(magnitudes, edges, axis=1)[:, parts]
    bottoms = np.minimum.reduceat(magnitudes, edges, axis=1)[:, parts]
    # No peak is above its band, nor a valley above the mean of the parts' minima.
    bounds = (
        np.maximum.reduceat(tops, firsts, axis=1),
        np.add.reduceat(bottoms, firsts, axis=1) / n_parts,
    )
    return [_highest(magnitudes, bands, bounds[kind], kind) for kind in range(2)]


def _highest(magnitudes, bands, bound, kind):
    """Find the highest among the extremes of a kind; `bound` is no less than any."""

    def find(rows, number):
        start, stop, n_extreme = bands[number]
        return _extremes(magnitudes[rows, start:stop], n_extreme)[kind].max()

    row, number = divmod(int(bound.argmax()), len(bands))
    highest = find([row], number)
    candidates = bound > _MARGIN * highest
    for other in np.flatnonzero(candidates.any(axis=0)):
        highest = max(highest, find(candidates[:, other], other))
    return highest


@lru_cache(maxsize=8)
def _parts(bands):
    """Divide every band into as many parts as bins make its extremes.

    Returns
    -------
    edges : list of int
        Where parts start, and where bands end, but for the last.
    parts : list of int
        Which of these are starts.
    firsts : list of int
        Which of the parts are the first of a band.
    n_parts : list of int
        Of every band.
    """
    edges: list[int] = []
    parts: list[int] = []
    for start, stop, n_parts in bands:
        parts += range(len(edges), len(edges) + n_parts)
        edges += [start + i * (stop - start) // n_parts for i in range(n_parts)]
        edges.append(stop)
    n_parts = [band.n_extreme for band in bands]
    return edges[:-1], parts, np.cumsum([0, *n_parts[:-1]]), n_parts


def _extremes(band, n_extreme):
    """Return the mean of the largest and of the smallest, frame by frame."""
    if n_extreme == 1:
        return band.max(axis=1), band.min(axis=1)
    ordered = np.sort(band, axis=1)
    return _mean(ordered[:, -n_extreme:]), _mean(ordered[:, :n_extreme])


def _mean(values):
    """Sum from left to right, which rounds as librosa's means do."""
    return np.cumsum(values, axis=1)[:, -1] / values.shape[1]


def mel_cepstrum(
    magnitudes: NDArray[np.float32], n_mfcc: int, *bank: int
) -> NDArray[np.float32]:
    """Return the MFCCs of shape (n_frames, n_mfcc), of a bank of mel filters."""
    power = np.square(magnitudes)
    levels = _mel_levels(mel_powers(power, *bank))
    cosines = _cosines(levels.shape[1], n_mfcc)
    cepstrum = (levels.astype(np.float64) @ cosines).astype(np.float32)
    if (np.ptp(cepstrum, axis=0) < _ROUNDING_SHOWS).any():
        # Where spectra hardly change, as of an impulse or faint noise, rounding shows,
        # and these round as librosa does.
        from scipy.fft import dct  # which takes longer to load than many recordings

        levels = _mel_levels(power @ mel_filters(*bank))
        cepstrum = dct(levels, axis=1, norm="ortho")[:, :n_mfcc]
    return cepstrum


def _mel_levels(mel):
    return _to_db(mel, mel.max())


@lru_cache(maxsize=8)
def _cosines(n_mels, n_mfcc):
    """Return the first vectors of the orthonormal discrete cosine transform."""
    angles = np.outer(np.arange(n_mels) + 0.5, np.arange(n_mfcc)) * (np.pi / n_mels)
    cosines = np.cos(angles) * np.sqrt(2 / n_mels)
    cosines[:, 0] = np.sqrt(1 / n_mels)
    return cosines


def _to_db(power, highest):
    """Convert to decibels, no less than 80 below the highest."""
    levels = 10.0 * np.log10(np.maximum(power, power.dtype.type(_MIN_POWER)))
    top = 10.0 * np.log10(np.maximum(highest, power.dtype.type(_MIN_POWER)))
    return np.maximum(levels, top - _TOP_DB)
