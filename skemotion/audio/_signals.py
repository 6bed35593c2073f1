"""Samples in memory: their number, scale, rate and length, by NumPy alone."""

import operator
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A thousandth of a sample, which times in nanoseconds and in binary fractions lack.
_TOLERANCE = 1e-3
# Beyond these, in Hz, a header is wrong, and reading would ask for memory in vain. What
# is told of a signal may be lower.
LOWEST_RATE, HIGHEST_RATE = 100, 10_000_000
_LOWEST_TOLD = 1


def count_samples(duration: float, rate: float) -> int:
    """Return how many whole samples there are in so many seconds.

    What a product such as ``0.29 * 100`` lacks in binary is no sample less.

    Parameters
    ----------
    duration : float
        In seconds.
    rate : float
        In Hz.

    Returns
    -------
    int

    Examples
    --------
    >>> from skemotion.audio import count_samples
    >>> int(0.29 * 100), count_samples(0.29, 100)
    (28, 29)
    """
    return int(duration * rate + _TOLERANCE)


def check_positive(**named: Any) -> None:
    """Raise ValueError for a rate or duration that is no positive, finite number.

    Parameters
    ----------
    **named : float
        By what they are called in errors.
    """
    for name, value in named.items():
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or not 0 < value < np.inf:
            raise ValueError(
                f"{name} must be a positive, finite number, got {value!r:.50}."
            )


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
    if not isinstance(signal, np.ndarray) or signal.ndim != 1:
        kind = "None" if signal is None else type(signal).__name__
        raise TypeError(f"signal must be an array of one dimension; got {kind}.")
    if not isinstance(padding_side, str) or padding_side not in ("left", "right"):
        raise ValueError(f"padding_side={padding_side!r} must be 'left' or 'right'.")
    if not isinstance(n_samples, Integral) or n_samples < 0:
        raise ValueError(
            f"n_samples must be an int of 0 or more; got {n_samples!r:.50}."
        )
    missing = n_samples - signal.shape[0]
    if missing <= 0:
        return signal[:n_samples]
    return np.pad(signal, (missing, 0) if padding_side == "left" else (0, missing))


def check_samples(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return samples of shape (n_samples,), unless there are none or bad ones."""
    if signal.size == 0:
        raise ValueError("it holds no samples")
    if not np.isfinite(signal).all():
        raise ValueError("it holds NaN or infinite samples")
    return signal


def resample(
    signal: NDArray[np.float32], native_rate: float, sampling_rate: float
) -> NDArray[np.float32]:
    """Bring a signal of shape (n_samples,) from one rate to another, in Hz.

    Raises
    ------
    ValueError
        If it is so loud that the result would overflow.
    """
    if native_rate == sampling_rate:
        return signal
    import soxr

    # The length is fixed as librosa does, which the features are compared with.
    n_samples = int(np.ceil(signal.shape[0] * sampling_rate / native_rate))
    resampled = soxr.resample(signal, native_rate, sampling_rate, quality="soxr_hq")
    if not np.isfinite(resampled).all():
        peak = float(np.abs(signal).max())
        raise ValueError(
            f"its largest sample is {peak:.3g}, where 1 is full scale: scale it"
        )
    return fix_length(resampled, n_samples, padding_side="right")


def scale_to_peak(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale a signal so that its largest sample is 1 in magnitude."""
    peak = np.abs(signal).max()
    if peak == 0:
        return signal
    if peak < np.finfo(np.float32).tiny:  # too small for the processor's division
        signal = signal.astype(np.float64)
    return (signal / peak).astype(np.float32, copy=False)


def check_signal(signal: Any, rate: Any) -> NDArray:
    """Check one signal and its rate without looking at every sample."""
    if isinstance(signal, (bytes, bytearray)):
        raise ValueError(
            "it is bytes; wrap encoded audio in io.BytesIO, and decode a path by "
            "os.fsdecode"
        )
    try:
        signal = np.asarray(signal)
    except Exception:  # of what says that it is an array, too
        signal = np.empty(0, dtype=object)
    if signal.ndim != 1 or signal.dtype.kind not in "fiu":
        raise ValueError(
            "a recording is a path, a file object, a 1-D numeric signal, a segment "
            "(recording, start, end), a dict with array or bytes, a pair (signal, "
            f"sampling_rate), or a function that returns one; got {_describe(signal)}"
        )
    _check_rate(rate)
    return signal


def _describe(signal: NDArray) -> str:
    if signal.ndim == 0:
        return f"{signal.item()!r:.50}"
    described = f"{signal.dtype} of shape {signal.shape}"
    if signal.ndim == 2 and signal.dtype.kind in "fiu":
        channel = "signal[:, 0]" if np.argmin(signal.shape) else "signal[0]"
        described += f"; of several channels, pass one, such as {channel}"
    return described


def _check_rate(rate: Any) -> None:
    if not (isinstance(rate, Real) and operator.gt(rate, 0)):
        raise ValueError(
            f"its sampling rate must be a positive number, got {_show(rate)}"
        )
    if operator.lt(rate, _LOWEST_TOLD) or operator.gt(rate, HIGHEST_RATE):
        raise ValueError(
            f"its sampling rate must be from {_LOWEST_TOLD} to {HIGHEST_RATE} Hz, got "
            f"{_show(rate)}"
        )


def _show(rate):
    try:
        return f"{rate!r:.50}"
    except ValueError:  # a whole number of thousands of digits
        return f"a {type(rate).__name__} that cannot be shown"


def mix_down(channels: Any) -> NDArray:
    """Average an array of shape (n_channels, n_samples); leave others as they are.

    Raises
    ------
    ValueError
        If it is of shape (n_samples, n_channels).
    """
    channels = np.asarray(channels)
    if channels.ndim != 2 or channels.dtype.kind not in "fiu":
        return channels
    if len(channels) > channels.shape[1]:
        raise ValueError(
            f"its array is of shape {channels.shape}, and not (n_channels, "
            "n_samples); transpose it"
        )
    return average(to_float(channels))


def average(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average channels; what is too large, or no number, is found by check_samples."""
    with np.errstate(over="ignore", invalid="ignore"):
        return channels.mean(axis=0)


def to_float(signal: NDArray) -> NDArray[np.float32]:
    """Return samples as float32, whole numbers divided by their full scale."""
    if signal.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what is infinite by then is refused
            return signal.astype(np.float32, copy=False)
    info = np.iinfo(signal.dtype)
    middle = 0 if signal.dtype.kind == "i" else (info.max + 1) // 2
    scale = info.max - middle + 1
    return ((signal.astype(np.float64) - middle) / scale).astype(np.float32)
