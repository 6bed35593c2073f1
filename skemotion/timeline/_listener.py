"""Stretches of speech in a stream of samples, and windows of them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skemotion.voice_activity import (
    FRAME_SECONDS,
    SHORTEST_SPEECH,
    speech_frames,
)

# In seconds. Speech is told by what is around it, of which so much is behind it.
_CONTEXT = 4.0
_STEP = 0.5
_BEHIND = 1.0


@dataclass
class Stretch:
    """Speech without a long pause, in samples from the begin of the recording.

    Parameters
    ----------
    runs : list of list of int
        Start and end of each run of frames with speech. Between them are short
        pauses. The last may grow.
    n_windows : int
        How many windows have been cut.
    """

    runs: list[list[int]]
    n_windows: int = 0

    @property
    def start(self) -> int:
        """Where speech begins."""
        return self.runs[0][0]

    @property
    def end(self) -> int:
        """Where speech ends, as far as it is known."""
        return self.runs[-1][1]


@dataclass(frozen=True)
class Window:
    """A part of a stretch of speech.

    Parameters
    ----------
    stretch : Stretch
        Where it is from.
    start, end : int
        In samples from the begin of the recording.
    signal : ndarray of shape (end - start,), dtype float32
        The samples.
    is_last : bool
        Whether no other window of the stretch follows.
    """

    stretch: Stretch
    start: int
    end: int
    signal: NDArray[np.float32] = field(repr=False)
    is_last: bool

    @property
    def centre(self) -> float:
        """The middle, in samples."""
        return (self.start + self.end) / 2


class SpeechListener:
    """Cuts windows from the speech in a stream, as soon as they are certain.

    What is found does not depend on how the samples are divided into blocks. No
    more is held than a window, a pause, and what speech is told by.

    Parameters
    ----------
    sampling_rate : float
        In Hz.
    window, hop, min_pause, max_utterance : float
        As :func:`skemotion.timeline.emotion_timeline` takes them, in seconds.
    """

    def __init__(
        self,
        sampling_rate: float,
        *,
        window: float,
        hop: float,
        min_pause: float,
        max_utterance: float,
    ):
        self._rate = sampling_rate
        self._window, self._hop = self._count(window), self._count(hop)
        self._min_pause = max(min_pause * sampling_rate, 1)
        self._whole = max(self._window, self._count(max_utterance))
        self._held = np.empty(0, dtype=np.float32)
        self._first = 0  # sample that is held
        self._chunk = 0  # start of what speech is looked for in next
        self._judged = 0  # samples of which it is known whether they are speech
        self._open: Stretch | None = None

    def _count(self, seconds: float) -> int:
        return max(round(seconds * self._rate), 1)

    @property
    def n_samples(self) -> int:
        """How many have been heard."""
        return self._first + len(self._held)

    def feed(self, block: NDArray[np.float32]) -> list[Window]:
        """Hear the next samples, and return the windows that are certain now."""
        self._held = np.concatenate([self._held, block])
        context, found = self._count(_CONTEXT), []
        while self._chunk + context <= self.n_samples:
            end = self._chunk + context
            found += self._look(self._chunk, end, end - self._count(_BEHIND))
            self._chunk += self._count(_STEP)
        self._forget()
        return found

    def close(self) -> list[Window]:
        """Return the last windows: nothing more is to be heard."""
        end = self.n_samples
        found = self._look(max(end - self._count(_CONTEXT), 0), end, end)
        return found + self._close_stretch()

    def _look(self, start, end, until):
        """Look for speech in a part, and add what is found up to some sample."""
        if until <= self._judged:
            return []
        active = speech_frames(self._take(start, end), self._rate)
        found = []
        for first, last in _find_runs(active):
            run = [
                max(start + round(first * FRAME_SECONDS * self._rate), self._judged),
                min(start + round(last * FRAME_SECONDS * self._rate), until),
            ]
            if run[0] < run[1]:
                found += self._add(run)
        self._judged = until
        if self._open and until - self._open.end >= self._min_pause:
            found += self._close_stretch()
        return found

    def _add(self, run):
        found = []
        if self._open and run[0] - self._open.end >= self._min_pause:
            found = self._close_stretch()
        if self._open is None:
            self._open = Stretch([run])
        elif run[0] == self._open.end:
            self._open.runs[-1][1] = run[1]
        else:
            self._open.runs.append(run)
        return found + self._cut(self._open)

    def _cut(self, stretch):
        """Return the windows behind which a stretch goes on."""
        found = []
        if stretch.end - stretch.start <= self._whole:
            return []
        while (start := self._next_start(stretch)) + self._window < stretch.end:
            end = start + self._window
            found.append(self._window_of(stretch, start, end, is_last=False))
            stretch.n_windows += 1
        return found

    def _next_start(self, stretch):
        return stretch.start + stretch.n_windows * self._hop

    def _close_stretch(self):
        stretch = self._open
        if stretch is None:
            return []
        spoken = sum(end - start for start, end in stretch.runs)
        found = []
        if spoken >= SHORTEST_SPEECH * self._rate:
            is_whole = stretch.end - stretch.start <= self._whole
            start = stretch.start if is_whole else stretch.end - self._window
            found.append(self._window_of(stretch, start, stretch.end, is_last=True))
        self._open = None
        return found

    def _window_of(self, stretch, start, end, *, is_last):
        return Window(stretch, start, end, self._take(start, end), is_last)

    def _take(self, start, end):
        return self._held[start - self._first : end - self._first].copy()

    def _forget(self):
        last_chunk = self.n_samples - self._count(_CONTEXT)  # if nothing comes
        needed = max(min(last_chunk, self._chunk, self._judged), self._first)
        if self._open:
            last = max(self._open.end - self._window, self._open.start)
            needed = min(needed, last, self._next_start(self._open))
        self._held = self._held[needed - self._first :]
        self._first = needed


def _find_runs(active):
    """Return start and end of each run of True, of shape (n_runs, 2)."""
    padded = np.concatenate([[False], active, [False]])
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2).tolist()
