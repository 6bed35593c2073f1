"""The bidirectional LSTM, with or without attention: its graph and its weights.

Only built-in layers and ``keras.ops`` are used, so that a saved model loads
without this package.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from skemotion._sequences import FUNCTIONALS
from skemotion.networks._frames import JoinedFrames, move_padding_behind
from skemotion.networks._seeding import stream_of_seeds

ATTENTION_LAYER = "attention"
FUNCTIONALS_LAYER = "functionals"
_OUTPUT_LAYER = "emotion"


@dataclass(frozen=True)
class BLSTM:
    """Settings of a network, the graph that they stand for, and its weights.

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
    ignore_padding : bool, default=False
        Whether frames that are 0 in every feature at either end are left out.
    frame_step : int, default=1
        The LSTM reads the means of so many neighbouring frames each.
    noise : float, default=0.0
        Deviation of the noise that is added in training to what the LSTM
        reads, and to the functionals.
    functionals_units : int or None, default=None
        Units of a layer that reads the functionals of all frames, a second
        input, and is joined to the summary. None leaves both out.
    functionals : tuple of str, default=FUNCTIONALS
        Which functionals are read, by name.
    n_members : int, default=1
        Networks of this kind whose probabilities are averaged.
    """

    n_frames: int
    n_features: int
    n_classes: int
    units: int = 256
    dropout: float = 0.0
    attention: bool = True
    ignore_padding: bool = False
    frame_step: int = 1
    noise: float = 0.0
    functionals_units: int | None = None
    n_members: int = 1
    functionals: tuple[str, ...] = FUNCTIONALS

    def build(self, seed: int):
        """Build the graph.

        Parameters
        ----------
        seed : int
            Of the weights, and of what is drawn in training.

        Returns
        -------
        keras.Model
            Not compiled. It puts out the mean of the members' probabilities.
        """
        from keras import Input, Model, layers

        seeds = stream_of_seeds(seed)
        # What is left out may be cut off as well, so the length is open there.
        n_frames = None if self.ignore_padding else self.n_frames
        inputs = Input((n_frames, self.n_features), name="sequence")
        sequence, mask, shift = inputs, None, None
        if self.ignore_padding:
            sequence, mask, shift = move_padding_behind(inputs)
        everything, functionals = inputs, None
        if self.functionals_units is not None:
            raw = Input((self._n_functionals,), name="raw_functionals")
            everything, functionals = (inputs, raw), _standardise(raw)
        frames = JoinedFrames(sequence, mask, shift, self.frame_step)
        members = [
            self._build_member(frames, functionals, member, seeds)
            for member in range(self.n_members)
        ]
        whole = members[0] if self.n_members == 1 else layers.Average()(members)
        return Model(everything, whole)

    def member_outputs(self, model) -> list[Any]:
        """Return the tensors that hold the probabilities of each member."""
        return self._outputs_of(model, _OUTPUT_LAYER)

    def attention_outputs(self, model) -> list[Any]:
        """Return the tensors that hold the attention of each member, if there is."""
        return self._outputs_of(model, ATTENTION_LAYER) if self.attention else []

    def _outputs_of(self, model, layer):
        names = (name_of_member(layer, member) for member in range(self.n_members))
        return [model.get_layer(name).output for name in names]

    def _build_member(self, frames, functionals, member, seeds):
        from keras import layers

        summary = self._recur(frames, member, seeds)
        if functionals is not None:
            read = self._read(functionals, member, seeds)
            summary = layers.Concatenate()([summary, read])
        if self.dropout:
            summary = layers.Dropout(self.dropout, seed=next(seeds))(summary)
        return layers.Dense(
            self.n_classes,
            activation="softmax",
            kernel_initializer=_glorot(seeds),
            name=name_of_member(_OUTPUT_LAYER, member),
        )(summary)

    def _recur(self, frames, member, seeds):
        """Summarise a sequence by an LSTM in each direction."""
        from keras import layers, ops

        sequence, mask = frames.sequence, frames.mask
        if self.noise:
            sequence = layers.GaussianNoise(self.noise, seed=next(seeds))(sequence)
            if mask is not None:
                sequence = ops.where(ops.expand_dims(mask, -1), sequence, 0.0)
        # Made one by one, for Keras would give the second the weights of the first.
        forward, backward = (
            _make_lstm(self.units, seeds, self.attention, go_backwards)
            for go_backwards in (False, True)
        )
        recurrent = layers.Bidirectional(
            forward, backward_layer=backward, name=name_of_member("recurrent", member)
        )(sequence, mask=mask)
        if not self.attention:
            return recurrent
        states, last_forward, _, last_backward, _ = recurrent
        context = self._attend(states, frames, member, seeds)
        return layers.Concatenate()([context, last_forward, last_backward])

    def _attend(self, states, frames, member, seeds):
        """Return the mean of the states, weighted by attention."""
        from keras import layers, ops

        hidden = layers.Dense(
            self.units,
            activation="tanh",
            use_bias=False,
            kernel_initializer=_normal(seeds),
            name=name_of_member("attention_hidden", member),
        )(states)
        energy = layers.Dense(
            1,
            use_bias=False,
            kernel_initializer=_normal(seeds),
            name=name_of_member("attention_energy", member),
        )(hidden)
        energy = ops.squeeze(energy, axis=-1)
        energy = layers.Rescaling(1 / math.sqrt(self.units))(energy)
        weights = layers.Softmax()(energy, mask=frames.mask)
        weights = frames.name_weights(weights, name_of_member(ATTENTION_LAYER, member))
        return ops.sum(states * ops.expand_dims(weights, -1), axis=1)

    def _read(self, functionals, member, seeds):
        """Pass the functionals through a layer of their own."""
        from keras import layers

        if self.noise:
            functionals = layers.GaussianNoise(self.noise, seed=next(seeds))(
                functionals
            )
        if self.dropout:
            functionals = layers.Dropout(self.dropout, seed=next(seeds))(functionals)
        return layers.Dense(
            self.functionals_units,
            activation="relu",
            kernel_initializer=_glorot(seeds),
            name=name_of_member("functionals_hidden", member),
        )(functionals)

    @property
    def _n_functionals(self):
        return self.n_features * len(self.functionals)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name what is learnt, layer by layer and within a layer member by member.

        Returns
        -------
        dict of str to tuple of int
            The shape of each weight, in the order of :meth:`weights_of`.
        """
        return {
            name_of_member(weight, member): shape
            for _, n_members, weights in self._weighted_layers()
            for member in range(n_members)
            for weight, shape in weights.items()
        }

    def n_weights(self) -> int:
        """Return how many numbers are learnt."""
        return sum(
            n_members * math.prod(shape)
            for _, n_members, weights in self._weighted_layers()
            for shape in weights.values()
        )

    def weights_of(self, model) -> list[Any]:
        """Return the variables of what is learnt.

        Parameters
        ----------
        model : keras.Model
            Built from these settings.

        Returns
        -------
        list of keras.Variable
            In the order of :meth:`weight_shapes`.
        """
        return [
            variable
            for layer, n_members, _ in self._weighted_layers()
            for member in range(n_members)
            for variable in model.get_layer(name_of_member(layer, member)).weights
        ]

    def _weighted_layers(self) -> Iterator[tuple[str, int, dict]]:
        """Yield name, number and shapes of the layers that have weights."""
        units, read, members = self.units, self.functionals_units, self.n_members
        recurrent: dict[str, tuple[int, ...]] = {}
        for direction in ("forward", "backward"):
            recurrent[f"{direction}_kernel"] = (self.n_features, 4 * units)
            recurrent[f"{direction}_recurrent_kernel"] = (units, 4 * units)
            recurrent[f"{direction}_bias"] = (4 * units,)
        yield "recurrent", members, recurrent
        summary = 2 * units
        if self.attention:
            hidden = {"attention_hidden_kernel": (2 * units, units)}
            yield "attention_hidden", members, hidden
            yield "attention_energy", members, {"attention_energy_kernel": (units, 1)}
            summary += 2 * units
        if read is not None:
            width = (self._n_functionals,)
            moments = {"functionals_mean": width, "functionals_variance": width}
            yield FUNCTIONALS_LAYER, 1, moments
            dense = {
                "functionals_hidden_kernel": (*width, read),
                "functionals_hidden_bias": (read,),
            }
            yield "functionals_hidden", members, dense
            summary += read
        output = {
            "output_kernel": (summary, self.n_classes),
            "output_bias": (self.n_classes,),
        }
        yield _OUTPUT_LAYER, members, output


def name_of_member(base, member):
    return base if member == 0 else f"{base}_{member + 1}"


def _make_lstm(units, seeds, all_states, go_backwards):
    from keras import initializers, layers

    return layers.LSTM(
        units,
        kernel_initializer=_glorot(seeds),
        recurrent_initializer=initializers.Orthogonal(seed=next(seeds)),
        return_sequences=all_states,
        return_state=all_states,
        go_backwards=go_backwards,
        seed=next(seeds),
    )


def _glorot(seeds):
    from keras import initializers

    return initializers.GlorotUniform(seed=next(seeds))


def _normal(seeds):
    from keras import initializers

    return initializers.RandomNormal(stddev=1.0, seed=next(seeds))


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
