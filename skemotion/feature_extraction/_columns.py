"""Columns by their names."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def stack_columns(columns: Mapping[str, NDArray], names: Sequence[str]) -> NDArray:
    """Put named columns side by side, in the order of their names.

    Parameters
    ----------
    columns : mapping of str to ndarray of shape (n_frames,)
        One for each name.
    names : sequence of str

    Returns
    -------
    ndarray of shape (n_frames, n_names)
    """
    return np.stack([columns[name] for name in names], axis=1)
