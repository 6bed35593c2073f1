"""One recording: decode, mix down, resample, fix the length."""

import io
import os
from numbers import Real
from typing import Any

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
        return os.fspath(recording)
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
    elif not hasattr(recording, "read") and not callable(recording):
        _check_signal(*_split_pair(recording, sampling_rate=1))


def check_recordings(X: Any) -> list[Recording]:
    """Return a sequence of recordings as a list, or say which list was meant.

    Parameters
    ----------
    X : sequence of recordings
        Each as :func:`load_audio` takes it. None is opened.

    Returns
    -------
    list

    Raises
    ------
    TypeError
        If X is one recording, or a table.
    ValueError
        If X is empty.
    """
    if isinstance(X, (str, os.PathLike)):
        raise TypeError(
            f"X must be a sequence of recordings; for the single one {os.fspath(X)!r} "
            f"pass the list [{os.fspath(X)!r}]."
        )
    if hasattr(X, "read") or callable(X):
        raise TypeError("X must be a sequence of recordings; pass the list [file].")
    if hasattr(X, "columns"):
        raise TypeError(
            "X must be a sequence of recordings; of a data frame, pass the column "
            "that holds the paths."
        )
    if (
        isinstance(X, np.ndarray)
        and (X.ndim == 0 or X.dtype.kind in "fiu")
        and (X.ndim < 2)
    ):
        raise TypeError(
            "X must be a sequence of recordings; for a single signal pass the list "
            "[signal]."
        )
    recordings = list(X)
    if not recordings:
        raise ValueError("X holds no recordings; at least one is needed.")
    return recordings


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
        divided by their type's full scale. A function is called as
        ``recording(sampling_rate=..., duration=...)`` with the arguments of
        this function, and returns such a pair, of any rate.
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
    if isinstance(recording, (str, os.PathLike)) or hasattr(recording, "read"):
        signal, native_rate = _decode(recording, duration)
    else:
        if callable(recording):
            recording = recording(sampling_rate=sampling_rate, duration=duration)
        signal, native_rate = _split_pair(recording, sampling_rate)
        signal = _check_signal(signal, native_rate)
        if duration is not None:
            signal = signal[: int(duration * native_rate)]
        signal = _to_float(signal)
    if signal.size == 0:
        raise ValueError("it holds no samples")
    if not np.isfinite(signal).all():
        raise ValueError("it holds NaN or infinite samples")
    return signal, native_rate


def resample(
    signal: NDArray[np.float32], native_rate: float, sampling_rate: int
) -> NDArray[np.float32]:
    """Bring a signal of shape (n_samples,) from one rate to another, in Hz."""
    if native_rate == sampling_rate:
        return signal
    import soxr

    # The length is fixed as librosa does, which the features are compared with.
    n_samples = int(np.ceil(signal.shape[0] * sampling_rate / native_rate))
    resampled = soxr.resample(signal, native_rate, sampling_rate, quality="soxr_hq")
    return fix_length(resampled, n_samples, padding_side="right")


def _open_audio(file):
    import soundfile

    if isinstance(file, (str, os.PathLike)):
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


def _decode(file, duration):
    """Read at most `duration` seconds, averaged over channels."""
    import soundfile

    if hasattr(file, "read"):
        if file.seekable():
            file.seek(0)
        else:
            file = io.BytesIO(file.read())
    with _open_audio(file) as audio:
        n_samples = -1 if duration is None else int(duration * audio.samplerate)
        try:
            signal = audio.read(frames=n_samples, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise ValueError(f"it breaks off while decoding ({error})") from error
        native_rate = audio.samplerate
    if signal.shape[1] == 1:
        return signal[:, 0], native_rate
    return signal.T.mean(axis=0), native_rate


def _split_pair(recording, sampling_rate):
    if isinstance(recording, tuple) and len(recording) == 2:
        return recording
    return recording, sampling_rate


def _check_signal(signal, rate):
    """Check one signal and its rate without looking at every sample."""
    if isinstance(signal, (bytes, bytearray)):
        raise ValueError("it is bytes; wrap encoded audio in io.BytesIO")
    try:
        signal = np.asarray(signal)
    except ValueError:
        signal = np.empty(0, dtype=object)
    if signal.ndim != 1 or signal.dtype.kind not in "fiu":
        raise ValueError(
            "a recording is a path, a file object, a 1-D numeric signal, a pair "
            "(signal, sampling_rate), or a function that returns one; got "
            f"{signal.dtype} of shape {signal.shape}"
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
