"""Where there is speech in a recording."""

import numpy as np
from numpy.typing import NDArray

FRAME = 0.01  # seconds
_FLOOR = 1e-4  # of full scale


def voice_activity(
    signal: NDArray[np.float32], sampling_rate: float
) -> NDArray[np.bool_]:
    """Tell which frames of a signal hold speech.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
        The samples.
    sampling_rate : float
        In Hz.

    Returns
    -------
    ndarray of shape (n_frames,), dtype bool
        One entry for each 10 ms, of which the last may be shorter.
    """
    step = max(int(FRAME * sampling_rate), 1)
    missing = -len(signal) % step
    frames = np.pad(np.asarray(signal, dtype=np.float64), (0, missing))
    return np.sqrt((frames.reshape(-1, step) ** 2).mean(axis=1)) > _FLOOR
