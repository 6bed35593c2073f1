"""From a recording to the frames of an encoder."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion._sequences import true_bounds
from skemotion.audio import resample, scale_to_peak
from skemotion.feature_extraction._log_mel import (
    HOP_LENGTH,
    SAMPLING_RATE,
    log_mel_spectrogram,
)

SAMPLES_PER_FRAME = 2 * HOP_LENGTH
_MIN_SAMPLES = 2 * SAMPLES_PER_FRAME  # the ends of which can be mirrored


def count_encoded(n_samples: int, frame_step: int) -> int:
    """Return how many frames there are of so many samples at 16 kHz."""
    n_frames = -(-max(n_samples // HOP_LENGTH, 1) // 2)
    return -(-n_frames // frame_step)


def encode(
    signal: NDArray[np.float32],
    native_rate: float,
    settings: dict[str, Any],
    encoder: Callable[[NDArray, NDArray], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Encode a recording; digital silence at either end becomes frames of zeros.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        As decoded.
    native_rate : float
        Of the signal, in Hz.
    settings : dict
        As :class:`SpeechEncoder` makes them.
    encoder : callable
        As :func:`skemotion.networks.find_encoder` returns it.

    Returns
    -------
    ndarray of shape (n_frames, n_dims), dtype float32
    """
    signal = resample(signal, native_rate, SAMPLING_RATE)[: settings["n_samples"]]
    frames = np.zeros(settings["shape"], dtype=np.float32)
    if not signal.any():
        return frames
    if settings["normalize"] == "peak":
        signal = scale_to_peak(signal)
    first, end = true_bounds((signal != 0)[np.newaxis])[0].tolist()
    step = settings["frame_step"]
    real = _encode_sound(signal[first:end], settings["n_mels"], encoder)
    real = join_frames(real, step)[: len(frames)]
    start = first // (SAMPLES_PER_FRAME * step)
    if settings["padding_side"] == "left":
        start += len(frames) - count_encoded(len(signal), step)
    start = min(start, len(frames) - len(real))
    frames[start : start + len(real)] = real
    return frames


def _encode_sound(signal, n_mels, encoder):
    missing = max(_MIN_SAMPLES - len(signal), 0)
    mel = log_mel_spectrogram(np.pad(signal, (0, missing)), n_mels)
    frames = encoder(mel[np.newaxis], np.array([len(mel)], dtype=np.int32))[0]
    return frames[: count_encoded(len(signal), frame_step=1)]


def join_frames(frames: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Average every so many neighbouring frames; the last may be of fewer.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, n_dims)
    step : int

    Returns
    -------
    ndarray of shape (ceil(n_frames / step), n_dims)
    """
    if step == 1:
        return frames
    starts = np.arange(0, len(frames), step)
    counts = np.diff(np.append(starts, len(frames)))
    return np.add.reduceat(frames, starts, axis=0) / counts[:, np.newaxis].astype("f4")
