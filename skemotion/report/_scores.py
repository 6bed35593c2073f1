"""The numbers of the page: scores with intervals, over all, by class, by speaker."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from skemotion._evaluation import Evaluation
from skemotion.metrics import bootstrap_interval, unweighted_average_recall

# An interval over fewer speakers than this says next to nothing.
_MIN_SPEAKERS = 5
_macro_f1 = partial(f1_score, average="macro", zero_division=0)


@dataclass(frozen=True)
class Score:
    """A number between 0 and 1, and its interval where there is one."""

    name: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class ClassScores:
    """How well the recordings of one class are recognised.

    Parameters
    ----------
    name : str
    n_recordings : int
        Recordings that are labelled so.
    recall : Score or None
        None if there are none.
    precision : float or None
        None if nothing was predicted so.
    f1 : float
    """

    name: str
    n_recordings: int
    recall: Score | None
    precision: float | None
    f1: float


@dataclass(frozen=True)
class SpeakerScores:
    """How well the recordings of one speaker are recognised."""

    name: str
    n_recordings: int
    uar: Score
    accuracy: float


def interval_groups(evaluation: Evaluation) -> NDArray[np.str_] | None:
    """Return the speakers, if there are enough of them to draw from; else None."""
    speakers = evaluation.speakers
    if speakers is None or len(np.unique(speakers)) < _MIN_SPEAKERS:
        return None
    return speakers


def overall_scores(evaluation: Evaluation) -> list[Score]:
    """Return unweighted average recall, accuracy and macro F1."""
    y_true, y_pred = _encode(evaluation)
    groups = interval_groups(evaluation)
    return [
        _score(name, y_true, y_pred, groups, metric)
        for name, metric in _METRICS.items()
    ]


_METRICS: dict[str, Callable[[Any, Any], float]] = {
    "Unweighted average recall (UAR)": unweighted_average_recall,
    "Accuracy": accuracy_score,
    "Macro F1": _macro_f1,
}


def class_scores(evaluation: Evaluation) -> list[ClassScores]:
    """Return the scores of each class, in the order of `classes`."""
    y_true, y_pred = _encode(evaluation)
    groups = interval_groups(evaluation)
    codes = np.arange(len(evaluation.classes))
    precision, _, f1, support = precision_recall_fscore_support(
        y_true, y_pred, labels=codes, zero_division=np.nan
    )
    return [
        ClassScores(
            name=str(evaluation.classes[code]),
            n_recordings=int(support[code]),
            # Over one class, its recall is what UAR is.
            recall=_score_rows("Recall", y_true, y_pred, groups, y_true == code),
            precision=None if np.isnan(precision[code]) else float(precision[code]),
            f1=float(np.nan_to_num(f1[code])),
        )
        for code in codes
    ]


def speaker_scores(evaluation: Evaluation) -> list[SpeakerScores]:
    """Return the scores of each speaker, the worst first; none if unknown."""
    if evaluation.speakers is None:
        return []
    y_true, y_pred = _encode(evaluation)
    scores = []
    for name in np.unique(evaluation.speakers):
        rows = evaluation.speakers == name
        uar = _score_rows("UAR", y_true, y_pred, None, rows)
        accuracy = float(accuracy_score(y_true[rows], y_pred[rows]))
        scores.append(SpeakerScores(str(name), int(rows.sum()), uar, accuracy))
    return sorted(scores, key=lambda each: each.uar.value)


def confusions(evaluation: Evaluation) -> NDArray[np.intp]:
    """Return counts of shape (n_classes, n_classes), a row per true class."""
    y_true, y_pred = _encode(evaluation)
    return confusion_matrix(y_true, y_pred, labels=np.arange(len(evaluation.classes)))


def _encode(evaluation):
    """Return true and predicted classes as columns of the probabilities."""
    order = {str(name): code for code, name in enumerate(evaluation.classes)}
    y_true = np.array([order[str(label)] for label in evaluation.y_true])
    return y_true, evaluation.probabilities.argmax(axis=1)


def _score_rows(name, y_true, y_pred, groups, rows):
    if not rows.any():
        return None
    groups = None if groups is None else groups[rows]
    return _score(name, y_true[rows], y_pred[rows], groups, unweighted_average_recall)


def _score(name, y_true, y_pred, groups, metric):
    value = float(metric(y_true, y_pred))
    units = np.arange(len(y_true)) if groups is None else np.unique(groups)
    if len(units) < 2:
        return Score(name, value)
    interval = bootstrap_interval(
        y_true, y_pred, groups=groups, metric=metric, random_state=0
    )
    return Score(name, value, interval)
