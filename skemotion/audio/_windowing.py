"""Windows of a recording of any length, which is never held as a whole."""

from collections.abc import Iterator
from contextlib import closing
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from skemotion.audio import (
    Findings,
    Recording,
    check_samples,
    count_samples,
    iter_blocks,
)

_BLOCK = 2**16  # samples


def iter_windows(
    recording: Recording,
    *,
    sampling_rate: int,
    duration: float,
    hop_duration: float,
    findings: Findings | None = None,
) -> Iterator[tuple[NDArray[np.float32], float]]:
    """Decode a recording, and yield windows of it, which may overlap.

    Windows begin every `hop_duration` seconds, until one has reached the end. The
    last may be shorter, and is if it does not fit.

    Parameters
    ----------
    recording : str, path-like, file object, tuple, ndarray or callable
        As :func:`skemotion.audio.load_audio` takes it. A function is asked for
        all that it has.
    sampling_rate : int
        Rate of a signal that comes without one, in Hz.
    duration : float
        Length of a window, in seconds.
    hop_duration : float
        From the begin of one window to that of the next, in seconds.
    findings : Findings, default=None
        Where to note what is odd about the recording, which is known in the end.

    Yields
    ------
    signal : ndarray of shape (n_samples,), dtype float32
        At the recording's own rate.
    native_rate : float
        In Hz.

    Raises
    ------
    ValueError
        As :func:`skemotion.audio.load_audio` does, at the latest when the place
        is reached that cannot be read.
    """
    if callable(recording):
        recording = recording(sampling_rate=sampling_rate, duration=None)
    blocks = iter_blocks(recording, _BLOCK, findings)
    with closing(blocks):
        first, rate = next(blocks, (np.empty(0, np.float32), None))
        rate = float(sampling_rate) if rate is None else rate
        length = count_samples(duration, rate)
        hop = count_hop(hop_duration, rate)
        check_samples(first[:length])
        for signal in _cut(chain([first], (block for block, _ in blocks)), length, hop):
            yield signal, rate


def count_hop(hop_duration: float, rate: float) -> int:
    """Return how many samples there are from one window to the next, at least one."""
    return max(count_samples(hop_duration, rate), 1)


def _cut(blocks, length, hop):
    """Yield windows of so many samples; `ahead` is what the next may be made of."""
    ahead, begin, start, end = np.empty(0, np.float32), 0, 0, 0
    for block in blocks:
        ahead = np.concatenate([ahead, check_samples(block)])
        while begin + len(ahead) > start:
            begin, ahead = start, ahead[start - begin :]
            if len(ahead) < length:
                break
            yield ahead[:length].copy()
            start, end = start + hop, start + length
        else:  # all before the next window can be forgotten
            begin, ahead = begin + len(ahead), ahead[:0]
    if len(ahead) and begin + len(ahead) > end:
        yield ahead
