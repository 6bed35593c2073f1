"""Standardisation of sequences: a few rows at a time, as X may exceed the memory."""

import math
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skemotion._sequences._bounds import mark_real, real_bounds
from skemotion._sequences._moments import Moments
from skemotion._validation._arrays import check_finite

Bounds = NDArray[np.intp]
_ROWS_AT_A_TIME = 256  # by which sums are rounded, too
_CELLS_AT_A_TIME = 2**17  # what stays in the processor's cache


def all_real_bounds(X: NDArray, loudness: int | None) -> Bounds:
    """Do what :func:`real_bounds` does with an X that may exceed the memory."""
    rows = np.arange(len(X))
    return np.concatenate(
        [real_bounds(block, loudness) for block, _ in _blocks(X, rows)]
    )


def compute_moments(
    X: NDArray, rows: NDArray[np.intp], bounds: Bounds | None, axis: Any
) -> Moments:
    """Compute the moments of the real frames of some sequences.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features) or (n_samples, n_frames)
        Sequences.
    rows : ndarray of shape (n_rows,), dtype int
        Which of them.
    bounds : ndarray of shape (n_samples, 2), dtype int, or None
        Where frames are real, as :func:`real_bounds` finds it. None for all.
    axis : int or tuple of int
        Over which the moments are.

    Returns
    -------
    tuple of (int or ndarray, ndarray, ndarray)
        Number, mean and variance, in double precision.
    """
    total: Any = 0.0
    squares: Any = 0.0
    count: Any = 0
    for block, chosen in _blocks(X, rows):
        where = _real_frames(block, bounds, chosen)
        total = total + block.sum(axis=axis, dtype=np.float64, where=where)
        count = count + np.sum(where, axis=axis)
    at_least_one = np.maximum(count, 1)
    mean = total / at_least_one
    for block, chosen in _blocks(X, rows):
        where = _real_frames(block, bounds, chosen)
        squares = squares + np.square(block - mean).sum(axis=axis, where=where)
    return count.item() if count.size == 1 else count, mean, squares / at_least_one


def to_scale(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> Any:
    """Return the deviation, 1 where it is 0."""
    scale = np.sqrt(variance)
    # Rounding leaves a constant with a deviation of a few units in the last place.
    scale[scale <= 10 * np.finfo(np.float32).eps * np.abs(mean)] = 1.0
    return scale


def standardize(
    X: NDArray,
    rows: NDArray[np.intp],
    bounds: Bounds | None,
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    """Write some sequences to `out`, standardised, and 0 where they are padding.

    Parameters
    ----------
    X, rows, bounds
        As :func:`compute_moments` takes them.
    mean, scale : ndarray
        What is taken away, and what is divided by.
    out : ndarray of the shape of X, dtype float32
        Its other rows are left alone.

    Raises
    ------
    ValueError
        If a result is not finite in single precision.
    """
    n_rows = max(_CELLS_AT_A_TIME // max(math.prod(X.shape[1:]), 1), 1)
    for block, chosen in _blocks(X, rows, min(n_rows, _ROWS_AT_A_TIME)):
        real = _real_frames(block, bounds, chosen)
        with np.errstate(over="ignore"):
            standardized = ((block - mean) / scale).astype(np.float32)
        check_finite(standardized, "X in units of the deviation in fit")
        standardized[~np.broadcast_to(real[..., 0], block.shape[:-1])] = 0.0
        out[chosen] = standardized


def empty_like(X: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Allocate a result: in a temporary file where X is itself mapped, and large."""
    n_bytes = np.prod(shape, dtype=np.int64) * np.dtype(np.float32).itemsize
    limit = sklearn.get_config()["working_memory"] * 2**20
    if not isinstance(X, np.memmap) or n_bytes <= limit:
        return np.empty(shape, dtype=np.float32)
    # The mapping outlives the file object, and gives the disk space back.
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=np.float32, mode="w+", shape=shape)


def _real_frames(block, bounds, chosen):
    """Return what broadcasts to a block, True where frames are real."""
    if bounds is None:
        return np.ones((*block.shape[:-1], 1), dtype=bool)
    return mark_real(bounds[chosen], block.shape[1])[:, :, np.newaxis]


def _blocks(
    X: NDArray, rows: NDArray[np.intp], n_rows: int = _ROWS_AT_A_TIME
) -> Iterator[tuple[NDArray, NDArray[np.intp]]]:
    """Yield a few rows at a time, and which they are."""
    for batch in gen_batches(len(rows), n_rows):
        yield X[rows[batch]], rows[batch]
