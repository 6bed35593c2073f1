"""Checks of parameters, arrays, labels and seeds that several modules share."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context
from sklearn.utils import (
    _param_validation,
    check_array,
    check_random_state,
    check_X_y,
)
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils.validation import _num_samples, validate_data

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


def validate_sequences(estimator, X, y=None, *, reset, feature_names=None) -> Any:
    """Check a batch of sequences and remember or compare its shape.

    Parameters
    ----------
    estimator : estimator instance
        Its ``n_dims_in_``, ``n_features_in_`` and ``feature_names_in_`` are set
        or compared.
    X : array-like of shape (n_samples, n_frames, n_features)
        The sequences. Two dimensions are read as one feature per frame.
    y : array-like of shape (n_samples,), default=None
        The target, checked together with `X` where it is given.
    reset : bool
        Whether to remember the shape (in ``fit``) or to compare it.
    feature_names : array-like of str of shape (n_features,), default=None
        Names to remember, of X with three dimensions.

    Returns
    -------
    X : ndarray of shape (n_samples, n_frames, n_features)
        As float32. Of shape (n_samples, n_frames) if it came so.
    y : ndarray of shape (n_samples,)
        Only where `y` is given.

    Raises
    ------
    ValueError
        If `X` has other than two or three dimensions, is empty, holds NaN or
        infinity, or has other dimensions, or another number of features, than
        in ``fit``.
    """
    raw = X
    checks = {"allow_nd": True, "dtype": np.float32, "estimator": estimator}
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused
        if y is None:
            X = check_array(X, input_name="X", **checks)
        else:
            X, y = check_X_y(X, _as_numpy(y), **checks)
    if X.ndim != 2:
        _check_has_sequence_shape(estimator, X)
    if not reset:
        _check_same_dimensions(estimator, X)
    if X.ndim == 2:
        validate_data(estimator, raw, reset=reset, skip_check_array=True)
    elif reset:
        _remember_features(estimator, X.shape[2], feature_names)
    elif X.shape[2] != estimator.n_features_in_:
        raise ValueError(
            f"X has {X.shape[2]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
        )
    if reset:
        estimator.n_dims_in_ = X.ndim
    return X if y is None else (X, y)


def _check_has_sequence_shape(estimator, X):
    if X.ndim != 3 or 0 in X.shape:
        raise ValueError(
            f"{type(estimator).__name__} expects X of shape (n_samples, n_frames, "
            "n_features), none of them 0, as SpeechFeatureExtractor returns it; got "
            f"shape {X.shape}."
        )


def _check_same_dimensions(estimator, X):
    if X.ndim != estimator.n_dims_in_:
        shapes = {2: "(n_samples, n_frames)", 3: "(n_samples, n_frames, n_features)"}
        raise ValueError(
            f"X has {X.ndim} dimensions, {shapes[X.ndim]}, but "
            f"{type(estimator).__name__} was fitted on {estimator.n_dims_in_}, "
            f"{shapes[estimator.n_dims_in_]}: give X as in fit."
        )


def _remember_features(estimator, n_features, names):
    names = check_feature_names(names, n_features)
    vars(estimator).pop("feature_names_in_", None)  # of an earlier fit
    estimator.n_features_in_ = n_features
    if names is not None:
        estimator.feature_names_in_ = names


def check_feature_names(
    names: ArrayLike | None, n_features: int
) -> NDArray[np.object_] | None:
    """Return names of features as an array, or None where they are not known.

    Parameters
    ----------
    names : array-like of str of shape (n_features,) or None
        The names.
    n_features : int
        How many there are to be.

    Returns
    -------
    ndarray of shape (n_features,), dtype object, or None

    Raises
    ------
    ValueError
        If there are more names than features, or fewer.
    """
    if names is None:
        return None
    names = np.asarray(names, dtype=object)
    if names.shape != (n_features,):
        raise ValueError(
            f"feature_names must name each of the {n_features} features of X, got "
            f"{names.size} names."
        )
    return names


def check_same_length(X: Any, /, *, of: str = "X", **named: Any) -> None:
    """Raise if something does not have one entry for each row of X.

    Parameters
    ----------
    X : sequence
        Recordings, sequences or labels.
    of : str, default="X"
        What these are called in the error.
    **named : array-like or None
        What is compared, by what it is called. None is passed over.

    Raises
    ------
    ValueError
        If so.
    """
    for name, values in named.items():
        if values is not None and _num_samples(values) != _num_samples(X):
            raise ValueError(
                f"{of} has {_num_samples(X)} rows, but {name} has "
                f"{_num_samples(values)} (inconsistent numbers of samples): give "
                f"{name} one entry for each row of {of}, in the same order."
            )


def as_indexable(values: Any) -> Any:
    """Return what rows can be taken from: arrays of pandas as those of NumPy.

    Parameters
    ----------
    values : object
        Anything else is returned as it is.

    Returns
    -------
    object
    """
    is_array = hasattr(values, "dtype") and hasattr(values, "__array__")
    return values if not is_array or hasattr(values, "iloc") else np.asanyarray(values)


def check_labels(y: ArrayLike, name: str = "y", *, min_classes: int = 1) -> NDArray:
    """Return labels of any kind that scikit-learn takes as a plain array.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        A list, an array, a series or an array of pandas: of strings, whole
        numbers or booleans.
    name : str, default="y"
        What they are called in errors.
    min_classes : int, default=1
        How many different ones are needed.

    Returns
    -------
    ndarray of shape (n_samples,)
        Of dtype bool, int, float or str.

    Raises
    ------
    ValueError
        If labels are missing, have more than one dimension, are of different
        kinds, or are no whole numbers; or if there are too few different ones.
    """
    labels = _as_numpy(y)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(
            f"{name} must be one-dimensional, with one entry per recording; got shape "
            f"{labels.shape}.{_advice_for_shape(labels)}"
        )
    labels = _check_kind(labels, name)
    if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        raise ValueError(
            f"{name} is continuous, such as {_first(labels, labels % 1 != 0)}: labels "
            "must be strings, whole numbers or booleans."
        )
    if min_classes > 1 and len(np.unique(labels)) < min_classes:
        raise ValueError(
            f"{name} holds the one class {_first(labels, slice(None))}; a classifier "
            f"needs at least {min_classes} classes."
        )
    return labels


def _as_numpy(y):
    """Return an array whose elements are those of y, whatever holds them."""
    if isinstance(y, (list, tuple)):
        # NumPy makes strings of all if one is: [None, "a"], [nan, "a"], [1, "a"].
        array = np.asarray(y, dtype=object)
    elif np.ma.is_masked(y):
        array = np.array(y, dtype=object)
        array[np.ma.getmaskarray(y)] = None
    else:
        array = np.asarray(y)
    return _unbox(array) if array.dtype.kind in "OT" else array


def _unbox(labels):
    """Give objects that are all of one of NumPy's own kinds that dtype."""
    elements = labels.ravel().tolist()
    for kind in (str, bool, Integral, Real):
        if all(_is_of_kind(element, kind) for element in elements):
            return np.array(labels.tolist())
    return labels


def _is_of_kind(element, kind):
    is_bool = isinstance(element, (bool, np.bool_))
    return is_bool if kind is bool else isinstance(element, kind) and not is_bool


def _check_kind(labels, name):
    """Raise for labels that are missing, mixed, or of a kind that is no label."""
    if labels.dtype.kind in "biuU":
        return labels
    missing = np.array([is_missing(label) for label in labels.tolist()])
    if missing.any():
        raise ValueError(
            f"{name} holds {_first(labels, missing)} at row {int(missing.argmax())}, "
            f"and {np.count_nonzero(missing)} such values in all (NaN, None or "
            f"infinity): leave these recordings out, or label them."
        )
    if labels.dtype.kind == "f":
        return labels
    kinds = sorted({type(label).__name__ for label in labels.tolist()})
    if len(kinds) > 1:
        raise ValueError(
            f"{name} mixes labels of the types {', '.join(kinds)}: turn them all into "
            "strings, or all into whole numbers."
        )
    raise ValueError(
        f"{name} holds labels of type {kinds[0]} (unknown label type): turn them into "
        "strings or whole numbers."
    )


def is_missing(label: Any) -> bool:
    """Tell whether a value is none: None, NaN, pandas' NA, or infinity."""
    infinite = isinstance(label, float) and np.isinf(label)
    return bool(
        label is None or infinite or is_scalar_nan(label) or is_pandas_na(label)
    )


def _first(labels, chosen):
    return repr(labels[chosen][:1].tolist()[0])


def _advice_for_shape(labels):
    if labels.ndim != 2 or labels.size == 0:
        return ""
    if labels.shape[1] == 1:
        return " Give the column alone, as by numpy.ravel."
    return " Of one-hot rows, give the column of the one, as by argmax(axis=1)."


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
