"""The parameters of a recipe, as results keep and compare them."""

import inspect
from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator

# These change how a result comes about, and not what it is; the seed stands beside.
WITHOUT_EFFECT = {
    "cache_size",
    "checkpoint",
    "copy",
    "feature_names",
    "memory",
    "n_jobs",
    "on_error",
    "random_state",
    "steps",
    "verbose",
}
# These are asked of recordings alone.
OF_RECORDINGS = ("hop_duration", "detect_speech", "novelty_detector")


def list_parameters(pipeline: BaseEstimator) -> dict[str, Any]:
    """Return what JSON can hold of the parameters that a result depends on, by name."""
    return {
        name: _as_json(value)
        for name, value in sorted(pipeline.get_params().items())
        if name.rpartition("__")[2] not in WITHOUT_EFFECT
    }


def of_sequences(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that count where sequences are given, not recordings."""
    return {
        name: value
        for name, value in parameters.items()
        if not name.startswith(OF_RECORDINGS)
    }


def changed_parameters(
    kept: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any]
) -> list[str]:
    """Return the names of parameters that are not what they were.

    One that was not known then counts as unchanged where it has its default value
    now: the versions of parts tell where that means something else than before.
    """
    return [
        name
        for name in sorted({*kept, *now})
        if name not in now or kept.get(name, defaults.get(name)) != now[name]
    ]


def list_defaults(pipeline: BaseEstimator) -> dict[str, Any]:
    """Return the default values of all parameters, by the names of a pipeline."""
    defaults = {}
    parameters = {"": pipeline, **pipeline.get_params()}
    for prefix, estimator in parameters.items():
        if isinstance(estimator, BaseEstimator):
            known = inspect.signature(type(estimator)).parameters
            for name, parameter in known.items():
                full = f"{prefix}__{name}" if prefix else name
                if parameter.default is not inspect.Parameter.empty:
                    defaults[full] = _as_json(parameter.default)
    return defaults


def _as_json(value):
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _as_json(item) for name, item in value.items()}
    if isinstance(value, BaseEstimator):
        return type(value).__name__
    return getattr(value, "__name__", None) or type(value).__name__
