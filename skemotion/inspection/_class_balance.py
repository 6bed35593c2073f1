"""How many examples each class has, before and after resampling."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skemotion._validation._labels import (
    check_comparable,
    check_label_sets,
    check_labels,
)
from skemotion.inspection._plotting import (
    COLOURS,
    choose_classes,
    count_lines,
    create_axes,
    draw_also,
    draw_legend,
    draw_once,
    fit_text,
    grow,
    name_rows,
    set_title,
)


class ClassBalanceDisplay:
    """Bars of the number of examples of each class.

    Use :meth:`from_arrays`, :meth:`from_predictions` or :meth:`from_estimator` to
    create one. All parameters are stored as attributes.

    Parameters
    ----------
    class_names : sequence of str
        Names of the classes, from top to bottom.

    counts : dict of str to array-like of shape (n_classes,)
        Number of examples of each class, for each set of labels to compare,
        such as ``"before"`` and ``"after"`` resampling.

    Attributes
    ----------
    bars_ : list of matplotlib BarContainer
        The bars of each set of labels.

    ax_ : matplotlib Axes
        Axes with the bars.

    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    skemotion.SequenceSampler : Balances the classes of sequences.

    Examples
    --------
    >>> from skemotion.inspection import ClassBalanceDisplay
    >>> display = ClassBalanceDisplay(
    ...     ["anger", "fear"], {"before": [5, 3], "after": [5, 5]}
    ... )
    >>> [len(bars) for bars in display.plot().bars_]
    [2, 2]
    """

    def __init__(self, class_names: Sequence[str], counts: Mapping[str, ArrayLike]):
        self.class_names = class_names
        self.counts = counts

    def plot(
        self, *, ax: Any = None, bar_kw: dict | None = None
    ) -> "ClassBalanceDisplay":
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure, which is as high as the
            classes need.

        bar_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        ClassBalanceDisplay
            The display itself.

        Raises
        ------
        ValueError
            If there are no classes, or counts are not one for each of them.
        """
        self._check()
        names = [str(name) for name in self.class_names]
        n_lines = max(count_lines(names), len(self.counts))
        from matplotlib.ticker import MaxNLocator

        ax = create_axes(ax, figsize=grow(len(names), n_lines))
        draw_once(ax, ClassBalanceDisplay)
        height = 0.8 / len(self.counts)
        places = np.arange(len(names))
        name_rows(ax, names)
        size = fit_text(ax)
        self.bars_ = []
        for index, (name, counts) in enumerate(self.counts.items()):
            style = {"label": name, "color": COLOURS[index % len(COLOURS)]}
            bars = ax.barh(
                places + (index + 0.5) * height - 0.4,
                np.asarray(counts),
                height,
                **{**style, **(bar_kw or {})},
            )
            texts = ax.bar_label(bars, padding=2, fontsize=0.85 * size)
            self.bars_.append(bars)
            draw_also(ax, ClassBalanceDisplay, [bars, *texts])
        most = max(np.max(counts) for counts in self.counts.values())
        ax.set_xlim(0, 1.15 * max(most, 1))
        ax.set_xlabel("Number of examples")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.spines[["top", "right"]].set_visible(False)
        if len(self.counts) > 1:
            legend = draw_legend(ax, ncols=len(self.counts))
            draw_also(ax, ClassBalanceDisplay, [legend])
        set_title(ax, "Class balance", above_legend=len(self.counts) > 1)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _check(self):
        n_classes = len(self.class_names)
        if n_classes == 0 or not self.counts:
            raise ValueError(
                "There is nothing to draw: class_names or counts is empty; give the "
                "number of examples of at least one class."
            )
        for name, counts in self.counts.items():
            if np.shape(counts) != (n_classes,):
                raise ValueError(
                    f"counts[{name!r}] has shape {np.shape(counts)} for {n_classes} "
                    "class_names; give one number of each class."
                )

    @classmethod
    def from_arrays(
        cls,
        y: ArrayLike,
        y_resampled: ArrayLike | None = None,
        *,
        labels: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        ax: Any = None,
        bar_kw: dict | None = None,
    ) -> "ClassBalanceDisplay":
        """Count and draw the labels of a data set.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Class of each example.

        y_resampled : array-like of shape (n_resampled,), default=None
            The same after resampling, drawn beside it.

        labels : array-like of shape (n_classes,), default=None
            Classes to show, in this order. None shows all, sorted.

        class_names : sequence of str of length n_classes, default=None
            What to call the classes. None takes the classes themselves.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        bar_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        ClassBalanceDisplay

        Examples
        --------
        >>> from skemotion.inspection import ClassBalanceDisplay
        >>> display = ClassBalanceDisplay.from_arrays(["fear", "anger", "anger"])
        >>> display.class_names, display.counts["examples"].tolist()
        (['anger', 'fear'], [2, 1])
        """
        sets = {"examples": check_labels(y)}
        if y_resampled is not None:
            after = check_labels(y_resampled, "y_resampled")
            check_comparable(sets["examples"], after, "y", "y_resampled")
            sets = {"before": sets["examples"], "after": after}
        return cls._count(sets, labels, class_names).plot(ax=ax, bar_kw=bar_kw)

    @classmethod
    def _count(cls, sets, labels, class_names):
        everything = np.concatenate(list(sets.values()))
        classes, names = choose_classes(everything, labels, class_names)
        counts = {
            name: np.array([np.count_nonzero(values == label) for label in classes])
            for name, values in sets.items()
        }
        return cls(names, counts)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        ax: Any = None,
        bar_kw: dict | None = None,
    ) -> "ClassBalanceDisplay":
        """Count and draw how often each class is true, and how often predicted.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True class of each example.

        y_pred : array-like of shape (n_samples,)
            Predicted class of each example.

        labels : array-like of shape (n_classes,), default=None
            Classes to show, in this order. None shows all, sorted.

        class_names : sequence of str of length n_classes, default=None
            What to call the classes. None takes the classes themselves.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        bar_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        ClassBalanceDisplay

        Examples
        --------
        >>> from skemotion.inspection import ClassBalanceDisplay
        >>> display = ClassBalanceDisplay.from_predictions(
        ...     ["fear", "anger"], ["anger", "anger"]
        ... )
        >>> {name: counts.tolist() for name, counts in display.counts.items()}
        {'true': [1, 1], 'predicted': [2, 0]}
        """
        true, predicted = check_label_sets(y_true=y_true, y_pred=y_pred)
        sets = {"true": true, "predicted": predicted}
        return cls._count(sets, labels, class_names).plot(ax=ax, bar_kw=bar_kw)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        ax: Any = None,
        bar_kw: dict | None = None,
    ) -> "ClassBalanceDisplay":
        """Resample a training set and draw its labels before and after.

        Parameters
        ----------
        estimator : sampler or imbalanced-learn Pipeline
            A clone of it is fitted. Of a pipeline, only the steps up to its
            last sampler are.

        X : array-like of shape (n_samples, ...)
            The training set as `estimator` takes it.

        y : array-like of shape (n_samples,)
            Class of each example.

        labels : array-like of shape (n_classes,), default=None
            Classes to show, in this order. None shows all, sorted.

        class_names : sequence of str of length n_classes, default=None
            What to call the classes. None takes the classes themselves.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        bar_kw : dict, default=None
            Keywords passed to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        ClassBalanceDisplay

        Raises
        ------
        TypeError
            If `estimator` is not, and does not contain, a sampler.

        Examples
        --------
        >>> import numpy as np
        >>> from imblearn.over_sampling import RandomOverSampler
        >>> from skemotion.inspection import ClassBalanceDisplay
        >>> display = ClassBalanceDisplay.from_estimator(
        ...     RandomOverSampler(random_state=0), np.ones((5, 2)), [0, 0, 0, 0, 1]
        ... )
        >>> display.counts["after"].tolist()
        [4, 4]
        """
        _, y_resampled = clone(_up_to_last_sampler(estimator)).fit_resample(X, y)
        return cls.from_arrays(
            y,
            y_resampled,
            labels=labels,
            class_names=class_names,
            ax=ax,
            bar_kw=bar_kw,
        )


def _up_to_last_sampler(estimator):
    steps = [estimator]
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps]
    samplers = [i for i, step in enumerate(steps) if hasattr(step, "fit_resample")]
    if not samplers:
        raise TypeError(
            f"{type(estimator).__name__} is no sampler and has none (nothing with "
            "fit_resample). Give an imbalanced-learn sampler or a pipeline with one, "
            "or call from_arrays."
        )
    if isinstance(estimator, Pipeline):
        return estimator[: samplers[-1] + 1]
    return estimator
