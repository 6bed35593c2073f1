"""The windows of 2 s in which speech is told from other sounds."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

CONTEXT = 200  # frames that are looked at to tell speech from other sounds
_STEP = 25  # frames from one such window to the next


def window_starts(n: int) -> NDArray[np.int_]:
    """Return where windows start; the last one ends with the signal."""
    last = max(n - CONTEXT, 0)
    return np.append(np.arange(0, last, _STEP), last)


def window_means(values: Array) -> Array:
    """Return means over windows, along the first axis."""
    n = len(values)
    total = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])
    starts = window_starts(n)
    ends = np.minimum(starts + CONTEXT, n)
    return (total[ends] - total[starts]) / max(min(CONTEXT, n), 1)


def spread_to_frames(found: Mask, n_frames: int) -> Mask:
    """Give each frame what was found for the window whose middle is nearest."""
    middles = window_starts(n_frames - 1) + min(CONTEXT, n_frames) / 2
    borders = (middles[1:] + middles[:-1]) / 2
    return found[np.searchsorted(borders, np.arange(n_frames))]
