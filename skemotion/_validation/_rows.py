"""Checks of how many rows there are."""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from skemotion._validation._arrays import (
    as_plain_array,
    count_rows,
)


def check_same_length(X: Any, /, *, of: str = "X", **named: Any) -> None:
    """Raise if something does not have one entry for each row of X.

    Parameters
    ----------
    X : sequence
        Recordings, sequences or labels.
    of : str, default="X"
        What these are called in the error.
    **named : array-like or None
        What is compared, by what it is called. None is passed over.

    Raises
    ------
    TypeError
        If something has no rows.
    ValueError
        If so.
    """
    for name, values in named.items():
        if values is None:
            continue
        n_rows, n_values = count_rows(X, of), count_rows(values, name)
        if n_values != n_rows:
            raise ValueError(
                f"{of} has {n_rows} rows, but {name} has {n_values} (inconsistent "
                f"numbers of samples): give {name} one entry for each row of {of}, in "
                "the same order."
            )


def as_indexable(values: Any, name: str = "X") -> Any:
    """Return what rows can be taken from: arrays of pandas as those of NumPy.

    Parameters
    ----------
    values : object
        Anything else is returned as it is.
    name : str, default="X"
        What it is called in errors.

    Returns
    -------
    object

    Raises
    ------
    TypeError
        If it says that it is an array, and is none.
    """
    if issparse(values):
        return values.tocsr()  # other forms have no rows to take
    is_array = hasattr(values, "dtype") and hasattr(values, "__array__")
    if not is_array or hasattr(values, "iloc"):
        return values
    return values if isinstance(values, np.ndarray) else as_plain_array(values, name)
