"""Recordings that copies are made of, known again by what they hold."""

import hashlib
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from skemotion.audio import (
    Encoded,
    Recording,
    cache_key_of,
    can_seek,
    check_samples,
    count_samples,
    decode,
    is_segment,
    iter_blocks,
)

# Whole blocks are compared when the beginning of a recording is read.
_BLOCK = 2**16  # samples


@dataclass(frozen=True)
class Source:
    """A recording, and what it held when it was looked at.

    Parameters
    ----------
    recording : str, path-like, Encoded, tuple, ndarray or callable
        As :func:`skemotion.audio.load_audio` takes it. No file object, since
        its readers would share a position.
    identity : str
        Hexadecimal digest of the samples; of the `cache_key` of a function that
        has one; of the place in X of what can be told by neither.
    digests : tuple of bytes or None
        Those of blocks of samples. None if the samples were not looked at.
    rate : float or None
        In Hz. None if the recording does not tell.
    in_place : bool
        Whether nothing but its place in X tells it from others.
    """

    recording: Recording
    identity: str
    digests: tuple[bytes, ...] | None = None
    rate: float | None = None
    in_place: bool = False

    @classmethod
    def of(cls, recording: Recording, index: int) -> "Source":
        """Look at all samples of the recording at `index` of X."""
        if callable(recording):
            key = cache_key_of(recording)
            if key is not None:
                return cls(recording, _digest("function", key))
        else:
            try:
                digests, rate = _fingerprint(iter_blocks(recording, _BLOCK))
            except ValueError:
                pass  # whoever reads it says why
            else:
                identity = hashlib.sha256(b"".join(digests)).hexdigest()
                return cls(recording, identity, digests, rate)
        return cls(recording, _digest("place", index), in_place=True)

    @property
    def cache_key(self) -> str | None:
        """What tells its sound from all others; None if nothing does."""
        return None if self.in_place else f"{self.identity} {self.rate}"

    def read(
        self, sampling_rate: int, duration: float | None
    ) -> tuple[NDArray[np.float32], float]:
        """Decode as :func:`skemotion.audio.decode` does.

        Raises
        ------
        ValueError
            If it cannot be read, or holds something else by now.
        """
        if self.digests is None:
            return decode(
                self.recording, sampling_rate=sampling_rate, duration=duration
            )
        rate = sampling_rate if self.rate is None else self.rate
        n_samples = n_blocks = None
        if duration is not None:
            n_samples = count_samples(duration, rate)
            n_blocks = -(-n_samples // _BLOCK)
        with closing(iter_blocks(self.recording, _BLOCK)) as blocks:
            read = list(islice(blocks, n_blocks))
        if _fingerprint(read) != (self.digests[:n_blocks], self.rate):
            raise ValueError("it has changed since its copies were decided on")
        signal = np.concatenate([np.empty(0, np.float32), *(part for part, _ in read)])
        return check_samples(signal[:n_samples]), rate


def _fingerprint(blocks):
    digests, rate = [], None
    for signal, native_rate in blocks:
        digests.append(_hash_samples(signal))
        rate = native_rate
    return tuple(digests), rate


def _hash_samples(signal):
    return hashlib.sha256(np.ascontiguousarray(signal, dtype="<f4").data).digest()


def _digest(kind, name):
    return hashlib.sha256(f"{kind} {name}".encode()).hexdigest()


def detach(recordings: list) -> tuple[list, list]:
    """Read file objects into memory, for readers that must not share a position.

    Parameters
    ----------
    recordings : list
        As :func:`skemotion.audio.load_audio` takes them.

    Returns
    -------
    given : list
        The recordings, but a new file object for each that cannot be rewound, and
        what they hold in place of those that segments are of.
    detached : list
        The recordings, but what they hold in place of file objects.
    """
    encoded: dict[int, Encoded] = {}
    given, detached = [], []
    for recording in recordings:
        if is_segment(recording):
            file, *times = recording
            if hasattr(file, "read"):
                _, (held,) = detach([file])
                recording = (held, *times)
        held = recording
        if hasattr(recording, "read"):
            try:
                # One that cannot be rewound may stand in several places.
                held = encoded.get(id(recording)) or Encoded.of(recording)
                encoded[id(recording)] = held
            except ValueError:
                pass  # whoever reads it says why
            else:
                if not can_seek(recording):
                    recording = held.open()
        given.append(recording)
        detached.append(held)
    return given, detached
