"""Pitch and voice quality, frame by frame."""

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._columns import stack_columns
from skemotion.feature_extraction._floor import DESCRIBED, tone_power
from skemotion.feature_extraction._pitch import track_pitch
from skemotion.feature_extraction._spectrogram import (
    Spectrogram,
    extend_over_silence,
)

VOICE_NAMES = (
    "log_f0",
    "delta_log_f0",
    "voicing",
    "harmonicity",
    "jitter",
    "shimmer",
    "h1_h2",
    "h1_a3",
)
_LOG_F0_WITHOUT_VOICE = np.log2(150.0)


def describe_voice(
    signal: NDArray[np.float32],
    spectrogram: Spectrogram,
    sampling_rate: int,
    peak: float,
    step: int,
    near: NDArray[np.intp],
    wide: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Describe the voice by what is found in short frames around each frame.

    The columns are the binary logarithm of the pitch in Hz, on straight lines
    where there is no voice, and its change; the part of short frames with
    voice; the harmonics-to-noise ratio in dB; the mean change of pitch
    (octaves) and of the largest sample (logarithm) from one short frame with
    voice to the next, which stand for jitter and shimmer; and by how many dB
    the first harmonic is above the second, and above the highest between 2500
    and 3500 Hz.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples.
    spectrogram : Spectrogram
        Of this signal.
    sampling_rate : int
        In Hz.
    peak : float
        The largest sample in magnitude.
    step : int
        From one short frame to the next, in samples.
    near, wide : ndarray of shape (n_frames, n_around)
        Numbers of the short frames that count for a frame; the wider ones for
        jitter and shimmer.

    Returns
    -------
    ndarray of shape (n_frames, 8)
    """
    pitch = track_pitch(signal, sampling_rate=sampling_rate, hop_length=step)
    voiced = pitch.f0 > 0
    log_f0 = _bridge(np.log2(np.maximum(pitch.f0, 1)), voiced)
    strength = np.clip(pitch.strength, 1e-3, 1 - 1e-3)
    harmonicity = 10 * np.log10(strength / (1 - strength))
    frame_f0 = log_f0[near].mean(axis=1)
    h1_h2, h1_a3 = _compare_harmonics(spectrogram, 2**frame_f0, peak)
    voice = {
        "log_f0": frame_f0,
        "delta_log_f0": np.gradient(frame_f0),
        "voicing": voiced[near].mean(axis=1),
        "harmonicity": harmonicity[near].mean(axis=1),
        "jitter": _mean_change(log_f0, voiced, wide),
        "shimmer": _mean_change(pitch.level, voiced, wide),
        "h1_h2": h1_h2,
        "h1_a3": h1_a3,
    }
    return stack_columns(voice, VOICE_NAMES)


def _bridge(values, known):
    """Draw straight lines where values are unknown, so that no statistic jumps."""
    if not known.any():
        return np.full(len(values), _LOG_F0_WITHOUT_VOICE)
    index = np.arange(len(values))
    return np.interp(index, index[known], values[known])


def _mean_change(values, voiced, around):
    """Average the change between neighbours that both have voice."""
    pairs = np.append(False, voiced[1:] & voiced[:-1])
    change = np.abs(np.diff(values, prepend=values[:1])) * pairs
    return change[around].sum(axis=1) / np.maximum(pairs[around].sum(axis=1), 1)


def _compare_harmonics(spectrogram, f0, peak):
    sound, frames, magnitudes, frequencies = spectrogram
    floor = tone_power(DESCRIBED * peak, frames.shape[1])
    rows = np.arange(len(magnitudes))

    def highest_at(hertz):
        index = np.round(hertz / frequencies[1]).astype(np.intp)
        index = np.clip(index, 1, len(frequencies) - 2)
        return np.max([magnitudes[rows, index + k] for k in (-1, 0, 1)], axis=0)

    start, stop = np.searchsorted(frequencies, [2500, 3500])
    third = magnitudes[:, start:stop].max(axis=1)
    highest = np.stack([highest_at(f0[sound]), highest_at(2 * f0[sound]), third])
    first, *others = 10 * np.log10(np.square(highest) + floor)
    return [extend_over_silence(first - other, sound, len(f0)) for other in others]
