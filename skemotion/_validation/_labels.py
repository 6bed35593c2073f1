"""Checks of class labels and of sample weights."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skemotion._validation._arrays import (
    as_numbers,
    as_plain_array,
    count_rows,
    is_missing,
)
from skemotion._validation._rows import check_same_length

_LARGEST_LABEL = 2.0**53  # up to which floats can tell whole numbers apart


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
    labels = _as_numpy(y, name)
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
    too_large = _is_too_large(labels)
    if too_large.any():
        raise ValueError(
            f"{name} holds {_first(labels, too_large)}, a float "
            "too large to be told from the next: turn labels into strings or int."
        )
    if min_classes > 1 and len(np.unique(labels)) < min_classes:
        raise ValueError(
            f"{name} holds the one class {_first(labels, slice(None))}; a classifier "
            f"needs at least {min_classes} classes."
        )
    return labels


def check_label_sets(**named: ArrayLike) -> list[NDArray]:
    """Return labels that are compared with each other, as plain arrays.

    Parameters
    ----------
    **named : array-like of shape (n_samples,)
        Labels, by what they are called in errors.

    Returns
    -------
    list of ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If some are no labels, are not as many as the first, or are numbers where
        the first are text.
    """
    checked = {name: check_labels(values, name) for name, values in named.items()}
    (first, labels), *others = checked.items()
    for name, values in others:
        check_same_length(labels, of=first, **{name: values})
        check_comparable(labels, values, first, name)
    return list(checked.values())


def check_comparable(labels: NDArray, others: NDArray, of: str, name: str) -> None:
    """Raise ValueError if one of two sets of labels is text, and the other is not."""
    kinds = [
        "text" if np.asarray(each).dtype.kind in "UO" else "numbers"
        for each in (labels, others)
    ]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"{of} holds {kinds[0]}, but {name} {kinds[1]}, so that no label is in "
            "both: turn them all into strings, or all into whole numbers."
        )


def check_classes(labels: ArrayLike, name: str = "labels") -> NDArray:
    """Return names of classes, none of them twice, as a plain array.

    Raises
    ------
    ValueError
        If these are no labels, or one stands there twice.
    """
    classes = check_labels(labels, name)
    if len(np.unique(classes)) < len(classes):
        raise ValueError(f"{name} names a class twice: {classes.tolist()}.")
    return classes


def check_sample_weight(
    weights: ArrayLike,
    X: Any,
    name: str = "sample_weight",
    *,
    of: str = "X",
    dtype: Any = np.float32,
) -> NDArray:
    """Return weights, finite and not negative, one for each row of X.

    Parameters
    ----------
    weights : float or array-like of shape (n_samples,)
        The weights; a single one is that of all.
    X : sequence
        What is weighted.
    name : str, default="sample_weight"
        What they are called in errors.
    of : str, default="X"
        What `X` is called.
    dtype : dtype, default=numpy.float32
        Of the result.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    TypeError, ValueError
        If these are others, or all of them are 0.
    """
    if isinstance(weights, Real) and not isinstance(weights, bool):
        weights = np.full(count_rows(X, of), weights, dtype=object)
    numbers = as_numbers(weights, name, dtype=dtype, n_dims=1)
    check_same_length(X, of=of, **{name: numbers})
    if (numbers < 0).any():
        raise ValueError(
            f"Negative values in {name}: give each recording a weight of 0 or more."
        )
    if not numbers.any():
        raise ValueError(f"{name} is zero for all recordings: nothing would count.")
    return numbers


def check_scored(
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    classes: NDArray | None = None,
) -> tuple[NDArray, NDArray | None]:
    """Return labels that predictions of X are compared with, and their weights.

    Parameters
    ----------
    X : sequence
        What is predicted.
    y : array-like of shape (n_samples,)
        What is right.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each sample counts.
    classes : ndarray of shape (n_classes,), default=None
        What can be predicted. None means not known.

    Returns
    -------
    y : ndarray of shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,), dtype float64, or None

    Raises
    ------
    TypeError, ValueError
        If these are others, or not one for each row of X.
    """
    y = check_labels(y)
    check_same_length(X, y=y)
    if classes is not None:
        check_comparable(classes, y, "classes_", "y")
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, X, dtype=np.float64)
    return y, sample_weight


def _as_numpy(y, name):
    """Return an array whose elements are those of y, whatever holds them."""
    if isinstance(y, (list, tuple)):
        # NumPy makes strings of all if one is: [None, "a"], [nan, "a"], [1, "a"].
        array = _as_objects(y)
    elif np.ma.is_masked(y):
        array = np.array(y, dtype=object)
        array[np.ma.getmaskarray(y)] = None
    else:
        array = as_plain_array(y, name)
    return _unbox(array) if array.dtype.kind in "OT" else array


def has_columns(y: Any) -> bool:
    """Tell whether a target has two dimensions and columns, whatever it holds."""
    if isinstance(y, (list, tuple)):
        y = _as_objects(y)
    shape = getattr(y, "shape", None)
    return isinstance(shape, tuple) and len(shape) == 2 and shape[1] > 0


def _as_objects(values):
    """Return an array of objects, in which sequences of equal length are rows."""
    try:
        return np.asarray(values, dtype=object)
    except Exception:  # of an element that NumPy takes for an array
        array = np.empty(len(values), dtype=object)
        for place, value in enumerate(values):
            array[place] = value
        return array


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


def _is_too_large(labels):
    if labels.dtype.kind != "f":
        return np.zeros(len(labels), dtype=bool)
    return np.abs(labels.astype(np.longdouble)) > _LARGEST_LABEL


def _first(labels, chosen):
    return repr(labels[chosen][:1].tolist()[0])


def _advice_for_shape(labels):
    if labels.ndim != 2 or labels.size == 0:
        return ""
    if labels.shape[1] == 1:
        return " Give the column alone, as by numpy.ravel."
    return " Of one-hot rows, give the column of the one, as by argmax(axis=1)."
