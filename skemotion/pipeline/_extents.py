"""How long recordings are, and for how much of that someone speaks."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.audio._windowing import count_hop, iter_windows
from skemotion.voice_activity import FRAME_SECONDS, speech_frames


class Extent(NamedTuple):
    """How much of a recording there is.

    Attributes
    ----------
    seconds : float
        Length of all of it.
    speech_seconds : float
        For how long someone speaks.
    """

    seconds: float
    speech_seconds: float

    @property
    def speech(self) -> float:
        """The share of speech, from 0 to 1."""
        return min(self.speech_seconds / self.seconds, 1.0)


class ExtentMeter:
    """Puts an extent together from windows, which may overlap.

    A frame counts once, as speech if it is that in one of the windows.

    Parameters
    ----------
    hop_duration : float or None
        From one window to the next, in seconds. None: there is one alone.
    """

    def __init__(self, hop_duration: float | None):
        self._hop_duration = hop_duration
        self._n_windows = 0
        self._n_samples = 0
        self._rate = 1.0
        self._frames: list[tuple[int, NDArray[np.bool_]]] = []

    def add(self, n_samples: int, rate: float, frames: NDArray[np.bool_]) -> None:
        """Add the next window, of which some frames are speech."""
        hop = 0 if self._hop_duration is None else count_hop(self._hop_duration, rate)
        start = self._n_windows * hop
        self._n_windows += 1
        self._n_samples = max(self._n_samples, start + n_samples)
        self._rate = rate
        self._frames.append((round(start / rate / FRAME_SECONDS), frames))

    def read(self) -> Extent:
        """Return the extent of all windows."""
        n_frames = max(first + len(frames) for first, frames in self._frames)
        is_speech = np.zeros(n_frames, dtype=bool)
        for first, frames in self._frames:
            is_speech[first : first + len(frames)] |= frames
        n_speech = np.count_nonzero(is_speech)
        return Extent(self._n_samples / self._rate, n_speech * FRAME_SECONDS)


def measure_extent(
    recording: Any, *, sampling_rate: int, duration: float, hop_duration: float
) -> Extent:
    """Decode a recording, and measure it by windows.

    Parameters
    ----------
    recording, sampling_rate, duration, hop_duration
        As :func:`skemotion.audio._windowing.iter_windows` takes them.

    Returns
    -------
    Extent

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    meter = ExtentMeter(hop_duration)
    windows = iter_windows(
        recording,
        sampling_rate=sampling_rate,
        duration=duration,
        hop_duration=hop_duration,
    )
    for signal, rate in windows:
        meter.add(len(signal), rate, speech_frames(signal, rate))
    return meter.read()


_NOTED: ContextVar[dict[int, Extent] | None] = ContextVar("noted", default=None)


@contextmanager
def extents_noted() -> Iterator[dict[int, Extent]]:
    """Give a dict, which has the extents of rows of X behind the block.

    They are those that a pipeline has found out in the block, when it was asked
    about X, and of the last X, if it was asked several times.
    """
    extents: dict[int, Extent] = {}
    token = _NOTED.set(extents)
    try:
        yield extents
    finally:
        _NOTED.reset(token)


def note_extents(extents: dict[int, Extent]) -> None:
    """Hand over what has been found out about X, to whoever wants to know."""
    noted = _NOTED.get()
    if noted is not None:
        noted.clear()
        noted.update(extents)
