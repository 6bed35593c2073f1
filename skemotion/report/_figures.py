"""The figures of the page, each drawn for light and for dark paper."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibrationDisplay, calibration_curve

from skemotion.inspection import RiskCoverageDisplay
from skemotion.inspection._plotting import COLOURS
from skemotion.metrics import risk_coverage_curve
from skemotion.report._evaluation import Evaluation

_N_BINS = 10
_INK = {"light": "#24292f", "dark": "#d7dce1"}
# Of the same palette as the others, but to be seen on black.
_LINES = {"light": COLOURS, "dark": ("#56B4E9", *COLOURS[1:])}


@dataclass(frozen=True)
class Figure:
    """A figure as data URIs, for light and for dark paper, and in words."""

    light: str
    dark: str
    alt: str


def data_uri(content: bytes, media_type: str) -> str:
    """Return a URI that holds all of a file."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def draw_calibration(evaluation: Evaluation) -> Figure:
    """Draw the share of right predictions against their confidence."""
    # What exceeds 1 is rounding.
    confidence = np.minimum(evaluation.confidence, 1.0)
    is_right = (evaluation.y_pred == evaluation.y_true).astype(int)
    share, mean = calibration_curve(is_right, confidence, n_bins=_N_BINS)

    def draw(axes, ink, colours):
        curve, counts = axes
        # scikit-learn draws the diagonal in black, whatever the paper.
        curve.axline((0, 0), slope=1, linestyle=":", color=ink, label="as it should be")
        CalibrationDisplay(share, mean, confidence).plot(
            ax=curve, color=colours[0], label="as it is", ref_line=False, clip_on=False
        )
        curve.set(xlabel="", ylabel="Share that is right", xlim=(0, 1), ylim=(0, 1))
        curve.legend(loc="upper left", frameon=False)
        curve.tick_params(labelbottom=False)
        counts.hist(confidence, bins=_N_BINS, range=(0, 1), color=colours[0])
        counts.set(xlabel="Confidence", ylabel="Recordings", xlim=(0, 1))

    return _draw_twice(
        draw,
        "Reliability: share of right predictions by confidence, and how many "
        "recordings have which confidence.",
        n_rows=2,
        height_ratios=(3, 1),
    )


def draw_risk_coverage(evaluation: Evaluation) -> Figure:
    """Draw the share of wrong predictions where those less sure are withheld."""
    coverage, risk, _ = risk_coverage_curve(
        evaluation.y_true, evaluation.probabilities, labels=evaluation.classes
    )

    def draw(axes, ink, colours):
        (ax,) = axes
        display = RiskCoverageDisplay(coverage, risk)
        display.plot(ax=ax, color=colours[0], drawstyle="steps-post")
        ax.set_title("")  # the page has a caption

    return _draw_twice(
        draw,
        f"Risk-coverage curve: of all answers {risk[-1]:.0%} are wrong; fewer where "
        "those of low confidence are withheld.",
    )


def draw_histories(histories: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw the loss over the epochs, a line per fold; None if there is none."""
    curves = {
        label: [np.asarray(each[key], float) for each in histories if key in each]
        for key, label in (("loss", "training"), ("val_loss", "validation"))
    }
    if not any(curves.values()):
        return None

    def draw(axes, ink, colours):
        (ax,) = axes
        for (label, lines), colour in zip(curves.items(), colours, strict=False):
            for number, line in enumerate(lines):
                ax.plot(
                    np.arange(1, len(line) + 1),
                    line,
                    color=colour,
                    alpha=1 if len(lines) == 1 else 0.6,
                    linewidth=1.2,
                    marker="." if len(line) == 1 else None,
                    label=None if number else label,
                )
        ax.set(xlabel="Epoch", ylabel="Loss")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(frameon=False)

    return _draw_twice(draw, "Loss over the epochs, in training and in validation.")


def _draw_twice(
    draw: Callable[[NDArray, str, tuple[str, ...]], None],
    alt: str,
    *,
    n_rows: int = 1,
    height_ratios: Sequence[float] | None = None,
) -> Figure:
    """Let `draw` fill axes in ink for light, and for dark paper."""
    uris = {}
    for paper, ink in _INK.items():
        with _style(ink):
            figure = new_figure((4.6, 3.6))
            axes = figure.subplots(
                n_rows, squeeze=False, gridspec_kw={"height_ratios": height_ratios}
            )[:, 0]
            draw(axes, ink, _LINES[paper])
            for ax in axes:
                ax.spines[["top", "right"]].set_visible(False)
            content = io.BytesIO()
            figure.savefig(content, format="svg", metadata={"Date": None})
        uris[paper] = data_uri(content.getvalue(), "image/svg+xml")
    return Figure(uris["light"], uris["dark"], alt)


def new_figure(
    figsize: tuple[float, float], *, layout: Any = "constrained", dpi: int = 100
) -> Any:
    """Return a figure of matplotlib that needs no screen, as those of pyplot do."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    figure = Canvas(figsize=figsize, layout=layout, dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def _style(ink):
    """Return a context in which matplotlib draws in one ink, on nothing."""
    import matplotlib

    names = ("text.color", "axes.edgecolor", "axes.labelcolor")
    inked = dict.fromkeys((*names, "xtick.color", "ytick.color"), ink)
    clear = {"figure.facecolor": "none", "savefig.facecolor": "none"}
    settings = {
        **matplotlib.rcParamsDefault,
        **inked,
        **clear,
        "axes.facecolor": "none",
        "svg.hashsalt": "skemotion",
    }
    settings.pop("backend")
    return matplotlib.rc_context(settings)
