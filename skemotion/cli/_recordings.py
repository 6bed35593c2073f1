"""Long lists of recordings, a chunk at a time."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import chain, islice
from typing import Any

from skemotion._files import refuse_pipes
from skemotion._messages import shorten
from skemotion.audio import Encoded
from skemotion.cli._sources import STDIN, Joined, open_source
from skemotion.exceptions import AudioError


class Recordings:
    """Rows of a table of recordings, read anew in each pass.

    Parameters
    ----------
    columns : sequence of str
        Names of what stands in a row; the first is "path".
    rows : iterable of sequences of str
        It can be iterated over more than once.
    held : mapping of str to Encoded, default=None
        What paths stand for that are none.

    Attributes
    ----------
    digest : str
        Hash of all rows, in order, and of what is held.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        held: Mapping[str, Encoded] | None = None,
    ):
        self.columns = list(columns)
        self._rows = rows
        self._held = dict(held or {})
        self._n_rows = 0
        digest = hashlib.sha256()
        for encoded in self._held.values():
            digest.update(hashlib.sha256(encoded.content).digest())
        for n_rows, row in enumerate(chain([self.columns], rows)):
            text = "\0".join(row) + "\n"
            digest.update(text.encode(errors="surrogateescape"))
            self._n_rows = n_rows
        self.digest = digest.hexdigest()

    def __len__(self) -> int:
        return self._n_rows

    def chunks(self, size: int, start: int = 0) -> Iterator[list[Sequence[str]]]:
        """Yield lists of `size` rows, without the first `start` rows."""
        rows = islice(self._rows, start, None)
        while chunk := list(islice(rows, size)):
            yield chunk

    def audio(self, paths: Iterable[str]) -> list[Any]:
        """Return the recordings that paths stand for."""
        return [self._held.get(path, path) for path in paths]

    def split(self, column: str) -> dict[str, "Recordings"]:
        """Return the recordings for each value of a column.

        Raises
        ------
        ValueError
            If there is no such column, or it is empty in some row.
        """
        if column not in self.columns:
            raise ValueError(
                f"the recordings have no column {column}, but "
                f"{', '.join(self.columns)}: give a CSV table that has it."
            )
        place = self.columns.index(column)
        empty = [row[0] for row in self._rows if not row[place]]
        if empty:
            raise ValueError(
                f"the column {column} is empty for {len(empty)} of {len(self)} "
                f"recordings: {shorten(empty)}."
            )
        rows: dict[str, list[Sequence[str]]] = {}
        for row in self._rows:
            rows.setdefault(row[place], []).append(row)
        return {
            value: Recordings(self.columns, chosen, self._held)
            for value, chosen in rows.items()
        }


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
    if name == STDIN:
        return nullcontext(sys.stdin.buffer)
    refuse_pipes(name)
    return open(name, "rb")


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
    if options.files.count(STDIN) > 1:
        options.usage_error(f"standard input, {STDIN}, can be read only once")
    sources = [open_source(name) for name in options.files]
    joined = Joined(sources)
    held = {name: each for source in sources for name, each in source.held.items()}
    return Recordings(joined.columns, joined, held)


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
