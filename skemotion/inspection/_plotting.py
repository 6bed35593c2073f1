"""What the displays share."""

import textwrap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

# From the palette of M. Okabe and K. Ito, which colour-blind readers tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
GREY = "0.75"
_TEXT_PER_INCH = 2.0  # points of text for each inch that a figure is wide

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


def text_size(figure: Any) -> float:
    """Return a size of text, in points, that suits the width of a figure."""
    from matplotlib import rcParams

    width = figure.get_figure(root=True).get_size_inches()[0]
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


def check_labels(
    y: ArrayLike, labels: ArrayLike | None, class_names: Sequence[str] | None
) -> tuple[NDArray, list[str]]:
    """Return the classes to show, sorted by default, and what to call them."""
    if labels is None:
        if np.size(y) == 0:
            raise ValueError("There are no labels to draw; at least one is needed.")
        labels = np.unique(y)
    labels = np.asarray(labels)
    if class_names is None:
        return labels, [str(label) for label in labels]
    if len(class_names) != len(labels):
        raise ValueError(
            f"class_names has {len(class_names)} names for {len(labels)} classes: "
            f"{', '.join(map(str, labels))}. Give one name per class, and labels if "
            "classes are missing from the data."
        )
    return labels, list(class_names)
