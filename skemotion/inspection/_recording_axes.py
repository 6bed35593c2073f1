"""Where the parts of a picture of a recording stand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.inspection._plotting import (
    create_axes,
    draw_once,
    drawn_by,
    whole_figure,
)


def make_parts(ax: Any, n_parts: int, owner: Any) -> NDArray[Any]:
    """Return axes for waveform, spectrogram, probabilities, and occlusion if shown."""
    if ax is None:
        import matplotlib.pyplot as plt

        width, height = plt.rcParams["figure.figsize"]
        ax = create_axes(None, figsize=(width, (0.9 if n_parts == 4 else 0.7) * height))
    axes = np.ravel(np.asarray(ax, dtype=object))
    if len(axes) == n_parts:
        return axes
    if len(axes) == 1:
        return _divide(axes[0], n_parts, owner)
    raise ValueError(
        f"ax holds {len(axes)} axes; give one, within which all is drawn, or "
        f"{n_parts}: for waveform, spectrogram, probabilities"
        + (" and occlusion." if n_parts == 4 else ".")
    )


def _divide(frame, n_parts, owner):
    """Make axes within the place of one, or find those made before."""
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    found = drawn_by(frame, owner)
    if len(found) == n_parts and all(part in frame.figure.axes for part in found):
        return np.array(found, dtype=object)
    for part in found:
        draw_once(part, owner)
    frame.set_axis_off()
    figure = whole_figure(frame)
    free = {} if figure.get_layout_engine() is not None else {"wspace": 1.1}
    grid = GridSpecFromSubplotSpec(
        n_parts - 1,
        2,
        subplot_spec=frame.get_subplotspec(),
        width_ratios=(2.5, 1),
        **free,
    )
    places = [grid[0, 0], grid[1, 0], grid[:, 1]]
    places += [grid[row, 0] for row in range(2, n_parts - 1)]
    axes = [frame.figure.add_subplot(place) for place in places]
    draw_once(frame, owner, axes)
    return np.array(axes, dtype=object)
