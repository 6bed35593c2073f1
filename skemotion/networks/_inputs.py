"""What a network reads: sequences, where they are real, and their functionals."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion._sequences import mark_real, real_bounds, summarise
from skemotion.networks._blstm import FUNCTIONALS_LAYER

_CONSTANT = 1e-12  # variance


def masks_padding(model: Any) -> bool:
    """Return whether a network takes no notice of padding, of any length."""
    return model.inputs[0].shape[1] is None


def inputs_of(model: Any, X: NDArray[np.float32]) -> Any:
    """Return what a network reads of sequences.

    Parameters
    ----------
    model : keras.Model
        A network of :func:`skemotion.networks.build_blstm`.
    X : ndarray of shape (n_samples, n_frames, n_features), dtype float32
        Sequences.

    Returns
    -------
    ndarray or tuple of ndarray
        The sequences; in a tuple with the functionals of their real frames, of
        shape (n_samples, n_functionals), if the network reads those, too.
    """
    if len(model.inputs) == 1:
        return X
    return X, summarise(X, _real_frames(X, masks_padding(model)))


def standardise_functionals(model: Any, functionals: NDArray[np.float32]) -> None:
    """Make a network scale functionals to mean 0 and deviation 1.

    Parameters
    ----------
    model : keras.Model
        A network that reads functionals.
    functionals : ndarray of shape (n_samples, n_functionals), dtype float32
        Those that have mean 0 and deviation 1 then. Constants keep their size.
    """
    layer = model.get_layer(FUNCTIONALS_LAYER)
    variance = functionals.var(axis=0, dtype=np.float64)
    layer.moving_mean.assign(functionals.mean(axis=0, dtype=np.float64))
    layer.moving_variance.assign(np.where(variance > _CONSTANT, variance, 1.0))


def _real_frames(X, masked):
    if not masked:
        return np.ones(X.shape[:2], dtype=bool)
    return mark_real(real_bounds(X), X.shape[1])
