"""Batches that are drawn from arrays as they lie, and hold little padding."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from skemotion.networks._inputs import (
    common_frames,
    inputs_of,
    masks_padding,
    real_bounds,
    standardise_functionals,
)

# Keras copies what it is trained on. Above this size, batches are copied instead.
_MAX_COPIED_BYTES = 2**28
# Rows of similar length are looked for among so many batches, which leaves the
# batches of an epoch a matter of chance.
_N_POOLED_BATCHES = 8


@contextlib.contextmanager
def fed_by_batches(
    model: Any, *, seed: int, standardise: bool = True
) -> Iterator[None]:
    """Let ``model.fit`` take sequences alone, and draw batches of like lengths.

    Parameters
    ----------
    model : keras.Model
        The network; its ``fit`` is as before when the context is left.
        If it takes no notice of padding, the frames at either end that are 0 in
        every feature, what all of a batch have of that is cut off.
    seed : int
        Decides the order of the recordings.
    standardise : bool, default=True
        Whether the functionals of these sequences are those that the network
        scales to deviation 1, if it reads functionals; not where training goes
        on.
    """
    model.fit = partial(_fit, model, model.fit, seed=seed, standardise=standardise)
    try:
        yield
    finally:
        del model.fit


def _fit(model, fit, x, y, *, sample_weight, batch_size, seed, standardise, **options):
    inputs = inputs_of(model, x)
    if standardise and len(model.inputs) > 1:
        standardise_functionals(model, inputs[1])
    if options.get("validation_data") is not None:
        x_val, y_val = options["validation_data"]
        options["validation_data"] = inputs_of(model, x_val), y_val
    trim = masks_padding(model)
    if not trim and x.nbytes <= _MAX_COPIED_BYTES:
        return fit(
            x=inputs, y=y, sample_weight=sample_weight, batch_size=batch_size, **options
        )
    columns = (y,) if sample_weight is None else (y, sample_weight)
    batches = _as_dataset(inputs, columns, batch_size, trim, seed)
    options |= {"validation_batch_size": batch_size, "shuffle": False}
    return fit(x=batches, **options)


def _as_dataset(inputs, columns, batch_size, trim, seed):
    """Turn rows into a dataset that is in another order every time it is read."""
    import tensorflow as tf

    X, *flat = inputs if isinstance(inputs, tuple) else (inputs,)
    bounds = real_bounds(X) if trim else None
    rng = np.random.default_rng(seed)

    def read():
        for rows in _draw_rows(len(X), bounds, batch_size, rng):
            frames = slice(None) if bounds is None else common_frames(bounds[rows])
            batch = [X[rows, frames], *(column[rows] for column in flat)]
            yield _structure(batch), *(column[rows] for column in columns)

    def describe(column):
        return tf.TensorSpec((None, *column.shape[1:]), column.dtype)

    sequences = tf.TensorSpec((None, None, X.shape[2]), X.dtype)
    batch = _structure([sequences, *map(describe, flat)])
    signature = batch, *map(describe, columns)
    dataset = tf.data.Dataset.from_generator(read, output_signature=signature)
    n_batches = -(-len(X) // batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(n_batches)).prefetch(1)


def _structure(inputs):
    """Nest inputs as Keras wants them from a dataset."""
    return tuple(inputs) if len(inputs) > 1 else inputs[0]


def _draw_rows(n_rows, bounds, batch_size, rng):
    """Yield the rows of every batch of an epoch."""
    rows = rng.permutation(n_rows)
    if bounds is not None:
        pool = batch_size * _N_POOLED_BATCHES
        lengths = bounds[:, 1] - bounds[:, 0]
        for start in range(0, n_rows, pool):
            part = rows[start : start + pool]
            rows[start : start + pool] = part[np.argsort(lengths[part], kind="stable")]
    starts = range(0, n_rows, batch_size)
    for start in rng.permutation(starts):
        # In ascending order, since that reads a file from front to back.
        yield np.sort(rows[start : start + batch_size])
