"""The axes of a picture of a recording, and the numbers that are drawn in them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.audio import resample
from skemotion.feature_extraction._log_mel import (
    HOP_LENGTH,
    SAMPLING_RATE,
    log_mel_spectrogram,
)
from skemotion.inspection._plotting import (
    create_axes,
    draw_once,
    drawn_by,
    whole_figure,
)

N_MELS = 80
_MAX_COLUMNS = 1500  # more are not seen
_MIN_SAMPLES = 201  # of which there is a spectrum


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


def envelope(signal: NDArray) -> tuple[NDArray, NDArray]:
    """Return the least and the largest sample of each column of a picture."""
    step = max(len(signal) // _MAX_COLUMNS, 1)
    starts = np.arange(0, len(signal), step)
    low, high = (f.reduceat(signal, starts) for f in (np.minimum, np.maximum))
    return low, high


def mel_decibels(signal: NDArray, rate: float) -> tuple[NDArray, float]:
    """Return levels of shape (n_columns, n_mels), and the time that they span."""
    signal = resample(signal.astype(np.float32), rate, SAMPLING_RATE)
    signal = np.pad(signal, (0, max(_MIN_SAMPLES - len(signal), 0)))
    decibels = 40 * log_mel_spectrogram(signal, N_MELS)
    decibels -= decibels.max()
    step = max(len(decibels) // _MAX_COLUMNS, 1)
    levels = np.maximum.reduceat(decibels, np.arange(0, len(decibels), step))
    return levels, len(decibels) * HOP_LENGTH / SAMPLING_RATE
