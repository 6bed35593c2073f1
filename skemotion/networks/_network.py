"""A Keras model with what it was made from: how it is trained, run and kept."""

import copy
from collections.abc import Hashable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.networks._backend import import_keras, without_retracing_log
from skemotion.networks._batches import Batches
from skemotion.networks._graphs import (
    Trainer,
    find_forward,
    input_signature,
    lent_trainer,
)
from skemotion.networks._identity import Identity, describe_optimizer
from skemotion.networks._inputs import standardise_functionals
from skemotion.networks._objective import LOSS, count_correct, member_losses

_DIVERGED = (
    "training diverged: the {name} is {value} in epoch {epoch}. Lower learning_rate, "
    "scale the features (SequenceScaler), or look for values of another size in X."
)


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
        model = architecture.build(seed)
        # In which the optimizer keeps its moments, whatever is frozen later.
        self._moved = [i for i, v in enumerate(model.variables) if v.trainable]
        self.model = self._compile(model)
        self.is_trained = False
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
        """
        import_keras()  # which refuses forks, that would hang
        data = _Rows(self._batches(X, batch_size), codes, sample_weight)
        held_out = None
        if validation is not None:
            held_out = _Rows(self._batches(validation[0], batch_size), validation[1])
        if not self.is_trained and data.batches.functionals is not None:
            standardise_functionals(self.model, data.batches.functionals)
        with without_retracing_log(), self._trainer() as trainer:
            history = _Loop(trainer, data, held_out, seed, epochs).run(
                callbacks, verbose
            )
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

    def has_attention(self) -> bool:
        """Return whether a layer puts out attention."""
        return bool(self.architecture.attention_outputs(self.model))

    def get_state(self) -> dict[str, list]:
        """Return what layers learn, and the values of all variables.

        Those of the optimizer are included. What else was changed in `model`
        since it was built is not.
        """
        return {
            "trainable": [layer.trainable for layer in self._layers()],
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
            layers = self._layers()
            for layer, trainable in zip(layers, state["trainable"], strict=True):
                layer.trainable = trainable
        self.is_trained = True

    def set_weights(self, weights: Sequence[NDArray]) -> None:
        """Set what is learnt, in the order of the architecture's `weight_shapes`."""
        _assign(self.architecture.weights_of(self.model), weights)
        self.is_trained = True

    def _layers(self):
        # Wholes before their parts, which to set them sets as well.
        return list(self.model._flatten_layers())

    def _compile(self, model):
        import keras

        model.compile(
            # Keras replaces a schedule's settings by the schedule, in place.
            optimizer=keras.optimizers.deserialize(copy.deepcopy(self.optimizer)),
            loss=LOSS,
            metrics=["accuracy"],
        )
        model.optimizer.build([model.variables[i] for i in self._moved])
        return model

    def _batches(self, X, batch_size, whole=False):
        trim = self.architecture.ignore_padding and not whole
        return Batches(self.model, X, batch_size, trim=trim)

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
        return _trace_training(model, members, self.label_smoothing)

    def _make_twin(self):
        """Build a model like the own one; return that where it cannot be done."""
        import keras

        twin = self._compile(self.architecture.build(seed=0))
        if Identity(twin).key() == self._identity.key():
            return twin
        # It was changed since it was built, as by freezing layers.
        with suppress(TypeError, ValueError):
            twin = self._compile(keras.models.clone_model(self.model))
            if Identity(twin).key() == self._identity.key():
                return twin
        return self.model


def _trace_training(model, members, label_smoothing):
    """Trace a training step and an evaluation, when they are first called."""
    import keras
    import tensorflow as tf
    from keras import ops

    heads = keras.Model(model.inputs, members)
    codes = tf.TensorSpec((None,), tf.int32)
    weights = tf.TensorSpec((None,), tf.float32)
    inputs = input_signature(model)

    def score(x, y, training):
        outputs = tf.nest.flatten(heads(x, training=training))
        return member_losses(outputs, y, label_smoothing), count_correct(outputs, y)

    @tf.function(input_signature=[inputs, codes, weights], autograph=False)
    def step(x, y, sample_weight):
        with tf.GradientTape() as tape:
            losses, n_correct = score(x, y, training=True)
            # Summed, so that each member takes the steps that it would take alone.
            loss = sum(ops.mean(sample_weight * one) for one in losses)
            loss = loss + sum(heads.losses)
            scaled = model.optimizer.scale_loss(loss)
        variables = model.trainable_variables
        gradients = tape.gradient(scaled, variables)
        pairs = zip(gradients, variables, strict=True)
        used = [pair for pair in pairs if pair[0] is not None]
        if used:
            model.optimizer.apply(*zip(*used, strict=True))
        return loss / len(losses), n_correct

    @tf.function(input_signature=[inputs, codes], autograph=False)
    def evaluate(x, y):
        losses, n_correct = score(x, y, training=False)
        loss = sum(ops.mean(one) for one in losses) + sum(heads.losses)
        return loss / len(losses), n_correct

    return Trainer(model, step, evaluate)


class _Rows:
    """Batches with the codes and weights of their rows."""

    def __init__(self, batches, codes, sample_weight=None):
        self.batches = batches
        self.codes = np.asarray(codes, dtype=np.int32)
        if sample_weight is None:
            sample_weight = np.ones(len(self.codes))
        self.weights = np.asarray(sample_weight, dtype=np.float32)


class _Loop:
    """Epochs of training, with Keras' callbacks told of them."""

    def __init__(self, trainer, data, held_out, seed, epochs):
        self._trainer = trainer
        self._data = data
        self._held_out = held_out
        self._rng = np.random.default_rng(seed)
        self._epochs = epochs

    def run(self, callbacks, verbose):
        import keras

        model = self._trainer.model
        model.stop_training = False
        self._callbacks = keras.callbacks.CallbackList(
            list(callbacks),
            add_history=True,
            add_progbar=verbose != 0,
            model=model,
            verbose=verbose,
            epochs=self._epochs,
            steps=len(self._data.batches),
        )
        self._callbacks.on_train_begin()
        for epoch in range(self._epochs):
            self._callbacks.on_epoch_begin(epoch)
            logs = self._train_epoch()
            if self._held_out is not None:
                logs |= self._evaluate()
            _check_finite(logs, epoch)
            self._callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        # Optimizers that average weights over time put the means in place here.
        model.optimizer.finalize_variable_values(model.trainable_variables)
        self._callbacks.on_train_end()
        return model.history.history

    def _train_epoch(self):
        data, score = self._data, _Score()
        batches = data.batches.shuffled(self._rng)
        for number, (inputs, rows) in enumerate(batches):
            self._callbacks.on_train_batch_begin(number)
            results = self._trainer.step(inputs, data.codes[rows], data.weights[rows])
            score.add(results, len(rows))
            self._callbacks.on_train_batch_end(number, score.means())
        return score.means()

    def _evaluate(self):
        data, score = self._held_out, _Score()
        self._callbacks.on_test_begin()
        for inputs, rows in data.batches.in_order():
            results = self._trainer.evaluate(inputs, data.codes[rows])
            score.add(results, len(rows))
        self._callbacks.on_test_end(score.means())
        return {f"val_{name}": value for name, value in score.means().items()}


class _Score:
    """Loss and accuracy over what has been seen of an epoch."""

    def __init__(self):
        self._loss = self._n_correct = self._n_rows = 0.0

    def add(self, results, n_rows):
        loss, n_correct = results
        self._loss += float(loss) * n_rows
        self._n_correct += float(n_correct)
        self._n_rows += n_rows

    def means(self):
        return {
            "accuracy": self._n_correct / self._n_rows,
            "loss": self._loss / self._n_rows,
        }


def _check_finite(logs, epoch):
    for name in ("loss", "val_loss"):
        value = logs.get(name, 0.0)
        if not np.isfinite(value):
            raise ValueError(
                _DIVERGED.format(
                    name={"loss": "loss", "val_loss": "validation loss"}[name],
                    value=value,
                    epoch=epoch + 1,
                )
            )


def _assign(variables, values):
    found, expected = (
        [tuple(one.shape) for one in many] for many in (values, variables)
    )
    if found != expected:
        raise ValueError(f"its arrays have shapes {found} where {expected} are needed")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
