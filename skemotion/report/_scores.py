"""The numbers of the page: scores with intervals, over all, by class, by speaker."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    confusion_matrix,
    precision_recall_fscore_support,
)

from skemotion.metrics import bootstrap_interval, unweighted_average_recall
from skemotion.report._evaluation import Evaluation

# An interval over fewer speakers than this says next to nothing.
MIN_SPEAKERS = 5
# The code of what is predicted without speech: none of the classes.
SILENT = -1


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
    if speakers is None or len(np.unique(speakers)) < MIN_SPEAKERS:
        return None
    return speakers


def overall_scores(evaluation: Evaluation) -> list[Score]:
    """Return unweighted average recall, accuracy and macro F1."""
    y_true, y_pred = encode(evaluation)
    groups = interval_groups(evaluation)
    return [
        _score(name, y_true, y_pred, groups, metric)
        for name, metric in _METRICS.items()
    ]


def _accuracy(y_true, y_pred):
    return float(np.mean(y_true == y_pred))


def _macro_f1(y_true, y_pred):
    """Do what f1_score of scikit-learn does, in time for thousands of resamples."""
    n_classes = max(y_true.max(), y_pred.max()) + 1
    n_true, n_pred, n_both = (
        np.bincount(codes, minlength=n_classes)
        for codes in (y_true, y_pred[y_pred != SILENT], y_true[y_true == y_pred])
    )
    total = n_true + n_pred
    known = total > 0
    return float(np.mean(2 * n_both[known] / total[known]))


_METRICS: dict[str, Callable[[Any, Any], float]] = {
    "Unweighted average recall (UAR)": unweighted_average_recall,
    "Accuracy": _accuracy,
    "Macro F1": _macro_f1,
}


def class_scores(evaluation: Evaluation) -> list[ClassScores]:
    """Return the scores of each class, in the order of `classes`."""
    y_true, y_pred = encode(evaluation)
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
    y_true, y_pred = encode(evaluation)
    scores = []
    for name in np.unique(evaluation.speakers):
        rows = evaluation.speakers == name
        uar = _score_rows("UAR", y_true, y_pred, None, rows)
        accuracy = _accuracy(y_true[rows], y_pred[rows])
        scores.append(SpeakerScores(str(name), int(rows.sum()), uar, accuracy))
    return sorted(scores, key=lambda each: each.uar.value)


def confusions(evaluation: Evaluation) -> NDArray[np.intp]:
    """Return counts of shape (n_classes, n_classes), a row per true class.

    If there are recordings without speech, they are in one more column.
    """
    y_true, y_pred = encode(evaluation)
    codes = np.arange(len(evaluation.classes))
    if SILENT in y_pred:
        codes = np.append(codes, SILENT)
    counts = confusion_matrix(y_true, y_pred, labels=codes)
    return counts[: len(evaluation.classes)]


def encode(evaluation: Evaluation) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return true and predicted classes, as columns of the probabilities.

    Without speech all classes are as likely, and the first of them must not count
    as right: such recordings are predicted as `SILENT`.
    """
    order = {str(name): code for code, name in enumerate(evaluation.classes)}
    y_true = np.array([order[str(label)] for label in evaluation.y_true])
    y_pred = evaluation.probabilities.argmax(axis=1)
    if evaluation.silent is not None:
        y_pred = np.where(evaluation.silent, SILENT, y_pred)
    return y_true, y_pred


def with_speech(evaluation: Evaluation) -> Evaluation:
    """Return an evaluation of those recordings alone that hold speech."""
    if evaluation.silent is None:
        return evaluation
    rows = np.flatnonzero(~evaluation.silent)
    columns = ("paths", "y_true", "probabilities", "speakers", "folds", "silent")
    return replace(
        evaluation,
        **{
            name: getattr(evaluation, name)[rows]
            for name in columns
            if getattr(evaluation, name) is not None
        },
    )


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
