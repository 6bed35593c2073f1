"""One recording: decode, mix down, resample, fix the length."""

import io
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from threading import RLock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "check_audio",
    "check_recordings",
    "fix_length",
    "load_audio",
    "recording_name",
]

Recording = Any


def recording_name(recording: Recording, index: int) -> str:
    """Name a recording in a message: its path, or its place in X.

    Parameters
    ----------
    recording : str, path-like, file object, tuple, ndarray or callable
        One element of X.
    index : int
        Its position in X.

    Returns
    -------
    str

    Examples
    --------
    >>> from skemotion.audio import recording_name
    >>> recording_name("03a01Fa.wav", 0)
    '03a01Fa.wav'
    >>> recording_name([0.0, 0.1], 4)
    'X[4]'
    """
    if isinstance(recording, (str, os.PathLike)):
        return os.fsdecode(recording)
    name = getattr(recording, "name", None)
    return name if isinstance(name, str) else f"X[{index}]"


def check_audio(recording: Recording) -> None:
    """Look at a recording's type, and at the header if it is a path.

    It costs a fraction of a millisecond, so that a long batch can be refused
    before any of it is worked on.

    Parameters
    ----------
    recording : str, path-like, file object, tuple, ndarray or callable
        As :func:`load_audio` takes it.

    Raises
    ------
    ValueError
        If it can be seen without decoding that `recording` is unreadable; the
        message is the reason.
    """
    if isinstance(recording, (str, os.PathLike)):
        _open_audio(recording).close()
    elif hasattr(recording, "read"):
        _check_file(recording)
    elif not callable(recording):
        _check_signal(*_split_pair(recording, sampling_rate=1))


def check_recordings(X: Any, *, iterators: bool = True) -> list[Recording]:
    """Return a sequence of recordings as a list, or say which list was meant.

    Parameters
    ----------
    X : sequence of recordings
        Each as :func:`load_audio` takes it. None is opened.
    iterators : bool, default=True
        Whether X may be an iterator, such as a generator, which is used up.

    Returns
    -------
    list

    Raises
    ------
    TypeError
        If X is one recording, a table, a collection without order, or an
        iterator where none may be.
    ValueError
        If X is empty.
    """
    _refuse_other_than_sequences(X)
    is_iterator = hasattr(X, "__next__")
    if is_iterator and not iterators:
        raise TypeError(
            f"{_SEQUENCE}, but is an iterator ({type(X).__name__}), which is empty "
            "once it has been read; pass list(X)."
        )
    # Arrow's arrays hold scalars of their own.
    recordings = X.to_pylist() if hasattr(X, "to_pylist") else list(X)
    if not recordings:
        why = "an iterator is empty once it has been read: pass a list"
        raise ValueError(
            "X holds no recordings; "
            + (f"{why}." if is_iterator else "at least one is needed.")
        )
    if all(isinstance(recording, Real) for recording in recordings):
        raise TypeError(f"{_SEQUENCE}; for a single signal pass the list [signal].")
    if _is_pair(X):
        raise TypeError(
            f"{_SEQUENCE}; for a single pair pass the list [(signal, sampling_rate)]."
        )
    return recordings


_SEQUENCE = "X must be a sequence of recordings"


def _refuse_other_than_sequences(X):
    if isinstance(X, np.ndarray):
        _refuse_other_than_lists_of_recordings(X)
    elif isinstance(X, (str, os.PathLike)):
        name = str(os.fsdecode(X))
        raise TypeError(
            f"{_SEQUENCE}; for the single one {name!r} pass the list [{name!r}]."
        )
    elif isinstance(X, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"{_SEQUENCE}, but is bytes; pass the list [path], or [io.BytesIO(X)] if "
            "it is encoded audio."
        )
    elif hasattr(X, "read"):
        raise TypeError(f"{_SEQUENCE}; pass the list [file].")
    elif callable(X):
        raise TypeError(f"{_SEQUENCE}; pass the list [function].")
    elif hasattr(X, "columns"):
        raise TypeError(
            f"{_SEQUENCE}; of a data frame, pass the column that holds the paths."
        )
    elif isinstance(X, (set, frozenset)):
        raise TypeError(
            f"{_SEQUENCE}, but is a set, which has no order; pass sorted(X)."
        )
    elif isinstance(X, Mapping):
        raise TypeError(f"{_SEQUENCE}, but is a mapping; pass list(X.values()).")
    elif not hasattr(X, "__iter__") and not hasattr(X, "__getitem__"):
        raise TypeError(f"{_SEQUENCE}; got {type(X).__name__}.")


def _refuse_other_than_lists_of_recordings(array):
    """Check an array, of which some hold one recording, or several columns."""
    text = array.dtype.kind in "SUTO"
    if array.ndim == 0:
        what = "[X.item()]" if text else "[signal]"
        raise TypeError(f"{_SEQUENCE}, but has no dimension; pass the list {what}.")
    if array.dtype.kind == "S":
        raise TypeError(f"{_SEQUENCE}, but holds bytes; pass X.astype(str).")
    if text and array.ndim > 1:
        raise TypeError(
            f"{_SEQUENCE}, but is an array of shape {array.shape}; pass the column "
            "that holds the paths, such as X[:, 0]."
        )


def _is_pair(X):
    return isinstance(X, tuple) and len(X) == 2 and isinstance(X[1], Real)


def load_audio(
    recording: Recording,
    *,
    sampling_rate: int = 16000,
    duration: float | None = None,
) -> NDArray[np.float32]:
    """Decode one recording to mono samples at a given rate.

    The samples equal those of ``librosa.load(path, sr=sampling_rate,
    mono=True, duration=duration)``: no more of a file is read than `duration`
    needs, channels are averaged, and soxr's high-quality mode resamples.

    Parameters
    ----------
    recording : str, path-like, file object, tuple, ndarray or callable
        A path or a binary file object of a format that libsndfile reads (WAV,
        FLAC, OGG, MP3, AIFF, ...), a pair ``(signal, sampling_rate)``, or a
        1-D signal that is already at `sampling_rate`. Integer signals are
        divided by their type's full scale. A file object is read from its
        start, and put back to where it was; one that cannot be rewound is read
        to its end. A function is called as
        ``recording(sampling_rate=..., duration=...)`` with the arguments of
        this function, and returns such a pair, of any rate. Several threads
        may call it at once. If it has an attribute `cache_key`, a string that
        tells what it returns for given arguments from all else, descriptors
        of it are cached under that, and found again without a call.
    sampling_rate : int, default=16000
        Rate of the result, in Hz.
    duration : float, default=None
        Keep only the first so many seconds. None keeps everything.

    Returns
    -------
    ndarray of shape (n_samples,), dtype float32

    Raises
    ------
    ValueError
        If `recording` cannot be read, is empty, holds NaN or infinity, or is
        of another type; the message is the reason without the name.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.audio import load_audio
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> load_audio((tone, 8000), sampling_rate=16000).shape
    (16000,)
    """
    signal, native_rate = decode(
        recording, sampling_rate=sampling_rate, duration=duration
    )
    return resample(signal, native_rate, sampling_rate)


def fix_length(
    signal: NDArray[np.float32], n_samples: int, *, padding_side: str = "left"
) -> NDArray[np.float32]:
    """Cut a signal's end, or pad it with zeros, to `n_samples`.

    Parameters
    ----------
    signal : ndarray of shape (n,)
        The samples.
    n_samples : int
        Length of the result, in samples.
    padding_side : {"left", "right"}, default="left"
        Where zeros are added: in front of the signal or behind it.

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.audio import fix_length
    >>> fix_length(np.ones(3), 5)
    array([0., 0., 1., 1., 1.])
    >>> fix_length(np.ones(3), 2)
    array([1., 1.])
    """
    missing = n_samples - signal.shape[0]
    if missing <= 0:
        return signal[:n_samples]
    return np.pad(signal, (missing, 0) if padding_side == "left" else (0, missing))


class Start(NamedTuple):
    """The first seconds of a recording, or all of it.

    Attributes
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        At its own rate.
    native_rate : float
        In Hz.
    is_cut : bool
        Whether the recording goes on. Of a function it is not known, since that
        is told how much is wanted: False.
    """

    signal: NDArray[np.float32]
    native_rate: float
    is_cut: bool


def decode(
    recording: Recording, *, sampling_rate: int, duration: float | None
) -> tuple[NDArray[np.float32], float]:
    """Decode one recording to mono samples at its own rate.

    Parameters
    ----------
    recording, duration
        As :func:`load_audio` takes them.
    sampling_rate : int
        Rate of a signal that comes without one, in Hz.

    Returns
    -------
    signal : ndarray of shape (n_samples,), dtype float32
    native_rate : float
        In Hz.
    """
    start = decode_start(recording, sampling_rate=sampling_rate, duration=duration)
    return start.signal, start.native_rate


def decode_start(
    recording: Recording, *, sampling_rate: int, duration: float | None
) -> Start:
    """Decode one recording as :func:`decode` does, and tell whether it is longer.

    Parameters
    ----------
    recording, sampling_rate, duration
        As :func:`decode` takes them.

    Returns
    -------
    Start
    """
    if _is_encoded(recording):
        start = _decode(recording, duration)
    else:
        is_told = callable(recording)
        if is_told:
            recording = recording(sampling_rate=sampling_rate, duration=duration)
        signal, native_rate = _split_pair(recording, sampling_rate)
        signal = _check_signal(signal, native_rate)
        n_samples = None if duration is None else int(duration * native_rate)
        is_cut = n_samples is not None and len(signal) > n_samples
        start = Start(
            _to_float(signal[:n_samples]), native_rate, is_cut and not is_told
        )
    check_samples(start.signal)
    return start


def check_samples(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return samples of shape (n_samples,), unless there are none or bad ones."""
    if signal.size == 0:
        raise ValueError("it holds no samples")
    if not np.isfinite(signal).all():
        raise ValueError("it holds NaN or infinite samples")
    return signal


def cache_key_of(function: Any) -> str | None:
    """Return the name that a function gives to what it returns, or None."""
    key = getattr(function, "cache_key", None)
    return key if isinstance(key, str) and key else None


def iter_blocks(
    recording: Recording, n_samples: int
) -> Generator[tuple[NDArray[np.float32], float | None], None, None]:
    """Decode all of a recording, holding only some samples of it at a time.

    Parameters
    ----------
    recording : str, path-like, file object, Encoded, tuple or ndarray
        As :func:`load_audio` takes it, but no function.
    n_samples : int
        Length of a block.

    Yields
    ------
    signal : ndarray of shape (n_samples,), dtype float32
        The next samples, mixed down, at their own rate. The last block may be
        shorter.
    native_rate : float or None
        In Hz; None if the recording does not tell.
    """
    if _is_encoded(recording):
        with _open_to_read(recording) as audio:
            # After a read, soundfile seeks, after which MP3 is decoded otherwise.
            audio.seekable = lambda: False
            while (block := _read_mono(audio, n_samples)).size:
                yield block, float(audio.samplerate)
    else:
        signal, rate = _split_pair(recording, None)
        signal = _check_signal(signal, 1 if rate is None else rate)
        rate = None if rate is None else float(rate)
        for start in range(0, len(signal), n_samples):
            yield _to_float(signal[start : start + n_samples]), rate


@dataclass(frozen=True)
class Encoded:
    """What a file object holds. It has no position, so many can read it at once.

    Parameters
    ----------
    content : bytes
        All of the file.
    name : str or None
        Its name, if it has one.
    """

    content: bytes
    name: str | None = None

    @classmethod
    def of(cls, file: Any) -> "Encoded":
        """Read a file object from its start, and put it back to where it was.

        Raises
        ------
        ValueError
            If nothing can be read; the message is the reason.
        """
        _check_file(file)
        with _from_start(file):
            content = file.read()
        if not content and not can_seek(file):
            raise ValueError(
                "nothing is left of it; a file object that cannot be rewound is read "
                "but once"
            )
        name = getattr(file, "name", None)
        return cls(bytes(content), name if isinstance(name, str) else None)

    def open(self) -> io.BytesIO:
        """Make a file object of it, with a position of its own."""
        file = io.BytesIO(self.content)
        if self.name is not None:
            file.name = self.name
        return file


def resample(
    signal: NDArray[np.float32], native_rate: float, sampling_rate: float
) -> NDArray[np.float32]:
    """Bring a signal of shape (n_samples,) from one rate to another, in Hz."""
    if native_rate == sampling_rate:
        return signal
    import soxr

    # The length is fixed as librosa does, which the features are compared with.
    n_samples = int(np.ceil(signal.shape[0] * sampling_rate / native_rate))
    resampled = soxr.resample(signal, native_rate, sampling_rate, quality="soxr_hq")
    return fix_length(resampled, n_samples, padding_side="right")


def scale_to_peak(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale a signal so that its largest sample is 1 in magnitude."""
    peak = np.abs(signal).max()
    if peak == 0:
        return signal
    if peak < np.finfo(np.float32).tiny:  # too small for the processor's division
        signal = signal.astype(np.float64)
    return (signal / peak).astype(np.float32, copy=False)


def _is_encoded(recording):
    return (
        isinstance(recording, (str, os.PathLike, Encoded))
        or hasattr(recording, "read")  # a file object
    )


def _open_audio(file):
    import soundfile

    if isinstance(file, (str, os.PathLike)):
        file = os.fsdecode(file)
        if os.path.isdir(file):
            raise ValueError("it is a folder, not a file")
        if not os.path.exists(file):
            raise ValueError("no such file")
    try:
        return soundfile.SoundFile(file)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        if isinstance(error, OSError):
            raise ValueError(error.strerror or str(error)) from error
        raise ValueError(
            "libsndfile does not read it as audio; convert it to WAV or FLAC"
        ) from error


# Whoever moves the position of a file object moves it for all threads.
_POSITIONS = RLock()


@contextmanager
def _from_start(file):
    """Rewind a file object for one reader at a time, and put it back."""
    with _POSITIONS:
        if not can_seek(file):
            yield
            return
        position = file.tell()
        file.seek(0)
        try:
            yield
        finally:
            file.seek(position)


def can_seek(file: Any) -> bool:
    """Tell whether a file object can be rewound."""
    return hasattr(file, "seekable") and file.seekable()


def _check_file(file):
    """Refuse a file object that is closed, or gives other things than bytes."""
    if getattr(file, "closed", False):
        raise ValueError("it is a closed file; open it again, or pass its path")
    try:
        nothing = file.read(0)
    except TypeError:  # it reads all or nothing
        return
    except (OSError, ValueError) as error:
        raise ValueError(
            f"it cannot be read ({error}); open it with mode 'rb'"
        ) from error
    if not isinstance(nothing, (bytes, bytearray, memoryview, type(None))):
        raise ValueError(
            f"it is a file object that gives {type(nothing).__name__} and not bytes; "
            "open it with mode 'rb', or pass its path"
        )


@contextmanager
def _open_to_read(file):
    """Open encoded audio, whoever else may be reading the same."""
    if hasattr(file, "read"):
        _check_file(file)
        if can_seek(file):
            with _from_start(file), _open_audio(file) as audio:
                yield audio
            return
        file = Encoded.of(file)
    if isinstance(file, Encoded):
        file = file.open()
    with _open_audio(file) as audio:
        yield audio


def _decode(file, duration):
    """Read at most `duration` seconds, averaged over channels."""
    with _open_to_read(file) as audio:
        if duration is None:
            return Start(_read_mono(audio, -1), audio.samplerate, False)
        n_samples = int(duration * audio.samplerate)
        # One more tells whether there are more, whatever the header says.
        signal = _read_mono(audio, n_samples + 1)
        is_cut = len(signal) > n_samples
        return Start(signal[:n_samples], audio.samplerate, is_cut)


def _read_mono(audio, n_samples):
    import soundfile

    try:
        signal = audio.read(frames=n_samples, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"it breaks off while decoding ({error})") from error
    return signal[:, 0] if signal.shape[1] == 1 else signal.T.mean(axis=0)


def _split_pair(recording, sampling_rate):
    if isinstance(recording, tuple) and len(recording) == 2:
        return recording
    return recording, sampling_rate


def _check_signal(signal, rate):
    """Check one signal and its rate without looking at every sample."""
    if isinstance(signal, (bytes, bytearray)):
        raise ValueError(
            "it is bytes; wrap encoded audio in io.BytesIO, and decode a path by "
            "os.fsdecode"
        )
    try:
        signal = np.asarray(signal)
    except ValueError:
        signal = np.empty(0, dtype=object)
    if signal.ndim != 1 or signal.dtype.kind not in "fiu":
        raise ValueError(
            "a recording is a path, a file object, a 1-D numeric signal, a pair "
            "(signal, sampling_rate), or a function that returns one; got "
            + (
                f"{signal.dtype} of shape {signal.shape}"
                if signal.ndim
                else f"{signal.item()!r:.50}"
            )
        )
    if not isinstance(rate, Real) or not float(rate) > 0:
        raise ValueError(f"its sampling rate must be a positive number, got {rate!r}")
    return signal


def _to_float(signal):
    if signal.dtype.kind == "f":
        return signal.astype(np.float32, copy=False)
    info = np.iinfo(signal.dtype)
    middle = 0 if signal.dtype.kind == "i" else (info.max + 1) // 2
    scale = info.max - middle + 1
    return ((signal.astype(np.float64) - middle) / scale).astype(np.float32)
