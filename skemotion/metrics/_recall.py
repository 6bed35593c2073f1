"""Unweighted average recall, its spread over speakers, and its uncertainty."""

from collections.abc import Callable
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import accuracy_score, make_scorer, recall_score
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from skemotion._validation._labels import (
    check_label_sets,
    check_labels,
    check_sample_weight,
)
from skemotion._validation._parameters import validate_params
from skemotion._validation._rows import check_same_length

__all__ = [
    "bootstrap_interval",
    "speaker_report",
    "uar_scorer",
    "unweighted_average_recall",
]


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "sample_weight": ["array-like", None],
    }
)
def unweighted_average_recall(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Average the recall of the classes, each counting the same (UAR).

    The measure of the Interspeech emotion challenges [1]_: chance level is one
    over the number of classes, however unbalanced they are. It equals
    :func:`~sklearn.metrics.balanced_accuracy_score`, without a warning where
    `y_pred` holds classes that `y_true` lacks, as with single speakers.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True classes.
    y_pred : array-like of shape (n_samples,)
        Predicted classes.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each recording within its class.

    Returns
    -------
    float
        Mean over the classes in `y_true` of the share of their recordings that
        is recognised, between 0 and 1.

    See Also
    --------
    skemotion.metrics.uar_scorer : The same as a scorer, for ``scoring=``.
    sklearn.metrics.accuracy_score : The weighted average recall (WAR).

    References
    ----------
    .. [1] B. Schuller, S. Steidl and A. Batliner, "The INTERSPEECH 2009 Emotion
       Challenge", Proc. Interspeech 2009, pp. 312-315.

    Examples
    --------
    >>> from skemotion.metrics import unweighted_average_recall
    >>> y_true = ["anger", "anger", "anger", "fear"]
    >>> y_pred = ["anger", "anger", "anger", "anger"]
    >>> unweighted_average_recall(y_true, y_pred)
    0.5
    """
    y_true, y_pred = check_label_sets(y_true=y_true, y_pred=y_pred)
    if sample_weight is not None:
        sample_weight = check_sample_weight(
            sample_weight, y_true, of="y_true", dtype=np.float64
        )
    recall = recall_score(
        y_true,
        y_pred,
        labels=np.unique(y_true),
        average="macro",
        sample_weight=sample_weight,
        zero_division=np.nan,
    )
    return float(recall)


uar_scorer = make_scorer(unweighted_average_recall)


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "speakers": ["array-like"],
        "output_dict": ["boolean"],
        "digits": [Interval(Integral, 0, None, closed="left")],
    }
)
def speaker_report(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    speakers: ArrayLike,
    *,
    output_dict: bool = False,
    digits: int = 3,
) -> str | dict[str, dict[str, float]]:
    """Report how well each speaker's emotions are recognised.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True classes.
    y_pred : array-like of shape (n_samples,)
        Predicted classes, best of a model that was not trained on the speaker,
        as :func:`~sklearn.model_selection.cross_val_predict` with
        :class:`~sklearn.model_selection.LeaveOneGroupOut` returns them.
    speakers : array-like of shape (n_samples,)
        Speaker of each recording.
    output_dict : bool, default=False
        Whether to return a dict instead of text.
    digits : int, default=3
        Decimal places in the text.

    Returns
    -------
    str or dict
        A row per speaker with unweighted average recall (over the speaker's own
        classes), accuracy and number of recordings; then their mean and
        standard deviation (division by n) over speakers, each counting the
        same, and the values of all recordings pooled. As dict:
        ``{"03": {"uar": ..., "accuracy": ..., "n_recordings": ...}, ...,
        "mean": ..., "std": ..., "pooled": ...}``; "mean" and "std" have no
        ``"n_recordings"``.

    See Also
    --------
    sklearn.metrics.classification_report : The same by class.

    Examples
    --------
    >>> from skemotion.metrics import speaker_report
    >>> y_true = ["anger", "fear", "anger", "fear", "fear"]
    >>> y_pred = ["anger", "fear", "anger", "anger", "fear"]
    >>> print(speaker_report(y_true, y_pred, ["03", "03", "08", "08", "08"]))
                   uar  accuracy  recordings
    <BLANKLINE>
          03     1.000     1.000           2
          08     0.750     0.667           3
    <BLANKLINE>
        mean     0.875     0.833
         std     0.125     0.167
      pooled     0.833     0.800           5
    """
    true, predicted = check_label_sets(y_true=y_true, y_pred=y_pred)
    check_same_length(true, of="y_true", speakers=speakers)
    names, codes = np.unique(check_labels(speakers, "speakers"), return_inverse=True)
    report = {
        str(name): _scores(true[codes == code], predicted[codes == code])
        for code, name in enumerate(names)
    }
    rows = list(report.values())
    for statistic in (np.mean, np.std):
        report[statistic.__name__] = {
            key: float(statistic([row[key] for row in rows]))
            for key in ("uar", "accuracy")
        }
    report["pooled"] = _scores(true, predicted)
    return report if output_dict else _format_report(report, digits)


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "groups": ["array-like", None],
        "metric": [callable],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
)
def bootstrap_interval(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    metric: Callable[[ArrayLike, ArrayLike], float] = unweighted_average_recall,
    confidence_level: float = 0.95,
    n_resamples: int = 2000,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a metric.

    Recordings are drawn with replacement [1]_; with `groups`, whole groups are,
    since recordings of one speaker are not independent [2]_. The second answers
    how the metric would vary with other speakers, the first with other
    recordings of the same ones. Neither knows of the variation over training
    sets and seeds.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True classes.
    y_pred : array-like of shape (n_samples,)
        Predicted classes.
    groups : array-like of shape (n_samples,), default=None
        Speaker of each recording.
    metric : callable, default=unweighted_average_recall
        Called as ``metric(y_true, y_pred)``, returns a float. Unweighted
        average recall is computed for all resamples at once; any other metric
        is called once a resample.
    confidence_level : float, default=0.95
        Probability that the interval is meant to cover the true value with.
    n_resamples : int, default=2000
        Number of resamples.
    random_state : int, RandomState instance or None, default=None
        Determines the resamples.

    Returns
    -------
    low, high : float
        The ends of the interval.

    Raises
    ------
    ValueError
        If there are fewer than two recordings, or groups, to draw from.

    Notes
    -----
    A resample may lack a class; its unweighted average recall is then that of
    the classes it has. With ten speakers, or fewer, an interval over groups is
    a rough one and tends to be too narrow.

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap",
       Chapman & Hall, 1993, chapter 13.
    .. [2] A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their
       Application", Cambridge University Press, 1997, section 3.8.

    Examples
    --------
    >>> from skemotion.metrics import bootstrap_interval
    >>> y_true = ["anger"] * 20 + ["fear"] * 20
    >>> y_pred = ["anger"] * 18 + ["fear"] * 2 + ["fear"] * 16 + ["anger"] * 4
    >>> low, high = bootstrap_interval(y_true, y_pred, random_state=0)
    >>> print(f"0.85, between {low:.2f} and {high:.2f}")
    0.85, between 0.74 and 0.95
    """
    true, predicted = check_label_sets(y_true=y_true, y_pred=y_pred)
    if groups is None:
        units = np.arange(len(true))
    else:
        check_same_length(true, of="y_true", groups=groups)
        units = np.unique(check_labels(groups, "groups"), return_inverse=True)[1]
    n_units = len(np.unique(units))
    if n_units < 2:
        noun = "recordings" if groups is None else "groups"
        source = "y_true" if groups is None else "groups"
        raise ValueError(
            f"The bootstrap needs at least two {noun}, but {source} has {n_units}."
        )
    rng = check_random_state(random_state)
    if metric is unweighted_average_recall:
        values = _resample_uar(true, predicted, units, n_resamples, rng)
    else:
        values = _resample(metric, true, predicted, units, n_resamples, rng)
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def _scores(y_true, y_pred):
    return {
        "uar": unweighted_average_recall(y_true, y_pred),
        "accuracy": float(accuracy_score(y_true, y_pred)),
        "n_recordings": len(y_true),
    }


def _format_report(report, digits):
    """Lay out a speaker report as classification_report does."""
    width = max(8, digits + 2, *map(len, report))
    column = max(8, digits + 2)
    lines = [
        f"{'':>{width}}  {'uar':>{column}}  {'accuracy':>{column}}  recordings",
        "",
    ]
    for name, row in report.items():
        if name == "mean":
            lines.append("")
        line = f"{name:>{width}}"
        line += "".join(
            f"  {row[key]:>{column}.{digits}f}" for key in ("uar", "accuracy")
        )
        if "n_recordings" in row:
            line += f"  {row['n_recordings']:>10d}"
        lines.append(line)
    return "\n".join(lines)


def _resample(metric, y_true, y_pred, units, n_resamples, rng):
    """Call the metric on every resample of whole units."""
    rows = [np.flatnonzero(units == unit) for unit in range(units.max() + 1)]
    values = []
    for _ in range(n_resamples):
        drawn = rng.randint(len(rows), size=len(rows))
        sample = np.concatenate([rows[unit] for unit in drawn])
        values.append(metric(y_true[sample], y_pred[sample]))
    return values


def _resample_uar(y_true, y_pred, units, n_resamples, rng):
    """Compute the recall of every resample from the counts of its units."""
    classes, codes = np.unique(y_true, return_inverse=True)
    support = np.zeros((units.max() + 1, len(classes)))
    hits = np.zeros_like(support)
    np.add.at(support, (units, codes), 1)
    np.add.at(hits, (units, codes), y_true == y_pred)
    # Units with the same counts are exchangeable: draw how many of each kind.
    counts = np.hstack([hits, support])
    kinds, n_alike = np.unique(counts, axis=0, return_counts=True)
    drawn = rng.multinomial(len(counts), n_alike / len(counts), size=n_resamples)
    hits, support = np.hsplit(drawn @ kinds, 2)
    recall = np.divide(hits, support, out=np.full_like(hits, np.nan), where=support > 0)
    return np.nanmean(recall, axis=1)
