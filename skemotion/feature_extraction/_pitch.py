"""Fundamental frequency by autocorrelation."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_FMIN, _FMAX = 75.0, 500.0
_WINDOW = 0.04  # seconds, three periods of the lowest pitch
_N_CANDIDATES = 5
# The costs are those of the reference.
_SILENCE, _VOICING = 0.03, 0.45
_OCTAVE, _JUMP, _CHANGE = 0.01, 0.35, 0.14


class Pitch(NamedTuple):
    """What :func:`track_pitch` finds, one value for every frame."""

    f0: NDArray[np.float64]
    strength: NDArray[np.float64]
    level: NDArray[np.float64]


def track_pitch(
    signal: NDArray[np.float32], *, sampling_rate: int, hop_length: int
) -> Pitch:
    """Follow the fundamental frequency through a signal.

    The peaks of the autocorrelation, divided by that of the window, are
    candidates; of the ways from candidate to candidate, the one that costs
    least is taken [1]_.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples.
    sampling_rate : int
        In Hz.
    hop_length : int
        Step from frame to frame, in samples. Frames are centred.

    Returns
    -------
    Pitch
        `f0` in Hz, 0 where there is no voice; `strength`, the autocorrelation
        at the candidate, from 0 to 1; `level`, the logarithm of the largest
        sample. All of shape ``(1 + n_samples // hop_length,)``.

    References
    ----------
    .. [1] P. Boersma, "Accurate short-term analysis of the fundamental
       frequency and the harmonics-to-noise ratio of a sampled sound", Proc.
       Institute of Phonetic Sciences 17, 1993, pp. 97-110.
    """
    frames, peak = _cut(signal, sampling_rate, hop_length)
    lag, strength = _candidates(_autocorrelation(frames), sampling_rate)
    loudest = max(float(np.abs(signal).max()), 1e-9)
    silence = np.maximum(0, 2 - peak / loudest * (1 + _VOICING) / _SILENCE)
    frequency = sampling_rate / lag
    path = _cheapest_path(
        frequency, strength, _VOICING + silence, hop_length / sampling_rate
    )
    voiced = path < _N_CANDIDATES
    chosen = np.minimum(path, _N_CANDIDATES - 1)[:, np.newaxis]
    f0 = np.take_along_axis(frequency, chosen, axis=1)[:, 0]
    found = np.take_along_axis(strength, chosen, axis=1)[:, 0]
    return Pitch(
        f0=np.where(voiced, f0, 0.0),
        strength=np.clip(np.where(voiced, found, strength.max(axis=1)), 0, 1),
        level=np.log(peak + 1e-5),
    )


def _cut(signal, sampling_rate, hop_length):
    """Return frames without their means, and the largest sample in their middle."""
    width = int(_WINDOW * sampling_rate)
    padded = np.pad(signal.astype(np.float64), width // 2 + 1)
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[::hop_length]
    frames = frames[: 1 + len(signal) // hop_length]
    peak = np.abs(frames[:, width // 4 : -width // 4]).max(axis=1)
    return frames - frames.mean(axis=1, keepdims=True), peak


def _autocorrelation(frames):
    """Return it for lags up to half of the window and a little more."""
    width = frames.shape[1]
    n_fft = 2 ** int(np.ceil(np.log2(1.6 * width)))
    n_lags = int(0.6 * width)
    window = np.hanning(width)

    def correlate(rows):
        return np.fft.irfft(np.square(np.abs(np.fft.rfft(rows, n_fft))), n_fft)

    own = correlate(window)[:n_lags]
    found = correlate(frames * window)[:, :n_lags]
    return found / np.maximum(found[:, :1], 1e-12) / (own / own[0])


def _candidates(correlation, sampling_rate):
    """Return lag and strength, -1 for none, of the highest peaks in pitch range."""
    first, last = int(sampling_rate / _FMAX), int(sampling_rate / _FMIN)
    left = correlation[:, first - 1 : last]
    middle = correlation[:, first : last + 1]
    right = correlation[:, first + 1 : last + 2]
    lags = np.arange(first, last + 1)
    is_peak = (middle > left) & (middle >= right) & (middle > 0.3 * _VOICING)
    score = middle - _OCTAVE * np.log2(_FMIN / sampling_rate * lags)
    score = np.where(is_peak, score, -1.0)
    top = np.argpartition(score, -_N_CANDIDATES, axis=1)[:, -_N_CANDIDATES:]
    left, middle, right, is_peak = (
        np.take_along_axis(values, top, axis=1)
        for values in (left, middle, right, is_peak)
    )
    # The vertex of the parabola through a peak and its neighbours.
    bend = np.minimum(left - 2 * middle + right, -1e-12)
    shift = np.where(is_peak, np.clip((left - right) / (2 * bend), -0.5, 0.5), 0.0)
    strength = np.where(is_peak, middle - (left - right) * shift / 4, -1.0)
    return lags[top] + shift, np.minimum(strength, 1.0)


def _cheapest_path(frequency, strength, unvoiced, seconds):
    """Return the candidate of every frame, or their number where there is no voice."""
    pitch = np.log2(frequency)
    gain = np.where(strength < 0, -1e3, strength + _OCTAVE * (pitch - np.log2(_FMIN)))
    gain = np.column_stack([gain, unvoiced])
    n_frames, n_states = gain.shape
    scale = 0.01 / seconds  # the reference gives costs for steps of 10 ms
    cost = np.full((n_states, n_states), _CHANGE * scale)
    cost[-1, -1] = 0
    came_from = np.zeros((n_frames, n_states), dtype=np.intp)
    total = gain[0]
    for frame in range(1, n_frames):
        jump = np.abs(pitch[frame][:, np.newaxis] - pitch[frame - 1])
        cost[:-1, :-1] = _JUMP * scale * jump
        reached = total - cost
        came_from[frame] = reached.argmax(axis=1)
        total = gain[frame] + reached.max(axis=1)
    path = np.full(n_frames, total.argmax())
    for frame in range(n_frames - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path
