"""Whether confidence means something: calibration, and what abstaining gains."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from skemotion._validation._arrays import as_numbers
from skemotion._validation._labels import check_classes, check_comparable, check_labels
from skemotion._validation._parameters import validate_params
from skemotion._validation._rows import check_same_length


@validate_params(
    {
        "y_true": ["array-like"],
        "y_proba": ["array-like"],
        "labels": ["array-like", None],
        "n_bins": [Interval(Integral, 1, None, closed="left")],
    }
)
def expected_calibration_error(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    n_bins: int = 15,
) -> float:
    r"""Measure how far confidence is from accuracy (ECE).

    The confidence of a prediction is the highest of its probabilities. The
    interval from 0 to 1 is cut into `n_bins` bins :math:`B_m` of equal width,
    each with its upper edge but not its lower one; over the :math:`n` samples,

    .. math::
        \mathrm{ECE} = \sum_m \frac{|B_m|}{n}
        \left| \mathrm{acc}(B_m) - \mathrm{conf}(B_m) \right|

    is the mean distance between the accuracy in a bin and the mean confidence
    in it, as in [1]_, equation (3).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True classes.
    y_proba : array-like of shape (n_samples, n_classes)
        Probability of each class, as `predict_proba` returns it.
    labels : array-like of shape (n_classes,), default=None
        Class of each column, such as `classes_`. None means the sorted classes
        in `y_true`, which must then be as many as the columns.
    n_bins : int, default=15
        Number of bins, 15 in [1]_.

    Returns
    -------
    float
        Between 0, where confidence is accuracy in every bin, and 1.

    Raises
    ------
    ValueError
        If `y_proba` holds no probabilities, if its columns and `labels` are not
        equally many, or if `y_true` holds a class that is not in `labels`.

    See Also
    --------
    risk_coverage_curve : What is gained by abstaining where confidence is low.
    sklearn.calibration.CalibratedClassifierCV : Mends what this measures.

    Notes
    -----
    With few samples, chance alone keeps the error above 0: bins hold few
    samples, and their accuracies scatter.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of
       Modern Neural Networks", ICML 2017.

    Examples
    --------
    >>> from skemotion.metrics import expected_calibration_error
    >>> y_true = ["anger", "anger", "fear", "fear"]
    >>> y_proba = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]]
    >>> round(expected_calibration_error(y_true, y_proba), 2)
    0.15
    """
    confidence, is_right = _judge(y_true, y_proba, labels)
    bins = np.ceil(confidence * n_bins).astype(np.intp)
    surplus = np.bincount(bins, weights=confidence - is_right)
    return float(np.abs(surplus).sum() / len(confidence))


@validate_params(
    {
        "y_true": ["array-like"],
        "y_proba": ["array-like"],
        "labels": ["array-like", None],
    }
)
def risk_coverage_curve(
    y_true: ArrayLike, y_proba: ArrayLike, *, labels: ArrayLike | None = None
) -> tuple[NDArray, NDArray, NDArray]:
    """Say how many errors are left if predictions of low confidence are withheld.

    For every threshold on the confidence, which is the highest probability:
    coverage [1]_ is the share of the samples whose confidence reaches it, and
    risk [2]_ the share of wrong predictions among those. One minus the risk is
    the selective accuracy.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True classes.
    y_proba : array-like of shape (n_samples, n_classes)
        Probability of each class, as `predict_proba` returns it.
    labels : array-like of shape (n_classes,), default=None
        Class of each column, such as `classes_`. None means the sorted classes
        in `y_true`, which must then be as many as the columns.

    Returns
    -------
    coverage : ndarray of shape (n_thresholds,), dtype float64
        Increasing, up to 1.
    risk : ndarray of shape (n_thresholds,), dtype float64
        Share of errors among the samples covered.
    thresholds : ndarray of shape (n_thresholds,), dtype float64
        The confidences that occur, decreasing.

    Raises
    ------
    ValueError
        If `y_proba` holds no probabilities, if its columns and `labels` are not
        equally many, or if `y_true` holds a class that is not in `labels`.

    See Also
    --------
    expected_calibration_error : Whether confidence is what it says.

    Notes
    -----
    A threshold chosen on a curve is to be tested on other samples than those
    of the curve. The lowest risks rest on few samples.

    References
    ----------
    .. [1] R. El-Yaniv and Y. Wiener, "On the Foundations of Noise-free
       Selective Classification", Journal of Machine Learning Research 11, 2010,
       pp. 1605-1641.
    .. [2] Y. Geifman and R. El-Yaniv, "Selective Classification for Deep Neural
       Networks", NeurIPS 2017.

    Examples
    --------
    >>> from skemotion.metrics import risk_coverage_curve
    >>> y_true = ["anger", "anger", "fear", "fear"]
    >>> y_proba = [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]
    >>> coverage, risk, thresholds = risk_coverage_curve(y_true, y_proba)
    >>> coverage.tolist()
    [0.25, 0.5, 0.75, 1.0]
    >>> risk.tolist()
    [0.0, 0.0, 0.0, 0.25]
    >>> thresholds.tolist()
    [0.9, 0.8, 0.7, 0.6]
    """
    confidence, is_right = _judge(y_true, y_proba, labels)
    order = np.argsort(-confidence, kind="stable")
    confidence, n_wrong = confidence[order], np.cumsum(~is_right[order])
    # Samples of the same confidence are covered together.
    last = np.append(np.flatnonzero(np.diff(confidence)), len(confidence) - 1)
    n_covered = last + 1
    return n_covered / len(confidence), n_wrong[last] / n_covered, confidence[last]


def _judge(y_true, y_proba, labels):
    """Return the confidence of every prediction, and whether it is right."""
    y_true = check_labels(y_true, "y_true")
    y_proba = as_numbers(y_proba, "y_proba", dtype=np.float64, n_dims=2)
    check_same_length(y_true, of="y_true", y_proba=y_proba)
    known = np.unique(y_true)
    columns = known if labels is None else check_classes(labels)
    check_comparable(known, columns, "y_true", "labels")
    if len(columns) != y_proba.shape[1]:
        where = "y_true has" if labels is None else "labels has"
        raise ValueError(
            f"y_proba has {y_proba.shape[1]} columns, but {where} {len(columns)} "
            "classes; give the class of each column as labels, such as classes_."
        )
    if unknown := set(known.tolist()) - set(columns.tolist()):
        raise ValueError(
            f"y_true holds {sorted(unknown)}, which labels lacks; give the class of "
            "every column of y_proba."
        )
    if (y_proba < 0).any() or (np.abs(y_proba.sum(axis=1) - 1) > 1e-3).any():
        raise ValueError(
            "y_proba holds no probabilities: a row has negative values, or does not "
            "sum to 1; give what predict_proba returns."
        )
    # What exceeds 1 is rounding, as is what a sum in float32 lacks.
    confidence = np.minimum(y_proba.max(axis=1), 1.0)
    return confidence, columns[y_proba.argmax(axis=1)] == y_true
