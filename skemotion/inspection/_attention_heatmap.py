"""Attention by predicted class and stretch of time, as numbers."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from skemotion._sequences import true_bounds
from skemotion._validation._arrays import as_flags, as_numbers
from skemotion._validation._labels import check_labels
from skemotion._validation._parameters import validate_params
from skemotion._validation._rows import check_same_length
from skemotion.inspection._attention_over_time import spread
from skemotion.inspection._plotting import choose_classes


@validate_params(
    {
        "attention": ["array-like"],
        "y_pred": ["array-like"],
        "labels": ["array-like", None],
        "n_bins": [Interval(Integral, 1, None, closed="left")],
        "padding": ["array-like", None],
    }
)
def attention_heatmap(
    attention: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    n_bins: int = 10,
    padding: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Sum attention weights by predicted class and stretch of time.

    The weights of all recordings that are predicted as a class are summed and
    divided by their total. The first ``n_frames % n_bins`` frames are dropped,
    the others summed in `n_bins` bins of equal length.

    With `padding`, bins are equal shares of what is real of each recording, so
    that short and long ones are comparable, and no frame is dropped.

    Parameters
    ----------
    attention : array-like of shape (n_samples, n_frames)
        Attention weights; each row sums to 1.
    y_pred : array-like of shape (n_samples,)
        Predicted class of each recording.
    labels : array-like of shape (n_classes,), default=None
        Classes, in the order of rows. None takes those in `y_pred`, sorted.
    n_bins : int, default=10
        Number of bins, at most `n_frames` without `padding`.
    padding : array-like of shape (n_samples, n_frames), dtype bool, default=None
        True for the frames that are padding, as
        :func:`~skemotion.preprocessing.padding_mask` returns it.

    Returns
    -------
    ndarray of shape (n_classes, n_bins)
        Share of a class's attention that falls in each bin. A row sums to 1
        less the share of the dropped frames; it is NaN if no recording is
        predicted as the class.

    Raises
    ------
    ValueError
        If `attention` is not 2-D, if it and `y_pred` or `padding` differ in shape,
        or if there are fewer frames than bins.

    Examples
    --------
    >>> from skemotion.inspection import attention_heatmap
    >>> attention = [[0.0, 0.5, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0]]
    >>> attention_heatmap(attention, ["fear", "anger"], n_bins=2)
    array([[0. , 1. ],
           [0.5, 0.5]])
    """
    weights = _check_attention(attention)
    predicted = check_labels(y_pred, "y_pred")
    check_same_length(weights, of="attention", y_pred=predicted)
    classes, _ = choose_classes(predicted, labels, None, of="y_pred")
    if padding is not None:
        weights = _over_real_frames(weights, padding, n_bins)
        return _average_by_class(weights, predicted, classes)
    n_frames = weights.shape[1]
    if n_bins > n_frames:
        raise ValueError(
            f"n_bins={n_bins} is more than the {n_frames} frames that attention has."
        )
    shares = _average_by_class(weights, predicted, classes)
    return shares[:, n_frames % n_bins :].reshape(len(classes), n_bins, -1).sum(axis=2)


def _check_attention(attention):
    weights = as_numbers(attention, "attention", n_dims=2).astype(np.float64)
    if (weights < 0).any():
        raise ValueError(
            "attention has negative values: give what a method attention returns."
        )
    return weights


def _average_by_class(weights, predicted, classes):
    sums = np.array([weights[predicted == label].sum(axis=0) for label in classes])
    totals = sums.sum(axis=1, keepdims=True)
    return np.divide(sums, totals, out=np.full_like(sums, np.nan), where=totals > 0)


def _over_real_frames(weights, padding, n_bins):
    """Share the weights of real frames out over bins of equal shares of them."""
    padding = as_flags(padding, "padding")
    if padding.shape != weights.shape:
        raise ValueError(
            f"padding has shape {padding.shape}, but attention {weights.shape}; mark "
            "each frame, as padding_mask does."
        )
    edges = np.arange(weights.shape[1] + 1, dtype=np.float64)
    return np.array(
        [
            spread(edges, row, np.linspace(first, end, n_bins + 1))
            for row, (first, end) in zip(weights, true_bounds(~padding), strict=True)
        ]
    )
