"""Batches that are drawn from arrays as they lie, and hold little padding."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from skemotion._sequences import common_frames, real_bounds
from skemotion.networks._inputs import (
    inputs_of,
    masks_padding,
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
    columns = [y] if sample_weight is None else [y, sample_weight]
    held = [*inputs] if isinstance(inputs, tuple) else [inputs]
    held += columns
    batches = _as_dataset(held, len(columns), batch_size, trim, seed)
    options |= {"validation_batch_size": batch_size, "shuffle": False}
    try:
        return fit(x=batches, **options)
    finally:
        # TensorFlow never gives back a generator, nor what that holds.
        held.clear()


def _as_dataset(held, n_columns, batch_size, trim, seed):
    """Turn rows into a dataset that is in another order every time it is read.

    It reads from a list of arrays: sequences, functionals if any, and as many
    columns as are no input.
    """
    import tensorflow as tf

    n_rows, n_inputs = len(held[0]), len(held) - n_columns
    bounds = real_bounds(held[0]) if trim else None
    rng = np.random.default_rng(seed)

    def structure(parts):
        inputs, columns = tuple(parts[:n_inputs]), parts[n_inputs:]
        return inputs if n_inputs > 1 else inputs[0], *columns

    def read():
        for rows in _draw_rows(n_rows, bounds, batch_size, rng):
            frames = slice(None) if bounds is None else common_frames(bounds[rows])
            sequences, *others = held
            yield structure([sequences[rows, frames], *(part[rows] for part in others)])

    signature = [tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in held]
    signature[0] = tf.TensorSpec((None, None, held[0].shape[2]), held[0].dtype)
    dataset = tf.data.Dataset.from_generator(
        read, output_signature=structure(signature)
    )
    n_batches = -(-n_rows // batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(n_batches)).prefetch(1)


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
