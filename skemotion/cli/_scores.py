"""What is printed and drawn about predictions."""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    precision_recall_fscore_support,
)

from skemotion._files import atomic_path
from skemotion.cli._formats import NO_SPEECH
from skemotion.metrics import (
    bootstrap_interval,
    speaker_report,
    unweighted_average_recall,
)
from skemotion.report._scores import MIN_SPEAKERS

_METRICS = {"uar": unweighted_average_recall, "accuracy": accuracy_score}


def answers(evaluation):
    """Return what was answered about each recording of an evaluation."""
    return name_silence(evaluation.y_pred, evaluation.silent)


def name_silence(y_pred, is_silent):
    """Return predictions, but "no speech" where there is none.

    There all classes are as likely, and the first must not count as right.
    """
    return y_pred if is_silent is None else np.where(is_silent, NO_SPEECH, y_pred)


def score(y_true, y_pred, speakers=None):
    """Return both averages with their intervals, and what the intervals are over."""
    several = speakers is not None and len(set(speakers)) >= MIN_SPEAKERS
    groups = speakers if several else None
    found: dict[str, Any] = {}
    for name, metric in _METRICS.items():
        low, high = bootstrap_interval(
            y_true,
            y_pred,
            groups=groups,
            metric=metric if name == "uar" else _share_right,
            random_state=0,
        )
        found[name] = float(metric(y_true, y_pred))
        found[f"{name}_interval"] = [low, high]
    found["interval"] = "95 % bootstrap over " + (
        "speakers" if several else "recordings"
    )
    return found


def _share_right(y_true, y_pred):
    return float(np.mean(y_true == y_pred))


def print_report(y_true, y_pred, speakers=None):
    """Print scores by class and by speaker, and the two averages with intervals."""
    print(
        classification_report(
            y_true, y_pred, labels=_labels(y_true, y_pred), digits=3, zero_division=0
        )
    )
    if speakers is not None and len(set(speakers)) > 1:
        print(speaker_report(y_true, y_pred, speakers), end="\n\n")
    found = score(y_true, y_pred, speakers)
    low, high = found["uar_interval"]
    over = found["interval"].replace("bootstrap", "bootstrap interval")
    print(
        f"unweighted average recall (UAR) {found['uar']:.3f}, {over} {low:.3f} to "
        f"{high:.3f}"
    )
    low, high = found["accuracy_interval"]
    print(f"accuracy {found['accuracy']:.3f}, {low:.3f} to {high:.3f}")


def _labels(y_true, y_pred):
    """Return the classes that occur, without the answer that is none of them."""
    return [label for label in np.union1d(y_true, y_pred) if label != NO_SPEECH]


def describe(evaluation):
    """Return all scores of an evaluation, of types that JSON knows."""
    y_true, y_pred = evaluation.y_true, answers(evaluation)
    speakers = evaluation.speakers
    silent = evaluation.silent
    described = {
        "protocol": evaluation.protocol,
        "caveats": list(evaluation.caveats),
        "n_recordings": len(evaluation),
        "n_without_speech": None if silent is None else int(silent.sum()),
        **score(y_true, y_pred, speakers),
        "classes": _describe_classes(y_true, y_pred),
        "confusion": _describe_confusion(y_true, y_pred),
    }
    if speakers is not None:
        described["speakers"] = speaker_report(
            y_true, y_pred, speakers, output_dict=True
        )
    if evaluation.folds is not None:
        described["folds"] = [
            _describe_fold(evaluation, y_pred, evaluation.folds == number)
            for number in np.unique(evaluation.folds)
        ]
    return described


def _describe_classes(y_true, y_pred):
    labels = _labels(y_true, y_pred)
    columns = precision_recall_fscore_support(
        y_true, y_pred, labels=labels, zero_division=0
    )
    return {
        str(label): {
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "n_recordings": int(n_recordings),
        }
        for label, precision, recall, f1, n_recordings in zip(
            labels, *columns, strict=True
        )
    }


def _describe_confusion(y_true, y_pred):
    labels = np.union1d(y_true, y_pred)
    counts = confusion_matrix(y_true, y_pred, labels=labels)
    return {"labels": labels.tolist(), "counts": counts.tolist()}


def _describe_fold(evaluation, y_pred, rows):
    y_true = evaluation.y_true[rows]
    described = {
        name: float(metric(y_true, y_pred[rows])) for name, metric in _METRICS.items()
    }
    described["n_recordings"] = int(rows.sum())
    if evaluation.speakers is not None:
        described["speakers"] = np.unique(evaluation.speakers[rows]).tolist()
    return described


def save_confusion_matrix(folder, y_true, y_pred):
    """Draw scikit-learn's confusion matrix to a file, and return its path."""
    from sklearn.metrics import ConfusionMatrixDisplay

    def draw(ax):
        ConfusionMatrixDisplay.from_predictions(
            y_true,
            y_pred,
            ax=ax,
            normalize="true",
            values_format=".2f",
            xticks_rotation=45,
            cmap="Blues",
        )

    return save_figure(folder, "confusion_matrix.png", draw)


def save_figure(folder, name, draw, *, n_axes=1):
    """Let `draw` fill new axes, save the figure, and return its path."""
    # Not through pyplot, which would ask for a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3 + 4 * n_axes, 5), layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure.subplots(1, n_axes))
    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
    return path
