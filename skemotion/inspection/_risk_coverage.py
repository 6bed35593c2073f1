"""How many errors are left if a model may abstain."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skemotion._validation._arrays import as_numbers
from skemotion.inspection._estimators import last_step
from skemotion.inspection._plotting import (
    COLOURS,
    create_axes,
    draw_once,
    fit_text,
    set_title,
)
from skemotion.metrics import risk_coverage_curve

_LEAST_RANGE = 0.05  # of risk, that is shown


class RiskCoverageDisplay:
    """Share of errors among the predictions that are kept, the surest first.

    Use :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_arrays` to
    create one. All parameters are stored as attributes.

    Parameters
    ----------
    coverage : ndarray of shape (n_thresholds,)
        Share of the samples that are kept, increasing.

    risk : ndarray of shape (n_thresholds,)
        Share of errors among them.

    name : str, default=None
        What to call the curve in a legend. None draws no legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.

    ax_ : matplotlib Axes
        Axes with the curve.

    figure_ : matplotlib Figure
        Figure with the axes.

    See Also
    --------
    skemotion.metrics.risk_coverage_curve : Computes the curve.
    sklearn.calibration.CalibrationDisplay : Whether confidence is what it says.

    Examples
    --------
    >>> from skemotion.inspection import RiskCoverageDisplay
    >>> display = RiskCoverageDisplay([0.5, 1.0], [0.0, 0.25]).plot()
    >>> display.line_.get_ydata().tolist()
    [0.0, 0.25]
    """

    def __init__(
        self, coverage: ArrayLike, risk: ArrayLike, *, name: str | None = None
    ):
        self.coverage = coverage
        self.risk = risk
        self.name = name

    def plot(
        self, *, ax: Any = None, name: str | None = None, **kwargs: Any
    ) -> "RiskCoverageDisplay":
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; curves of other displays stay. None creates a figure.

        name : str, default=None
            What to call the curve. None takes the one that the display has.

        **kwargs : dict
            Keywords passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        RiskCoverageDisplay
            The display itself.

        Raises
        ------
        ValueError
            If the curve is empty, or its arrays differ in length.
        """
        coverage = _as_shares(self.coverage, "coverage")
        risk = _as_shares(self.risk, "risk")
        if coverage.shape != risk.shape or coverage.ndim != 1 or coverage.size == 0:
            raise ValueError(
                f"coverage has shape {coverage.shape} and risk {risk.shape}; give one "
                "risk for each coverage, and at least one."
            )
        ax = create_axes(ax)
        draw_once(ax, self)
        name = self.name if name is None else name
        style = {"color": COLOURS[len(ax.lines) % len(COLOURS)]}
        if name is not None:
            style["label"] = name
        (self.line_,) = ax.plot(coverage, risk, **{**style, **kwargs})
        draw_once(ax, self, [self.line_])
        size = fit_text(ax)
        ax.tick_params(axis="y", labelsize=size)
        drawn = [line.get_ydata().max() for line in ax.lines]
        ax.set(
            xlim=(0, 1.02),
            ylim=(-0.02 * max(drawn), max(1.1 * max(drawn), _LEAST_RANGE)),
            xlabel="Coverage (share of predictions kept)",
            ylabel="Risk (share of errors)",
        )
        ax.spines[["top", "right"]].set_visible(False)
        set_title(ax, "Errors left if unsure ones are withheld")
        if name is not None:
            draw_once(ax, RiskCoverageDisplay)  # an earlier legend
            legend = ax.legend(fontsize=size, frameon=False, loc="upper left")
            draw_once(ax, RiskCoverageDisplay, [legend])
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "RiskCoverageDisplay":
        """Draw the curve of a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier or Pipeline
            Predicts probabilities.

        X : sequence of length n_samples
            What it predicts from. Recordings that it was not trained on.

        y : array-like of shape (n_samples,)
            True classes.

        name : str, default=None
            What to call the curve. None takes the name of the classifier's class.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        **kwargs : dict
            Keywords passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        RiskCoverageDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        """
        last = last_step(estimator)
        check_is_fitted(last, "classes_")
        return cls.from_predictions(
            y,
            estimator.predict_proba(X),
            labels=last.classes_,
            name=type(last).__name__ if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_proba: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "RiskCoverageDisplay":
        """Draw the curve of given probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True classes.

        y_proba : array-like of shape (n_samples, n_classes)
            Probability of each class.

        labels : array-like of shape (n_classes,), default=None
            Class of each column. None means the sorted classes in `y_true`.

        name : str, default=None
            What to call the curve in a legend. None draws no legend.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        **kwargs : dict
            Keywords passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        RiskCoverageDisplay

        Raises
        ------
        ValueError
            As :func:`skemotion.metrics.risk_coverage_curve` does.

        Examples
        --------
        >>> from skemotion.inspection import RiskCoverageDisplay
        >>> display = RiskCoverageDisplay.from_predictions(
        ...     ["anger", "fear"], [[0.9, 0.1], [0.6, 0.4]]
        ... )
        >>> display.coverage.tolist(), display.risk.tolist()
        ([0.5, 1.0], [0.0, 0.5])
        """
        coverage, risk, _ = risk_coverage_curve(y_true, y_proba, labels=labels)
        return cls.from_arrays(coverage, risk, name=name, ax=ax, **kwargs)

    @classmethod
    def from_arrays(
        cls,
        coverage: NDArray,
        risk: NDArray,
        *,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "RiskCoverageDisplay":
        """Draw a curve that has been computed.

        Parameters
        ----------
        coverage, risk : ndarray of shape (n_thresholds,)
            As :func:`skemotion.metrics.risk_coverage_curve` returns them.

        name : str, default=None
            What to call the curve in a legend. None draws no legend.

        ax : matplotlib Axes, default=None
            Axes to draw on. None creates a figure.

        **kwargs : dict
            Keywords passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        RiskCoverageDisplay
        """
        return cls(coverage, risk, name=name).plot(ax=ax, **kwargs)


def _as_shares(values, name):
    shares = as_numbers(values, name, dtype=np.float64, n_dims=1)
    if ((shares < 0) | (shares > 1)).any():
        raise ValueError(f"{name} must lie between 0 and 1, as a share does.")
    return shares
