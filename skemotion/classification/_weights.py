"""Weights of sequences in the loss."""

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import compute_sample_weight

from skemotion._validation._labels import check_sample_weight


def check_class_weight(class_weight: Any, classes: NDArray) -> None:
    """Raise for weights that are negative, not finite, or of unknown classes.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Weight of each class; those left out weigh 1.
    classes : ndarray of shape (n_classes,)
        The labels that were, or are, trained on.

    Raises
    ------
    ValueError
        If it is a dict, and a key or a value is not as above.
    """
    if not isinstance(class_weight, dict):
        return
    known = set(classes.tolist())
    unknown = [label for label in class_weight if label not in known]
    if unknown:
        raise ValueError(
            f"class_weight names {unknown}, which are no classes of y; these are "
            f"{classes.tolist()}."
        )
    for label, weight in class_weight.items():
        if not isinstance(weight, Real) or not math.isfinite(weight) or weight < 0:
            raise ValueError(
                f"class_weight[{label!r}] is {weight!r}; a weight must be a finite "
                "number, and not negative."
            )


def training_weights(
    X: NDArray,
    y: NDArray,
    sample_weight: ArrayLike | None,
    class_weight: Any,
) -> NDArray[np.float32] | None:
    """Combine sample and class weights, or return None where there are none.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        What is weighted.
    y : ndarray of shape (n_samples,)
        Labels.
    sample_weight : array-like of shape (n_samples,) or None
        Weight of each sequence.
    class_weight : dict, "balanced" or None
        Weight of each class; those left out weigh 1.

    Returns
    -------
    ndarray of shape (n_samples,), dtype float32, or None
    """
    if sample_weight is None and class_weight is None:
        return None
    weights = np.ones(len(X))
    if sample_weight is not None:
        weights = check_sample_weight(sample_weight, X).astype(np.float64)
    if isinstance(class_weight, dict):
        weights = weights * [class_weight.get(label, 1.0) for label in y.tolist()]
    elif class_weight is not None:
        weights = weights * compute_sample_weight(class_weight, y)
    return weights.astype(np.float32)
