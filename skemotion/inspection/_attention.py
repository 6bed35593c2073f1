"""Where in a recording a model looks, class by class."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skemotion._validation import validate_params
from skemotion.inspection._estimators import last_step
from skemotion.inspection._plotting import check_labels, create_axes


@validate_params(
    {
        "attention": ["array-like"],
        "y_pred": ["array-like"],
        "labels": ["array-like", None],
        "n_bins": [Interval(Integral, 1, None, closed="left")],
    }
)
def attention_heatmap(
    attention: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    n_bins: int = 10,
) -> NDArray[np.float64]:
    """Sum attention weights by predicted class and stretch of time.

    The weights of all recordings that are predicted as a class are summed and
    divided by their total. The first ``n_frames % n_bins`` frames are dropped,
    the others summed in `n_bins` bins of equal length.

    Parameters
    ----------
    attention : array-like of shape (n_samples, n_frames)
        Attention weights; each row sums to 1.
    y_pred : array-like of shape (n_samples,)
        Predicted class of each recording.
    labels : array-like of shape (n_classes,), default=None
        Classes, in the order of rows. None takes those in `y_pred`, sorted.
    n_bins : int, default=10
        Number of bins, at most `n_frames`.

    Returns
    -------
    ndarray of shape (n_classes, n_bins)
        Share of a class's attention that falls in each bin. A row sums to 1
        less the share of the dropped frames; it is NaN if no recording is
        predicted as the class.

    Raises
    ------
    ValueError
        If `attention` is not 2-D, if it and `y_pred` differ in length, or if
        there are fewer frames than bins.

    Examples
    --------
    >>> from skemotion.inspection import attention_heatmap
    >>> attention = [[0.0, 0.5, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0]]
    >>> attention_heatmap(attention, ["fear", "anger"], n_bins=2)
    array([[0. , 1. ],
           [0.5, 0.5]])
    """
    weights = check_array(attention, dtype=np.float64, input_name="attention")
    check_consistent_length(weights, y_pred)
    classes, _ = check_labels(y_pred, labels, None)
    predicted = column_or_1d(y_pred)
    n_frames = weights.shape[1]
    if n_bins > n_frames:
        raise ValueError(
            f"n_bins={n_bins} is more than the {n_frames} frames there are."
        )
    sums = np.array([weights[predicted == label].sum(axis=0) for label in classes])
    totals = sums.sum(axis=1, keepdims=True)
    shares = np.divide(sums, totals, out=np.full_like(sums, np.nan), where=totals > 0)
    return shares[:, n_frames % n_bins :].reshape(len(classes), n_bins, -1).sum(axis=2)


class AttentionDisplay:
    """Heat map of a model's attention, by predicted class and time.

    Use :meth:`from_estimator` or :meth:`from_predictions` to create one. All
    parameters are stored as attributes.

    Parameters
    ----------
    heatmap : ndarray of shape (n_classes, n_bins)
        Share of attention, as :func:`attention_heatmap` computes it. Rows of
        NaN, classes that nothing was predicted as, are left blank.

    class_names : sequence of str of length n_classes
        Names of the classes, from top to bottom.

    bin_seconds : float, default=None
        Length of a bin in seconds. None numbers the bins instead.

    start_seconds : float, default=0.0
        Where the first bin begins. Not used without `bin_seconds`.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The heat map.

    colorbar_ : matplotlib Colorbar or None
        The scale beside it, None if it was not asked for.

    ax_ : matplotlib Axes
        Axes with the heat map.

    figure_ : matplotlib Figure
        Figure with the axes.

    Notes
    -----
    Recordings shorter than the model's input are padded in front, so that time
    runs from the start of the padded sequence.

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
    ):
        self.heatmap = heatmap
        self.class_names = class_names
        self.bin_seconds = bin_seconds
        self.start_seconds = start_seconds

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
        ax = create_axes(ax)
        heatmap = np.asarray(self.heatmap)
        n_classes, n_bins = heatmap.shape
        if self.bin_seconds is None:
            start, end, xlabel = 0.5, n_bins + 0.5, "Bin"
            ax.set_xticks(np.arange(1, n_bins + 1))
        else:
            start = self.start_seconds
            end, xlabel = start + n_bins * self.bin_seconds, "Time (s)"
        style = {
            "cmap": cmap,
            "vmin": 0,
            "aspect": "auto",
            "interpolation": "nearest",
            "extent": (start, end, n_classes - 0.5, -0.5),
        }
        self.im_ = ax.imshow(heatmap, **{**style, **(im_kw or {})})
        ax.set(
            yticks=np.arange(n_classes),
            yticklabels=self.class_names,
            ylabel="Predicted class",
            xlabel=xlabel,
        )
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = ax.figure.colorbar(
                self.im_, ax=ax, label="Share of attention"
            )
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
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
        if not hasattr(classifier, "attention"):
            raise TypeError(
                f"{type(classifier).__name__} has no method attention; give an "
                "AttentionBLSTMClassifier or a pipeline that ends in one."
            )
        check_is_fitted(classifier, "classes_")
        preceding = estimator.steps[:-1] if isinstance(estimator, Pipeline) else []
        for _, step in preceding:
            if frame_seconds is None:
                frame_seconds = getattr(step, "frame_seconds", None)
            if hasattr(step, "transform"):
                X = step.transform(X)
        return cls.from_predictions(
            classifier.attention(X),
            classifier.predict(X),
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
        labels, names = check_labels(y_pred, labels, class_names)
        heatmap = attention_heatmap(attention, y_pred, labels=labels, n_bins=n_bins)
        display = cls(heatmap, names)
        if frame_seconds is not None:
            frames_per_bin, n_dropped = divmod(np.shape(attention)[1], n_bins)
            display.bin_seconds = frames_per_bin * frame_seconds
            display.start_seconds = n_dropped * frame_seconds
        return display.plot(ax=ax, cmap=cmap, colorbar=colorbar, im_kw=im_kw)
