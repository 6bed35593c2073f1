"""Strategies of what people give instead of arrays, and of arrays of every kind."""

import datetime
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

_FOLDER = tempfile.TemporaryDirectory()
# Before NumPy 2, objects are as near as one comes.
_STRINGS = np.dtypes.StringDType() if hasattr(np.dtypes, "StringDType") else object
_HUGE, _TINY = [1e39, -1e300, 1e308], [1e-45, 1e-40, 1e-310, -5e-324]


class Odd(NamedTuple):
    """A value, and what is odd about it."""

    kind: str
    value: Any

    def __repr__(self):
        return f"{self.kind}: {self.value!r:.200}"


class Pretender:
    """What says that it is an array, and raises when it is asked."""

    dtype = np.dtype(float)
    shape = (4, 2)

    def __len__(self):
        return 4

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("the data are gone")


class Foreign:
    """An array of another library, which NumPy can read by its protocol."""

    def __init__(self, array):
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __len__(self):
        return len(self._array)

    def __getitem__(self, key):
        return self._array[key]

    def __array__(self, dtype=None, copy=None):
        return self._array if dtype is None else self._array.astype(dtype)


def mapped(array: np.ndarray) -> np.memmap:
    """Return an array as a read-only mapping of a file."""
    with tempfile.NamedTemporaryFile(dir=_FOLDER.name, delete=False) as file:
        np.save(file, array)
    found = np.load(file.name, mmap_mode="r")
    Path(file.name).unlink()  # the mapping stays
    return found


def with_gaps(array: np.ndarray) -> np.ndarray:
    """Return an array of the same values, of which none is beside another."""
    wide = np.repeat(array, 2, axis=-1)
    return wide[..., ::2]


def read_only(array: np.ndarray) -> np.ndarray:
    """Return an array that cannot be written."""
    array = array.copy()
    array.flags.writeable = False
    return array


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda array: array.tolist(),
    "tuple": lambda array: tuple(array.tolist()),
    "list of arrays": list,
    "Fortran order": np.asfortranarray,
    "gaps": with_gaps,
    "reversed twice": lambda array: array[::-1].copy()[::-1],
    "read-only": read_only,
    "other endianness": lambda array: array.astype(
        array.dtype.newbyteorder("S"), copy=False
    ),
    "memmap": mapped,
    "objects": lambda array: array.astype(object),
    "unmasked": np.ma.masked_array,
    "foreign": Foreign,
}


def _junk() -> dict[str, st.SearchStrategy]:
    """Return what is no array at all."""
    return {
        "None": st.none(),
        "number": st.one_of(st.integers(-2, 2), st.floats(), st.booleans()),
        "text": st.text(max_size=3),
        "bytes": st.binary(max_size=3),
        "dict": st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), max_size=2),
        "set": st.just({1, 2}),
        "generator": st.builds(lambda: (i for i in range(4))),
        "object": st.builds(object),
        "class": st.just(np.ndarray),
        "function": st.just(len),
        "file": st.builds(io.BytesIO),
        "date": st.just(datetime.date(2000, 1, 1)),
        "pretender": st.builds(Pretender),
        "no dimension": st.sampled_from([1.0, "a", None, np.nan]).map(
            lambda value: np.array(value, dtype=object)
        ),
        "list of mixed things": st.lists(
            st.sampled_from([None, "a", b"a", 1, 1.5, np.nan, (), [], {}, object]),
            max_size=13,
        ),
        "ragged list": st.lists(
            st.lists(st.floats(-2, 2), max_size=3), min_size=1, max_size=13
        ),
        "structured": st.integers(0, 13).map(
            lambda n: np.zeros(n, dtype=[("a", "f4"), ("b", "U3")])
        ),
        "dates": st.integers(0, 13).map(lambda n: np.zeros(n, dtype="datetime64[s]")),
        "times": st.integers(0, 13).map(
            lambda n: pd.Series(pd.to_timedelta(np.arange(n), unit="s"))
        ),
        "sparse": st.sampled_from(["csr", "csc", "coo", "lil", "dok"]).map(
            lambda form: scipy.sparse.csr_matrix(np.eye(12, 5)).asformat(form)
        ),
        "sparse array": st.just(scipy.sparse.csr_array(np.eye(12, 5))),
        "sparse frame": st.just(
            pd.DataFrame(np.eye(12, 5)).astype(pd.SparseDtype("float", 0.0))
        ),
        "frame": st.sampled_from([float, object, str]).map(
            lambda dtype: pd.DataFrame(
                np.eye(12, 5), columns=list("abcde"), dtype=dtype
            )
        ),
        "frame of NA": st.just(pd.DataFrame({"a": [1, None, pd.NA, "b"] * 3})),
        "index": st.just(pd.Index(list("abcd") * 3)),
        "arrow": st.sampled_from(["float64[pyarrow]", "string[pyarrow]"]).map(
            lambda dtype: pd.array([1, None, 3, 4] * 3, dtype=dtype)
        ),
    }


_DTYPES = st.sampled_from(
    ["f2", "f4", "f8", "g", ">f4", ">f8", "i1", "u1", "i4", "i8", "u8", "?"]
    + ["c8", "c16", "M8[s]", "m8[ms]", "U2", "S2"]
)


def _like(array: np.ndarray) -> dict[str, st.SearchStrategy]:
    """Return what is like a right array, but for one thing."""

    def spoilt(values):
        places = st.integers(0, max(array.size - 1, 0))
        return st.tuples(st.sampled_from(values), places).map(
            lambda drawn: _spoil(array, *drawn)
        )

    axes = st.integers(0, array.ndim - 1)
    return {
        "another form": st.sampled_from(sorted(FORMS)).map(
            lambda form: FORMS[form](array)
        ),
        "another dtype": _DTYPES.map(lambda dtype: _cast(array, dtype)),
        "NaN or infinity": spoilt([np.nan, np.inf, -np.inf]),
        "huge": spoilt(_HUGE),
        "tiny": spoilt(_TINY),
        "all huge": st.sampled_from(_HUGE).map(lambda v: np.full(array.shape, v)),
        "all tiny": st.sampled_from(_TINY).map(lambda v: np.full(array.shape, v)),
        "large": st.just(np.full(array.shape, np.finfo(np.float32).max)),
        "masked": st.just(np.ma.masked_array(array, np.arange(array.size) % 5 == 0))
        if array.ndim == 1
        else st.just(np.ma.masked_greater(array, np.median(array))),
        "object in an array": st.sampled_from(
            [None, "a", b"a", {}, [1, 2], pd.NA, pd.NaT, 1 + 2j, 10**400, object()]
        ).map(lambda value: _spoil_object(array, value)),
        "empty axis": axes.map(lambda axis: np.delete(array, slice(None), axis)),
        "shorter or longer": st.integers(-2, 2).map(
            lambda n: np.resize(array, (len(array) + n, *array.shape[1:]))
        ),
        "ragged": st.just([row[: 1 + i % 2] for i, row in enumerate(array.tolist())])
        if array.ndim > 1
        else st.just([[value] * (1 + i % 2) for i, value in enumerate(array)]),
        "another rank": st.integers(0, 4).map(
            lambda n: np.zeros((min(len(array), 12),) * n)
        ),
        "any array": hnp.arrays(
            st.sampled_from(["f2", "f4", "f8", "i8", "u1", "?"]),
            hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        ),
        "constant": st.sampled_from([0.0, 1.0, -1.0]).map(
            lambda value: np.full(array.shape, value)
        ),
    }


def _cast(array, dtype):
    with np.errstate(all="ignore"):
        if array.dtype.kind in "fiub":
            return np.abs(100 * array).astype("i8").astype(dtype)
        return np.arange(array.size).reshape(array.shape).astype(dtype)


def _spoil(array, value, place):
    dtype = np.float64 if array.dtype.kind in "fiub" else object
    spoilt = array.astype(dtype)
    spoilt.flat[place] = value
    return spoilt


def _spoil_object(array, value):
    spoilt = array.astype(object)
    holder = np.empty((), dtype=object)
    holder[()] = value
    spoilt.flat[0] = holder[()] if not isinstance(value, list) else None
    if isinstance(value, list):
        spoilt.reshape(-1)[0] = value
    return spoilt


def odd_arrays(array: np.ndarray) -> st.SearchStrategy[Odd]:
    """Return a strategy of what may come where an array like this is wanted."""
    return _join(_junk() | _like(array))


def odd_recordings(array: np.ndarray) -> st.SearchStrategy[Odd]:
    """Return a strategy of what may come where recordings are wanted.

    Classes are left out, for they are called as functions are, and raise as they
    like.
    """
    kinds = _junk() | _like(array)
    return _join(
        {kind: kinds[kind] for kind in kinds if kind not in ("class", "function")}
    )


def odd_labels(labels: np.ndarray) -> st.SearchStrategy[Odd]:
    """Return a strategy of what may come where labels like these are wanted."""
    n = len(labels)
    half = np.arange(n) < n // 2

    def of(elements):
        return st.lists(st.sampled_from(elements), min_size=n, max_size=n)

    objects = of([None, np.nan, pd.NA, "a", "b", b"a", 1, 2.5, True, (1,), np.int8(1)])
    return _join(
        _junk()
        | _like(labels)
        | {
            "one class": st.sampled_from(["a", 1, True, 2.0, None, np.nan]).map(
                lambda value: [value] * n
            ),
            "mixed": objects,
            "mixed objects": objects.map(lambda values: _as_objects(values)),
            "floats": hnp.arrays("f8", n, elements=st.floats()),
            "whole floats": of([0.0, 1.0, -2.0]).map(np.array),
            "numbers": of([0, 1, -(2**63), 2**63 - 1]).map(np.array),
            "huge numbers": of([2**70, 1]).map(_as_objects),
            "booleans": of([True, False]).map(np.array),
            "booleans of NumPy": of([np.True_, np.False_]),
            "bytes of NumPy": of([b"a", b"b"]).map(np.array),
            "bytes in objects": of([b"a", b"b"]).map(_as_objects),
            "text": of(["", " ", "a\x00", "\ud800", "ä", "a\n"]),
            "long text": st.just(np.where(half, "a" * 5000, "b")),
            "strings of NumPy": of(["a", "b"]).map(
                lambda values: np.array(values, dtype=_STRINGS)
            ),
            "columns": st.integers(1, 3).map(lambda k: np.tile(labels[:, None], k)),
            "one-hot": st.just(np.eye(3, dtype=int)[np.arange(n) % 3]),
            "categories": st.booleans().map(
                lambda missing: pd.Categorical(
                    np.where(half & missing, None, labels.astype(object))
                )
            ),
            "series": st.sampled_from(["category", "string", "object"]).map(
                lambda dtype: pd.Series(labels, dtype=dtype, index=np.arange(n)[::-1])
            ),
            "nullable": st.sampled_from(["Int64", "boolean", "Float64", "string"]).map(
                lambda dtype: pd.Series([1, 0, None] * n, dtype="object")[:n].astype(
                    dtype if dtype != "string" else "object"
                )
            ),
            "dates in a list": st.just([datetime.date(2000, 1, 1)] * n),
            "nested": st.just([["a"], ["b", "c"]] * (n // 2)),
        }
    )


def odd_weights(weights: np.ndarray) -> st.SearchStrategy[Odd]:
    """Return a strategy of what may come where weights are wanted."""
    n = len(weights)
    return _join(
        _junk()
        | _like(weights)
        | {
            "negative": st.just(-weights),
            "one negative": st.just(np.where(np.arange(n) == 1, -1e-6, 1.0)),
            "zeros": st.just(np.zeros(n)),
            "a zero": st.just(np.where(np.arange(n) == 1, 0.0, 1.0)),
            "any": hnp.arrays("f8", n, elements=st.floats()),
            "column": st.just(weights[:, None]),
            "booleans": st.just(np.arange(n) % 2 == 0),
            "series": st.just(pd.Series(weights, index=np.arange(n)[::-1])),
            "text": st.just(["1"] * n),
        }
    )


def odd_parameters() -> st.SearchStrategy[Odd]:
    """Return a strategy of what may come where a single value is wanted."""
    numbers = st.one_of(st.integers(-3, 3), st.floats())
    return _join(
        {
            "number": numbers,
            "number of NumPy": numbers.map(np.float64),
            "text": st.sampled_from(["", "no such thing", "1"]),
            "None": st.none(),
            "bytes": st.just(b"a"),
            "list": st.sampled_from([[], [None], [1, "a"]]),
            "tuple": st.sampled_from([(), (1,), (2.0, 1.0), (np.nan, 1.0)]),
            "dict": st.sampled_from([{}, {"a": 1}, {1: None}]),
            "array": st.sampled_from([np.zeros(0), np.zeros(2), np.zeros((2, 2))]),
            "object": st.builds(object),
            "class": st.just(dict),
            "function": st.just(len),
            "bool of NumPy": st.just(np.True_),
            "complex": st.just(1 + 1j),
        }
    )


def _as_objects(values):
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array


def _join(kinds: dict[str, st.SearchStrategy]) -> st.SearchStrategy[Odd]:
    return st.one_of(
        *(
            strategy.map(lambda value, kind=kind: Odd(kind, value))
            for kind, strategy in kinds.items()
        )
    )
