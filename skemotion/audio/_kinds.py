"""What a recording can be, and how it is called."""

import os
from collections.abc import Mapping
from math import isnan
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.audio._files import Encoded, check_encoded, is_encoded
from skemotion.audio._signals import check_signal, mix_down

Recording = Any

_DICT_KEYS = ("array", "bytes", "path")


def recording_name(recording: Recording, index: int) -> str:
    """Name a recording in a message: its path, or its place in X.

    Parameters
    ----------
    recording : str, path-like, file object, tuple, dict, ndarray or callable
        One element of X.
    index : int
        Its position in X.

    Returns
    -------
    str
        Of a segment, with its times in seconds.

    Examples
    --------
    >>> from skemotion.audio import recording_name
    >>> recording_name("03a01Fa.wav", 0)
    '03a01Fa.wav'
    >>> recording_name([0.0, 0.1], 4)
    'X[4]'
    >>> recording_name(("03a01Fa.wav", 0.5, 2.0), 0)
    '03a01Fa.wav (0.5 s to 2 s)'
    """
    if isinstance(recording, (str, os.PathLike)):
        return os.fsdecode(recording)
    if is_segment(recording):
        whole, *times = recording
        return recording_name(whole, index) + _name_times(*times)
    if isinstance(recording, Mapping):
        name = _as_text(recording.get("path"))
    else:
        name = getattr(recording, "name", None)
    return name if isinstance(name, str) else f"X[{index}]"


def _as_text(path):
    return os.fsdecode(path) if isinstance(path, os.PathLike) else path


def _name_times(start, end):
    first, last = _seconds(start), _seconds(end)
    if last is not None:
        return f" ({first or 0:.10g} s to {last:.10g} s)"
    return f" (from {first:.10g} s)" if first else ""


def check_audio(recording: Recording) -> None:
    """Look at a recording's type, and at the header if it is a path.

    It costs a fraction of a millisecond, so that a long batch can be refused
    before any of it is worked on.

    Parameters
    ----------
    recording : str, path-like, file object, tuple, dict, ndarray or callable
        As :func:`load_audio` takes it.

    Raises
    ------
    ValueError
        If it can be seen without decoding that `recording` is unreadable; the
        message is the reason.
    """
    if _is_decoder(recording):
        return
    whole = as_segment(recording).whole
    if is_encoded(whole):
        check_encoded(whole)
    elif not callable(whole):
        check_signal(*split_pair(whole, sampling_rate=1))


class Segment(NamedTuple):
    """A recording, or a part of it.

    Attributes
    ----------
    whole : str, path-like, file object, Encoded, tuple, ndarray or callable
        All of the recording.
    start : float
        Where the part begins, in seconds.
    end : float or None
        Where it ends. None: with the recording.
    channels : ndarray of shape (n_channels, n_samples) or None
        What was averaged to make the signal of the pair that `whole` is.
    """

    whole: Recording
    start: float = 0.0
    end: float | None = None
    channels: NDArray | None = None


def as_segment(recording: Recording) -> Segment:
    """Tell which part of which recording is meant.

    Raises
    ------
    ValueError
        If that is not clear.
    """
    if not is_segment(recording):
        whole, channels = _as_plain(recording)
        return Segment(whole, channels=channels)
    whole, *times = recording
    whole, channels = _as_plain(whole)
    if not is_encoded(whole) and not is_pair(whole):
        raise ValueError(
            "a segment (recording, start, end) is one of a path, a file object or a "
            f"pair (signal, sampling_rate); got {type(whole).__name__}"
        )
    start, end = map(_seconds, times)
    start = start or 0.0
    if start < 0 or (end is not None and end <= start):
        raise ValueError(
            f"its segment from {times[0]} to {times[1]} holds no time: start must be "
            "0 or more, and end behind it"
        )
    return Segment(whole, start, end, channels)


def is_segment(recording: Recording) -> bool:
    """Tell whether a recording is given as (recording, start, end)."""
    return (
        isinstance(recording, tuple)
        and len(recording) == 3
        and not isinstance(recording[0], Real)
        and all(map(_is_time, recording[1:]))
    )


def _is_time(value):
    return (
        value is None
        or isinstance(value, (Real, np.timedelta64))
        or hasattr(value, "total_seconds")  # of pandas and of the standard library
    )


def _seconds(time):
    """Return a time in seconds; None for one that is missing."""
    if time is None:
        return None
    if isinstance(time, np.timedelta64):
        time = time / np.timedelta64(1, "s")
    elif not isinstance(time, Real):
        time = time.total_seconds()
    return None if isnan(time) else float(time)


def is_dict_of_audio(recording: Any) -> bool:
    """Tell whether a mapping is one recording, as Hugging Face has it."""
    return isinstance(recording, Mapping) and any(
        key in recording for key in _DICT_KEYS
    )


def _as_plain(recording):
    """Return what a dict, or a decoder, of Hugging Face stands for, and channels."""
    if _is_decoder(recording):
        samples = recording.get_all_samples()
        return _as_pair(samples.data, samples.sample_rate)
    if not isinstance(recording, Mapping):
        return recording, None
    array, content, path = map(recording.get, _DICT_KEYS)
    if array is not None:
        rate = recording.get("sampling_rate")
        if rate is None:
            raise ValueError("its array has no sampling_rate")
        return _as_pair(array, rate)
    if content is not None:
        return Encoded(bytes(content), _as_text(path)), None
    if path is None:
        raise ValueError(
            "a dict holds a recording as array and sampling_rate, as bytes, or as "
            f"path; got {', '.join(map(str, recording)) or 'nothing'}"
        )
    return path, None


def _as_pair(array, rate):
    signal = mix_down(array)
    channels = np.asarray(array) if np.ndim(array) == 2 and signal.ndim == 1 else None
    return (signal, rate), channels


def _is_decoder(recording):
    return hasattr(recording, "get_all_samples")


def stays_here(recording: Recording) -> bool:
    """Tell whether a recording cannot be sent to another process."""
    if is_segment(recording):
        recording = recording[0]
    return hasattr(recording, "read") or _is_decoder(recording)


def cache_key_of(function: Any) -> str | None:
    """Return the name that a function gives to what it returns, or None."""
    key = getattr(function, "cache_key", None)
    return key if isinstance(key, str) and key else None


def is_pair(recording: Recording) -> bool:
    """Tell whether a recording is given as (signal, sampling_rate)."""
    return isinstance(recording, tuple) and len(recording) == 2


def split_pair(recording: Recording, sampling_rate: Any) -> tuple[Any, Any]:
    """Return a signal and its rate, which is `sampling_rate` if it has none."""
    return recording if is_pair(recording) else (recording, sampling_rate)
