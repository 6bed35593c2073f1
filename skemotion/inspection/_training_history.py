"""Loss and accuracy, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skemotion.inspection._estimators import last_step
from skemotion.inspection._plotting import (
    COLOURS,
    create_axes,
    draw_legend,
    draw_once,
    fit_text,
)

_DEFAULT_METRICS = ("loss", "accuracy")


class TrainingHistoryDisplay:
    """Lines of loss and accuracy over the epochs of a training run.

    Use :meth:`from_estimator` or :meth:`from_arrays` to create one. All parameters
    are stored as attributes.

    Parameters
    ----------
    history : dict of str to sequence of float
        A value per epoch for each metric, such as ``"loss"`` and
        ``"accuracy"``, and on validation recordings, where there were any,
        ``"val_loss"`` and ``"val_accuracy"``: what Keras calls the history.

    kept_epoch : int, default=None
        The epoch whose weights were kept, which is marked, counted from 1. None
        marks the one of the lowest validation loss, if `history` has it, as early
        stopping keeps it.

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
        self, history: Mapping[str, Sequence[float]], kept_epoch: int | None = None
    ):
        self.history = history
        self.kept_epoch = kept_epoch

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
        metrics = [name for name in wanted if np.size(self.history.get(name, ()))]
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
            draw_once(single_ax, TrainingHistoryDisplay)
            self._plot_metric(single_ax, name, line_kw or {})
        self.ax_ = axes[0] if len(axes) == 1 else axes
        self.figure_ = axes[0].figure
        return self

    def _plot_metric(self, ax, metric, line_kw):
        from matplotlib.ticker import MaxNLocator

        size = fit_text(ax)
        lines = []
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
                lines += ax.plot(epochs, values, **{**style, **line_kw})
        self.lines_ += lines
        kept_epoch = self._find_kept_epoch()
        if kept_epoch is not None:
            style = {"color": "0.4", "ls": ":", "label": f"kept: {kept_epoch}"}
            lines.append(ax.axvline(kept_epoch, **style))
        ax.set(xlabel="Epoch", ylabel=metric.replace("_", " ").capitalize())
        ax.tick_params(axis="y", labelsize=size)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.spines[["top", "right"]].set_visible(False)
        legend = draw_legend(ax, loc="lower left", bbox_to_anchor=(0, 1))
        draw_once(ax, TrainingHistoryDisplay, [*lines, legend])

    def _find_kept_epoch(self):
        losses = np.asarray(self.history.get("val_loss", []), dtype=np.float64)
        if self.kept_epoch is not None or not np.isfinite(losses).any():
            return self.kept_epoch
        return int(np.nanargmin(losses)) + 1

    @classmethod
    def from_arrays(
        cls,
        history: Mapping[str, Sequence[float]],
        *,
        kept_epoch: int | None = None,
        metric: str | None = None,
        ax: Any = None,
        line_kw: dict | None = None,
    ) -> "TrainingHistoryDisplay":
        """Draw a training run from its values per epoch.

        Parameters
        ----------
        history : dict of str to sequence of float
            A value per epoch for each metric, such as `history_` of a classifier.

        kept_epoch : int, default=None
            The epoch whose weights were kept, counted from 1. None takes the one
            of the lowest validation loss, if there is any.

        metric : str, default=None
            A metric of the history. None draws loss and accuracy.

        ax : matplotlib Axes or sequence of them, default=None
            Axes to draw on, one per metric. None creates a figure.

        line_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        TrainingHistoryDisplay
        """
        return cls(history, kept_epoch).plot(metric, ax=ax, line_kw=line_kw)

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
        history, kept_epoch = classifier.history_, None
        if (
            getattr(classifier, "early_stopping", True) is False
            and "val_loss" in history
        ):
            kept_epoch = len(history["val_loss"])
        return cls.from_arrays(
            history, kept_epoch=kept_epoch, metric=metric, ax=ax, line_kw=line_kw
        )
