"""What the displays share."""

import textwrap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skemotion._validation._labels import check_classes, check_comparable
from skemotion._validation._sequences import check_names

# From the palette of M. Okabe and K. Ito, which colour-blind readers tell apart.
COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#000000",
)
GREY = "0.75"
_TEXT_PER_INCH = 2.0  # points of text for each inch that a figure is wide
_POINTS_PER_INCH = 72
_LINE_HEIGHT = 1.3  # in sizes of text
_AROUND_ROWS = 7  # lines above and below rows: title, ticks and label
_LEAST_TEXT = 4.0  # points
_ROW_LETTERS = 20  # of a name that stands in one line

# What displays have drawn, by axes and by who has drawn it.
_drawn: WeakKeyDictionary[Any, dict[Any, list[Any]]] = WeakKeyDictionary()


def create_axes(ax: Any, n_axes: int = 1, figsize: Any = None) -> Any:
    """Return `ax`, or new axes side by side in a figure of their own."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    if figsize is None:
        width, height = plt.rcParams["figure.figsize"]
        figsize = (width, height)
        if n_axes > 1:
            figsize = (0.8 * n_axes * width, 0.8 * height)
    return plt.subplots(1, n_axes, figsize=figsize, layout="constrained")[1]


def grow(n_rows: int, n_lines: int = 1) -> tuple[float, float]:
    """Return the size of a figure in which so many rows of text are readable."""
    from matplotlib import rcParams

    width, height = rcParams["figure.figsize"]
    size = min(rcParams["font.size"], _TEXT_PER_INCH * width)
    rows = n_rows * n_lines * _LINE_HEIGHT * size / _POINTS_PER_INCH
    return width, max(height, rows + _AROUND_ROWS * size / _POINTS_PER_INCH)


def name_rows(ax: Any, names: Sequence[str], n_letters: int = _ROW_LETTERS) -> None:
    """Write names beside rows 0, 1, ... from top to bottom, as large as fits."""
    wrapped = [wrap(name, n_letters) for name in names]
    n_lines = count_lines(names, n_letters)
    height = ax.get_window_extent().height / ax.figure.dpi * _POINTS_PER_INCH
    fitting = height / (max(len(names), 1) * n_lines * _LINE_HEIGHT)
    size = min(text_size(ax.figure), max(fitting, _LEAST_TEXT))
    ax.set_yticks(np.arange(len(names)), wrapped)
    ax.tick_params(axis="y", labelsize=size)
    ax.set_ylim(len(names) - 0.5, -0.5)


def count_lines(names: Sequence[str], n_letters: int = _ROW_LETTERS) -> int:
    """Return how many lines the longest of some names takes."""
    return max((wrap(name, n_letters).count("\n") + 1 for name in names), default=1)


def fit_text(ax: Any) -> float:
    """Give the texts of axes a size that suits the width of their figure."""
    size = text_size(ax.figure)
    for text in (ax.xaxis.label, ax.yaxis.label):
        text.set_fontsize(size)
    ax.tick_params(axis="x", labelsize=size)
    return size


def set_title(ax: Any, title: str, *, above_legend: bool = False) -> None:
    """Write a title, in the size of the other texts, if there is none yet."""
    if ax.get_title() in ("", title):
        size = text_size(ax.figure)
        pad = size * (1.9 if above_legend else 0.6)
        ax.set_title(title, fontsize=size, pad=pad)


def draw_legend(ax: Any, **kwargs: Any) -> Any:
    """Draw a legend above axes, where it hides nothing."""
    style = {
        "loc": "lower center",
        "bbox_to_anchor": (0.5, 1),
        "frameon": False,
        "fontsize": text_size(ax.figure),
        "borderaxespad": 0,
        "columnspacing": 1.0,
        "handlelength": 1.5,
    }
    return ax.legend(**{**style, **kwargs})


def draw_once(ax: Any, owner: Any, artists: Iterable[Any] = ()) -> None:
    """Remove what an owner has drawn on axes, and remember what it draws now.

    Parameters
    ----------
    ax : matplotlib Axes
        Where it draws.
    owner : hashable
        Who does. Others are left alone.
    artists : iterable of objects with `remove`, default=()
        What there is now.
    """
    for artist in _drawn.setdefault(ax, {}).pop(owner, ()):
        # Gone already, where users have cleared the axes.
        with suppress(AttributeError, NotImplementedError, ValueError, KeyError):
            artist.remove()
    draw_also(ax, owner, artists)


def draw_also(ax: Any, owner: Any, artists: Iterable[Any]) -> None:
    """Remember further artists of an owner."""
    _drawn.setdefault(ax, {}).setdefault(owner, []).extend(artists)


def drawn_by(ax: Any, owner: Any) -> list[Any]:
    """Return what an owner has drawn on axes."""
    return _drawn.get(ax, {}).get(owner, [])


def whole_figure(artist: Any) -> Any:
    """Return the figure around axes or a part of a figure, in any matplotlib."""
    return artist.figure.figure  # of axes, it is the part of the figure


def text_size(figure: Any) -> float:
    """Return a size of text, in points, that suits the width of a figure."""
    from matplotlib import rcParams

    width = whole_figure(figure).get_size_inches()[0]
    return float(min(rcParams["font.size"], _TEXT_PER_INCH * width))


def shorten_middle(name: str, n_letters: int) -> str:
    """Leave out the middle of a long name, so that begin and end are seen."""
    if len(name) <= n_letters:
        return name
    half = (n_letters - 1) // 2
    return f"{name[:half]}\N{HORIZONTAL ELLIPSIS}{name[-half:]}"


def wrap(name: str, n_letters: int) -> str:
    """Break a long name in two lines, and leave out the middle of what is longer."""
    lines = textwrap.wrap(name, n_letters) or [""]
    if len(lines) > 2:
        lines = textwrap.wrap(shorten_middle(name, 2 * n_letters - 4), n_letters)
    return "\n".join(lines)


def choose_classes(
    y: NDArray,
    labels: ArrayLike | None,
    class_names: Sequence[str] | None,
    *,
    of: str = "y",
) -> tuple[NDArray, list[str]]:
    """Return the classes to show, sorted by default, and what to call them."""
    if labels is None:
        labels = np.unique(y)
    labels = check_classes(labels)
    check_comparable(y, labels, of, "labels")
    if class_names is None:
        return labels, [str(label) for label in labels]
    class_names = check_names(class_names, "class_names")
    if len(class_names) != len(labels):
        raise ValueError(
            f"class_names has {len(class_names)} names for {len(labels)} classes: "
            f"{', '.join(map(str, labels))}. Give one name per class, and labels if "
            "classes are missing from the data."
        )
    return labels, class_names
