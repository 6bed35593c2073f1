"""Checks of parameters, and seeds."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import _param_validation, check_random_state

_MAX_SEED = np.iinfo(np.int32).max
_P = ParamSpec("_P")
_R = TypeVar("_R")


def validate_params(
    constraints: dict[str, Any],
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Do what scikit-learn's decorator of functions does, and keep their types.

    Parameters
    ----------
    constraints : dict
        As ``_parameter_constraints`` of an estimator.

    Returns
    -------
    callable
        A decorator.
    """
    return _param_validation.validate_params(
        constraints, prefer_skip_nested_validation=True
    )


def fit_context(
    *, prefer_skip_nested_validation: bool
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Do what scikit-learn's decorator of ``fit`` does, and keep its types.

    Parameters
    ----------
    prefer_skip_nested_validation : bool
        False for an estimator that is given others.

    Returns
    -------
    callable
        A decorator.
    """
    return _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)


def draw_seed(random_state) -> int:
    """Turn a ``random_state`` into an integer seed.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        As scikit-learn takes it. An instance is advanced by one draw, and so
        is NumPy's global stream by None.

    Returns
    -------
    int
        A seed between 0 and 2**31 - 2.
    """
    return int(check_random_state(random_state).randint(_MAX_SEED))
