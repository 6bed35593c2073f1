"""What callbacks are, and what they remember, as JSON and arrays."""

import functools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.networks._identity import is_of_keras

_PLAIN = (str, int, float, bool, type(None))
_OF_TRAINING = {"_model", "params"}  # which a training sets


def remembering(callbacks: Sequence[Any]) -> list[Any]:
    """Leave out callbacks that show what goes on, and remember nothing.

    A training that is watched is the same as one that is not.
    """
    import keras

    showing = keras.callbacks.LambdaCallback, keras.callbacks.ProgbarLogger
    return [one for one in callbacks if type(one) not in showing]


def describe(callback: Any) -> dict[str, Any]:
    """Return class and settings of a callback that no training has begun with."""
    return {"class": _name_of(type(callback)), "settings": _describe(_state(callback))}


def get_state(callback: Any, arrays: dict[str, NDArray]) -> Any:
    """Return what a callback remembers.

    Parameters
    ----------
    callback : keras.callbacks.Callback
        Its plain attributes are taken, or what its method `get_state` returns.
    arrays : dict of str to ndarray
        Gets the arrays, to which the state refers by their names.

    Returns
    -------
    object
        Of JSON's types.

    Raises
    ------
    TypeError
        If an attribute is neither plain nor a function.
    """
    if hasattr(callback, "get_state"):
        return _encode(callback.get_state(), arrays)
    pairs = []
    for name, value in _state(callback).items():
        try:
            pairs.append([name, _encode(value, arrays)])
        except TypeError:
            # Other functions are as they were made, and so is what Keras' own have.
            if not (callable(value) or is_of_keras(type(callback))):
                raise TypeError(
                    f"a checkpoint cannot hold {name}, of type "
                    f"{type(value).__name__}, of the callback "
                    f"{type(callback).__name__}: give the callback methods "
                    "get_state() and set_state(state) with numbers, text, arrays, "
                    "lists and dicts in state, or train without checkpoint."
                ) from None
    return {"dict": pairs}


def decode_state(encoded: Any, arrays: dict[str, NDArray]) -> Any:
    """Return what :func:`set_state` takes.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is not what :func:`get_state` has returned.
    """
    if isinstance(encoded, _PLAIN):
        return encoded
    ((form, content),) = encoded.items()
    if form in _sources_of_functions():
        return _find_function(form, content)
    if form in ("array", "scalar"):
        array = arrays[content]
        return array if form == "array" else array[()]
    if form == "dict":
        pairs = [[decode_state(one, arrays) for one in pair] for pair in content]
        return dict(pairs)
    items = [decode_state(item, arrays) for item in content]
    return {"list": list, "tuple": tuple}[form](items)


def set_state(callback: Any, state: Any) -> None:
    """Let a callback remember what :func:`get_state` has told."""
    if hasattr(callback, "set_state"):
        callback.set_state(state)
    else:
        vars(callback).update(state)


def _state(callback):
    # Names of files are settings, which a damaged checkpoint must not change.
    return {
        name: value
        for name, value in vars(callback).items()
        if name not in _OF_TRAINING
        and not isinstance(value, os.PathLike)
        and not (isinstance(value, str) and is_of_keras(type(callback)))
    }


def _encode(value, arrays):
    if isinstance(value, _PLAIN) and type(value) in _PLAIN:
        return value
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf":
        name = f"callback-{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array" if isinstance(value, np.ndarray) else "scalar": name}
    for source, module in _sources_of_functions().items():
        name = getattr(value, "__name__", "")
        if callable(value) and getattr(module, name, None) is value:
            return {source: name}
    if type(value) in (list, tuple):
        items = [_encode(item, arrays) for item in value]
        return {type(value).__name__: items}
    if type(value) is dict:
        pairs = value.items()
        return {"dict": [[_encode(one, arrays) for one in pair] for pair in pairs]}
    raise TypeError(f"{type(value).__name__} is neither plain nor made of what is")


def _sources_of_functions():
    """Return modules with functions by which callbacks of Keras compare values.

    They choose one at the end of the first epoch, and change other attributes then.
    """
    import keras

    return {"keras.ops": keras.ops, "numpy": np}


def _find_function(source, name):
    function = getattr(_sources_of_functions()[source], name)
    if name.startswith("_") or not callable(function):
        raise ValueError(f"{name!r} of {source} is no function")
    return function


def _describe(value):
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return [value.dtype.str, value.tolist()]
    if isinstance(value, dict):
        return [[_describe(key), _describe(one)] for key, one in value.items()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_describe(one) for one in value]
    if isinstance(value, functools.partial):
        return [_describe(one) for one in (value.func, value.args, value.keywords)]
    return _name_of(value if hasattr(value, "__qualname__") else type(value))


def _name_of(defined):
    return f"{defined.__module__}.{defined.__qualname__}"
