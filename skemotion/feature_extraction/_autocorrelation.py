"""Autocorrelation of frames."""

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._spectrogram import batches


def autocorrelate(
    frames: NDArray[np.floating],
    window: NDArray[np.float64],
    n_lags: int,
    *,
    subtract_mean: bool = False,
    highest: float = 0.5,
) -> NDArray[np.float64]:
    """Correlate every frame with itself.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, frame_length)
        Samples.
    window : ndarray of shape (frame_length,)
        What every frame is multiplied by before.
    n_lags : int
        Number of lags, from 0 on.
    subtract_mean : bool, default=False
        Whether every frame is first brought to a mean of zero.
    highest : float, default=0.5
        Frequency above which nothing counts, in cycles per sample.

    Returns
    -------
    ndarray of shape (n_frames, n_lags)
        In double precision, for the small differences between lags count.
    """
    from scipy.fft import dct, next_fast_len, rfft

    n_frames, frame_length = frames.shape
    n_fft = 2 * next_fast_len((frame_length + n_lags) // 2, real=True)
    correlation = np.empty((n_frames, n_lags))
    # Spectra and frames are of about the same size, in double precision.
    for batch in batches(n_frames, 2 * n_fft):
        rows = frames[batch].astype(np.float64)
        if subtract_mean:
            rows -= rows.mean(axis=1, keepdims=True)
        rows *= window
        spectra = rfft(rows, n_fft, overwrite_x=True)
        power = np.square(spectra.real)
        power += np.square(spectra.imag)
        power[:, 1 + int(highest * n_fft) :] = 0
        # Power is real and even, so that cosines transform it back.
        correlation[batch] = dct(power, type=1, norm="forward")[:, :n_lags]
    return correlation
