"""The constant that some recorders add to every sample."""

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._spectrogram import (
    Spectrogram,
    cut_frames,
    transform_frames,
)

# Under a Hann window, a constant is in these lowest bins and in no others.
N_OFFSET_BINS = 2


def remove_offset(
    signal: NDArray[np.float32], spectrogram: Spectrogram, hop_length: int
) -> tuple[NDArray[np.float32], Spectrogram]:
    """Bring what lies between the zeros at either end to a mean of zero.

    Only the frames in which it begins or ends are transformed anew. In the others
    the constant is in the lowest `N_OFFSET_BINS` bins alone, and these are left as
    they are.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        Mono samples.
    spectrogram : Spectrogram
        Of this signal.
    hop_length : int
        Step of the spectrogram, in samples.

    Returns
    -------
    signal : ndarray of shape (n_samples,), dtype float32
    spectrogram : Spectrogram
    """
    nonzero = signal != 0
    start, stop = int(nonzero.argmax()), len(signal) - int(nonzero[::-1].argmax())
    centred = signal.copy()
    centred[start:stop] -= signal[start:stop].mean(dtype=np.float64)

    sound, frames, magnitudes, _ = spectrogram
    frame_length = frames.shape[1]
    frames = cut_frames(centred, sound, frame_length, hop_length)
    begins = np.arange(sound.start, sound.stop) * hop_length - frame_length // 2
    at_end = (begins < start) | (begins + frame_length > stop)
    magnitudes = magnitudes.copy()
    magnitudes[at_end] = transform_frames(frames[at_end])
    return centred, spectrogram._replace(frames=frames, magnitudes=magnitudes)
