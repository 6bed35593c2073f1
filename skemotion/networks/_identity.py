"""What a model is, so that what was traced for one can serve another alike."""

import functools
import hashlib
import json
import pickle
from collections.abc import Hashable, Iterator
from types import CodeType, FunctionType, ModuleType
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
    rate = _take_rate(config["config"])
    # Not by name, since a class can be defined anew.
    return _dump(config), type(optimizer), type(rate)


def _take_rate(config):
    inner = config.get("inner_optimizer")  # of one that scales the loss
    if inner is not None:
        return _take_rate(inner["config"])
    rate = config.get("learning_rate")
    if isinstance(rate, float):
        config["learning_rate"] = None
    return rate


def describe_model(model: Any) -> list[Any]:
    """Return, of JSON's types, what is equal in all processes for models alike."""
    kinds = [type(layer).__qualname__ for layer in model._flatten_layers()]
    trained = [layer.trainable for layer in model._flatten_layers()]
    try:
        return [_dump(model.get_config()), kinds, trained]
    except (NotImplementedError, TypeError):  # of a layer that cannot describe itself
        return [None, kinds, trained]


def snapshot(model: Any) -> Hashable:
    """Return what a callback could change in a compiled model, besides values."""
    seen = list(_attributes(model.layers))
    return _describe(model, seen), describe_optimizer(model.optimizer)


def _describe(model, seen):
    kinds = tuple(value for _, value in seen if not isinstance(value, _PLAIN))
    variables = tuple((v.shape, v.dtype, v.trainable) for v in model.variables)
    try:
        settings = _dump(model.get_config())
    except (NotImplementedError, TypeError):  # of a layer that cannot describe itself
        settings = _Same(model)
    return settings, kinds, variables


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
        yield "policy", (layer.dtype_policy.name,)
        if not is_of_keras(type(layer)):
            yield from _own_attributes(layer)
        for name, value in vars(layer).items():
            if name.startswith("_") and name != "_trainable":
                continue
            if isinstance(value, _PLAIN):
                yield name, value
            elif isinstance(value, (keras.layers.Layer, list, tuple)):
                parts = _elements(value)
                inner = [one for one in parts if isinstance(one, keras.layers.Layer)]
                yield from _attributes(inner)
            elif callable(value) and not (
                hasattr(keras.layers.Layer, name)
                or isinstance(value, keras.initializers.Initializer)
            ):
                yield name, _identify(value)
        if isinstance(layer, keras.Model):
            yield from _attributes(layer.layers)


def _own_attributes(layer):
    """Yield what a layer of a user's own computes with, of which settings may lack."""
    import keras

    if isinstance(layer, keras.Model):
        yield "model", _Same(layer)
        return
    parts = keras.layers.Layer, keras.Variable, keras.initializers.Initializer
    for name in sorted(vars(layer).keys() - _names_of_any_layer()):
        value = vars(layer)[name]
        if not (
            name.startswith("_self_")  # TensorFlow's
            or any(isinstance(one, parts) for one in _elements(value))
        ):
            yield name, _identify(value)
    for cls in type(layer).__mro__:
        if not is_of_keras(cls):
            for value in vars(cls).values():
                if isinstance(value, FunctionType):
                    yield cls.__name__, _identify(value)


@functools.cache
def _names_of_any_layer():
    """Return the attributes that Keras and TensorFlow keep in every layer."""
    import keras

    layer = keras.layers.Identity()
    keras.Model(inputs := keras.Input((1,)), layer(inputs)).variables  # noqa: B018 - asking makes the last of them
    return frozenset(vars(layer))


def is_of_keras(defined):
    module = defined.__module__ or ""
    return module.partition(".")[0] in ("keras", "tensorflow", "builtins")


def _elements(value):
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple, set)) else [value]


class _Same:
    """Equal for one and the same object, which it keeps."""

    def __init__(self, value):
        self._value = value

    def __eq__(self, other):
        return isinstance(other, _Same) and self._value is other._value

    def __hash__(self):
        return id(self._value)


def _identify(value):
    """Return what is equal for values with which the same is computed."""
    if isinstance(value, _PLAIN):
        return type(value), value
    if isinstance(value, FunctionType):
        return _Same(value) if is_of_keras(value) else _identify_function(value)
    if not isinstance(value, (type, ModuleType)):
        try:
            return type(value), hashlib.sha256(pickle.dumps(value)).digest()
        except Exception:  # whatever a user's object raises
            pass
    return _Same(value)


def _identify_function(function):
    """Return what is equal for functions that one definition has made."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    space = function.__globals__
    cells += [space[name] for name in _global_names(function.__code__) if name in space]
    cells += [function.__defaults__, function.__kwdefaults__]
    # Other functions as they are, for they may come back to this one.
    return function.__code__, tuple(
        _Same(one) if isinstance(one, FunctionType) else _identify(one) for one in cells
    )


def _global_names(code):
    names = list(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names += _global_names(constant)
    return names
