"""Numbers from whatever holds them, or an error that names the argument."""

from collections.abc import Iterator, Mapping, Set
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils._missing import is_pandas_na, is_scalar_nan

_KINDS = {
    "c": "complex numbers. Complex data not supported",
    "M": "dates",
    "m": "spans of time",
    "S": "bytes",
    "T": "text",
    "U": "text",
    "V": "records of several fields",
}


def as_numbers(
    values: Any,
    name: str,
    *,
    dtype: Any = np.float32,
    n_dims: int | None = None,
    allow_nan: bool = False,
) -> NDArray:
    """Return finite numbers as a plain array.

    Parameters
    ----------
    values : array-like
        Whatever NumPy can read: numbers or booleans, also as objects.
    name : str
        What they are called in errors.
    dtype : dtype or None, default=numpy.float32
        Of the result, a kind of float. None leaves it as it is, but for objects.
    n_dims : int, default=None
        How many dimensions there must be. None means one at least.
    allow_nan : bool, default=False
        Whether numbers may be NaN, but not infinite.

    Returns
    -------
    ndarray

    Raises
    ------
    TypeError
        If it is no array, or holds what is no number.
    ValueError
        If it is ragged, masked, not finite, or has other dimensions.
    """
    array = as_plain_array(values, name)
    if array.dtype.kind == "O":
        _check_objects(array, name)
    elif array.dtype.kind in _KINDS:
        kind = ValueError if array.dtype.kind == "c" else TypeError
        raise kind(f"{name} holds {_KINDS[array.dtype.kind]}: give it real numbers.")
    if n_dims is not None and array.ndim != n_dims:
        raise ValueError(
            f"{name} must have {n_dims} dimension{'s' if n_dims > 1 else ''}, but is "
            f"of shape {array.shape}."
        )
    if dtype is None:
        dtype = np.float64 if array.dtype.kind == "O" else array.dtype
    numbers = _convert(array, dtype)
    check_finite(numbers, name, allow_nan=allow_nan)
    return numbers


def as_flags(values: Any, name: str) -> NDArray[np.bool_]:
    """Return booleans, or numbers that are 0 or 1, as an array of dtype bool.

    Raises
    ------
    TypeError, ValueError
        If these are others.
    """
    array = as_plain_array(values, name)
    if array.dtype.kind != "b":
        array = as_numbers(array, name, dtype=np.float64)
        if not np.isin(array, (0, 1)).all():
            raise ValueError(f"{name} must be True or False everywhere.")
    return array.astype(bool)


def as_plain_array(values: Any, name: str) -> NDArray:
    """Return what NumPy makes of something that is an array, or was meant as one.

    Raises
    ------
    TypeError
        If it is none, such as None, a set or a generator, or is sparse.
    ValueError
        If it has masked entries, or rows of different lengths.
    """
    if issparse(values):
        raise TypeError(
            f"Sparse data was passed for {name}, but dense data is required: give it "
            "as values.toarray()."
        )
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} has masked entries: fill them, or leave these rows out."
        )
    if values is None or isinstance(values, (str, bytes, Mapping, Set, Iterator, type)):
        raise TypeError(f"{name} must be an array, but is {describe_type(values)}.")
    try:
        array = np.asarray(values)
    except Exception as error:
        raise _explain(values, name) from error
    if array.ndim == 0:
        raise ValueError(
            f"{name} must be an array, but is a single value, "
            f"{describe_type(array.item())}."
        )
    return array


def check_finite(numbers: NDArray, name: str, *, allow_nan: bool = False) -> None:
    """Raise ValueError for NaN and infinity, and tell where they are."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(numbers.sum(dtype=np.float64)):  # needs no other array
            return
    for what, is_bad in (("NaN", np.isnan), ("infinity", np.isinf)):
        bad = is_bad(numbers)
        if bad.any() and not (allow_nan and what == "NaN"):
            rows = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
            too_large = what == "infinity"
            raise ValueError(
                f"{name} contains {what}"
                + (f" or a value too large for {numbers.dtype}" if too_large else "")
                + f", in {len(rows)} of {len(numbers)} rows, of which row {rows[0]} is "
                "the first: leave these out, or mend what made them."
            )


def count_rows(values: Any, name: str) -> int:
    """Return how many rows something has.

    Raises
    ------
    TypeError
        If it has none, as a number or a generator has.
    """
    shape = getattr(values, "shape", None)
    try:
        if isinstance(shape, tuple) and shape:
            return int(shape[0])
        if not isinstance(values, type):
            return len(values)
    except TypeError:
        pass
    raise TypeError(
        f"{name} must be a sequence or an array, with an entry for each recording, but "
        f"is {describe_type(values)}."
    )


def describe_type(value: Any) -> str:
    """Return what a value is, in words: "None", or "of type dict"."""
    return "None" if value is None else f"of type {type(value).__name__}"


def is_missing(value: Any) -> bool:
    """Tell whether a value is none: None, NaN, NaT, pandas' NA, or infinity."""
    if value is None or is_pandas_na(value) or is_scalar_nan(value):
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    if type(value).__name__ == "NaTType":
        return True
    return isinstance(value, float) and bool(np.isinf(value))


def _check_objects(array, name):
    """Raise for elements that are no numbers; only kinds of them are looked at."""
    kinds = {type(element): element for element in array.flat}
    for kind, element in kinds.items():
        if issubclass(kind, (Real, np.bool_)):
            continue
        if is_missing(element):
            raise ValueError(
                f"{name} contains NaN, None or another sign of what is missing: leave "
                "these rows out, or fill them."
            )
        if issubclass(kind, (list, tuple, np.ndarray)):
            raise _ragged(name)
        raise TypeError(
            f"{name} holds something {describe_type(element)}: every element of this "
            "argument must be real, neither string nor object, but a number."
        )


def _convert(array, dtype):
    try:
        with np.errstate(over="ignore"):  # what is too large is found to be infinite
            return array.astype(dtype, copy=False)
    except OverflowError:  # whole numbers of Python's own
        return np.vectorize(_as_float, otypes=[dtype])(array)


def _as_float(number):
    try:
        return float(number)
    except OverflowError:
        return np.inf


def _explain(values, name):
    if isinstance(values, (list, tuple)):
        return _ragged(name)
    return TypeError(
        f"{name} cannot be read as an array: {describe_type(values)}, it does not say "
        "what it holds. Give a NumPy array of it."
    )


def _ragged(name):
    return ValueError(
        f"{name} is ragged: its rows, or what is in them, differ in length. Give an "
        "array in which all are as long."
    )
