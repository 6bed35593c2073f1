"""What padding is: the runs of digital silence at either end of a recording.

A frame is silent if its loudness is exactly 0 or, where no column holds the
loudness, if all of its values are. Silence between two frames with sound is not
padding, and one frame of every recording counts as real.
"""

import numpy as np
from numpy.typing import NDArray


def true_bounds(flags: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Find the first flag that is set in each row, and the end behind the last.

    Parameters
    ----------
    flags : ndarray of shape (n_rows, n_columns), dtype bool
        At least one column.

    Returns
    -------
    ndarray of shape (n_rows, 2), dtype int
        Slices of columns, one at least. Where no flag is set, the last.
    """
    n_columns = flags.shape[1]
    first = flags.argmax(axis=1)
    end = n_columns - flags[:, ::-1].argmax(axis=1)
    none = ~flags[np.arange(len(flags)), first]
    first[none], end[none] = n_columns - 1, n_columns
    return np.stack([first, end], axis=1)


def real_bounds(X: NDArray, loudness: int | None = None) -> NDArray[np.intp]:
    """Find the frames between the padding in front and the padding behind.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences.
    loudness : int or None, default=None
        Column of the root mean square. None if there is none.

    Returns
    -------
    ndarray of shape (n_samples, 2), dtype int
        First real frame of each sequence, and the end behind its last.
    """
    values = X if loudness is None else X[:, :, [loudness]]
    return true_bounds(np.any(values, axis=2))


def mark_real(bounds: NDArray[np.intp], n_frames: int) -> NDArray[np.bool_]:
    """Turn bounds into a mask of shape (n_samples, n_frames), True for real frames."""
    number = np.arange(n_frames)
    return (bounds[:, :1] <= number) & (number < bounds[:, 1:])


def find_padding(X: NDArray, loudness: int | None = None) -> NDArray[np.bool_]:
    """Return a mask of shape (n_samples, n_frames), True for frames of padding."""
    return ~mark_real(real_bounds(X, loudness), X.shape[1])


def common_frames(bounds: NDArray[np.intp]) -> slice:
    """Return the frames from the first that is real in any sequence to the last."""
    return slice(bounds[:, 0].min(), bounds[:, 1].max())
