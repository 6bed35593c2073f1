"""How names of features get from one step to the next.

scikit-learn hands arrays on, and arrays of three dimensions have no names. Steps
that want to know them take ``feature_names`` in `fit`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

_PARAMETER = "feature_names"
_MADE_UP = re.compile(r"(.*__)?x\d+")  # what scikit-learn calls nameless columns


def names_behind(
    steps: Iterable[tuple[str, Any]], names: NDArray[np.object_] | None = None
) -> NDArray[np.object_] | None:
    """Return the names of the features that come out of some steps.

    Parameters
    ----------
    steps : iterable of (str, estimator) tuples
        Steps of a pipeline, fitted or not.
    names : ndarray of shape (n_features,) or None
        What goes in.

    Returns
    -------
    ndarray of shape (n_features_out,), dtype object, or None
        None if they are not known.
    """
    for _, step in steps:
        if not is_passed_by(step):
            names = _names_out(step, names)
    return names


def is_passed_by(step: Any) -> bool:
    """Tell whether a step leaves the columns as they are when others predict."""
    return (
        step is None
        or isinstance(step, str)  # "passthrough"
        or (hasattr(step, "fit_resample") and not hasattr(step, "transform"))
    )


def _names_out(step, names):
    if not hasattr(step, "get_feature_names_out"):
        return None
    try:
        found = np.asarray(step.get_feature_names_out(names), dtype=object)
    except (AttributeError, LookupError, NotFittedError, TypeError, ValueError):
        return None
    return None if all(_MADE_UP.fullmatch(str(name)) for name in found) else found


def hand_on_names(
    estimator: Any, params: Mapping[str, Any], names: NDArray[np.object_] | None
) -> Mapping[str, Any]:
    """Add names of features to the parameters of an estimator that takes them.

    Parameters
    ----------
    estimator : estimator instance
        If it is a pipeline, its first step is meant; if a union, all of them.
    params : mapping of str to mapping
        Parameters by method, as scikit-learn routes them. Names that the user
        has given are kept.
    names : ndarray of shape (n_features,) or None
        None means not known.

    Returns
    -------
    mapping of str to mapping
    """
    added = {} if names is None else _parameters_of(estimator, names)
    if not added:
        return params
    methods = ("fit", "fit_transform", "fit_predict")
    given = {method: {**added, **params.get(method, {})} for method in methods}
    return Bunch(**{**params, **given})


def _parameters_of(estimator, names):
    """Return the names as an estimator's `fit` takes them, or nothing."""
    if hasattr(estimator, "fit") and has_fit_parameter(estimator, _PARAMETER):
        return {_PARAMETER: names}
    if not isinstance(estimator, (FeatureUnion, Pipeline)):
        return {}
    if get_config()["enable_metadata_routing"]:
        routing = get_routing_for_object(estimator)
        return {_PARAMETER: names} if routing.consumes("fit", [_PARAMETER]) else {}
    if isinstance(estimator, FeatureUnion):
        return _parameters_of_all(estimator, names)
    for name, step in estimator.steps:
        if not is_passed_by(step):
            inner = _parameters_of(step, names)
            return {f"{name}__{parameter}": inner[parameter] for parameter in inner}
    return {}


def _parameters_of_all(union, names):
    """Return the names if all take them, since a union gives the same to all."""
    wanted = {_PARAMETER: names}
    told = [
        _parameters_of(transformer, names).keys() == wanted.keys()
        for _, transformer in union.transformer_list
        if transformer != "drop"
    ]
    return wanted if told and all(told) else {}
