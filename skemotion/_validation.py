"""Checks of arrays and seeds that several modules share."""

from typing import Any

import numpy as np
from sklearn.utils import check_array, check_random_state, check_X_y
from sklearn.utils.validation import validate_data

_MAX_SEED = np.iinfo(np.int32).max


def validate_sequences(estimator, X, y=None, *, reset) -> Any:
    """Check a batch of sequences and remember or compare its shape.

    Parameters
    ----------
    estimator : estimator instance
        Its ``n_features_in_`` is set or compared.
    X : array-like of shape (n_samples, n_frames, n_features)
        The sequences. Two dimensions are read as one feature per frame.
    y : array-like of shape (n_samples,), default=None
        The target, checked together with `X` where it is given.
    reset : bool
        Whether to set ``n_features_in_`` (in ``fit``) or to compare it.

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
        infinity, or has another number of features than in ``fit``.
    """
    raw = X
    checks = {"allow_nd": True, "dtype": np.float32, "estimator": estimator}
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused
        if y is None:
            X = check_array(X, input_name="X", **checks)
        else:
            X, y = check_X_y(X, y, **checks)
    if X.ndim == 2:
        validate_data(estimator, raw, reset=reset, skip_check_array=True)
    else:
        _check_sequence_shape(estimator, X, reset=reset)
    return X if y is None else (X, y)


def _check_sequence_shape(estimator, X, *, reset):
    name = type(estimator).__name__
    if X.ndim != 3 or 0 in X.shape:
        raise ValueError(
            f"{name} expects X of shape (n_samples, n_frames, n_features), none of "
            f"them 0, as SpeechFeatureExtractor returns it; got shape {X.shape}."
        )
    if reset:
        estimator.n_features_in_ = X.shape[2]
    elif X.shape[2] != estimator.n_features_in_:
        raise ValueError(
            f"X has {X.shape[2]} features, but {name} is expecting "
            f"{estimator.n_features_in_} features as input."
        )


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
