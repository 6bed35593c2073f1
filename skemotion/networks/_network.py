"""A Keras model with what it was made from: how it is trained, run and kept."""

import copy
import os
import sys
from collections.abc import Hashable, Iterable, Sequence
from contextlib import nullcontext, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.networks._backend import (
    garbage,
    import_keras,
    names_from_the_start,
    without_retracing_log,
)
from skemotion.networks._batches import Batches
from skemotion.networks._blstm import BLSTM
from skemotion.networks._callbacks import describe, get_state, remembering
from skemotion.networks._checkpoint import Checkpoint, digest_arrays, digest_text
from skemotion.networks._graphs import (
    all_variables,
    find_forward,
    lent_trainer,
)
from skemotion.networks._identity import (
    Identity,
    describe_model,
    describe_optimizer,
)
from skemotion.networks._inputs import standardise_functionals
from skemotion.networks._lstm import quick_recurrence
from skemotion.networks._training import LOSS, Loop, Rows, trace_training


class Network:
    """One Keras model, which is trained and run.

    Parameters
    ----------
    architecture : BLSTM or CustomNetwork
        What the graph looks like.
    optimizer : dict
        A serialized Keras optimizer.
    label_smoothing : float, default=0.0
        Part of a label that is spread evenly over all classes in training.
    seed : int, default=0
        Of the weights, and of what is drawn in training.

    Attributes
    ----------
    model : keras.Model
        From sequences to probabilities. Its optimizer has all of its variables.
    is_trained : bool
        Whether it has been trained, or had its weights set.
    checkpoint : Checkpoint or None
        Where the last training was kept.
    """

    def __init__(
        self,
        architecture: Any,
        optimizer: dict[str, Any],
        label_smoothing: float = 0.0,
        *,
        seed: int = 0,
    ):
        self.architecture = architecture
        self.optimizer = optimizer
        self.label_smoothing = label_smoothing
        with names_from_the_start():
            model = architecture.build(seed)
            # Of which the optimizer keeps moments, whatever is frozen later.
            self._moved = [i for i, v in enumerate(model.variables) if v.trainable]
            self.model = self._compile(model)
        garbage.add(self.model)
        self.is_trained = False
        self.checkpoint: Checkpoint | None = None
        self._identity = Identity(self.model)

    @property
    def learning_rate(self) -> Any:
        """Step size that the optimizer began with, or the schedule of it."""
        return self.optimizer["config"]["learning_rate"]

    def train(
        self,
        X: NDArray[np.float32],
        codes: NDArray[np.integer],
        sample_weight: NDArray[np.floating] | None = None,
        *,
        validation: tuple[NDArray, NDArray] | None = None,
        epochs: int,
        batch_size: int,
        seed: int,
        callbacks: Sequence[Any] = (),
        verbose: int = 0,
        checkpoint: str | os.PathLike | None = None,
    ) -> dict[str, list[float]]:
        """Train from where the weights are.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_frames, n_features), dtype float32
            Sequences.
        codes : ndarray of shape (n_samples,), dtype int
            Numbers of their classes.
        sample_weight : ndarray of shape (n_samples,), default=None
            Weight of each in the loss. A batch's loss is the weighted sum,
            divided by the number of sequences in it.
        validation : tuple of (ndarray, ndarray), default=None
            Sequences and codes that are scored after every epoch.
        epochs : int
            Passes over X, at most.
        batch_size : int
            Sequences in a step.
        seed : int
            Of the order of rows.
        callbacks : sequence of keras.callbacks.Callback, default=()
            They see a model that is lent to other trainings afterwards.
        verbose : int, default=0
            As in ``keras.Model.fit``.
        checkpoint : str or path-like, default=None
            Folder in which the training is kept, so that the same training goes on
            from there after a kill. It is kept when it has ended, too.

        Returns
        -------
        dict of str to list of float
            "loss" and "accuracy" of every epoch, "val_loss" and "val_accuracy"
            if there is validation, and what callbacks have added. The loss is
            the mean of the members'.

        Raises
        ------
        ValueError
            If a loss is not finite.
        TypeError
            If a checkpoint cannot hold what a callback remembers.
        """
        import_keras()  # which refuses forks, that would hang
        data = Rows(self._batches(X, batch_size), codes, sample_weight)
        held_out = None
        if validation is not None:
            held_out = Rows(self._batches(validation[0], batch_size), validation[1])
        if not self.is_trained and data.batches.functionals is not None:
            standardise_functionals(self.model, [data.batches.functionals])
        self.checkpoint = None
        if checkpoint is not None:
            settings = epochs, batch_size, seed
            self.checkpoint = self._find_checkpoint(
                checkpoint, data, held_out, callbacks, settings
            )
        with without_retracing_log(), self._trainer() as trainer:
            loop = Loop(trainer, data, held_out, seed, epochs, self.checkpoint)
            history = loop.run(callbacks, verbose)
        self.is_trained = True
        return history

    def run(
        self, X: NDArray[np.float32], *, batch_size: int, output: str = "probabilities"
    ) -> NDArray[np.float32]:
        """Run sequences through the network, batch by batch.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_frames, n_features), dtype float32
            Sequences.
        batch_size : int
            Sequences at a time.
        output : {"probabilities", "attention"}, default="probabilities"
            What to return; attention is the mean of the members'.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_frames), \
                dtype float32
        """
        import_keras()
        wanted = {
            "probabilities": lambda: self.model.outputs,
            "attention": lambda: self.architecture.attention_outputs(self.model),
        }[output]
        key = "run", output, self._key()
        function = find_forward(key, self.model, wanted)
        values = [variable.value for variable in self.model.variables]
        parts = []
        with without_retracing_log():
            for inputs, _ in self._batches(
                X, batch_size, whole=output == "attention"
            ).in_order():
                tensors = [tensor.numpy() for tensor in function(values, inputs)]
                parts.append(
                    tensors[0] if len(tensors) == 1 else np.mean(tensors, axis=0)
                )
        return np.concatenate(parts).astype(np.float32, copy=False)

    def reads_functionals(self) -> bool:
        """Return whether functionals are read beside the sequences."""
        return len(self.model.inputs) > 1

    def standardise(self, chunks: Iterable[NDArray[np.float32]]) -> None:
        """Set the scale of the functionals, which is not learnt, by other sequences.

        Parameters
        ----------
        chunks : iterable of ndarray of shape (n_samples, n_frames, n_features)
            Sequences whose functionals have mean 0 and deviation 1 then.
        """
        functionals = (self._batches(X, len(X)).functionals for X in chunks)
        standardise_functionals(self.model, functionals)

    def has_attention(self) -> bool:
        """Return whether a layer puts out attention."""
        return bool(self.architecture.attention_outputs(self.model))

    def get_state(self) -> dict[str, list]:
        """Return what layers learn, and the values of all variables.

        Those of the optimizer are included.

        Raises
        ------
        ValueError
            If `model` was changed otherwise, which would be lost.
        """
        self.check_is_as_built()
        return {
            "trainable": [layer.trainable for layer in _layers(self.model)],
            "variables": [v.numpy() for v in self.model.variables],
            "optimizer_variables": [v.numpy() for v in self.model.optimizer.variables],
        }

    def set_state(self, state: dict[str, list]) -> None:
        """Undo :meth:`get_state`.

        Raises
        ------
        ValueError
            If the shapes are not those of the variables.
        """
        _assign(self.model.variables, state["variables"])
        _assign(self.model.optimizer.variables, state["optimizer_variables"])
        if "trainable" in state:  # not in pickles of earlier versions
            _set_trainable(self.model, state["trainable"])
        self.is_trained = True

    def check_is_as_built(self) -> None:
        """Raise ValueError if more than weights was changed in the model.

        What a user's function builds is taken as it is: not all layers of a
        user's own can be compared.
        """
        policy = import_keras().config.dtype_policy()
        same_policy = policy.name == self.model.dtype_policy.name
        if not isinstance(self.architecture, BLSTM) or not same_policy:
            return
        with names_from_the_start():
            fresh = self.architecture.build(seed=0)
        _set_trainable(fresh, [layer.trainable for layer in _layers(self.model)])
        if Identity(fresh).key() != self._identity.key():
            raise ValueError(
                "model_ was changed after fit, in more than its weights and in what is "
                "trainable, which would be lost: change it back, or save model_ by "
                "Keras."
            )

    def set_weights(self, weights: Sequence[NDArray]) -> None:
        """Set what is learnt, in the order of the architecture's `weight_shapes`."""
        _assign(self.architecture.weights_of(self.model), weights)
        self.is_trained = True

    def _compile(self, model):
        import keras

        # Keras replaces a schedule's settings by the schedule, in place.
        settings = copy.deepcopy(self.optimizer)
        settings["config"]["name"] = "optimizer"  # not another one each time
        model.compile(
            optimizer=keras.optimizers.deserialize(settings),
            loss=LOSS,
            metrics=["accuracy"],
        )
        model.optimizer.build([model.variables[i] for i in self._moved])
        return model

    def _find_checkpoint(self, folder, data, held_out, callbacks, settings):
        """Return the checkpoint of a training that is about to begin."""
        variables = [variable.numpy() for variable in all_variables(self.model)]
        for callback in callbacks:
            get_state(callback, {})  # raises before the work where that cannot be kept
        parts = {
            "data": data.digest(),
            "validation": "" if held_out is None else held_out.digest(),
            "settings": digest_text(
                [
                    *settings,
                    describe_model(self.model),
                    self.optimizer,
                    self.label_smoothing,
                    [describe(callback) for callback in remembering(callbacks)],
                ]
            ),
            "start": digest_arrays(variables),
            "versions": digest_text(_versions()),
        }
        return Checkpoint(folder, parts, sum(each.nbytes for each in variables))

    def _batches(self, X, batch_size, whole=False):
        trim = self.architecture.ignore_padding and not whole
        functionals = getattr(self.architecture, "functionals", ())
        return Batches(self.model, X, batch_size, trim=trim, functionals=functionals)

    def _key(self) -> Hashable:
        architecture = self.architecture
        return type(architecture), architecture.n_members, self._identity.key()

    def _trainer(self):
        optimizer = describe_optimizer(self.model.optimizer)
        key = "train", self._key(), optimizer, self.label_smoothing
        return lent_trainer(key, self.model, self._make_trainer)

    def _make_trainer(self):
        model = self._make_twin()
        members = self.architecture.member_outputs(model)
        # Masks of others may have gaps.
        quickly = (
            quick_recurrence if isinstance(self.architecture, BLSTM) else nullcontext
        )
        return trace_training(model, members, self.label_smoothing, quickly)

    def _make_twin(self):
        """Build a model like the own one; return that where it cannot be done."""
        import keras

        with names_from_the_start():
            twin = self._compile(self.architecture.build(seed=0))
        if Identity(twin).key() == self._identity.key():
            return twin
        # It was changed since it was built, as by freezing layers.
        with suppress(TypeError, ValueError):
            twin = self._compile(keras.models.clone_model(self.model))
            if Identity(twin).key() == self._identity.key():
                return twin
        return self.model


def _versions():
    names = "skemotion", "keras", "numpy", "tensorflow"
    policy = import_keras().config.dtype_policy().name
    return [[name, sys.modules[name].__version__] for name in names], policy


def _layers(model):
    # Wholes before their parts, which to set them sets as well.
    return list(model._flatten_layers())


def _set_trainable(model, flags):
    for layer, trainable in zip(_layers(model), flags, strict=True):
        layer.trainable = trainable


def _assign(variables, values):
    found, expected = (
        [tuple(one.shape) for one in many] for many in (values, variables)
    )
    if found != expected:
        raise ValueError(f"its arrays have shapes {found} where {expected} are needed")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
