"""The bidirectional LSTM, with or without attention.

Only built-in layers and ``keras.ops`` are used, so that a saved model loads
without this package.
"""

import copy
import math
from typing import Any

ATTENTION_LAYER = "attention"


def build_blstm(
    n_frames: int,
    n_features: int,
    n_classes: int,
    *,
    units: int = 256,
    dropout: float = 0.0,
    attention: bool = True,
    mask_padding: bool = False,
):
    """Build an uncompiled classifier of sequences.

    Parameters
    ----------
    n_frames, n_features, n_classes : int
        Shape of one input sequence, and width of the softmax output.
    units : int, default=256
        Units of the LSTM in each direction, and of the attention's hidden layer.
    dropout : float, default=0.0
        Fraction of the summary vector that is dropped in training.
    attention : bool, default=True
        Whether the summary holds the attention-weighted mean of all states
        beside the last state of each direction.
    mask_padding : bool, default=False
        Whether frames that are 0 in every feature at either end are left out.

    Returns
    -------
    keras.Model
    """
    from keras import Input, Model, layers

    # What is masked may be cut off as well, so the length is left open there.
    inputs = Input((None if mask_padding else n_frames, n_features), name="sequence")
    sequence, mask, shift = inputs, None, None
    if mask_padding:
        sequence, mask, shift = _move_padding_behind(inputs)
    if attention:
        summary = _attend(sequence, mask, shift, units)
    else:
        summary = layers.Bidirectional(layers.LSTM(units))(sequence, mask=mask)
    if dropout:
        summary = layers.Dropout(dropout)(summary)
    outputs = layers.Dense(n_classes, activation="softmax", name="emotion")(summary)
    return Model(inputs, outputs)


def build_compiled_blstm(network: dict[str, Any], optimizer: dict[str, Any]):
    """Build a classifier that is ready to be trained on integer labels.

    Parameters
    ----------
    network : dict
        Arguments of :func:`build_blstm`.
    optimizer : dict
        A serialized Keras optimizer.

    Returns
    -------
    keras.Model
        Its optimizer has all of its variables.
    """
    import keras

    model = build_blstm(**network)
    model.compile(
        # Keras replaces a schedule's settings by the schedule, in place.
        optimizer=keras.optimizers.deserialize(copy.deepcopy(optimizer)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.optimizer.build(model.trainable_variables)
    return model


def _attend(sequence, mask, shift, units):
    """Concatenate the attended mean of the states with the last states."""
    from keras import initializers, layers, ops

    states, last_forward, _, last_backward, _ = layers.Bidirectional(
        layers.LSTM(units, return_sequences=True, return_state=True)
    )(sequence, mask=mask)
    hidden = layers.Dense(
        units,
        activation="tanh",
        use_bias=False,
        kernel_initializer=initializers.RandomNormal(stddev=1.0),
    )(states)
    energy = layers.Dense(
        1, use_bias=False, kernel_initializer=initializers.RandomNormal(stddev=1.0)
    )(hidden)
    energy = layers.Rescaling(1 / math.sqrt(units))(ops.squeeze(energy, axis=-1))
    weights = layers.Softmax()(energy, mask=mask)
    if shift is not None:
        weights = _roll(weights, -shift)
    # Named here, where they stand in the order of the frames that came in.
    weights = layers.Identity(name=ATTENTION_LAYER)(weights)
    if shift is not None:
        weights = _roll(weights, shift)
    context = ops.sum(states * ops.expand_dims(weights, -1), axis=1)
    return layers.Concatenate()([context, last_forward, last_backward])


def _move_padding_behind(inputs):
    """Roll leading padding to the end, since cuDNN masks padding only there.

    Returns the rolled sequence, the mask of real frames, and by how many
    frames each sequence was rolled.
    """
    from keras import ops

    real = ops.any(ops.not_equal(inputs, 0), axis=-1)
    leading = _first_true(real)
    trailing = _first_true(ops.flip(real, axis=1))
    numbers = _frame_numbers(real)
    n_real = ops.maximum(numbers[:, -1:] + 1 - leading - trailing, 1)
    mask = ops.less(numbers, n_real)
    return _roll(inputs, leading), mask, leading


def _first_true(flags):
    from keras import ops

    return ops.expand_dims(ops.argmax(ops.cast(flags, "int32"), axis=1), -1)


def _frame_numbers(flags):
    from keras import ops

    return ops.cumsum(ops.ones_like(flags, dtype="int32"), axis=1) - 1


def _roll(values, shift):
    """Move every row to the left by its own number of frames, in a circle."""
    from keras import ops

    numbers = _frame_numbers(values if values.ndim == 2 else values[:, :, 0])
    index = ops.mod(numbers + shift, numbers[:, -1:] + 1)
    if values.ndim == 3:
        index = ops.expand_dims(index, -1)
    return ops.take_along_axis(values, index, axis=1)
