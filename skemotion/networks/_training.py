"""A training step, and epochs of them.

What is made small is the loss of each member, as if it were trained alone.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skemotion.networks._batches import Batches
from skemotion.networks._checkpoint import Checkpoint, digest_arrays
from skemotion.networks._graphs import input_signature, inputs_of
from skemotion.networks._keeping import Keeper, Place

# What a compiled model reports of itself to those who ask it.
LOSS = "sparse_categorical_crossentropy"


class Trainer(NamedTuple):
    """A model with the graphs of a training step and of an evaluation.

    Attributes
    ----------
    model : keras.Model
        What the graphs change.
    step, evaluate : callable
        Take what the model reads, codes, and for a step weights.
    """

    model: Any
    step: Callable[..., Any]
    evaluate: Callable[..., Any]


def trace_training(
    model: Any,
    members: list[Any],
    label_smoothing: float,
    quickly: Callable[[Any], AbstractContextManager] = nullcontext,
) -> Trainer:
    """Make the graphs of a model's training, which are traced when first called.

    Parameters
    ----------
    model : keras.Model
        Compiled, with an optimizer that has all of its variables.
    members : list of tensor
        Probabilities that each have a loss.
    label_smoothing : float
        Part of a label that is spread evenly over all classes.
    quickly : callable, default=nullcontext
        Called with a model, returns a context in which a step of it is traced.

    Returns
    -------
    Trainer
    """
    import keras
    import tensorflow as tf
    from keras import ops

    heads = keras.Model(inputs_of(model), members)
    codes = tf.TensorSpec((None,), tf.int32)
    weights = tf.TensorSpec((None,), tf.float32)
    inputs = input_signature(model)

    def score(x, y, training):
        outputs = tf.nest.flatten(heads(x, training=training))
        return _member_losses(outputs, y, label_smoothing), _count_correct(outputs, y)

    @tf.function(input_signature=[inputs, codes, weights], autograph=False)
    def step(x, y, sample_weight):
        with tf.GradientTape() as tape, quickly(heads):
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


def _member_losses(members, codes, label_smoothing):
    """Return the cross-entropy of each member, of shape (batch,)."""
    from keras import losses, ops

    targets = ops.one_hot(codes, members[0].shape[-1], dtype="float32")
    return [
        losses.categorical_crossentropy(
            targets, ops.cast(member, "float32"), label_smoothing=label_smoothing
        )
        for member in members
    ]


def _count_correct(members, codes):
    """Return how many recordings the members together take for what they are."""
    from keras import ops

    best = ops.argmax(sum(members[1:], members[0]), axis=-1)
    hits = ops.equal(best, ops.cast(codes, best.dtype))
    return ops.sum(ops.cast(hits, "float32"))


class Rows:
    """Batches with the codes and weights of their rows.

    Parameters
    ----------
    batches : Batches
        Of sequences.
    codes : array-like of shape (n_samples,)
        Numbers of their classes.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights in the loss. None means 1 for each.
    """

    def __init__(
        self, batches: Batches, codes: ArrayLike, sample_weight: ArrayLike | None = None
    ):
        self.batches = batches
        self.codes = np.asarray(codes, dtype=np.int32)
        if sample_weight is None:
            sample_weight = np.ones(len(self.codes))
        self.weights = np.asarray(sample_weight, dtype=np.float32)

    def digest(self) -> str:
        """Return what is equal for equal rows."""
        return digest_arrays([self.batches.sequences, self.codes, self.weights])


class Loop:
    """Epochs of training, with Keras' callbacks told of them.

    Parameters
    ----------
    trainer : Trainer
        What is trained.
    data : Rows
        What it is trained on.
    held_out : Rows or None
        What is scored after every epoch.
    seed : int
        Of the order of rows.
    epochs : int
        Passes over the data, at most.
    checkpoint : Checkpoint or None, default=None
        Where it is kept, to go on from there after a kill.
    """

    def __init__(
        self,
        trainer: Trainer,
        data: Rows,
        held_out: Rows | None,
        seed: int,
        epochs: int,
        checkpoint: Checkpoint | None = None,
    ):
        self._trainer = trainer
        self._data = data
        self._held_out = held_out
        self._rng = np.random.default_rng(seed)
        self._epochs = epochs
        self._keeper = Keeper(checkpoint)

    def run(self, callbacks: Sequence[Any], verbose: int) -> dict[str, list[float]]:
        """Train, and return what was logged.

        Raises
        ------
        ValueError
            If a loss is not finite.
        """
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
        place = self._find_place()
        while not place.is_finished:
            if place.batch == 0:
                self._callbacks.on_epoch_begin(place.epoch)
            logs = self._train_epoch(place)
            if self._held_out is not None:
                logs |= self._evaluate(self._held_out)
            _check_finite(logs, place.epoch)
            self._callbacks.on_epoch_end(place.epoch, logs)
            epoch = place.epoch + 1
            is_finished = bool(model.stop_training) or epoch >= self._epochs
            place = Place(self._order(), epoch, is_finished=is_finished)
            self._keep(place)
        # Optimizers that average weights over time put the means in place here.
        model.optimizer.finalize_variable_values(model.trainable_variables)
        self._callbacks.on_train_end()
        return model.history.history

    def _find_place(self):
        """Return where to begin, once everything stands as it did there."""
        start = Place(self._order())
        found = self._keeper.find(self._trainer.model, self._callbacks.callbacks, start)
        if found is None:
            return start
        if found.place.batch:
            self._callbacks.on_epoch_begin(found.place.epoch)
        found.put_back()
        self._rng.bit_generator.state = found.place.order
        return found.place

    def _keep(self, place):
        self._keeper.keep(self._trainer.model, self._callbacks.callbacks, place)

    def _order(self):
        return self._rng.bit_generator.state

    def _train_epoch(self, place):
        data, score = self._data, _Score(place.score)
        batches = data.batches.shuffled(self._rng, skip=place.batch)
        for number, (inputs, rows) in enumerate(batches, start=place.batch):
            self._callbacks.on_train_batch_begin(number)
            results = self._trainer.step(inputs, data.codes[rows], data.weights[rows])
            score.add(results, len(rows))
            self._callbacks.on_train_batch_end(number, score.means())
            place.batch, place.score = number + 1, score.sums
            self._keep(place)
        return score.means()

    def _evaluate(self, data):
        score = _Score([0.0] * 3)
        self._callbacks.on_test_begin()
        for inputs, rows in data.batches.in_order():
            results = self._trainer.evaluate(inputs, data.codes[rows])
            score.add(results, len(rows))
        self._callbacks.on_test_end(score.means())
        return {f"val_{name}": value for name, value in score.means().items()}


class _Score:
    """Loss and accuracy over what has been seen of an epoch."""

    def __init__(self, sums):
        self.sums = list(sums)

    def add(self, results, n_rows):
        loss, n_correct = results
        new = float(loss) * n_rows, float(n_correct), n_rows
        self.sums = [old + each for old, each in zip(self.sums, new, strict=True)]

    def means(self):
        loss, n_correct, n_rows = self.sums
        return {"accuracy": n_correct / n_rows, "loss": loss / n_rows}


def _check_finite(logs, epoch):
    for name in ("loss", "val_loss"):
        if not np.isfinite(logs.get(name, 0.0)):
            raise ValueError(
                f"training diverged: {name} is {logs[name]} in epoch {epoch + 1}. "
                "Lower learning_rate, scale the features (SequenceScaler), or look for "
                "values of another size in X."
            )
