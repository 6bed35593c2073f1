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
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion._sequences import common_frames, real_bounds
from skemotion.networks._backend import without_retracing_log
from skemotion.networks._blstm import LOSS
from skemotion.networks._inputs import inputs_of, masks_padding
from skemotion.networks._seeding import seeded

_MAX_GRAPHS = 8


class _RecentlyUsed:
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
        Nobody else's until the context is left. It is `model` itself if that
        was changed since it was built, as by freezing its layers.
    """
    key = _settings_key(settings), _describe(model)
    twin = _twins.pop(key)
    if twin is None:
        with seeded(0):  # so that training goes on with its own stream
            twin = build(**settings)
    before = _describe(twin)
    # The twin can lack layers at the end, and have a loss of its own.
    if _describe(model, len(twin.layers)) != before or model.loss != LOSS:
        yield model
        return
    variables = _variables(twin)
    _copy_values(_variables(model), variables)
    try:
        yield twin
        if not _is_same(variables, _variables(twin)):
            raise RuntimeError(
                "a callback has replaced variables of the network or its optimizer, as "
                "compiling it anew or setting a schedule does; change their values "
                "only."
            )
        _copy_values(variables, _variables(model))
    finally:
        # Callbacks can change any part of a model, and would for its next user.
        if _is_same(variables, _variables(twin)) and before == _describe(twin):
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
    key = _settings_key(settings), layer, model.dtype_policy.name
    function = _functions.get_or_make(key, lambda: _trace(model, layer))
    values = [variable.value for variable in model.variables]
    trim = masks_padding(model) and layer is None
    outputs = []
    with without_retracing_log():
        for start in range(0, len(X), batch_size):
            batch = X[start : start + batch_size]
            inputs = inputs_of(
                model, batch[:, common_frames(real_bounds(batch))] if trim else batch
            )
            outputs.append(function(values, inputs).numpy())
    return np.concatenate(outputs)


def _settings_key(settings):
    """Write settings as text, but for what no graph depends on."""
    return json.dumps(_without_names(settings), sort_keys=True)


def _without_names(settings):
    """Drop names, which Keras counts up, and step sizes, which are variables."""
    if isinstance(settings, dict):
        return {
            name: value if name == "learning_rate" else _without_names(value)
            for name, value in settings.items()
            if name != "name"
            and not (name == "learning_rate" and isinstance(value, float))
        }
    if isinstance(settings, (list, tuple)):
        return [_without_names(value) for value in settings]
    return settings


def _describe(model, n_layers=None):
    """Return what decides a training graph, and what can be changed in a model."""
    import keras

    optimizer = model.optimizer
    configs = [
        *(keras.layers.serialize(layer) for layer in model.layers[:n_layers]),
        keras.optimizers.serialize(optimizer),
    ]
    return (
        _settings_key(configs),
        model.run_eagerly,
        tuple(layer.dtype_policy.name for layer in model.layers[:n_layers]),
        tuple(variable.trainable for variable in model.variables),
        # Not by name, since a class can be defined anew.
        type(optimizer),
        type(getattr(optimizer, "_learning_rate", None)),
    )


def _variables(model):
    return [*model.variables, *model.optimizer.variables]


def _is_same(variables, others):
    return list(map(id, variables)) == list(map(id, others))


def _copy_values(sources, targets):
    for source, target in zip(sources, targets, strict=True):
        target.assign(source.value)


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

    def run(values, inputs):
        outputs, _ = network.stateless_call(
            [values[i] for i in trainable],
            [values[i] for i in others],
            inputs,
            training=False,
        )
        return outputs

    signature = (
        [tf.TensorSpec(variable.shape, variable.dtype) for variable in model.variables],
        tf.nest.map_structure(
            lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), model.input
        ),
    )
    return tf.function(run, input_signature=signature, autograph=False)
