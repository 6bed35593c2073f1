"""What there is to see in all of a recording, read block by block."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from skemotion.audio import Findings, check_samples, iter_blocks
from skemotion.voice_activity import has_speech

_BLOCK = 2**18  # samples: 16 s at 16 kHz, enough to tell speech by
_LEAST_STEP = 4e-5  # of the peak: whole numbers go one further below 0 than above
_SHORTEST_RUN = 3  # neighbouring samples at the peak that are taken for clipped


class Look(NamedTuple):
    """What was seen.

    Attributes
    ----------
    error : str
        Why the recording cannot be read; empty if it can, and all else is known.
    n_samples : int
        Length, at its own rate.
    rate : float
        In Hz.
    peak : float
        The largest sample in magnitude, where 1 is full scale.
    is_steady : bool
        Whether all samples are the same.
    n_clipped : int
        Samples at the peak that stand side by side, three or more.
    has_speech : bool
        Whether someone speaks in one of its parts of 16 s.
    digest : bytes
        Of samples and rate.
    ends_early : bool
        Whether a file holds less than its header says, as far as readers tell.
    """

    error: str = ""
    n_samples: int = 0
    rate: float = 1.0
    peak: float = 0.0
    is_steady: bool = False
    n_clipped: int = 0
    has_speech: bool = False
    digest: bytes = b""
    ends_early: bool = False

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.n_samples / self.rate


def look_at_all(
    recordings: Iterable[Any], *, sampling_rate: int, n_jobs: int | None = None
) -> Iterator[Look]:
    """Look at recordings, in their order, holding a block of each worker's.

    Parameters
    ----------
    recordings : iterable of recordings
        As :func:`skemotion.audio.load_audio` takes them.
    sampling_rate : int
        Rate of signals that come without one, in Hz.
    n_jobs : int, default=None
        Number of threads, by joblib.

    Yields
    ------
    Look
    """
    workers = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    yield from workers(
        delayed(look_at)(recording, sampling_rate) for recording in recordings
    )


def look_at(recording: Any, sampling_rate: int) -> Look:
    """Read all of a recording, or find out why that cannot be.

    Parameters
    ----------
    recording : str, path-like, file object, tuple, dict, ndarray or callable
        As :func:`skemotion.audio.load_audio` takes it.
    sampling_rate : int
        Rate of a signal that comes without one, in Hz.
    """
    try:
        if callable(recording) and not hasattr(recording, "read"):
            recording = recording(sampling_rate=sampling_rate, duration=None)
        return _read(recording, sampling_rate)
    except ValueError as error:
        return Look(error=str(error))


def _read(recording, sampling_rate):
    digest, flat = hashlib.sha256(), _FlatTops()
    n_samples, rate, speaks = 0, float(sampling_rate), False
    low, high = np.inf, -np.inf
    findings = Findings()
    with closing(iter_blocks(recording, _BLOCK, findings)) as blocks:
        for signal, told in blocks:
            rate = rate if told is None else told
            n_samples += check_samples(signal).size
            digest.update(np.ascontiguousarray(signal, dtype="<f4").data)
            low, high = min(low, signal.min()), max(high, signal.max())
            flat.add(signal)
            speaks = speaks or has_speech(signal, rate)
    if not n_samples:
        raise ValueError("it holds no samples")
    digest.update(str(float(rate)).encode())
    return Look(
        n_samples=n_samples,
        rate=rate,
        peak=float(max(abs(low), abs(high))),
        is_steady=bool(low == high),
        n_clipped=flat.n_samples,
        has_speech=speaks,
        digest=digest.digest(),
        ends_early=findings.ends_early,
    )


class _FlatTops:
    """Counts the samples in runs at the largest magnitude of all blocks."""

    def __init__(self) -> None:
        self.n_samples = 0
        self._peak = 0.0

    def add(self, signal: NDArray[np.float32]) -> None:
        """Look at the next block; a run that goes on in it counts as two."""
        magnitude = np.abs(signal)
        peak = float(magnitude.max())
        if peak < self._peak * (1 - _LEAST_STEP):
            return
        if peak > self._peak * (1 + _LEAST_STEP):
            self._peak, self.n_samples = peak, 0
        is_top = magnitude >= peak * (1 - _LEAST_STEP)
        edges = np.flatnonzero(np.diff(is_top, prepend=False, append=False))
        lengths = edges[1::2] - edges[::2]
        self.n_samples += int(lengths[lengths >= _SHORTEST_RUN].sum())
