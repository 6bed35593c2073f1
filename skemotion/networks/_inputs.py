"""What a network reads: sequences, where they are real, and their functionals."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion._functionals import summarise
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


def real_bounds(X: NDArray) -> NDArray[np.intp]:
    """Find the first real frame of each sequence, and the end of the real ones.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences, padded with frames of zeros at either end.

    Returns
    -------
    ndarray of shape (n_samples, 2), dtype int
        Slices of frames, one at least. Where all frames are padding, the last.
    """
    bounds = np.empty((len(X), 2), dtype=np.intp)
    for bound, sequence in zip(bounds, X, strict=True):
        real = np.flatnonzero(sequence.any(axis=1))
        first, last = (real[0], real[-1]) if real.size else (len(sequence) - 1,) * 2
        bound[:] = first, last + 1
    return bounds


def trim_padding(X: NDArray) -> NDArray:
    """Cut off the padding that all sequences of a batch have.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences, padded with frames of zeros at either end.

    Returns
    -------
    ndarray of shape (n_samples, n_frames_left, n_features)
        A view, of at least one frame.
    """
    return X[:, common_frames(real_bounds(X))]


def common_frames(bounds: NDArray[np.intp]) -> slice:
    """Return the frames from the first that is real to the last."""
    return slice(bounds[:, 0].min(), bounds[:, 1].max())


def _real_frames(X, masked):
    if not masked:
        return np.ones(X.shape[:2], dtype=bool)
    first, end = real_bounds(X).T[..., np.newaxis]
    number = np.arange(X.shape[1])
    return (first <= number) & (number < end)
