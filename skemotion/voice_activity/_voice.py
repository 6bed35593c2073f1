"""What is seen in each frame of 10 ms: a pitch, levels of bands, and harmonics."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from skemotion.voice_activity._samples import decimate

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

FRAME_SECONDS = 0.01
_WINDOW = 0.04  # seconds, of the spectrum: nearly three periods of the lowest pitch
_LOWEST_PITCH, _HIGHEST_PITCH = 60.0, 500.0  # Hz
_HIGHEST = 2000.0  # Hz, of what is looked at; a telephone has it too
_BANDS = (80, 200, 320, 450, 600, 780, 980, 1200, 1450, 1700, 1950)  # Hz
_PEAK = 6  # bins of the spectrum that a single harmonic fills
_AT_ONCE = 512  # frames, so that memory and its caches suffice
_OCTAVE_COST = 0.02  # of the height of a peak, so that the shorter period wins
_VOICED = 0.38  # height of the peak of the autocorrelation
_QUIET = 50.0  # dB below the loudest frame: no voice


class Voice(NamedTuple):
    """What is seen in each frame, of shape (n_frames,) or (n_frames, n_bands)."""

    voiced: Mask
    pitch: Array  # binary logarithm of Hz
    levels: Array  # of bands, dB
    level: Array  # dB
    rich: Mask  # whether there is more than one harmonic


def track_voice(signal: Array, sampling_rate: float, n_frames: int) -> Voice:
    """Look at so many frames of a signal, which begin every 10 ms."""
    signal, rate = decimate(signal, sampling_rate)
    width, hop = round(_WINDOW * rate), round(FRAME_SECONDS * rate)
    # The middles of frame and spectrum are the same.
    padded = np.pad(signal, ((width - hop) // 2, width + hop))
    frames = sliding_window_view(padded, width)
    starts = np.rint(np.arange(n_frames) * FRAME_SECONDS * rate).astype(int)
    parts = [
        _analyse(frames[starts[first : first + _AT_ONCE]], rate)
        for first in range(0, n_frames, _AT_ONCE)
    ]
    height, pitch, bands, rich = map(np.concatenate, zip(*parts, strict=True))
    energy = bands.sum(axis=1)
    floor = 1e-9 * energy.max() + np.finfo(float).tiny
    level = 10 * np.log10(energy + floor)
    return Voice(
        voiced=(height > _VOICED) & (level > level.max() - _QUIET),
        pitch=np.log2(pitch),
        levels=10 * np.log10(bands + floor),
        level=level,
        rich=rich,
    )


def _analyse(frames: Array, rate: float) -> tuple[Array, Array, Array, Mask]:
    """Return voicing, pitch, power in bands, and whether there are harmonics."""
    width = frames.shape[1]
    n_fft = width + int(rate / _LOWEST_PITCH) + 2
    n_fft += -n_fft % 32
    taper = np.hanning(width + 2)[1:-1]
    spectrum = np.fft.rfft(frames * taper, n_fft)
    power = spectrum.real**2 + spectrum.imag**2
    frequency = np.fft.rfftfreq(n_fft, 1 / rate)
    power[:, (frequency < _LOWEST_PITCH) | (frequency > _HIGHEST)] = 0
    edges = np.asarray(_BANDS)
    in_band = (frequency[:, None] >= edges[:-1]) & (frequency[:, None] < edges[1:])
    narrow = np.partition(power, -_PEAK, axis=1)[:, -_PEAK:].sum(axis=1)
    return (
        *_find_pitch(np.sqrt(power), n_fft, taper, rate),
        power @ in_band.astype(float),
        narrow < 0.95 * power.sum(axis=1),
    )


def _find_pitch(
    magnitude: Array, n_fft: int, taper: Array, rate: float
) -> tuple[Array, Array]:
    """Find the highest peak of the autocorrelation, and its frequency in Hz."""
    first, last = int(np.ceil(rate / _HIGHEST_PITCH)), int(rate / _LOWEST_PITCH)
    lags = np.arange(first, last + 1)
    correlation = np.fft.irfft(magnitude, n_fft)[:, : last + 2]
    total = correlation[:, :1]
    own = np.fft.irfft(np.abs(np.fft.rfft(taper, n_fft)) ** 2)[: last + 2]
    correlation = correlation / np.where(total > 0, total, 1)
    correlation /= np.maximum(own / own[0], 0.3)

    before, here, after = (
        correlation[:, first + shift : last + 1 + shift] for shift in (-1, 0, 1)
    )
    is_peak = (here >= before) & (here > after)
    wanted = np.where(is_peak, here - _OCTAVE_COST * np.log2(lags / first), -1)
    best = wanted.argmax(axis=1)
    rows = np.arange(len(best))
    height = np.where(is_peak[rows, best], here[rows, best], 0)
    left, right = before[rows, best], after[rows, best]
    bend = left - 2 * here[rows, best] + right
    shift = 0.5 * (left - right) / np.where(bend < -1e-12, bend, -np.inf)
    return height, rate / (lags[best] + np.clip(shift, -0.5, 0.5))
