"""Which parts of recordings a pipeline looks at, and how much each counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion._messages import Remarks, shorten, warn_user
from skemotion.audio import (
    Findings,
    cache_key_of,
    check_audio,
    check_recordings,
    decode_start,
    recording_name,
)
from skemotion.audio._unreadable import raise_unreadable, warn_unreadable
from skemotion.audio._windowing import count_hop, iter_windows
from skemotion.exceptions import AudioError, NoSpeechWarning
from skemotion.pipeline._extents import Extent, ExtentMeter, note_extents
from skemotion.voice_activity import FRAME_SECONDS, speech_frames

# A batch is put through the steps at once. It holds a multiple of the rows that
# networks look at together, unless these many samples, 64 MB, come first.
_MAX_WINDOWS = 128
_MAX_SAMPLES = 2**24
_NO_ANSWER = ", so that all classes are as likely there"


@dataclass(frozen=True)
class WindowRule:
    """How recordings are looked at.

    Parameters
    ----------
    duration : float
        Length of a window, in seconds.
    sampling_rate : int
        Rate of signals that come without one, in Hz.
    hop_duration : float or None
        From one window to the next, in seconds. None: the first alone.
    detect_speech : bool
        Whether nothing but windows with speech is looked at.
    goes_on : bool, default=False
        Whether recordings that cannot be read are left out, and stop nothing.
    """

    duration: float
    sampling_rate: int
    hop_duration: float | None
    detect_speech: bool
    goes_on: bool = False


class Window(tuple):
    """A pair ``(signal, native_rate)`` that knows of which recording it is."""

    name: str


@dataclass(frozen=True)
class FunctionWindow:
    """All that a function has returned, which is found in caches by its key."""

    pair: tuple[NDArray[np.float32], float]
    cache_key: str | None
    name: str

    def __call__(self, sampling_rate, duration):
        return self.pair


class Batch(NamedTuple):
    """Windows that are looked at together.

    Attributes
    ----------
    windows : list of length n_windows
        Recordings for the first step.
    rows : ndarray of shape (n_windows,), dtype intp
        The recording of each, in ascending order.
    weights : ndarray of shape (n_windows,), dtype float64
        How much each counts, in seconds; 0 without sound.
    alone : ndarray of shape (n_windows,), dtype bool
        Whether the window is all that is looked at of its recording.
    starts : ndarray of shape (n_windows,), dtype float64
        Where the window begins in its recording, in seconds.
    """

    windows: list
    rows: NDArray[np.intp]
    weights: NDArray[np.float64]
    alone: NDArray[np.bool_]
    starts: NDArray[np.float64]

    def take(self, places: NDArray[np.intp]) -> "Batch":
        """Return some of the windows."""
        return Batch(
            [self.windows[place] for place in places],
            self.rows[places],
            self.weights[places],
            self.alone[places],
            self.starts[places],
        )


class WindowedRecordings:
    """Windows of recordings, read on the way, and what is found out about them.

    Parameters
    ----------
    X : sequence of recordings
        As the first step takes them.
    rule : WindowRule
        How they are looked at.

    Attributes
    ----------
    recordings : list
        X.
    silent : list of int
        Rows without speech, if speech is looked for, known after :meth:`batches`.
    unreadable : dict of int to str
        The reason for each row that cannot be read, known then. Windows of its
        beginning may have been yielded.

    Raises
    ------
    AudioError
        If it can be seen without decoding that recordings are unreadable, unless
        the rule goes on without them.
    """

    def __init__(self, X: Any, rule: WindowRule):
        self.recordings = check_recordings(X)
        self.silent: list[int] = []
        self._rule = rule
        self.unreadable: dict[int, str] = {}
        self._findings: dict[int, Findings] = {}
        self._extents: dict[int, Extent] = {}
        for row, recording in enumerate(self.recordings):
            try:
                check_audio(recording)
            except ValueError as error:
                self.unreadable[row] = str(error)
        self._raise_failures()

    def __len__(self) -> int:
        return len(self.recordings)

    def names(self, rows: list[int]) -> list[str]:
        """Name some recordings."""
        return [recording_name(self.recordings[row], row) for row in rows]

    def batches(self) -> Iterator[Batch]:
        """Yield the windows that count, of all recordings, in their order.

        Raises
        ------
        AudioError
            In the end, if recordings cannot be read, and the rule does not go on
            without them. It names all of them.
        """
        found: list[tuple] = []
        n_samples = 0
        stops = not self._rule.goes_on
        for row in range(len(self)):
            if row in self.unreadable:
                continue
            try:
                for window, weight, alone, start in self._windows(row):
                    if self.unreadable and stops:  # others are asked for no more
                        found, n_samples = [], 0
                        continue
                    recording = self._as_recording(window, row, alone)
                    found.append((recording, row, weight, alone, start))
                    n_samples += len(window[0])
                    if len(found) == _MAX_WINDOWS or n_samples >= _MAX_SAMPLES:
                        yield _as_batch(found)
                        found, n_samples = [], 0
            except ValueError as error:
                self.unreadable[row] = str(error)
        if found and not (self.unreadable and stops):
            yield _as_batch(found)
        self._raise_failures()
        note_extents(self._extents)

    def note_failures(self, batch: Batch, error: AudioError) -> Batch | None:
        """Remember what a step has found to be wrong with windows of a batch.

        Returns
        -------
        Batch or None
            What is left of the batch; None if that is not asked for.
        """
        reasons = dict(reversed(error.failures))
        bad = [window.name in reasons for window in batch.windows]
        if not any(bad):
            raise error
        for window, row in zip(batch.windows, batch.rows.tolist(), strict=True):
            if window.name in reasons:
                self.unreadable.setdefault(row, reasons[window.name])
        if not self._rule.goes_on or all(bad):
            return None
        return batch.take(np.flatnonzero(np.logical_not(bad)))

    def warn(self) -> None:
        """Say once what was not looked at, and what held no speech."""
        warn_unreadable(self.unreadable, self.recordings, _NO_ANSWER)
        n_given = sum(not callable(recording) for recording in self.recordings)
        remarks = Remarks()
        for row, findings in self._findings.items():
            remarks.note(self.names([row])[0], findings)
        remarks.tell(n_given, self._rule.duration)
        if not self.silent:
            return
        recordings = [self.recordings[row] for row in self.silent]
        listed = [
            f"row {row}" + _path_in_brackets(recording)
            for row, recording in zip(self.silent, recordings, strict=True)
        ]
        verb = "holds" if len(self.silent) == 1 else "hold"
        warn_user(
            NoSpeechWarning(
                f"{len(self.silent)} of {len(self)} recordings {verb} no speech, so "
                f"that all classes are as likely there: {shorten(listed)}.",
                self.silent,
            )
        )

    def _raise_failures(self):
        if not self._rule.goes_on:
            raise_unreadable(self.unreadable, self.recordings)

    def _windows(self, row):
        """Yield the windows that count, with weight, `alone` and start."""
        windows = self._all_windows(row)
        first = list(islice(windows, 2))
        alone, silence = len(first) == 1, None
        n_counted = 0
        meter = ExtentMeter(self._rule.hop_duration)
        for number, window in enumerate(chain(first, windows)):
            weight = self._weigh(meter, *window)
            if weight:
                n_counted += 1
                yield window, weight, alone, self._start(number, window[1])
            elif silence is None:
                silence = window
        if self._rule.detect_speech and not self._findings[row].is_cut:
            self._extents[row] = meter.read()
        if n_counted:
            return
        if self._rule.detect_speech:
            self.silent.append(row)
        else:
            yield silence, 0.0, True, 0.0

    def _all_windows(self, row):
        rule, recording = self._rule, self.recordings[row]
        if rule.hop_duration is not None:
            self._findings[row] = Findings()
            yield from iter_windows(
                recording,
                sampling_rate=rule.sampling_rate,
                duration=rule.duration,
                hop_duration=rule.hop_duration,
                findings=self._findings[row],
            )
            return
        start = decode_start(
            recording, sampling_rate=rule.sampling_rate, duration=rule.duration
        )
        self._findings[row] = start.findings
        yield start.signal, start.native_rate

    def _start(self, number, native_rate):
        hop_duration = self._rule.hop_duration
        if hop_duration is None:
            return 0.0
        return number * count_hop(hop_duration, native_rate) / native_rate

    def _weigh(self, meter, signal, native_rate):
        if self._rule.detect_speech:
            frames = speech_frames(signal, native_rate)
            meter.add(len(signal), native_rate, frames)
            return float(frames.sum() * FRAME_SECONDS)
        return len(signal) / native_rate if signal.any() else 0.0

    def _as_recording(self, window, row, alone):
        recording = self.recordings[row]
        name = recording_name(recording, row)
        if callable(recording):
            key = cache_key_of(recording)
            if alone or key is None:
                return FunctionWindow(window, key, name)
        window = Window(window)
        window.name = name
        return window


def _path_in_brackets(recording):
    name = recording_name(recording, -1)
    return "" if name.startswith("X[-1]") else f" ({name})"


def _as_batch(found):
    windows, rows, *others = zip(*found, strict=True)
    return Batch(list(windows), np.array(rows, np.intp), *map(np.array, others))
