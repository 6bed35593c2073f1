"""Where in recordings a model looks, class by class, as a picture."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skemotion._validation._labels import check_labels
from skemotion.inspection._attention_heatmap import attention_heatmap
from skemotion.inspection._attention_to_samples import attend_to_samples
from skemotion.inspection._estimators import (
    check_attends,
    find_frame_seconds,
    last_step,
)
from skemotion.inspection._plotting import (
    GREY,
    choose_classes,
    count_lines,
    create_axes,
    draw_once,
    fit_text,
    grow,
    name_rows,
    set_title,
)

_NUMBERED = "Bin"  # the label of bins whose length is not known


class AttentionDisplay:
    """Heat map of a model's attention, by predicted class and time.

    Use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    heatmap : ndarray of shape (n_classes, n_bins)
        Share of attention, as :func:`attention_heatmap` computes it. Rows of
        NaN, classes that nothing was predicted as, are grey, and it is said there.

    class_names : sequence of str of length n_classes
        Names of the classes, from top to bottom.

    bin_seconds : float, default=None
        Length of a bin in seconds. None numbers the bins instead.

    start_seconds : float, default=0.0
        Where the first bin begins. Not used without `bin_seconds`.

    counts : ndarray of shape (n_classes,), default=None
        How many recordings are predicted as each class, which is written behind
        its name.

    time : {"input", "speech"}, default="input"
        What bins are of: the time of the input, or shares of each recording.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The heat map.

    colorbar_ : matplotlib Colorbar or None
        The scale beside it, None if it was not asked for.

    texts_ : list of matplotlib Text
        What is said of classes without recordings.

    ax_ : matplotlib Axes
        Axes with the heat map.

    figure_ : matplotlib Figure
        Figure with the axes.

    Notes
    -----
    Recordings shorter than the model's input are padded in front, so that the time
    of the input runs from the start of the padded sequence. ``time="speech"`` leaves
    padding out: bins are then from 0 to 100 % of each recording, short or long.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.inspection import AttentionDisplay
    >>> heatmap = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]])
    >>> display = AttentionDisplay(heatmap, ["anger", "boredom"], bin_seconds=0.48)
    >>> display.plot().ax_.get_xlabel()
    'Time (s)'
    """

    def __init__(
        self,
        heatmap: NDArray[np.float64],
        class_names: Sequence[str],
        bin_seconds: float | None = None,
        start_seconds: float = 0.0,
        *,
        counts: ArrayLike | None = None,
        time: Literal["input", "speech"] = "input",
    ):
        self.heatmap = heatmap
        self.class_names = class_names
        self.bin_seconds = bin_seconds
        self.start_seconds = start_seconds
        self.counts = counts
        self.time = time

    def plot(
        self,
        *,
        ax: Any = None,
        cmap: Any = "viridis",
        colorbar: bool = True,
        im_kw: dict | None = None,
    ) -> "AttentionDisplay":
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        cmap : str or matplotlib Colormap, default="viridis"
            Colours of the heat map.

        colorbar : bool, default=True
            Whether to add a scale.

        im_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        AttentionDisplay
            The display itself.
        """
        heatmap = self._check_heatmap()
        names = self._row_names(len(heatmap))
        ax = create_axes(ax, figsize=grow(len(names), count_lines(names)))
        draw_once(ax, AttentionDisplay)
        start, end, xlabel = self._span(heatmap.shape[1])
        style = {
            "cmap": cmap,
            "vmin": 0,
            "aspect": "auto",
            "interpolation": "nearest",
            "extent": (start, end, len(heatmap) - 0.5, -0.5),
        }
        self.im_ = ax.imshow(heatmap, **{**style, **(im_kw or {})})
        self.im_.set_cmap(self.im_.get_cmap().with_extremes(bad=GREY))
        name_rows(ax, names)
        size = fit_text(ax)
        ax.set_xlabel(xlabel, fontsize=size)
        ax.set_ylabel(self._row_label(), fontsize=size)
        set_title(ax, "Where the model looks")
        if xlabel == _NUMBERED:
            ax.set_xticks(np.arange(1, heatmap.shape[1] + 1))
        self.texts_ = _mark_empty_rows(ax, heatmap, (start + end) / 2, size)
        drawn = [*self.texts_, self.im_]
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = ax.figure.colorbar(self.im_, ax=ax)
            self.colorbar_.set_label("Share of attention", fontsize=size)
            self.colorbar_.ax.tick_params(labelsize=size)
            drawn.insert(0, self.colorbar_)
        draw_once(ax, AttentionDisplay, drawn)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _check_heatmap(self):
        heatmap = np.asarray(self.heatmap, dtype=np.float64)
        if heatmap.ndim != 2 or heatmap.size == 0:
            raise ValueError(
                f"heatmap has shape {heatmap.shape}; give a row for each class and a "
                "column for each bin, and at least one."
            )
        return heatmap

    def _row_names(self, n_classes):
        names = [str(name) for name in self.class_names]
        counts = None if self.counts is None else np.asarray(self.counts).tolist()
        for what, given in (("class_names", names), ("counts", counts)):
            if given is not None and len(given) != n_classes:
                raise ValueError(
                    f"{what} has {len(given)} entries, but heatmap {n_classes} rows; "
                    "give one for each row."
                )
        if counts is None:
            return names
        return [f"{name} ({n})" for name, n in zip(names, counts, strict=True)]

    def _row_label(self):
        return "Predicted class" + ("" if self.counts is None else " (recordings)")

    def _span(self, n_bins):
        """Return where bins begin and end, and what they are of."""
        if self.time == "speech":
            return 0, 100, "Time (% of the recording)"
        if self.bin_seconds is None:
            return 0.5, n_bins + 0.5, _NUMBERED
        start = self.start_seconds
        return start, start + n_bins * self.bin_seconds, "Time (s)"

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        time: Literal["input", "speech"] = "input",
        n_bins: int = 10,
        labels: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        frame_seconds: float | None = None,
        ax: Any = None,
        cmap: Any = "viridis",
        colorbar: bool = True,
        im_kw: dict | None = None,
    ) -> "AttentionDisplay":
        """Draw what a fitted classifier attends to.

        Parameters
        ----------
        estimator : fitted classifier or Pipeline
            The classifier, or the last step of the pipeline, has a method
            `attention`, as :class:`~skemotion.AttentionBLSTMClassifier` has.

        X : array-like of shape (n_samples, n_frames, n_features) or recordings
            What the classifier, or the pipeline, predicts from. The steps
            before the classifier transform it once; samplers are passed over.

        time : {"input", "speech"}, default="input"
            What is divided into bins: the time of the input, with the padding of
            short recordings, or each recording, without padding, from its begin to
            its end. Of recordings, "speech" looks at all that the pipeline does.

        n_bins : int, default=10
            Number of bins that time is divided into.

        labels : array-like of shape (n_classes,), default=None
            Classes to show, in this order. None shows all that the classifier
            knows.

        class_names : sequence of str of length n_classes, default=None
            What to call the classes. None takes the classes themselves.

        frame_seconds : float, default=None
            Time from one frame to the next. None asks the pipeline's extractor
            (its `frame_seconds`) and, where there is none, numbers the bins.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        cmap : str or matplotlib Colormap, default="viridis"
            Colours of the heat map.

        colorbar : bool, default=True
            Whether to add a scale.

        im_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        AttentionDisplay

        Raises
        ------
        TypeError
            If the classifier has no method `attention`.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        classifier = last_step(estimator)
        check_attends(classifier)
        check_is_fitted(classifier, "classes_")
        if not isinstance(time, str) or time not in ("input", "speech"):
            raise ValueError(f"time={time!r} must be 'input' or 'speech'.")
        attention, y_pred, padding = attend_to_samples(estimator, X, time, n_bins)
        if frame_seconds is None:
            frame_seconds = find_frame_seconds(estimator)
        return cls.from_predictions(
            attention,
            y_pred,
            padding=padding,
            n_bins=n_bins,
            labels=classifier.classes_ if labels is None else labels,
            class_names=class_names,
            frame_seconds=frame_seconds,
            ax=ax,
            cmap=cmap,
            colorbar=colorbar,
            im_kw=im_kw,
        )

    @classmethod
    def from_predictions(
        cls,
        attention: ArrayLike,
        y_pred: ArrayLike,
        *,
        padding: ArrayLike | None = None,
        n_bins: int = 10,
        labels: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        frame_seconds: float | None = None,
        ax: Any = None,
        cmap: Any = "viridis",
        colorbar: bool = True,
        im_kw: dict | None = None,
    ) -> "AttentionDisplay":
        """Draw given attention weights and predictions.

        Parameters
        ----------
        attention : array-like of shape (n_samples, n_frames)
            Attention weights; each row sums to 1.

        y_pred : array-like of shape (n_samples,)
            Predicted class of each recording.

        padding : array-like of shape (n_samples, n_frames), dtype bool, default=None
            True for the frames that are padding. Where given, bins are shares of
            what is real of each recording.

        n_bins : int, default=10
            Number of bins that time is divided into.

        labels : array-like of shape (n_classes,), default=None
            Classes to show, in this order. None takes those in `y_pred`.

        class_names : sequence of str of length n_classes, default=None
            What to call the classes. None takes the classes themselves.

        frame_seconds : float, default=None
            Time from one frame to the next, `frame_seconds` of the extractor.
            None numbers the bins.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        cmap : str or matplotlib Colormap, default="viridis"
            Colours of the heat map.

        colorbar : bool, default=True
            Whether to add a scale.

        im_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        AttentionDisplay

        Examples
        --------
        >>> import numpy as np
        >>> from skemotion.inspection import AttentionDisplay
        >>> attention = np.full((2, 157), 1 / 157)
        >>> display = AttentionDisplay.from_predictions(
        ...     attention, ["anger", "fear"], frame_seconds=512 / 16000
        ... )
        >>> display.heatmap.shape, display.bin_seconds
        ((2, 10), 0.48)
        """
        predicted = check_labels(y_pred, "y_pred")
        labels, names = choose_classes(predicted, labels, class_names, of="y_pred")
        heatmap = attention_heatmap(
            attention, y_pred, labels=labels, n_bins=n_bins, padding=padding
        )
        counts = np.array([np.count_nonzero(predicted == label) for label in labels])
        display = cls(heatmap, names, counts=counts)
        if padding is not None:
            display.time = "speech"
        elif frame_seconds is not None:
            frames_per_bin, n_dropped = divmod(np.shape(attention)[1], n_bins)
            display.bin_seconds = frames_per_bin * frame_seconds
            display.start_seconds = n_dropped * frame_seconds
        return display.plot(ax=ax, cmap=cmap, colorbar=colorbar, im_kw=im_kw)


def _mark_empty_rows(ax, heatmap, middle, size):
    """Say in the middle of rows of NaN that nothing is behind them."""
    style = {"ha": "center", "va": "center", "fontsize": size, "color": "0.2"}
    return [
        ax.text(middle, row, "no recordings", **style)
        for row in np.flatnonzero(np.isnan(heatmap).all(axis=1))
    ]
