"""How well each speaker is recognised, and how sure that is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skemotion._validation._labels import check_label_sets, check_labels
from skemotion._validation._rows import check_same_length
from skemotion.inspection._plotting import (
    COLOURS,
    create_axes,
    draw_legend,
    draw_once,
    fit_text,
    grow,
    name_rows,
    set_title,
)
from skemotion.metrics import bootstrap_interval, unweighted_average_recall


class SpeakerScoreDisplay:
    """Unweighted average recall of each speaker, with intervals.

    Use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    speaker_names : sequence of str of length n_speakers
        Names of the speakers, from top to bottom.

    scores : ndarray of shape (n_speakers,)
        Their unweighted average recall.

    intervals : ndarray of shape (n_speakers, 2), default=None
        Low and high end of each score's interval. Rows of NaN are left out, and
        None draws none.

    n_recordings : ndarray of shape (n_speakers,), default=None
        How many recordings each score is of, which is written behind the name.

    pooled : float, default=None
        Score of all recordings together, as a line.

    pooled_interval : tuple of float, default=None
        Its low and high end, as a band.

    Attributes
    ----------
    points_ : matplotlib Line2D
        The scores.

    bars_ : matplotlib LineCollection or None
        Their intervals.

    pooled_line_ : matplotlib Line2D or None
        The line of all recordings.

    ax_ : matplotlib Axes
        Axes with the scores.

    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    skemotion.metrics.speaker_report : The same as a table.

    Examples
    --------
    >>> from skemotion.inspection import SpeakerScoreDisplay
    >>> display = SpeakerScoreDisplay(["03", "08"], [0.9, 0.8]).plot()
    >>> display.points_.get_xdata().tolist()
    [0.9, 0.8]
    """

    def __init__(
        self,
        speaker_names: Sequence[str],
        scores: ArrayLike,
        intervals: ArrayLike | None = None,
        *,
        n_recordings: ArrayLike | None = None,
        pooled: float | None = None,
        pooled_interval: tuple[float, float] | None = None,
    ):
        self.speaker_names = speaker_names
        self.scores = scores
        self.intervals = intervals
        self.n_recordings = n_recordings
        self.pooled = pooled
        self.pooled_interval = pooled_interval

    def plot(
        self, *, ax: Any = None, line_kw: dict | None = None
    ) -> "SpeakerScoreDisplay":
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure, which is as high as the speakers
            need.

        line_kw : dict, default=None
            Keywords of the points, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        SpeakerScoreDisplay
            The display itself.

        Raises
        ------
        ValueError
            If there are no speakers, or other than one score for each.
        """
        scores = np.asarray(self.scores, dtype=np.float64)
        if scores.shape != (len(self.speaker_names),) or scores.size == 0:
            raise ValueError(
                f"scores has shape {scores.shape} for {len(self.speaker_names)} "
                "speaker_names; give one for each, and at least one."
            )
        ax = create_axes(ax, figsize=grow(len(scores)))
        draw_once(ax, SpeakerScoreDisplay)
        places = np.arange(len(scores))
        name_rows(ax, self._row_names())
        size = fit_text(ax)
        style = {"color": COLOURS[0], "marker": "o", "linestyle": "", "markersize": 4}
        (self.points_,) = ax.plot(scores, places, **{**style, **(line_kw or {})})
        drawn = [self.points_, *self._plot_intervals(ax, places)]
        drawn += self._plot_pooled(ax)
        draw_once(ax, SpeakerScoreDisplay, drawn)
        ax.set(xlim=(0, 1.02), xlabel="Unweighted average recall")
        set_title(ax, "Scores of speakers", above_legend=self.pooled is not None)
        ax.set_ylabel(
            "Speaker" if self.n_recordings is None else "Speaker (recordings)",
            fontsize=size,
        )
        ax.spines[["top", "right"]].set_visible(False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _row_names(self):
        names = [str(name) for name in self.speaker_names]
        if self.n_recordings is None:
            return names
        counts = np.asarray(self.n_recordings).tolist()
        return [f"{name} ({n})" for name, n in zip(names, counts, strict=True)]

    def _plot_intervals(self, ax, places):
        self.bars_ = None
        if self.intervals is None:
            return []
        low, high = np.asarray(self.intervals, dtype=np.float64).T
        self.bars_ = ax.hlines(places, low, high, color=COLOURS[0], linewidth=1.5)
        return [self.bars_]

    def _plot_pooled(self, ax):
        self.pooled_line_ = None
        if self.pooled is None:
            return []
        self.pooled_line_ = ax.axvline(
            self.pooled, color=COLOURS[1], ls="--", label=f"all: {self.pooled:.2f}"
        )
        drawn = [self.pooled_line_]
        if self.pooled_interval is not None:
            style = {"color": COLOURS[1], "alpha": 0.25, "linewidth": 0}
            drawn.append(ax.axvspan(*self.pooled_interval, **style))
        legend = draw_legend(ax, handles=[self.pooled_line_])
        return [*drawn, legend]

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        speakers: ArrayLike,
        *,
        confidence_level: float = 0.95,
        n_resamples: int = 2000,
        random_state: Any = None,
        ax: Any = None,
        line_kw: dict | None = None,
    ) -> "SpeakerScoreDisplay":
        """Draw how well a fitted classifier recognises each speaker.

        Parameters
        ----------
        estimator : fitted classifier or Pipeline
            Best one that was not trained on these speakers.

        X : sequence of length n_samples
            What it predicts from.

        y : array-like of shape (n_samples,)
            True classes.

        speakers : array-like of shape (n_samples,)
            Speaker of each recording.

        confidence_level : float, default=0.95
            Of the intervals.

        n_resamples : int, default=2000
            Number of resamples of the bootstrap.

        random_state : int, RandomState instance or None, default=None
            Determines the resamples.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        line_kw : dict, default=None
            Keywords of the points, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        SpeakerScoreDisplay
        """
        check_same_length(y, of="y", speakers=speakers)
        return cls.from_predictions(
            y,
            estimator.predict(X),
            speakers,
            confidence_level=confidence_level,
            n_resamples=n_resamples,
            random_state=random_state,
            ax=ax,
            line_kw=line_kw,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        speakers: ArrayLike,
        *,
        confidence_level: float = 0.95,
        n_resamples: int = 2000,
        random_state: Any = None,
        ax: Any = None,
        line_kw: dict | None = None,
    ) -> "SpeakerScoreDisplay":
        """Draw how well each speaker's recordings were recognised.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True classes.

        y_pred : array-like of shape (n_samples,)
            Predicted classes, best of models that were not trained on the speaker.

        speakers : array-like of shape (n_samples,)
            Speaker of each recording.

        confidence_level : float, default=0.95
            Of the intervals: of a speaker by bootstrap over the recordings, of all
            together over the speakers. There is none of a single one.

        n_resamples : int, default=2000
            Number of resamples of the bootstrap.

        random_state : int, RandomState instance or None, default=None
            Determines the resamples.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        line_kw : dict, default=None
            Keywords of the points, passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        SpeakerScoreDisplay

        Raises
        ------
        ValueError
            If there are no recordings, or arrays differ in length.

        Examples
        --------
        >>> from skemotion.inspection import SpeakerScoreDisplay
        >>> display = SpeakerScoreDisplay.from_predictions(
        ...     ["anger", "fear", "anger", "fear"],
        ...     ["anger", "fear", "anger", "anger"],
        ...     ["03", "03", "08", "08"],
        ...     random_state=0,
        ... )
        >>> display.scores.tolist()
        [1.0, 0.5]
        """
        true, predicted = check_label_sets(y_true=y_true, y_pred=y_pred)
        check_same_length(true, of="y_true", speakers=speakers)
        speakers = check_labels(speakers, "speakers")
        names, codes = np.unique(speakers, return_inverse=True)
        options = {
            "confidence_level": confidence_level,
            "n_resamples": n_resamples,
            "random_state": check_random_state(random_state),
        }
        rows = [codes == code for code in range(len(names))]
        scores = [unweighted_average_recall(true[own], predicted[own]) for own in rows]
        intervals = [_interval(true[own], predicted[own], options) for own in rows]
        display = cls(
            [str(name) for name in names],
            np.array(scores),
            np.array(intervals),
            n_recordings=np.bincount(codes),
            pooled=unweighted_average_recall(true, predicted),
            pooled_interval=_interval(true, predicted, options, groups=codes),
        )
        return display.plot(ax=ax, line_kw=line_kw)


def _interval(y_true, y_pred, options, groups=None) -> tuple[float, float] | Any:
    """Return the ends of an interval, or what stands for none."""
    n_units = len(y_true) if groups is None else groups.max() + 1
    if n_units < 2:
        return None if groups is not None else (np.nan, np.nan)
    return bootstrap_interval(y_true, y_pred, groups=groups, **options)
