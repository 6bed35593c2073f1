"""Checks of parameters, arrays, labels and seeds that several modules share."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import _fit_context
from sklearn.utils import _param_validation, check_random_state, column_or_1d
from sklearn.utils.validation import validate_data

from skemotion._arrays import (
    as_numbers,
    as_plain_array,
    count_rows,
    is_missing,
)

_MAX_SEED = np.iinfo(np.int32).max
_LARGEST = 1e18  # as a feature: its squares, and sums of them, have room in float32
_LARGEST_LABEL = 2.0**53  # up to which floats can tell whole numbers apart
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


def validate_sequences(
    estimator, X, y=None, *, reset, feature_names=None, name="X"
) -> Any:
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
    name : str, default="X"
        What the sequences are called in errors.

    Returns
    -------
    X : ndarray of shape (n_samples, n_frames, n_features)
        As float32. Of shape (n_samples, n_frames) if it came so.
    y : ndarray of shape (n_samples,)
        Only where `y` is given.

    Raises
    ------
    TypeError
        If `X` is no array, or holds what is no number.
    ValueError
        If `X` has other than two or three dimensions, is empty, ragged or masked,
        holds NaN or infinity, or has other dimensions, or another number of
        features, than in ``fit``; or if `y` are no labels, or not as many.
    """
    raw, who = X, type(estimator).__name__
    X = as_sequences(X, who, name, allow_2d=True)
    if y is not None:
        if has_columns(y) and np.shape(y)[1] == 1:
            y = column_or_1d(y, warn=True)  # as scikit-learn does
        y = check_labels(y)
        check_same_length(X, of=name, y=y)
    if not reset:
        _check_same_shape(estimator, X, name)
    if X.ndim == 2:
        validate_data(estimator, raw, reset=reset, skip_check_array=True)
    elif reset:
        _remember_features(estimator, X.shape[2], feature_names)
    if reset:
        estimator.n_dims_in_ = X.ndim
    return X if y is None else (X, y)


def as_sequences(
    X: ArrayLike, who: str, name: str = "X", *, allow_2d: bool = False
) -> NDArray[np.float32]:
    """Return sequences as a plain array.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_frames, n_features)
        The sequences.
    who, name, allow_2d
        As :func:`check_has_sequence_shape` takes them.

    Returns
    -------
    ndarray of the shape of X, dtype float32

    Raises
    ------
    TypeError, ValueError
        If it is no array of numbers, of another shape, or holds numbers whose
        squares have no room in float32.
    """
    sequences = as_numbers(X, name)
    check_has_sequence_shape(sequences, who, name, allow_2d=allow_2d)
    largest = max(float(sequences.max()), -float(sequences.min()))
    if largest > _LARGEST:
        raise ValueError(
            f"{name} holds {largest:.3g}, a value too large to compute with in "
            f"float32: more than {_LARGEST:g}. Scale {name}, or mend what made it."
        )
    return sequences


def check_has_sequence_shape(
    X: NDArray, who: str, name: str = "X", *, allow_2d: bool = False
) -> None:
    """Raise ValueError for an array that cannot be sequences.

    Parameters
    ----------
    X : ndarray
        The array.
    who : str
        What takes it, as the error calls it.
    name : str, default="X"
        What it is called there.
    allow_2d : bool, default=False
        Whether two dimensions will do.
    """
    if X.ndim == 2 and allow_2d:
        for number, what in zip(X.shape, ("sample", "feature"), strict=True):
            if number == 0:
                raise ValueError(
                    f"{name} holds 0 {what}(s) (shape={X.shape}) while a minimum of 1 "
                    f"is required by {who}."
                )
    elif X.ndim != 3 or 0 in X.shape:
        raise ValueError(
            f"{who} expects {name} of shape (n_samples, n_frames, n_features), none "
            f"of them 0, as SpeechFeatureExtractor returns it; got shape {X.shape}."
            + (" Reshape your data." if X.ndim < 2 else "")
        )


def _check_same_shape(estimator, X, name):
    who = type(estimator).__name__
    if X.ndim != estimator.n_dims_in_:
        shapes = {2: "(n_samples, n_frames)", 3: "(n_samples, n_frames, n_features)"}
        raise ValueError(
            f"{name} has {X.ndim} dimensions, {shapes[X.ndim]}, but {who} was fitted "
            f"on {estimator.n_dims_in_}, {shapes[estimator.n_dims_in_]}: give {name} "
            "as in fit."
        )
    if X.shape[-1] != estimator.n_features_in_:
        raise ValueError(
            f"{name} has {X.shape[-1]} features, but {who} is expecting "
            f"{estimator.n_features_in_} features as input."
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
    names = as_plain_array(names, "feature_names").astype(object)
    if names.shape != (n_features,):
        raise ValueError(
            f"feature_names must name each of the {n_features} features of X, got "
            f"{names.size} names."
        )
    return names


def check_names(names: Any, name: str) -> list[str]:
    """Return names as a list of str.

    Parameters
    ----------
    names : array-like of shape (n_names,)
        Names, or what has one as a str.
    name : str
        What they are called in errors.

    Raises
    ------
    TypeError, ValueError
        If these are no names, are missing, or are of more than one dimension.
    """
    array = as_plain_array(names, name)
    if array.ndim != 1 or any(map(is_missing, array.tolist())):
        raise ValueError(f"{name} must be a list of names, none of them missing.")
    return [str(each) for each in array.tolist()]


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
    TypeError
        If something has no rows.
    ValueError
        If so.
    """
    for name, values in named.items():
        if values is None:
            continue
        n_rows, n_values = count_rows(X, of), count_rows(values, name)
        if n_values != n_rows:
            raise ValueError(
                f"{of} has {n_rows} rows, but {name} has {n_values} (inconsistent "
                f"numbers of samples): give {name} one entry for each row of {of}, in "
                "the same order."
            )


def as_indexable(values: Any, name: str = "X") -> Any:
    """Return what rows can be taken from: arrays of pandas as those of NumPy.

    Parameters
    ----------
    values : object
        Anything else is returned as it is.
    name : str, default="X"
        What it is called in errors.

    Returns
    -------
    object

    Raises
    ------
    TypeError
        If it says that it is an array, and is none.
    """
    if issparse(values):
        return values.tocsr()  # other forms have no rows to take
    is_array = hasattr(values, "dtype") and hasattr(values, "__array__")
    if not is_array or hasattr(values, "iloc"):
        return values
    return values if isinstance(values, np.ndarray) else as_plain_array(values, name)


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
    """Tell whether a target has two dimensions, whatever it holds."""
    if isinstance(y, (list, tuple)):
        return _as_objects(y).ndim == 2
    shape = getattr(y, "shape", None)
    return isinstance(shape, tuple) and len(shape) == 2


def check_input_features(names: Any) -> None:
    """Raise TypeError or ValueError for names of features that are no list of them."""
    if names is not None:
        check_names(names, "input_features")


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
