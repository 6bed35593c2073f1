"""Many recordings: whatever holds them, as a list."""

import os
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from skemotion.audio._kinds import Recording, is_dict_of_audio, is_pair, is_segment
from skemotion.audio._tables import (
    check_computed,
    check_index,
    is_table,
    recordings_in,
)


def check_recordings(X: Any, *, iterators: bool = True) -> list[Recording]:
    """Return a sequence of recordings as a list, or say which list was meant.

    Parameters
    ----------
    X : sequence of recordings
        Each as :func:`load_audio` takes it. None is opened. It may be a data frame
        with a column ``path``, and a segmented index of audformat, with the levels
        file, start and end, or a data frame that has one.
    iterators : bool, default=True
        Whether X may be an iterator, such as a generator, which is used up.

    Returns
    -------
    list

    Raises
    ------
    TypeError
        If X is one recording, a table without a column of recordings, a
        collection without order, or an iterator where none may be.
    ValueError
        If X is empty.
    """
    check_computed(X)
    if is_table(X):
        X = recordings_in(X)
    _refuse_other_than_sequences(X)
    is_iterator = hasattr(X, "__next__")
    if is_iterator and not iterators:
        raise TypeError(
            f"{_SEQUENCE}, but is an iterator ({type(X).__name__}), which is empty "
            "once it has been read; pass list(X)."
        )
    # Arrow's arrays hold scalars of their own.
    recordings = X.to_pylist() if hasattr(X, "to_pylist") else list(X)
    if not recordings:
        why = "an iterator is empty once it has been read: pass a list"
        raise ValueError(
            "X holds no recordings; "
            + (f"{why}." if is_iterator else "at least one is needed.")
        )
    if all(isinstance(recording, Real) for recording in recordings):
        raise TypeError(f"{_SEQUENCE}; for a single signal pass the list [signal].")
    if is_pair(X) and isinstance(X[1], Real):
        raise TypeError(
            f"{_SEQUENCE}; for a single pair pass the list [(signal, sampling_rate)]."
        )
    if is_segment(X):
        raise TypeError(
            f"{_SEQUENCE}; for a single segment pass the list [(recording, start, "
            "end)]."
        )
    return recordings


_SEQUENCE = "X must be a sequence of recordings"


def _refuse_other_than_sequences(X):
    if isinstance(X, np.ndarray):
        _refuse_other_than_lists_of_recordings(X)
    elif isinstance(X, (str, os.PathLike)):
        name = str(os.fsdecode(X))
        raise TypeError(
            f"{_SEQUENCE}; for the single one {name!r} pass the list [{name!r}]."
        )
    elif isinstance(X, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"{_SEQUENCE}, but is bytes; pass the list [path], or [io.BytesIO(X)] if "
            "it is encoded audio."
        )
    elif hasattr(X, "read"):
        raise TypeError(f"{_SEQUENCE}; pass the list [file].")
    elif callable(X):
        raise TypeError(f"{_SEQUENCE}; pass the list [function].")
    elif isinstance(X, (set, frozenset)):
        raise TypeError(
            f"{_SEQUENCE}, but is a set, which has no order; pass sorted(X)."
        )
    elif is_dict_of_audio(X):
        raise TypeError(f"{_SEQUENCE}; for a single dict pass the list [dict].")
    elif isinstance(X, Mapping):
        raise TypeError(f"{_SEQUENCE}, but is a mapping; pass list(X.values()).")
    else:
        check_index(X)
    if not hasattr(X, "__iter__") and not hasattr(X, "__getitem__"):
        kind = "None" if X is None else type(X).__name__
        raise TypeError(f"{_SEQUENCE}; got {kind}.")


def _refuse_other_than_lists_of_recordings(array):
    """Check an array, of which some hold one recording, or several columns."""
    text = array.dtype.kind in "SUTO"
    if array.ndim == 0:
        what = "[X.item()]" if text else "[signal]"
        raise TypeError(f"{_SEQUENCE}, but has no dimension; pass the list {what}.")
    if array.dtype.kind == "S":
        raise TypeError(f"{_SEQUENCE}, but holds bytes; pass X.astype(str).")
    if text and array.ndim > 1:
        raise TypeError(
            f"{_SEQUENCE}, but is an array of shape {array.shape}; pass the column "
            "that holds the paths, such as X[:, 0]."
        )
