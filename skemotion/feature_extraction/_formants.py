"""Formants by linear prediction."""

from math import gcd

import numpy as np
from numpy.typing import NDArray

from skemotion._sequences import true_bounds
from skemotion.feature_extraction._decimation import change_rate
from skemotion.feature_extraction._floor import COMPARED, frame_energy

_N_FORMANTS = 3
_RATE = 10_000
_ORDER = 11
_WINDOW = 0.032  # seconds
_NEUTRAL = (500.0, 1500.0, 2500.0)  # a tube of 17 cm
_WIDEST = 700.0
FORMANT_NAMES = (
    *(f"formant_{i + 1}" for i in range(_N_FORMANTS)),
    *(f"formant_bandwidth_{i + 1}" for i in range(_N_FORMANTS)),
)


def describe_formants(
    signal: NDArray[np.float32],
    sampling_rate: int,
    peak: float,
    hop_length: int,
    n_frames: int,
) -> NDArray[np.float64]:
    """Estimate frequency and bandwidth of the three lowest resonances.

    They are the poles of a linear predictor of order 11 at 10 kHz, fitted to
    each frame by its autocorrelation [1]_. Where fewer are found, and in
    silence, those of a neutral vowel stand in.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples.
    sampling_rate : int
        In Hz.
    peak : float
        The largest sample in magnitude.
    hop_length : int
        Step from frame to frame, in samples. Frames are centred.
    n_frames : int
        Number of frames.

    Returns
    -------
    ndarray of shape (n_frames, 6)
        Frequencies, then bandwidths, in Hz.

    References
    ----------
    .. [1] J. D. Markel and A. H. Gray, "Linear Prediction of Speech", Springer,
       1976.
    """
    frames = _cut(signal, sampling_rate, hop_length, n_frames)
    window = np.hamming(frames.shape[1])
    frames = frames * window
    energy = np.einsum("tn,tn->t", frames, frames)
    formants = np.tile([*_NEUTRAL, *[_WIDEST] * _N_FORMANTS], (n_frames, 1))
    sounding = energy > frame_energy(COMPARED * peak, window)
    if sounding.any():
        formants[sounding] = _resonances(_correlate(frames[sounding]))
    return formants


def _correlate(frames):
    """Return the lags of autocorrelation, too few for transforms to be faster."""
    width = frames.shape[1]
    return np.stack(
        [
            np.einsum("tn,tn->t", frames[:, : width - lag], frames[:, lag:])
            for lag in range(_ORDER + 1)
        ],
        axis=1,
    )


def _cut(signal, sampling_rate, hop_length, n_frames):
    """Cut frames from the signal at 10 kHz, its high frequencies raised."""
    divisor = gcd(sampling_rate, _RATE)
    up, down = _RATE // divisor, sampling_rate // divisor
    # Of what is no padding, and around it, as far as the filter reaches.
    first, end = true_bounds((signal != 0)[np.newaxis])[0].tolist()
    margin = 10 * max(up, down) // up + 2 * down
    start = max(first - margin, 0) // down
    part = change_rate(signal[start * down : end + margin], sampling_rate, _RATE)
    low = np.zeros(-(-len(signal) * up // down), dtype=np.float32)
    low[start * up :][: len(part)] = part
    low[1:] -= 0.97 * low[:-1]
    width = int(_WINDOW * _RATE)
    padded = np.pad(low, width)
    centres = (np.arange(n_frames) * hop_length * _RATE / sampling_rate).astype(int)
    index = centres[:, np.newaxis] + np.arange(width) + width - width // 2
    return padded[np.minimum(index, len(padded) - 1)]


def _resonances(correlation):
    roots = _poles(correlation)
    hertz = np.angle(roots) * _RATE / (2 * np.pi)
    width = -np.log(np.maximum(np.abs(roots), 1e-10)) * _RATE / np.pi
    usable = (hertz > 90) & (hertz < _RATE / 2 - 50) & (width < _WIDEST)
    lowest = np.argsort(np.where(usable, hertz, np.inf), axis=1)[:, :_N_FORMANTS]

    def choose(values, otherwise):
        chosen = np.take_along_axis(values, lowest, axis=1)
        return np.where(np.take_along_axis(usable, lowest, axis=1), chosen, otherwise)

    return np.hstack([choose(hertz, _NEUTRAL), choose(width, _WIDEST)])


def _poles(correlation):
    """Solve the normal equations of every frame, and find the poles."""
    lags = np.abs(np.subtract.outer(np.arange(_ORDER), np.arange(_ORDER)))
    matrix = correlation[:, lags]
    matrix += 1e-6 * correlation[:, :1, np.newaxis] * np.eye(_ORDER)
    coefficients = np.linalg.solve(matrix, correlation[:, 1:, np.newaxis])[..., 0]
    companion = np.zeros((len(correlation), _ORDER, _ORDER))
    companion[:, 1:, :-1] = np.eye(_ORDER - 1)
    companion[:, 0] = coefficients
    return np.linalg.eigvals(companion)
