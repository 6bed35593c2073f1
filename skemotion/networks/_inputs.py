"""What a network reads beside sequences: the functionals of their real frames."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion._sequences import mark_real, merge_moments, summarise
from skemotion.networks._blstm import FUNCTIONALS_LAYER

_CONSTANT = 1e-12  # variance


def functionals_of(
    model: Any,
    X: NDArray[np.float32],
    bounds: NDArray[np.intp] | None,
    functionals: Sequence[str],
) -> NDArray[np.float32] | None:
    """Return the functionals that a network reads, or None if it reads none.

    Parameters
    ----------
    model : keras.Model
        The network.
    X : ndarray of shape (n_samples, n_frames, n_features), dtype float32
        Sequences.
    bounds : ndarray of shape (n_samples, 2), dtype int, or None
        Where frames are real. None means everywhere.
    functionals : sequence of str
        Which the network was built for.

    Returns
    -------
    ndarray of shape (n_samples, n_functionals), dtype float32, or None
    """
    if len(model.inputs) == 1:
        return None
    n_frames = X.shape[1]
    if bounds is None:
        bounds = np.broadcast_to([0, n_frames], (len(X), 2))
    return summarise(X, mark_real(bounds, n_frames), functionals)


def standardise_functionals(model: Any, chunks: Iterable[NDArray[np.float32]]) -> None:
    """Make a network scale functionals to mean 0 and deviation 1.

    Parameters
    ----------
    model : keras.Model
        A network that reads functionals.
    chunks : iterable of ndarray of shape (n_samples, n_functionals), dtype float32
        Those that have mean 0 and deviation 1 then. Constants keep their size.
    """
    moments: Any = (0, 0.0, 0.0)
    for chunk in chunks:
        mean = chunk.mean(axis=0, dtype=np.float64)
        variance = chunk.var(axis=0, dtype=np.float64)
        moments = merge_moments(moments, (len(chunk), mean, variance))
    _, mean, variance = moments
    layer = model.get_layer(FUNCTIONALS_LAYER)
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(np.where(variance > _CONSTANT, variance, 1.0))
