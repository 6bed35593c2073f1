"""Fundamental frequency by autocorrelation."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._autocorrelation import autocorrelate
from skemotion.feature_extraction._band import HIGHEST
from skemotion.feature_extraction._best_path import find_best_path
from skemotion.feature_extraction._floor import DESCRIBED
from skemotion.feature_extraction._spectrogram import (
    count_frames,
    cut_frames,
    extend_over_silence,
    find_sound,
)

_FMIN, _FMAX = 75.0, 500.0
_WINDOW = 0.04  # seconds, three periods of the lowest pitch
_N_CANDIDATES = 5
# Single precision changes an autocorrelation by less than 5e-7. A peak that is flatter
# lies at another place then.
_DOUBT, _FLAT = 1e-6, 1e-3
# The costs are those of the reference.
_SILENCE, _VOICING = 0.03, 0.45
_OCTAVE, _JUMP, _CHANGE = 0.01, 0.35, 0.14
_LOWEST_PEAK = 0.3 * _VOICING


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
    width = 2 * int(_WINDOW / 2 * sampling_rate)
    # Of two more samples, so that the window is centred one sample early.
    sound = find_sound(signal, width + 2, hop_length)
    frames = cut_frames(signal, sound, width + 2, hop_length)[:, :width]
    peak = np.abs(frames[:, width // 4 : -width // 4]).max(axis=1).astype(np.float64)
    shortest, longest = int(sampling_rate / _FMAX), int(sampling_rate / _FMIN)
    lag, strength = _find_candidates(frames, shortest, longest, sampling_rate)
    loudest = max(float(np.abs(signal).max()), 1e-30)
    silence = np.maximum(0, 2 - peak / loudest * (1 + _VOICING) / _SILENCE)
    frequency = sampling_rate / lag
    path = _cheapest_path(
        frequency, strength, _VOICING + silence, hop_length / sampling_rate
    )
    voiced = path < _N_CANDIDATES
    chosen = np.minimum(path, _N_CANDIDATES - 1)[:, np.newaxis]
    f0 = np.take_along_axis(frequency, chosen, axis=1)[:, 0]
    found = np.take_along_axis(strength, chosen, axis=1)[:, 0]
    found = np.clip(np.where(voiced, found, strength.max(axis=1)), 0, 1)
    pitch = (np.where(voiced, f0, 0.0), found, np.log(peak + DESCRIBED * loudest))
    n_frames = count_frames(len(signal), width, hop_length)
    return Pitch(*(extend_over_silence(values, sound, n_frames) for values in pitch))


def _find_candidates(frames, shortest, longest, sampling_rate):
    """Return lag and strength, -1 for none, of every frame's highest peaks."""
    frame, lag, *around = _find_peaks(frames, shortest, longest, sampling_rate)
    score = around[1] - _OCTAVE * np.log2(_FMIN / sampling_rate * lag)
    order = np.lexsort((-score, frame))
    rank = np.arange(len(frame)) - np.searchsorted(frame, frame)
    highest = order[rank < _N_CANDIDATES]
    place = frame[highest], rank[rank < _N_CANDIDATES]
    shift, strength = _vertex(*(values[highest] for values in around))
    shape = len(frames), _N_CANDIDATES
    lags, strengths = np.full(shape, float(shortest)), np.full(shape, -1.0)
    lags[place] = lag[highest] + shift
    strengths[place] = np.minimum(strength, 1.0)
    return lags, strengths


def _find_peaks(frames, shortest, longest, sampling_rate):
    """Return frame, lag and height of all peaks, the height between its neighbours.

    Single precision finds them. Frames of which it is not sure are correlated again.
    """
    n_lags, highest = longest + 2, HIGHEST / sampling_rate
    correlation = _correlate(frames, n_lags, highest, np.float32)
    middle = correlation[:, shortest:-1]
    may_be = middle > _LOWEST_PEAK - _DOUBT
    may_be &= middle > correlation[:, shortest - 1 : -2] - _DOUBT
    may_be &= middle > correlation[:, shortest + 1 :] - _DOUBT
    frame, lag = np.divmod(np.flatnonzero(may_be), middle.shape[1])
    lag += shortest
    around = _at(correlation, frame, lag)
    left, middle, right = around
    is_sure = middle - _DOUBT > np.maximum(np.maximum(left, right), _LOWEST_PEAK)
    is_sure &= 2 * middle - left - right > _FLAT
    again = np.unique(frame[~is_sure])
    if len(again):
        known = np.isin(frame, again)
        correlation = _correlate(frames[again], n_lags, highest, np.float64)
        row = np.searchsorted(again, frame[known])
        around[:, known] = _at(correlation, row, lag[known])
    is_peak = (middle > _LOWEST_PEAK) & (middle > left) & (middle >= right)
    return frame[is_peak], lag[is_peak], *around[:, is_peak]


def _at(correlation, frame, lag):
    """Return values before lags, at them and behind them, in double precision."""
    return correlation[frame, lag + [[-1], [0], [1]]].astype(np.float64)


def _correlate(frames, n_lags, highest, dtype):
    """Return the autocorrelation of frames, divided by that of the window."""
    window, own = _window(frames.shape[1], n_lags, dtype)
    correlation = autocorrelate(
        frames, window, n_lags, subtract_mean=True, highest=highest, dtype=dtype
    )
    correlation /= np.maximum(correlation[:, :1], dtype(1e-12))
    correlation /= own
    return correlation


@lru_cache(maxsize=8)
def _window(width, n_lags, dtype):
    """Return a window and its autocorrelation, which is 1 at first."""
    window = np.hanning(width)
    own = autocorrelate(window[np.newaxis], np.ones(width), n_lags)
    return window.astype(dtype), (own / own[:, :1]).astype(dtype)


def _vertex(left, middle, right):
    """Return position and height of the parabola through peaks and neighbours."""
    bend = np.minimum(left - 2 * middle + right, -1e-12)
    shift = np.clip((left - right) / (2 * bend), -0.5, 0.5)
    return shift, middle - (left - right) * shift / 4


def _cheapest_path(frequency, strength, unvoiced, seconds):
    """Return the candidate of every frame, or their number where there is no voice."""
    pitch = np.log2(frequency)
    gain = np.where(strength < 0, -1e3, strength + _OCTAVE * (pitch - np.log2(_FMIN)))
    gain = np.column_stack([gain, unvoiced])
    scale = 0.01 / seconds  # the reference gives costs for steps of 10 ms
    steps = np.repeat(gain[1:, np.newaxis], gain.shape[1], axis=1)
    jump = np.abs(pitch[1:, np.newaxis] - pitch[:-1, :, np.newaxis])
    steps[:, :-1, :-1] -= _JUMP * scale * jump
    steps[:, :-1, -1] -= _CHANGE * scale
    steps[:, -1, :-1] -= _CHANGE * scale
    return find_best_path(gain[0], steps)
