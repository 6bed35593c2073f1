"""What is printed and drawn about predictions."""

from pathlib import Path

from sklearn.metrics import accuracy_score, classification_report

from skemotion.metrics import (
    bootstrap_interval,
    speaker_report,
    unweighted_average_recall,
)

# An interval over fewer speakers than this says next to nothing.
_MIN_SPEAKERS = 5


def print_report(y_true, y_pred, speakers=None):
    """Print scores by class and by speaker, and the two averages with intervals."""
    print(classification_report(y_true, y_pred, digits=3, zero_division=0))
    several = speakers is not None and len(set(speakers)) > 1
    if several:
        print(speaker_report(y_true, y_pred, speakers), end="\n\n")
    by_speaker = several and len(set(speakers)) >= _MIN_SPEAKERS
    low, high = bootstrap_interval(
        y_true, y_pred, groups=speakers if by_speaker else None, random_state=0
    )
    uar = unweighted_average_recall(y_true, y_pred)
    over = "speakers" if by_speaker else "recordings"
    print(
        f"unweighted average recall (UAR) {uar:.3f}, 95 % bootstrap interval over "
        f"{over} {low:.3f} to {high:.3f}"
    )
    print(f"accuracy {accuracy_score(y_true, y_pred):.3f}")


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
    figure.savefig(path, dpi=120)
    return path
