"""A signal made ready: checked, without offset, at full level, and at a low rate."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LOWEST_RATE = 4000.0  # Hz, and what higher rates are brought near to
_TAPS = 6  # of the filter before that, in samples of the lower rate


def check_signal(signal: ArrayLike) -> Array:
    """Return finite samples in double precision, or raise ValueError."""
    try:
        samples = np.asarray(signal)
    except Exception:  # of objects that say they are arrays, and lists of any kind
        samples = np.empty((0, 0))
    if samples.ndim != 1 or samples.dtype.kind not in "fiu":
        raise ValueError(
            "signal must be one-dimensional, and hold a number for each sample."
        )
    with np.errstate(over="ignore"):
        samples = samples.astype(np.float64, copy=False)
    if not np.isfinite(samples).all():
        raise ValueError("signal holds NaN or infinite samples.")
    return samples


def normalize(signal: Array) -> Array:
    """Take the offset away, and bring the peak to 1, or all to 0 if nothing is left."""
    peak = find_peak(signal)
    if not peak:
        return signal
    signal = signal / peak
    signal -= signal.mean()
    rest = find_peak(signal)
    # Single precision resolves no less.
    signal *= 1 / rest if rest > 1e-6 else 0
    return signal


def find_peak(signal: Array) -> float:
    """Return how far samples are from 0 at most."""
    return float(max(signal.max(initial=0), -signal.min(initial=0)))


def decimate(signal: Array, rate: float) -> tuple[Array, float]:
    """Bring to a rate between 4 and 8 kHz, keeping what is below 2 kHz."""
    factor = int(rate // LOWEST_RATE)
    if factor == 1:
        return signal, rate
    n_taps = _TAPS * factor
    place = (np.arange(n_taps) - (n_taps - 1) / 2) / factor
    taps = np.sinc(0.92 * place) * np.hanning(n_taps + 2)[1:-1]
    taps = (taps / taps.sum()).reshape(_TAPS, factor)
    if lacking := -signal.size % factor:
        signal = np.pad(signal, (0, lacking))
    parts = signal.reshape(-1, factor) @ taps.T
    result = np.zeros(len(parts) + _TAPS - 1)
    for tap in range(_TAPS):
        delay = _TAPS - 1 - tap
        result[delay : delay + len(parts)] += parts[:, tap]
    middle = _TAPS // 2
    return result[middle : middle + len(parts)], rate / factor
