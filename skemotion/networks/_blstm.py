"""The bidirectional LSTM, with or without attention.

Only built-in layers and ``keras.ops`` are used, so that a saved model loads
without this package.
"""

import copy
import math
from typing import Any

from skemotion._sequences import FUNCTIONALS
from skemotion.networks._frames import JoinedFrames, move_padding_behind

ATTENTION_LAYER = "attention"
FUNCTIONALS_LAYER = "functionals"
LOSS = "sparse_categorical_crossentropy"
_MEMBERS_LAYER = "members"
# The layers of a member that have weights, as a bundle lists them.
_WEIGHTED = (
    "recurrent",
    "attention_hidden",
    "attention_energy",
    FUNCTIONALS_LAYER,
    "functionals_hidden",
    "emotion",
)


def build_blstm(
    n_frames: int,
    n_features: int,
    n_classes: int,
    *,
    units: int = 256,
    dropout: float = 0.0,
    attention: bool = True,
    mask_padding: bool = False,
    frame_step: int = 1,
    noise: float = 0.0,
    functionals_units: int | None = None,
    n_members: int = 1,
):
    """Build an uncompiled classifier of sequences.

    Parameters
    ----------
    n_frames, n_features, n_classes : int
        Shape of one input sequence, and width of the softmax output.
    units : int, default=256
        Units of the LSTM in each direction, and of the attention's hidden layer.
    dropout : float, default=0.0
        Fraction of the summary vector, and of the functionals, that is dropped
        in training.
    attention : bool, default=True
        Whether the summary holds the attention-weighted mean of all states
        beside the last state of each direction.
    mask_padding : bool, default=False
        Whether frames that are 0 in every feature at either end are left out.
    frame_step : int, default=1
        The LSTM reads the means of so many neighbouring frames each.
    noise : float, default=0.0
        Deviation of the noise that is added in training to what the LSTM
        reads, and to the functionals.
    functionals_units : int or None, default=None
        Units of a layer that reads the functionals of all frames, a second
        input, and is joined to the summary. None leaves both out.
    n_members : int, default=1
        Networks of this kind whose probabilities are averaged.

    Returns
    -------
    keras.Model
    """
    from keras import Input, Model, layers, ops

    # What is masked may be cut off as well, so the length is left open there.
    inputs = Input((None if mask_padding else n_frames, n_features), name="sequence")
    sequence, mask, shift = inputs, None, None
    if mask_padding:
        sequence, mask, shift = move_padding_behind(inputs)
    everything, functionals = inputs, None
    if functionals_units is not None:
        raw = Input((n_features * len(FUNCTIONALS),), name="raw_functionals")
        # A tuple, since a list does not come out of a dataset as one.
        everything, functionals = (inputs, raw), _standardise(raw)
    frames = JoinedFrames(sequence, mask, shift, frame_step)
    members = []
    for member in range(n_members):
        summary = _recur(frames, units, noise, attention, member)
        if functionals is not None:
            summary = layers.Concatenate()(
                [summary, _read(functionals, functionals_units, dropout, noise, member)]
            )
        if dropout:
            summary = layers.Dropout(dropout)(summary)
        members.append(
            layers.Dense(
                n_classes, activation="softmax", name=_name("emotion", member)
            )(summary)
        )
    if n_members == 1:
        return Model(everything, members[0])
    stacked = layers.Identity(name=_MEMBERS_LAYER)(ops.stack(members, axis=1))
    return Model(everything, ops.mean(stacked, axis=1))


def build_compiled_blstm(
    network: dict[str, Any], optimizer: dict[str, Any], label_smoothing: float = 0.0
):
    """Build a classifier that learns from integer labels.

    Parameters
    ----------
    network : dict
        Arguments of :func:`build_blstm`.
    optimizer : dict
        A serialized Keras optimizer.
    label_smoothing : float, default=0.0
        Not used here, but by :func:`build_trainer`.

    Returns
    -------
    keras.Model
        Its optimizer has all of its variables.
    """
    return _compile(build_blstm(**network), optimizer, LOSS, "accuracy")


def build_trainer(
    network: dict[str, Any], optimizer: dict[str, Any], label_smoothing: float = 0.0
):
    """Build what is trained in place of :func:`build_compiled_blstm`.

    It has the same variables, but every member has a loss of its own, as if it
    were trained alone.

    Parameters
    ----------
    network : dict
        Arguments of :func:`build_blstm`.
    optimizer : dict
        A serialized Keras optimizer.
    label_smoothing : float, default=0.0
        Part of a label that is spread evenly over all classes.

    Returns
    -------
    keras.Model
        Its optimizer has all of its variables. It is not made to be saved.
    """
    from keras import Model

    if label_smoothing == 0 and network.get("n_members", 1) == 1:
        return build_compiled_blstm(network, optimizer)
    model = build_blstm(**network)
    if network.get("n_members", 1) > 1:
        model = Model(model.input, model.get_layer(_MEMBERS_LAYER).output)
    return _compile(model, optimizer, _smoothed_loss(label_smoothing), _accuracy)


def attention_layers(n_members: int) -> list[str]:
    """Name the layers that put out the attention of each member."""
    return [_name(ATTENTION_LAYER, member) for member in range(n_members)]


def ordered_variables(model) -> list[Any]:
    """Return the variables that are learnt, in an order that is the package's own.

    Parameters
    ----------
    model : keras.Model
        A network of :func:`build_blstm`.

    Returns
    -------
    list of keras.Variable
        Layer by layer, and within a layer member by member.
    """
    known = {layer.name: layer for layer in model.layers}
    variables: list[Any] = []
    for base in _WEIGHTED:
        member = 0
        while _name(base, member) in known:
            variables += known[_name(base, member)].weights
            member += 1
    return variables


def _name(base, member):
    return base if member == 0 else f"{base}_{member + 1}"


def _compile(model, optimizer, loss, metric):
    import keras

    model.compile(
        # Keras replaces a schedule's settings by the schedule, in place.
        optimizer=keras.optimizers.deserialize(copy.deepcopy(optimizer)),
        loss=loss,
        metrics=[metric],
    )
    model.optimizer.build(model.trainable_variables)
    _build_metrics(model)
    return model


def _build_metrics(model):
    """Let loss and metrics make their variables, for which a step is traced twice."""
    import numpy as np

    codes = np.zeros(1, dtype="int32")
    outputs = np.full((1, *model.output.shape[1:]), 0.5, dtype="float32")
    model.compute_loss(y=codes, y_pred=outputs)
    model.compute_metrics(None, codes, outputs)
    model.reset_metrics()


def _smoothed_loss(label_smoothing):
    def loss(codes, probabilities):
        """Return the cross-entropy with softened labels, averaged over members."""
        from keras import ops

        n_classes = probabilities.shape[-1]
        target = ops.one_hot(_flat(codes), n_classes) * (1 - label_smoothing)
        target = target + label_smoothing / n_classes
        surprise = -ops.log(ops.maximum(probabilities, 1e-7))
        if len(probabilities.shape) == 3:
            surprise = ops.mean(surprise, axis=1)
        return ops.sum(target * surprise, axis=-1)

    return loss


def _accuracy(codes, probabilities):
    from keras import ops

    if len(probabilities.shape) == 3:
        probabilities = ops.mean(probabilities, axis=1)
    best = ops.argmax(probabilities, axis=-1)
    return ops.cast(ops.equal(best, ops.cast(_flat(codes), best.dtype)), "float32")


_accuracy.__name__ = "accuracy"


def _flat(codes):
    from keras import ops

    return ops.reshape(ops.cast(codes, "int32"), (-1,))


def _recur(frames, units, noise, attention, member):
    """Summarise a sequence by an LSTM in each direction."""
    from keras import layers, ops

    sequence, mask = frames.sequence, frames.mask
    if noise:
        sequence = layers.GaussianNoise(noise)(sequence)
        if mask is not None:
            sequence = ops.where(ops.expand_dims(mask, -1), sequence, 0.0)
    name = _name("recurrent", member)
    if attention:
        return _attend(sequence, frames, units, name, member)
    return layers.Bidirectional(layers.LSTM(units), name=name)(sequence, mask=mask)


def _standardise(functionals):
    """Divide by deviations that are set before training, and not learnt."""
    from keras import layers

    return layers.BatchNormalization(
        epsilon=0.0,
        center=False,
        scale=False,
        trainable=False,
        name=FUNCTIONALS_LAYER,
    )(functionals)


def _read(functionals, units, dropout, noise, member):
    """Pass the functionals through a layer of their own."""
    from keras import layers

    if noise:
        functionals = layers.GaussianNoise(noise)(functionals)
    if dropout:
        functionals = layers.Dropout(dropout)(functionals)
    return layers.Dense(
        units, activation="relu", name=_name("functionals_hidden", member)
    )(functionals)


def _attend(sequence, frames, units, name, member):
    """Concatenate the attended mean of the states with the last states."""
    from keras import initializers, layers, ops

    states, last_forward, _, last_backward, _ = layers.Bidirectional(
        layers.LSTM(units, return_sequences=True, return_state=True), name=name
    )(sequence, mask=frames.mask)
    hidden = layers.Dense(
        units,
        activation="tanh",
        use_bias=False,
        kernel_initializer=initializers.RandomNormal(stddev=1.0),
        name=_name("attention_hidden", member),
    )(states)
    energy = layers.Dense(
        1,
        use_bias=False,
        kernel_initializer=initializers.RandomNormal(stddev=1.0),
        name=_name("attention_energy", member),
    )(hidden)
    energy = layers.Rescaling(1 / math.sqrt(units))(ops.squeeze(energy, axis=-1))
    weights = layers.Softmax()(energy, mask=frames.mask)
    weights = frames.name_weights(weights, _name(ATTENTION_LAYER, member))
    context = ops.sum(states * ops.expand_dims(weights, -1), axis=1)
    return layers.Concatenate()([context, last_forward, last_backward])
