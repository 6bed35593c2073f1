"""From a recording to the frames of an encoder."""

from collections.abc import Callable
from typing import Any, NamedTuple

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


class Heard(NamedTuple):
    """What an encoder hears of a recording, and where its frames belong.

    Attributes
    ----------
    log_mel : ndarray of shape (n_mel_frames, n_mels), dtype float32
        The sound, without digital silence at either end.
    n_real : int
        How many frames of the encoder are of it.
    first : int
        Where the first of them belongs, once they are joined.
    """

    log_mel: NDArray[np.float32]
    n_real: int
    first: int


def prepare(
    signal: NDArray[np.float32], native_rate: float, settings: dict[str, Any]
) -> Heard | None:
    """Return what is heard of a recording; None of digital silence.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        As decoded.
    native_rate : float
        Of the signal, in Hz.
    settings : dict
        As :class:`SpeechEncoder` makes them.
    """
    signal = resample(signal, native_rate, SAMPLING_RATE)[: settings["n_samples"]]
    if not signal.any():
        return None
    if settings["normalize"] == "peak":
        signal = scale_to_peak(signal)
    first, end = true_bounds((signal != 0)[np.newaxis])[0].tolist()
    sound = signal[first:end]
    missing = max(_MIN_SAMPLES - len(sound), 0)
    mel = log_mel_spectrogram(np.pad(sound, (0, missing)), settings["n_mels"])
    n_frames, step = settings["shape"][0], settings["frame_step"]
    start = first // (SAMPLES_PER_FRAME * step)
    if settings["padding_side"] == "left":
        start += n_frames - count_encoded(len(signal), step)
    start = min(start, n_frames - count_encoded(len(sound), step))
    return Heard(mel, count_encoded(len(sound), frame_step=1), max(start, 0))


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
    frames = np.zeros(settings["shape"], dtype=np.float32)
    heard = prepare(signal, native_rate, settings)
    if heard is None:
        return frames
    mel = heard.log_mel
    real = encoder(mel[np.newaxis], np.array([len(mel)], dtype=np.int32))[0]
    real = join_frames(real[: heard.n_real], settings["frame_step"])
    real = real[: len(frames) - heard.first]
    frames[heard.first : heard.first + len(real)] = real
    return frames


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
