"""Traced graphs, which models that compute the same take turns in.

To trace a recurrent network takes TensorFlow seconds and megabytes that it
never gives back. So what was traced for one model serves all that are alike. A
graph of prediction is a function of the variables; one of training changes
variables of its own, into which those of a model are copied, and back.
"""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from skemotion.networks._identity import snapshot

_MAX_GRAPHS = 16


class RecentlyUsed:
    """A bounded, thread-safe store that gives up what was not used for longest."""

    def __init__(self, max_size: int):
        self._max_size = max_size
        self._items: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.RLock()

    def pop(self, key: Hashable) -> Any:
        with self._lock:
            return self._items.pop(key, None)

    def put(self, key: Hashable, item: Any) -> None:
        with self._lock:
            self._items[key] = item
            self._items.move_to_end(key)
            while len(self._items) > self._max_size:
                self._items.popitem(last=False)

    def get_or_make(self, key: Hashable, make: Callable[[], Any]) -> Any:
        with self._lock:
            item = self._items.pop(key, None)
            if item is None:
                item = make()
            self.put(key, item)
            return item


_graphs = RecentlyUsed(_MAX_GRAPHS)


def find_forward(
    key: Hashable, model: Any, outputs: Callable[[], list[Any]]
) -> Callable[[list[Any], Any], list[Any]]:
    """Return the traced function from a model's variables and a batch to outputs.

    Parameters
    ----------
    key : hashable
        Equal for models, and outputs of them, that are alike.
    model : keras.Model
        What is traced if nothing alike was.
    outputs : callable
        Returns the tensors of the model that are wanted.

    Returns
    -------
    callable
        Called with a list of the values of ``model.variables`` and what the
        model reads. Returns a list of tensors.
    """
    return _graphs.get_or_make(key, lambda: _trace_forward(model, outputs()))


def _trace_forward(model, outputs):
    import keras
    import tensorflow as tf

    part = keras.Model(inputs_of(model), outputs)
    position = {id(variable): i for i, variable in enumerate(model.variables)}
    trainable = [position[id(variable)] for variable in part.trainable_variables]
    others = [position[id(variable)] for variable in part.non_trainable_variables]

    def run(values, inputs):
        results, _ = part.stateless_call(
            [values[i] for i in trainable],
            [values[i] for i in others],
            inputs,
            training=False,
        )
        return tf.nest.flatten(results)

    values = [tf.TensorSpec(v.shape, v.dtype) for v in model.variables]
    signature = [values, input_signature(model)]
    return tf.function(run, input_signature=signature, autograph=False)


def inputs_of(model: Any) -> Any:
    """Return the tensor that a model reads, or a tuple of several.

    Keras warns where it is given a tensor in place of a list of one.
    """
    return model.inputs[0] if len(model.inputs) == 1 else tuple(model.inputs)


def input_signature(model: Any) -> Any:
    """Return the specification of what a model reads."""
    import tensorflow as tf

    return tf.nest.map_structure(
        lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), inputs_of(model)
    )


@contextlib.contextmanager
def lent_trainer(key: Hashable, model: Any, make: Callable[[], Any]) -> Iterator[Any]:
    """Lend a trainer in which everything stands as in a model, and copy back.

    Parameters
    ----------
    key : hashable
        Equal for models that are trained alike.
    model : keras.Model
        Compiled, with an optimizer that has all of its variables. It has those
        of the trainer when the context is left without an error.
    make : callable
        Returns a trainer if none is there: an object with such a `model`.

    Yields
    ------
    Trainer
        Nobody else's until the context is left.

    Raises
    ------
    RuntimeError
        If anything but the values of variables was changed meanwhile.
    """
    trainer = _graphs.pop(key)
    if trainer is None:
        trainer = make()
    variables, looks = all_variables(trainer.model), snapshot(trainer.model)
    _copy_values(all_variables(model), variables)
    try:
        yield trainer
        _check_unchanged(trainer, variables, looks)
        _copy_values(variables, all_variables(model))
    finally:
        # Callbacks can change any part of a model, and would for its next user.
        with contextlib.suppress(RuntimeError):
            _check_unchanged(trainer, variables, looks)
            if trainer.model is not model:
                _graphs.put(key, trainer)


def all_variables(model: Any) -> list[Any]:
    """Return the variables of a compiled model and of its optimizer."""
    return [*model.variables, *model.optimizer.variables]


def _check_unchanged(trainer, variables, looks):
    """Raise if graphs that are traced would not follow what a callback has done."""
    if list(map(id, variables)) != list(map(id, all_variables(trainer.model))):
        raise RuntimeError(
            "a callback has replaced variables of the network or its optimizer, as "
            "compiling it anew or setting a schedule does; change their values only."
        )
    if looks != snapshot(trainer.model):
        raise RuntimeError(
            "a callback has changed settings of the network or its optimizer, such as "
            "what is trained, which a training that has begun does not follow. Change "
            "model_ between two trainings by partial_fit, or with warm_start=True."
        )


def _copy_values(sources, targets):
    for source, target in zip(sources, targets, strict=True):
        target.assign(source.value)
