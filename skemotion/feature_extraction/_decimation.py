"""From one sampling rate to another that is a fraction of it, by one product."""

from functools import lru_cache
from math import gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_HALF_WIDTH = 10  # samples at the lower rate that the filter reaches to either side
_KAISER_BETA = 5.0
_N_COLUMNS = 40  # a product of wider matrices is faster, though more of them is zeros


def change_rate(
    signal: NDArray[np.float32], sampling_rate: int, new_rate: int
) -> NDArray[np.float32]:
    """Do as :func:`scipy.signal.resample_poly`, but for rounding.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples, with nothing but zeros before and after them.
    sampling_rate, new_rate : int
        In Hz.

    Returns
    -------
    ndarray of shape (n,), dtype float32
        Where ``n`` is ``n_samples * new_rate / sampling_rate``, rounded up.
    """
    divisor = gcd(sampling_rate, new_rate)
    up, down = new_rate // divisor, sampling_rate // divisor
    weights, before = _filter(up, down)
    width, n_columns = weights.shape
    step = n_columns * down // up
    n_samples = -(-len(signal) * up // down)
    n_rows = -(-n_samples // n_columns)
    padded = np.zeros((n_rows - 1) * step + width, dtype=np.float32)
    inside = signal[: len(padded) - before]
    padded[before : before + len(inside)] = inside
    rows = sliding_window_view(padded, width)[::step]
    return (rows @ weights).ravel()[:n_samples]


@lru_cache(maxsize=8)
def _filter(up, down):
    """Return what old samples (rows) weigh in some new ones (columns).

    And how many of the old ones lie before the first of the new ones.
    """
    reach = _HALF_WIDTH * max(up, down)
    taps = np.sinc(np.arange(-reach, reach + 1) / max(up, down))
    taps *= np.kaiser(len(taps), _KAISER_BETA)
    taps *= up / taps.sum()
    before = reach // up
    new = np.arange(max(_N_COLUMNS // up, 1) * up) * down
    old = np.arange(-before, (new[-1] + reach) // up + 1) * up
    place = new - old[:, np.newaxis] + reach
    inside = (place >= 0) & (place < len(taps))
    weights = np.where(inside, taps[np.where(inside, place, 0)], 0)
    return weights.astype(np.float32), before
