"""Frames of a signal, which of them hold sound, and their magnitude spectra."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from skemotion._sequences import true_bounds

_MIN_FRAMES = 16
_BATCH_BYTES = 2**18


class Spectrogram(NamedTuple):
    """What :func:`compute_spectrogram` returns."""

    sound: slice
    frames: NDArray[np.float32]
    magnitudes: NDArray[np.float32]
    frequencies: NDArray[np.floating]


def compute_spectrogram(
    signal: NDArray[np.float32],
    *,
    sampling_rate: int,
    frame_length: int,
    hop_length: int,
    dtype: type = np.float64,
) -> Spectrogram:
    """Cut a signal into frames, and transform those that hold sound.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples.
    sampling_rate : int
        In Hz.
    frame_length, hop_length : int
        Window and step of the analysis, in samples. Frames are centred.
    dtype : type, default=np.float64
        Precision of the transforms.

    Returns
    -------
    Spectrogram
        `sound`, the slice of frames that :func:`find_sound` returns, and of
        these `frames`, the samples, of shape (n_sounding, frame_length);
        `magnitudes`, of shape (n_sounding, n_bins); `frequencies`, of the bins
        in Hz.
    """
    sound = find_sound(signal, frame_length, hop_length)
    frames = cut_frames(signal, sound, frame_length, hop_length)
    frequencies = np.fft.rfftfreq(frame_length, 1 / sampling_rate)
    magnitudes = transform_frames(frames, dtype)
    return Spectrogram(sound, frames, magnitudes, frequencies)


def count_frames(n_samples: int, frame_length: int, hop_length: int) -> int:
    """Return how many centred frames a signal has.

    As librosa does, ``frame_length // 2`` zeros are put at either end, and only
    whole frames count.

    Parameters
    ----------
    n_samples : int
        Length of the signal.
    frame_length, hop_length : int
        Length of a frame and step to the next, in samples.

    Returns
    -------
    int
        ``1 + n_samples // hop_length`` if `frame_length` is even. If it is odd,
        one sample fewer is there to be stepped over.
    """
    return 1 + (n_samples - frame_length % 2) // hop_length


def find_sound(
    signal: NDArray[np.float32], frame_length: int, hop_length: int
) -> slice:
    """Return the slice of frames to analyse.

    It begins with the last frame of the zeros in front of the sound, and ends with
    the first of the zeros behind it; all that lie further out equal these.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
        Mono samples.
    frame_length, hop_length : int
        Length of a frame and step to the next, in samples. Frames are centred,
        and there are as many as :func:`count_frames` says.

    Returns
    -------
    slice
    """
    n_frames = count_frames(len(signal), frame_length, hop_length)
    first, end = true_bounds((signal != 0)[np.newaxis])[0].tolist()
    half = frame_length // 2
    start = max((first + half - frame_length) // hop_length, 0)
    stop = min((end - 1 + half) // hop_length + 2, n_frames)
    # Matrix products of few rows are rounded differently by some libraries.
    start = max(min(start, stop - _MIN_FRAMES), 0)
    return slice(start, min(max(stop, start + _MIN_FRAMES), n_frames))


def cut_frames(
    signal: NDArray[np.float32], sound: slice, frame_length: int, hop_length: int
) -> NDArray[np.float32]:
    """Return some frames of a signal that has zeros on both sides.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
        Mono samples.
    sound : slice
        The numbers of the frames.
    frame_length, hop_length : int
        Length of a frame and step to the next, in samples. Frames are centred.

    Returns
    -------
    ndarray of shape (n_sounding, frame_length)
        A read-only view, whose frames overlap.
    """
    n_frames = sound.stop - sound.start
    begin = sound.start * hop_length - frame_length // 2
    size = (n_frames - 1) * hop_length + frame_length
    before = max(-begin, 0)
    inside = signal[max(begin, 0) : begin + size]
    padded = np.zeros(size, dtype=signal.dtype)
    padded[before : before + len(inside)] = inside
    return sliding_window_view(padded, frame_length)[::hop_length]


def extend_over_silence(
    values: NDArray[Any], sound: slice, n_frames: int
) -> NDArray[Any]:
    """Give the frames further out what the first and last with sound have.

    Parameters
    ----------
    values : ndarray of shape (n_sounding, ...)
        One row for each of the frames that :func:`find_sound` returned.
    sound : slice
        The numbers of these frames.
    n_frames : int
        Number of all frames.

    Returns
    -------
    ndarray of shape (n_frames, ...)
    """
    return values[np.clip(np.arange(n_frames) - sound.start, 0, len(values) - 1)]


def batches(n_frames: int, n_bytes: int) -> Iterator[slice]:
    """Yield slices of frames that fit into the processor's cache together.

    Transforms take a third of the time so. Larger arrays are also given back to
    the system and fetched again each time.

    Parameters
    ----------
    n_frames : int
        Number of all frames.
    n_bytes : int
        How many of each are held at a time.

    Yields
    ------
    slice
    """
    size = max(_BATCH_BYTES // n_bytes, 1)
    for start in range(0, n_frames, size):
        yield slice(start, min(start + size, n_frames))


def transform_frames(
    frames: NDArray[np.float32], dtype: type = np.float64
) -> NDArray[np.float32]:
    """Return the magnitude spectra, of shape (n_frames, 1 + frame_length // 2).

    They are computed in double precision, as librosa does, unless `dtype` is
    float32, which is faster.
    """
    n_frames, frame_length = frames.shape
    window = _window(frame_length).astype(dtype)
    rfft = _transform(dtype)
    magnitudes = np.empty((n_frames, 1 + frame_length // 2), dtype=np.float32)
    for batch in batches(n_frames, window.nbytes):
        spectra = rfft(frames[batch] * window)
        # Single precision from here on is what librosa does.
        np.abs(spectra.astype(np.complex64, copy=False), out=magnitudes[batch])
    return magnitudes


def _transform(dtype):
    """Return the faster of two functions, which return the same bits in float64."""
    if dtype == np.float64:
        return np.fft.rfft
    from scipy.fft import rfft  # which takes longer to load than many recordings

    return rfft


@lru_cache(maxsize=8)
def _window(frame_length):
    # As SciPy has it, bit by bit, whose import takes longer than many recordings.
    return 0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, frame_length + 1)[:-1])
