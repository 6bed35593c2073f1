"""What a picture of a recording shows: a function draws each of its parts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.audio import resample
from skemotion.feature_extraction._log_mel import (
    HOP_LENGTH,
    SAMPLING_RATE,
    log_mel_spectrogram,
)
from skemotion.feature_extraction._mel import hertz_to_mel
from skemotion.inspection._plotting import COLOURS, GREY, name_rows

Course = tuple[NDArray[np.float64], NDArray[np.float64]]
_N_MELS = 80
_MAX_COLUMNS = 1500  # more are not seen
_MIN_SAMPLES = 201  # of which there is a spectrum
_TICKS = (1000, 2000, 4000, 8000)  # Hz
_DYNAMICS = 60.0  # dB below the loudest that are shown
_LEAST_PEAK = 1e-4
_LEAST_FALL = 1e-3
_LIGHT = "#9ecae1"  # of what is not predicted
_MAX_CLASS_NAME = 14  # letters


def draw_waveform(ax: Any, signal: NDArray, seconds: float, *, size: float) -> Any:
    """Draw the range of the samples in each column of the picture."""
    low, high = _envelope(signal)
    times = np.linspace(0, seconds, len(low))
    waveform = ax.fill_between(times, low, high, color="0.45", linewidth=0)
    peak = max(np.abs(low).max(), np.abs(high).max(), _LEAST_PEAK)
    ax.set(xlim=(0, seconds), ylim=(-1.05 * peak, 1.05 * peak))
    ax.set_ylabel("Amplitude", fontsize=size)
    ax.tick_params(labelbottom=False)
    ax.locator_params(axis="y", nbins=3)
    return waveform


def draw_attention(
    ax: Any, attention: Course, seconds: float, *, size: float
) -> tuple[Any, Any]:
    """Draw attention behind a waveform; return the axes of its scale, and the steps."""
    edges, weights = attention
    twin = ax.twinx()
    # Behind the waveform, so that both are seen.
    ax.set_zorder(twin.get_zorder() + 1)
    ax.patch.set_visible(False)
    density = np.divide(weights, np.diff(edges))
    steps = twin.stairs(density, edges, fill=True, color=COLOURS[1])
    twin.set_ylim(0, 1.1 * max(density.max(), 1 / seconds))
    twin.set_ylabel("Attention\n(1/s)", fontsize=size, color="#8a5a00")
    twin.tick_params(labelsize=size)
    twin.locator_params(axis="y", nbins=3)
    return twin, steps


def hatch_unseen(ax: Any, attention: Course, seconds: float) -> list[Any]:
    """Hatch the time that a model has not looked at, if there is any."""
    edges, _ = attention
    if edges[-1] >= seconds - np.diff(edges).max():
        return []
    style = {"color": GREY, "hatch": "//", "fill": False, "linewidth": 0}
    return [ax.axvspan(edges[-1], seconds, **style)]


def draw_spectrogram(
    ax: Any, signal: NDArray, rate: float, *, cmap: Any, im_kw: dict, size: float
) -> Any:
    """Draw levels in mel bands, in dB below the loudest."""
    decibels, seconds = _mel_decibels(signal, rate)
    top = hertz_to_mel(SAMPLING_RATE / 2)
    step = top / (_N_MELS + 1)
    style = {
        "cmap": cmap,
        "vmin": -_DYNAMICS,
        "vmax": 0,
        "aspect": "auto",
        "origin": "lower",
        "interpolation": "nearest",
        "extent": (0, seconds, 0.5 * step, (_N_MELS + 0.5) * step),
    }
    image = ax.imshow(decibels.T, **{**style, **im_kw})
    ax.set_yticks(
        [hertz_to_mel(tick) for tick in _TICKS],
        [str(tick // 1000) for tick in _TICKS],
    )
    ax.set(xlim=(0, len(signal) / rate), ylim=(0, top))
    ax.set_ylabel("Frequency\n(kHz)", fontsize=size)
    return image


def draw_level_scale(ax: Any, image: Any, *, size: float) -> Any:
    """Draw the scale of a spectrogram beside it."""
    # Within the axes' own box, so that no column of the figure is kept for it.
    place = ax.inset_axes((1.03, 0, 0.04, 1))
    colorbar = ax.figure.colorbar(image, cax=place)
    colorbar.set_label("Level (dB)", fontsize=size)
    place.tick_params(labelsize=size)
    return colorbar


def draw_probabilities(
    ax: Any,
    probabilities: NDArray,
    class_names: Sequence[str],
    *,
    y_true: str | None,
    silent: bool,
    bar_kw: dict,
    size: float,
) -> Any:
    """Draw a bar for each class, the longest in another colour unless all is silent."""
    places = np.arange(len(probabilities))
    best = int(probabilities.argmax())
    colours = [COLOURS[0] if i == best else _LIGHT for i in places]
    style = {"color": GREY if silent else colours}
    bars = ax.barh(places, probabilities, **{**style, **bar_kw})
    name_rows(ax, [str(name) for name in class_names], _MAX_CLASS_NAME)
    if y_true is not None:
        true = list(class_names).index(y_true)
        ax.get_yticklabels()[true].set_fontweight("bold")
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_xlabel("Probability", fontsize=size)
    ax.spines[["top", "right"]].set_visible(False)
    return bars


def draw_occlusion(
    ax: Any, occlusion: Course, seconds: float, *, size: float
) -> tuple[Any, Any]:
    """Draw by how much a probability falls; return the steps, and the line at 0."""
    edges, falls = occlusion
    steps = ax.stairs(falls, edges, fill=True, color=COLOURS[2])
    line = ax.axhline(0, color="0.3", linewidth=0.8)
    low, high = min(falls.min(), 0), max(falls.max(), 0)
    margin = 0.1 * max(high - low, _LEAST_FALL)
    ax.set(xlim=(0, seconds), ylim=(low - margin, high + margin))
    ax.set_ylabel("Fall if\nsilenced", fontsize=size)
    ax.locator_params(axis="y", nbins=3)
    return steps, line


def _envelope(signal):
    """Return the least and the largest sample of each column of a picture."""
    step = max(len(signal) // _MAX_COLUMNS, 1)
    starts = np.arange(0, len(signal), step)
    low, high = (f.reduceat(signal, starts) for f in (np.minimum, np.maximum))
    return low, high


def _mel_decibels(signal, rate):
    """Return levels of shape (n_columns, n_mels), and the time that they span."""
    signal = resample(signal.astype(np.float32), rate, SAMPLING_RATE)
    signal = np.pad(signal, (0, max(_MIN_SAMPLES - len(signal), 0)))
    decibels = 40 * log_mel_spectrogram(signal, _N_MELS)
    decibels -= decibels.max()
    step = max(len(decibels) // _MAX_COLUMNS, 1)
    levels = np.maximum.reduceat(decibels, np.arange(0, len(decibels), step))
    return levels, len(decibels) * HOP_LENGTH / SAMPLING_RATE
