"""Sequences of different numbers of frames over the same time, brought to one."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skemotion._sequences import mark_real, real_bounds

_ROWS_AT_A_TIME = 256  # X may be larger than what can be copied several times


def average_over_time(
    X: NDArray, n_frames: int, loudness: int | None = None
) -> NDArray:
    """Average sequences over equal spans of time.

    A frame that two spans share counts in each by its part. Frames that are
    padding count in none that has real ones, so those at the edge are not
    dulled. A span of padding alone stays padding, and where all frames of
    a span are equal, so is their average, bit by bit.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n, n_features)
        Sequences.
    n_frames : int
        Number of spans, at most n.
    loudness : int or None, default=None
        Column that is 0 in padding. None for frames that are 0 in every feature.

    Returns
    -------
    ndarray of shape (n_samples, n_frames, n_features)
        X itself where nothing is to be done.
    """
    if X.shape[1] == n_frames:
        return X
    sources, parts = _share_out(X.shape[1], n_frames)
    dtype = np.result_type(X, np.float32)
    averaged = np.empty((len(X), n_frames, X.shape[2]), dtype=dtype)
    for rows in gen_batches(len(X), _ROWS_AT_A_TIME):
        real = mark_real(real_bounds(X[rows], loudness), X.shape[1])
        averaged[rows] = _average(X[rows], sources, _weigh(real, sources, parts))
    return averaged


def _share_out(n, n_frames):
    """Return which frames each span meets, and which part of it each takes.

    Both of shape (n_frames, k). Where it meets fewer, the others have no part.
    """
    # In units of which a frame lasts n_frames, and a span n.
    starts = n * np.arange(n_frames)[:, np.newaxis]
    sources = starts // n_frames + np.arange(-(-n // n_frames) + 1)
    begins = np.maximum(sources * n_frames, starts)
    ends = np.minimum((sources + 1) * n_frames, starts + n)
    return np.minimum(sources, n - 1), np.maximum(ends - begins, 0)


def _weigh(real, sources, parts):
    """Return weights of shape (n_samples, n_frames, k), which sum to 1."""
    weights = real[:, sources] * parts
    totals = weights.sum(axis=2, keepdims=True)
    weights = np.where(totals > 0, weights, parts)
    return weights / weights.sum(axis=2, keepdims=True)


def _average(X, sources, weights):
    # As what differs from a frame that counts, so that equal ones stay equal.
    rows = np.arange(len(X))[:, np.newaxis]
    heaviest = weights.argmax(axis=2)
    base = X[rows, sources[np.arange(len(sources)), heaviest]]
    total = np.zeros(base.shape)
    for k, frames in enumerate(sources.T):
        difference = X[:, frames] - base
        total += weights[:, :, k, np.newaxis] * difference
    return base + total
