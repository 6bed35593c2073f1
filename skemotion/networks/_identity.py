"""What a model is, so that what was traced for one can serve another alike."""

import json
from collections.abc import Hashable, Iterator
from types import FunctionType
from typing import Any

# Part of no graph: names count up, seeds and step sizes are variables.
_LEFT_OUT = {"name", "seed", "shared_object_id"}
# Where layers are referred to by their names.
_REFERENCES = {"keras_history", "input_layers", "output_layers"}
_PLAIN = (str, int, float, bool, type(None))


class Identity:
    """The description of a model, made anew where the model was changed.

    Parameters
    ----------
    model : keras.Model
        A functional or Sequential model.
    """

    def __init__(self, model: Any):
        self._model = model
        self._seen: list | None = None
        self._key: Hashable = None

    def key(self) -> Hashable:
        """Return what is equal for models that compute the same, weights aside."""
        seen = list(_attributes(self._model.layers))
        if seen != self._seen:
            self._key = _describe(self._model, seen)
            self._seen = seen
        return self._key


def describe_optimizer(optimizer: Any) -> Hashable:
    """Return what is equal for optimizers that take the same steps, rates aside."""
    import keras

    config = keras.optimizers.serialize(optimizer)
    rate = config["config"].get("learning_rate")
    if isinstance(rate, float):
        config["config"]["learning_rate"] = None
    # Not by name, since a class can be defined anew.
    return _dump(config), type(optimizer), type(rate)


def snapshot(model: Any) -> list[Any]:
    """Return what a callback could change in a compiled model, besides values."""
    trainable = [variable.trainable for variable in model.variables]
    optimizer = describe_optimizer(model.optimizer)
    return [*_attributes(model.layers), *trainable, optimizer]


def _describe(model, seen):
    kinds = tuple(value for _, value in seen if not isinstance(value, _PLAIN))
    try:
        config = model.get_config()
    except (NotImplementedError, TypeError):  # of a layer that cannot describe itself
        return id(model)
    trainable = tuple(variable.trainable for variable in model.variables)
    return _dump(config), kinds, trainable


def _dump(config):
    """Write settings as text in which layers are numbered, not named."""
    numbers = {name: f"#{i}" for i, name in enumerate(dict.fromkeys(_names(config)))}
    return json.dumps(_without_names(config, numbers), sort_keys=True, default=repr)


def _names(config) -> Iterator[str]:
    values = config.values() if isinstance(config, dict) else config
    if isinstance(config, dict) and isinstance(config.get("name"), str):
        yield config["name"]
    for value in values:
        if isinstance(value, (dict, list, tuple)):
            yield from _names(value)


def _without_names(config, numbers, is_reference=False):
    if isinstance(config, dict):
        return {
            key: _without_names(value, numbers, key in _REFERENCES)
            for key, value in config.items()
            if key not in _LEFT_OUT
        }
    if isinstance(config, (list, tuple)):
        return [_without_names(value, numbers, is_reference) for value in config]
    if is_reference and isinstance(config, str):
        return numbers.get(config, config)
    return config


def _attributes(layers) -> Iterator[tuple[str, Any]]:
    """Yield what can be changed in layers, which is faster than their settings."""
    import keras

    for layer in layers:
        yield "type", type(layer)
        yield "policy", layer.dtype_policy.name
        for name, value in vars(layer).items():
            if name.startswith("_") and name != "_trainable":
                continue
            if isinstance(value, _PLAIN):
                yield name, value
            elif isinstance(value, FunctionType):
                if not hasattr(keras.layers.Layer, name):
                    yield name, _identify(value)
            elif isinstance(value, keras.layers.Layer):
                yield from _attributes([value])
            elif isinstance(value, (list, tuple)) and value:
                inner = [one for one in value if isinstance(one, keras.layers.Layer)]
                yield from _attributes(inner)
        if isinstance(layer, keras.Model):
            yield from _attributes(layer.layers)


def _identify(function):
    """Return what is equal for functions that one definition has made."""
    cells = function.__closure__ or ()
    held = tuple(repr(cell.cell_contents) for cell in cells)
    return function.__code__, repr(function.__defaults__), held
