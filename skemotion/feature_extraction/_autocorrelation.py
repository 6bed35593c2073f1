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
    dtype: type = np.float64,
) -> NDArray:
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

    dtype : type, default=np.float64
        Precision of the transforms. In float32, which takes half the time, lags are
        wrong by up to some 1e-7 of the first.

    Returns
    -------
    ndarray of shape (n_frames, n_lags), dtype `dtype`
    """
    from scipy.fft import dct, next_fast_len, rfft

    n_frames, frame_length = frames.shape
    n_fft = 2 * next_fast_len((frame_length + n_lags) // 2, real=True)
    correlation: NDArray = np.empty((n_frames, n_lags), dtype)
    window = window.astype(dtype, copy=False)
    offset: NDArray = np.zeros((n_frames, 1), dtype)
    if subtract_mean:
        frames.mean(axis=1, keepdims=True, dtype=dtype, out=offset)
    all_batches = list(batches(n_frames, n_fft))
    # The zeros behind frames are written once: SciPy would do it for every batch.
    padded = np.zeros((all_batches[0].stop, n_fft), dtype)
    for batch in all_batches:
        n_rows = batch.stop - batch.start
        rows = padded[:n_rows, :frame_length]
        np.subtract(frames[batch], offset[batch], out=rows)
        rows *= window
        spectra = rfft(padded[:n_rows])
        power = np.square(spectra.real)
        power += np.square(spectra.imag)
        power[:, 1 + int(highest * n_fft) :] = 0
        # Power is real and even, so that cosines transform it back.
        lags = dct(power, type=1, norm="forward", overwrite_x=True)
        correlation[batch] = lags[:, :n_lags]
    return correlation
