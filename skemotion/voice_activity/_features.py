"""What tells speech from other sounds, as numbers for each window."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from skemotion.voice_activity._voice import Voice
from skemotion.voice_activity._windows import CONTEXT, window_means, window_starts

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_MASKED = 25.0  # dB below a frame's loudest band: not looked at
_JUMP = 0.15  # octaves a frame: another voice, or an error
_RUN = 4  # frames over which spectra that drift are told from those that flicker
_LEVELS = 35.0  # dB below the loudest frame of a window; what is below is alike
_FEW = 0.03  # share of frames that counts as few, to divide by


def describe(voice: Voice) -> Array:
    """Return what tells speech, of shape (n_windows, n_features)."""
    glide = np.abs(np.diff(voice.pitch))
    loud = voice.levels > voice.levels.max(axis=1, keepdims=True) - _MASKED
    both = loud[1:] & loud[:-1]
    n_bands = np.maximum(both.sum(axis=1), 1)
    shift = np.where(both, np.diff(voice.levels, axis=0), 0)
    # What gets louder as a whole keeps its spectrum.
    shift -= both * (shift.sum(axis=1) / n_bands)[:, np.newaxis]
    change = np.abs(shift).sum(axis=1) / n_bands
    swell = np.diff(voice.level)

    voiced = voice.voiced[1:]
    held = voiced & voice.voiced[:-1] & (glide < _JUMP)
    moving = held & (glide > 0.003) & (change > 0.4) & (n_bands >= 3)
    lasting, drift = _find_drift(shift, held)
    lasting &= moving
    counts = {
        "held": held,
        "moving": moving,
        "still": held & (glide < 0.002),
        "alone": voiced & ~held,
        "louder": moving & (swell > 0.15),
        "softer": moving & (swell < -0.15),
        "bands": moving * n_bands,
        "rich": moving & voice.rich[1:],
        "lasting": lasting,
        "drift": lasting * drift,
    }
    sums = window_means(np.column_stack(list(counts.values())))
    mean = dict(zip(counts, sums.T, strict=True))
    held_, moving_ = mean["held"] + _FEW, mean["moving"] + _FEW
    return np.column_stack(
        [
            mean["moving"] / held_,
            mean["still"] / held_,
            mean["alone"] / (held_ + mean["alone"]),
            mean["drift"] / (mean["lasting"] + _FEW / 3),
            np.minimum(mean["louder"], mean["softer"]) / moving_,
            _spread_of_levels(voice.level[1:]) / 10,
            mean["bands"] / moving_ / 10,
            mean["rich"] / moving_,
        ]
    )


def _find_drift(shift: Array, held: Mask) -> tuple[Mask, Array]:
    """Tell where a voice lasts, and how much of its changes is a drift, 0 to 1."""
    lasting, drift = np.zeros(len(held), dtype=bool), np.zeros(len(held))
    n = len(held) - _RUN + 1
    if n > 0:
        parts = [shift[start : start + n] for start in range(_RUN)]
        total = np.abs(np.sum(parts, axis=0)).sum(axis=1)
        path = np.sum([np.abs(part).sum(axis=1) for part in parts], axis=0)
        drift[:n] = total / (path + 1)
        lasting[:n] = sliding_window_view(held, _RUN).all(axis=1)
    return lasting, drift


def _spread_of_levels(level: Array) -> Array:
    """Return the deviation of levels in each window, in dB."""
    windows = sliding_window_view(level, min(CONTEXT, len(level)))
    windows = windows[window_starts(len(level))]
    loudest = windows.max(axis=1, keepdims=True)
    return np.maximum(windows - loudest, -_LEVELS).std(axis=1)
