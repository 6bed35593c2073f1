"""Long lists of recordings, a chunk at a time."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any

from skemotion.exceptions import AudioError


class Recordings:
    """Rows of a table of recordings, read anew in each pass.

    Parameters
    ----------
    columns : sequence of str
        Names of what stands in a row; the first is "path".
    rows : iterable of sequences of str
        It can be iterated over more than once.

    Attributes
    ----------
    digest : str
        Hash of all rows, in order.
    """

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[str]]):
        self.columns = list(columns)
        self._rows = rows
        self._n_rows = 0
        digest = hashlib.sha256()
        for row in rows:
            text = "\0".join(row) + "\n"
            digest.update(text.encode(errors="surrogateescape"))
            self._n_rows += 1
        self.digest = digest.hexdigest()

    def __len__(self) -> int:
        return self._n_rows

    def chunks(self, size: int, start: int = 0) -> Iterator[list[Sequence[str]]]:
        """Yield lists of `size` rows, without the first `start` rows."""
        rows = islice(self._rows, start, None)
        while chunk := list(islice(rows, size)):
            yield chunk


class _Lines:
    """Lines of a file, each as a row of one cell."""

    def __init__(self, name: str):
        self._name = name

    def __iter__(self):
        with _open_list(self._name) as file:
            for line in file:
                path = line.rstrip(b"\r\n").decode(errors="surrogateescape")
                if path:
                    yield (path,)


def _open_list(name):
    return nullcontext(sys.stdin.buffer) if name == "-" else open(name, "rb")


def read_list(name: str) -> Recordings:
    """Read the paths in a file, one on each line; "-" is standard input."""
    lines = _Lines(name)
    # What a pipe has given away it does not give again.
    rows = lines if os.path.isfile(name) else list(lines)
    recordings = Recordings(["path"], rows)
    if not len(recordings):
        raise ValueError(f"the list {name} holds no recordings.")
    return recordings


def find_recordings(options: Any) -> Recordings:
    """Return the recordings that FILE, or --files-from, names."""
    if bool(options.files) == bool(options.files_from):
        options.usage_error("give either one or more FILE, or --files-from")
    if options.files_from:
        return read_list(options.files_from)
    return Recordings(["path"], [(path,) for path in options.files])


def keep_readable(
    work: Callable[[list[str]], Any], paths: Sequence[str]
) -> tuple[Any, dict[str, str]]:
    """Apply `work` to those recordings that can be read.

    Parameters
    ----------
    work : callable
        Takes a list of paths, and raises AudioError for those that are bad.
    paths : sequence of str
        Recordings.

    Returns
    -------
    result
        What `work` makes of the others, or None if there are none.
    failures : dict of str to str
        The reason for each path that cannot be read.
    """
    failures: dict[str, str] = {}
    while kept := [path for path in paths if path not in failures]:
        try:
            return work(kept), failures
        except AudioError as error:
            new = dict(error.failures)
            if not new.keys() & set(kept):
                raise
            failures |= new
    return None, failures
