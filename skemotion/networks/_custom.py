"""Networks that a user's function builds."""

import multiprocessing
import pickle
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from skemotion.networks._blstm import ATTENTION_LAYER
from skemotion.networks._seeding import seeded_builder, stream_of_seeds

# Layers whose weights are some network's already.
_taken: weakref.WeakSet = weakref.WeakSet()


@dataclass(frozen=True)
class CustomNetwork:
    """A function that builds a graph, and the shapes that it is built for.

    Parameters
    ----------
    builder : callable
        Called as ``builder(n_frames, n_features, n_classes)``; returns a Keras
        model from sequences to probabilities.
    n_frames, n_features, n_classes : int
        Shape of one input sequence, and width of the output.
    n_members : int, default=1
        Networks of this kind whose probabilities are averaged.
    """

    builder: Callable[[int, int, int], Any]
    n_frames: int
    n_features: int
    n_classes: int
    n_members: int = 1
    ignore_padding = False  # what it makes of frames of zeros is its own affair

    def build(self, seed: int):
        """Build the graph.

        Parameters
        ----------
        seed : int
            Of all layers and initializers that have none of their own.

        Returns
        -------
        keras.Model
            Not compiled.

        Raises
        ------
        TypeError
            If the function returns no Keras model.
        ValueError
            If the model is compiled, or its input or output has another shape.
        """
        seeds = stream_of_seeds(seed)
        members = [self._build_member(next(seeds)) for _ in range(self.n_members)]
        return members[0] if self.n_members == 1 else self._join(members)

    def member_outputs(self, model) -> list[Any]:
        """Return the tensors that hold the probabilities of each member."""
        if self.n_members == 1:
            return model.outputs
        return [member(model.inputs[0]) for member in self._members_of(model)]

    def attention_outputs(self, model) -> list[Any]:
        """Return the tensors that hold the attention of each member, if there is."""
        import keras

        tensors = []
        for member in self._members_of(model):
            if ATTENTION_LAYER in {layer.name for layer in member.layers}:
                tensor = member.get_layer(ATTENTION_LAYER).output
                tensors.append(keras.Model(member.inputs[0], tensor)(model.inputs[0]))
        return tensors

    def _members_of(self, model):
        if self.n_members == 1:
            return [model]
        return [model.get_layer(_name(number)) for number in range(self.n_members)]

    def __deepcopy__(self, memo: dict[int, Any]) -> "CustomNetwork":
        return self  # nothing of it is ever changed

    def __getstate__(self) -> dict[str, Any]:
        # Workers of joblib can send back what other processes would not find.
        if multiprocessing.parent_process() is None:
            self._check_importable()
        return vars(self)

    def _check_importable(self):
        try:
            pickle.dumps(self.builder)
        except (AttributeError, TypeError, pickle.PicklingError) as error:
            raise pickle.PicklingError(
                f"network={self.builder!r} cannot be pickled ({error}), for another "
                "process would not find it: define it at the top level of a module "
                "that can be imported there."
            ) from error

    def _build_member(self, seed):
        with seeded_builder(seed):
            model = self.builder(self.n_frames, self.n_features, self.n_classes)
            self._check(model)
            self._take(model)
        return model

    def _take(self, model):
        """Raise if other networks train layers of this one as well."""
        own = {layer for layer in model._flatten_layers() if _is_trained(layer)}
        shared = sorted(layer.name for layer in own & set(_taken))
        _taken.update(own)
        if shared:
            raise ValueError(
                f"{_name_of(self.builder)}() has returned layers that it, or another "
                f"network, has returned before: {', '.join(shared)}. Make model and "
                "layers anew in each call; only layers that are not trainable can be "
                "shared."
            )

    def _check(self, model):
        import keras

        name = _name_of(self.builder)
        if not isinstance(model, keras.Model):
            raise TypeError(
                f"network must return a Keras model; {name}() returned "
                f"{type(model).__name__}."
            )
        if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
            raise ValueError(
                f"the model of {name}() does not know its input: begin with "
                "keras.Input((n_frames, n_features)), in a functional or Sequential "
                "model."
            )
        if model.compiled:
            raise ValueError(
                f"the model of {name}() is compiled: return it without compile(), "
                "and set optimizer, learning_rate and label_smoothing of the "
                "classifier."
            )
        if any(tensor.shape[0] is not None for tensor in model.inputs):
            raise ValueError(
                f"the model of {name}() fixes the size of batches to "
                f"{model.inputs[0].shape[0]}: leave it open, as by keras.Input("
                "(n_frames, n_features)."
            )
        found = [tuple(tensor.shape[1:]) for tensor in model.inputs]
        wanted = self.n_frames, self.n_features
        if len(found) != 1 or not _fits(found[0], wanted):
            raise ValueError(
                f"the model of {name}() must read one input of shape (n_frames, "
                f"n_features), here {wanted}; it reads {_listed(found)}."
            )
        found = [tuple(tensor.shape[1:]) for tensor in model.outputs]
        if found != [(self.n_classes,)]:
            raise ValueError(
                f"the model of {name}() must put out the probabilities of "
                f"{self.n_classes} classes, a tensor of shape (batch, "
                f"{self.n_classes}); it puts out {_listed(found)}."
            )

    def _join(self, members):
        """Average the probabilities of models."""
        from keras import Input, Model, layers

        inputs = Input((self.n_frames, self.n_features), name="sequence")
        named = [
            Model(member.inputs[0], member.outputs[0], name=_name(number))
            for number, member in enumerate(members)
        ]
        return Model(inputs, layers.Average()([member(inputs) for member in named]))


def _name_of(builder):
    return getattr(builder, "__name__", type(builder).__name__)


def _is_trained(layer):
    return layer.trainable and len(layer.variables) > 0


def _name(number):
    return f"member_{number + 1}"


def _fits(found, wanted):
    return len(found) == len(wanted) and all(
        one in (None, other) for one, other in zip(found, wanted, strict=True)
    )


def _listed(shapes):
    return " and ".join(f"(batch, {', '.join(map(str, shape))})" for shape in shapes)
