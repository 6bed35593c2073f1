"""Loss and accuracy, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skemotion.inspection._estimators import last_step
from skemotion.inspection._plotting import COLOURS, create_axes

_DEFAULT_METRICS = ("loss", "accuracy")


class TrainingHistoryDisplay:
    """Lines of loss and accuracy over the epochs of a training run.

    Use :meth:`from_estimator` to create one from a fitted classifier. All
    parameters are stored as attributes.

    Parameters
    ----------
    history : dict of str to sequence of float
        A value per epoch for each metric, such as ``"loss"`` and
        ``"accuracy"``, and on validation recordings, where there were any,
        ``"val_loss"`` and ``"val_accuracy"``: what Keras calls the history.

    best_epoch : int, default=None
        The epoch to mark, counted from 1. None marks the one of the lowest
        validation loss, if `history` has it.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The lines in the order they are drawn: training and validation of the
        first metric, then of the second.

    ax_ : matplotlib Axes or ndarray of shape (n_metrics,)
        Axes with the lines; an array of axes where several metrics are drawn.

    figure_ : matplotlib Figure
        Figure with the axes.

    Examples
    --------
    >>> from skemotion.inspection import TrainingHistoryDisplay
    >>> history = {"loss": [1.9, 1.2, 0.8], "val_loss": [1.8, 1.4, 1.5]}
    >>> display = TrainingHistoryDisplay(history).plot()
    >>> [line.get_label() for line in display.lines_]
    ['training', 'validation']
    """

    def __init__(
        self, history: Mapping[str, Sequence[float]], best_epoch: int | None = None
    ):
        self.history = history
        self.best_epoch = best_epoch

    def plot(
        self, metric: str | None = None, *, ax: Any = None, line_kw: dict | None = None
    ) -> "TrainingHistoryDisplay":
        """Draw the lines.

        Parameters
        ----------
        metric : str, default=None
            A metric of the history. None draws loss and accuracy (those of
            them that the history has) side by side.

        ax : matplotlib Axes or sequence of them, default=None
            Axes to draw on, one per metric. None creates a figure.

        line_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        TrainingHistoryDisplay
            The display itself.

        Raises
        ------
        ValueError
            If the history has no such metric, or `ax` holds another number of
            axes than there are metrics.
        """
        wanted = _DEFAULT_METRICS if metric is None else (metric,)
        metrics = [name for name in wanted if name in self.history]
        if not metrics:
            raise ValueError(
                f"The history has no {' or '.join(map(repr, wanted))}; it has "
                f"{', '.join(map(repr, self.history)) or 'nothing'}."
            )
        ax = create_axes(ax, len(metrics))
        axes = np.ravel(np.asarray(ax, dtype=object))
        if len(axes) != len(metrics):
            raise ValueError(
                f"ax holds {len(axes)} axes for {len(metrics)} metrics "
                f"({', '.join(metrics)}). Give one each, or name one metric."
            )
        self.lines_: list[Any] = []
        for single_ax, name in zip(axes, metrics, strict=True):
            self._plot_metric(single_ax, name, line_kw or {})
        self.ax_ = axes[0] if len(axes) == 1 else axes
        self.figure_ = axes[0].figure
        return self

    def _plot_metric(self, ax, metric, line_kw):
        from matplotlib.ticker import MaxNLocator

        for key, label, colour, marker in (
            (metric, "training", COLOURS[0], "o"),
            (f"val_{metric}", "validation", COLOURS[1], "s"),
        ):
            if key in self.history:
                values = self.history[key]
                style = {
                    "label": label,
                    "color": colour,
                    "marker": marker,
                    "markersize": 4,
                }
                epochs = np.arange(1, len(values) + 1)
                self.lines_ += ax.plot(epochs, values, **{**style, **line_kw})
        best_epoch = self._find_best_epoch()
        if best_epoch is not None:
            ax.axvline(best_epoch, color="0.4", ls=":", label=f"best: {best_epoch}")
        ax.set(xlabel="Epoch", ylabel=metric.replace("_", " ").capitalize())
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend()

    def _find_best_epoch(self):
        if self.best_epoch is not None or "val_loss" not in self.history:
            return self.best_epoch
        return int(np.argmin(self.history["val_loss"])) + 1

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        metric: str | None = None,
        ax: Any = None,
        line_kw: dict | None = None,
    ) -> "TrainingHistoryDisplay":
        """Draw the training run of a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier or Pipeline
            The classifier, or the last step of the pipeline, has a `history_`.

        metric : str, default=None
            A metric of the history. None draws loss and accuracy.

        ax : matplotlib Axes or sequence of them, default=None
            Axes to draw on, one per metric. None creates a figure.

        line_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the classifier has no `history_`.
        """
        classifier = last_step(estimator)
        check_is_fitted(classifier, "history_")
        return cls(classifier.history_).plot(metric, ax=ax, line_kw=line_kw)
