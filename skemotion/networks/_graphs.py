"""Traced graphs, which networks of the same settings take turns in.

To trace a recurrent network takes TensorFlow seconds and megabytes that it
never gives back. So what has been traced for one network serves all others that
are built alike: their variables are copied in before training and out after it,
and are passed as arguments in prediction.
"""

import contextlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.networks._batches import trim_padding
from skemotion.networks._seeding import seeded

_MAX_GRAPHS = 8


class _RecentlyUsed:
    """A bounded, thread-safe store that gives up what was not used for longest."""

    def __init__(self, max_size: int):
        self._max_size = max_size
        self._items: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def pop(self, key: str) -> Any:
        with self._lock:
            return self._items.pop(key, None)

    def put(self, key: str, item: Any) -> None:
        with self._lock:
            self._items[key] = item
            self._items.move_to_end(key)
            while len(self._items) > self._max_size:
                self._items.popitem(last=False)

    def get_or_make(self, key: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            item = self._items.pop(key, None)
            if item is None:
                item = make()
        self.put(key, item)
        return item


_twins = _RecentlyUsed(_MAX_GRAPHS)
_functions = _RecentlyUsed(_MAX_GRAPHS)


@contextlib.contextmanager
def trained_twin(model: Any, build: Callable[..., Any], settings: dict) -> Iterator:
    """Lend a traced model in place of `model`, to be trained.

    Parameters
    ----------
    model : keras.Model
        A compiled model whose optimizer is built. It starts from its own
        variables, and has those of the twin when the context is left without
        an error.
    build : callable
        Builds such a model from `settings`.
    settings : dict
        Arguments of `build`, as JSON can hold them. ``"optimizer"`` is a
        serialized Keras optimizer.

    Yields
    ------
    keras.Model
        Nobody else's until the context is left.
    """
    key = _training_key(settings)
    twin = _twins.pop(key)
    if twin is None:
        with seeded(0):  # so that training goes on with its own stream
            twin = build(**settings)
    try:
        _copy_variables(model, twin)
        yield twin
        _copy_variables(twin, model)
    finally:
        _twins.put(key, twin)


def run_forward(
    model: Any,
    settings: dict,
    X: NDArray[np.float32],
    *,
    batch_size: int,
    layer: str | None = None,
) -> NDArray[np.float32]:
    """Run sequences through a network, batch by batch.

    Parameters
    ----------
    model : keras.Model
        The network.
    settings : dict
        What JSON can hold; equal settings stand for equal graphs.
    X : ndarray of shape (n_samples, n_frames, n_features), dtype float32
        Sequences.
    batch_size : int
        Sequences at a time.
    layer : str, default=None
        Return what this layer puts out, instead of the network's output.

    Returns
    -------
    ndarray of shape (n_samples, ...), dtype float32
    """
    key = json.dumps([settings, layer, _precision()], sort_keys=True)
    function = _functions.get_or_make(key, lambda: _trace(model, layer))
    values = [variable.value for variable in model.variables]
    starts = range(0, len(X), batch_size)
    batches: Iterable = (X[start : start + batch_size] for start in starts)
    if model.input.shape[1] is None and layer is None:  # padding is masked
        batches = map(trim_padding, batches)
    return np.concatenate([function(values, batch).numpy() for batch in batches])


def _training_key(settings):
    """Describe a graph; a constant step size is one of its variables."""
    optimizer = settings["optimizer"]
    config = dict(optimizer["config"])
    config.pop("name", None)  # Keras counts optimizers by it
    if not isinstance(config.get("learning_rate"), dict):
        config.pop("learning_rate", None)
    described = settings | {"optimizer": optimizer | {"config": config}}
    return json.dumps([described, _precision()], sort_keys=True, default=repr)


def _precision():
    import keras

    return keras.config.dtype_policy().name


def _copy_variables(source, target):
    pairs = zip(
        [*source.variables, *source.optimizer.variables],
        [*target.variables, *target.optimizer.variables],
        strict=True,
    )
    for old, new in pairs:
        new.assign(old.value)


def _trace(model, layer):
    """Turn a model into a function of its variables and a batch."""
    import keras
    import tensorflow as tf

    network = model
    if layer is not None:
        network = keras.Model(model.input, model.get_layer(layer).output)
    position = {id(variable): i for i, variable in enumerate(model.variables)}
    trainable = [position[id(variable)] for variable in network.trainable_variables]
    others = [position[id(variable)] for variable in network.non_trainable_variables]

    def run(values, batch):
        outputs, _ = network.stateless_call(
            [values[i] for i in trainable],
            [values[i] for i in others],
            batch,
            training=False,
        )
        return outputs

    signature = (
        [tf.TensorSpec(variable.shape, variable.dtype) for variable in model.variables],
        tf.TensorSpec(model.input.shape, model.input.dtype),
    )
    return tf.function(run, input_signature=signature, autograph=False)
