"""Checks of sequences and of the names of their features."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import column_or_1d
from sklearn.utils.validation import validate_data

from skemotion._validation._arrays import (
    as_numbers,
    as_plain_array,
    is_missing,
)
from skemotion._validation._labels import check_labels, has_columns
from skemotion._validation._rows import check_same_length

_LARGEST = 1e18  # as a feature: its squares, and sums of them, have room in float32


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


def check_input_features(names: Any) -> None:
    """Raise TypeError or ValueError for names of features that are no list of them."""
    if names is not None:
        check_names(names, "input_features")
