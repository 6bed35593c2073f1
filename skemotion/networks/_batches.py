"""Batches that are drawn from arrays as they lie, and hold little padding."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Keras copies what it is trained on. Above this size, batches are copied instead.
_MAX_COPIED_BYTES = 2**28
# Rows of similar length are looked for among so many batches, which leaves the
# batches of an epoch a matter of chance.
_N_POOLED_BATCHES = 8


@contextlib.contextmanager
def fed_by_batches(
    model: Any, *, trim: bool, by_length: bool = True, seed: int
) -> Iterator[None]:
    """Let ``model.fit`` draw batches that it need not hold, if that serves.

    Parameters
    ----------
    model : keras.Model
        The network; its ``fit`` is as before when the context is left.
    trim : bool
        Whether the network takes no notice of padding, the frames at either end
        that are 0 in every feature. Then what all of a batch have of padding is
        cut off.
    by_length : bool, default=True
        Whether recordings of similar length share a batch, if `trim` is True, so
        that more can be cut off. Batch normalisation wants batches of chance:
        sad recordings are long.
    seed : int
        Decides the order of the recordings.
    """
    options = {"trim": trim, "by_length": by_length, "seed": seed}
    model.fit = partial(_fit, model.fit, **options)
    try:
        yield
    finally:
        del model.fit


def _fit(fit, x, y, *, sample_weight, batch_size, trim, by_length, seed, **options):
    if not trim and x.nbytes <= _MAX_COPIED_BYTES:
        return fit(
            x=x, y=y, sample_weight=sample_weight, batch_size=batch_size, **options
        )
    columns = (y,) if sample_weight is None else (y, sample_weight)
    n_pooled = _N_POOLED_BATCHES if by_length else 1
    batches = _as_dataset(x, columns, batch_size, trim, n_pooled, seed)
    options |= {"validation_batch_size": batch_size, "shuffle": False}
    return fit(x=batches, **options)


def _as_dataset(X, columns, batch_size, trim, n_pooled, seed):
    """Turn rows into a dataset that is in another order every time it is read."""
    import tensorflow as tf

    bounds = real_bounds(X) if trim else None
    rng = np.random.default_rng(seed)

    def read():
        for rows in _draw_rows(len(X), bounds, batch_size, n_pooled, rng):
            frames = slice(None) if bounds is None else _common_frames(bounds[rows])
            yield X[rows, frames], *(column[rows] for column in columns)

    signature = (
        tf.TensorSpec((None, None, X.shape[2]), X.dtype),
        *(tf.TensorSpec((None, *c.shape[1:]), c.dtype) for c in columns),
    )
    dataset = tf.data.Dataset.from_generator(read, output_signature=signature)
    n_batches = -(-len(X) // batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(n_batches)).prefetch(1)


def _draw_rows(n_rows, bounds, batch_size, n_pooled, rng):
    """Yield the rows of every batch of an epoch."""
    rows = rng.permutation(n_rows)
    if bounds is not None:
        pool = batch_size * n_pooled
        lengths = bounds[:, 1] - bounds[:, 0]
        for start in range(0, n_rows, pool):
            part = rows[start : start + pool]
            rows[start : start + pool] = part[np.argsort(lengths[part], kind="stable")]
    starts = range(0, n_rows, batch_size)
    for start in rng.permutation(starts):
        # In ascending order, since that reads a file from front to back.
        yield np.sort(rows[start : start + batch_size])


def real_bounds(X: NDArray) -> NDArray[np.intp]:
    """Find the first real frame of each sequence, and the end of the real ones.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences, padded with frames of zeros at either end.

    Returns
    -------
    ndarray of shape (n_samples, 2), dtype int
        Slices of frames. Where all frames are padding, the last one.
    """
    bounds = np.empty((len(X), 2), dtype=np.intp)
    for bound, sequence in zip(bounds, X, strict=True):
        real = np.flatnonzero(sequence.any(axis=1))
        bound[:] = (real[0], real[-1] + 1) if real.size else (len(sequence) - 1,) * 2
    return bounds


def trim_padding(X: NDArray) -> NDArray:
    """Cut off the padding that all sequences of a batch have.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences, padded with frames of zeros at either end.

    Returns
    -------
    ndarray of shape (n_samples, n_frames_left, n_features)
        A view, of at least one frame.
    """
    return X[:, _common_frames(real_bounds(X))]


def _common_frames(bounds):
    first, end = bounds[:, 0].min(), bounds[:, 1].max()
    return slice(first, max(end, first + 1))
