"""Which windows are speech, by the features of each."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# What tells speech. The first number is the value beyond which more (or less, where
# it is negative) is no more like speech, so that no excess makes up for what lacks
# elsewhere. The others weight what lacks and its square; they and the bias are made
# by ``benchmarks/speech_detection.py --fit``.
_FEATURES = {
    "moving": (0.7, -6.59, -0.21),
    "still": (-0.1, -15.11, -3.82),
    "alone": (-0.15, -4.06, -5.31),
    "drift": (0.5, -3.35, 1.36),
    "louder and softer": (0.25, -3.0, -0.15),
    "range of levels": (0.6, -0.15, -5.04),
    "breadth": (0.45, -2.51, 0.26),
    "harmonics": (0.8, -3.84, -0.45),
}
_BOUNDS = np.array([bound for bound, *_ in _FEATURES.values()])
_WEIGHTS = np.array([weights for _, *weights in _FEATURES.values()])
_BIAS = 4.95

_STEADY = 0.2  # deviation of the levels in a window, in 10 dB: too little for speech


def judge(features: Array, weights: Array = _WEIGHTS, bias: float = _BIAS) -> Array:
    """Score windows by what they lack, of shape (n_windows,)."""
    scores = bias + _lacks(features) @ weights.T.ravel()
    return np.where(_is_steady(features), -np.inf, scores)


def _is_steady(features: Array) -> Mask:
    """Tell in which windows there can be no syllables."""
    return np.asarray(features[:, list(_FEATURES).index("range of levels")] < _STEADY)


def _lacks(features: Array) -> Array:
    """Return how far each feature is from that of speech, and the squares."""
    missing = np.maximum(_BOUNDS - np.sign(_BOUNDS) * features, 0)
    return np.hstack([missing, missing**2])
