"""From FILE on the command line to rows of recordings."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from skemotion._files import OF_SHELL
from skemotion._text import printable
from skemotion.audio import Encoded
from skemotion.cli._corpus import known_corpus, load_corpus
from skemotion.datasets._folders import describe_skipped, search_folder
from skemotion.datasets._tables import (
    PATH,
    name_empty_cells,
    read_table,
    refuse_rows,
)

STDIN = "-"
_TABLE = ".csv"


class Source(NamedTuple):
    """Rows of recordings.

    Attributes
    ----------
    columns : list of str
        Names of what stands in a row; the first is "path".
    rows : iterable of sequences of str
        It can be iterated over more than once.
    held : dict of str to Encoded
        What paths stand for that are none.
    """

    columns: list[str]
    rows: Iterable[Sequence[str]]
    held: dict[str, Encoded] = {}


def open_source(name: str) -> Source:
    """Return what FILE stands for, as ``skemotion predict --help`` says.

    Raises
    ------
    ValueError
        If a folder holds no recordings, or a table cannot be used.
    OSError
        If a table, or a known corpus, is not there.
    """
    if name == STDIN:
        return _read_standard_input()
    if known_corpus(name):
        return describe_corpus(name)
    path = Path(name)
    if name.startswith(OF_SHELL) and path.is_fifo():
        return Source([PATH], [(name,)], {name: Encoded(path.read_bytes(), name)})
    if os.path.isdir(path):
        return _search(path)
    if is_table(name):
        return _read_rows(path)
    return Source([PATH], [(name,)])


def is_table(name: str) -> bool:
    """Tell whether FILE is a table of recordings, and not a recording or a folder."""
    return name.lower().endswith(_TABLE) and not os.path.isdir(name)


def describe_corpus(name: str) -> Source:
    """Return the recordings of a corpus, their labels, and speakers if known."""
    corpus = load_corpus(name)
    columns = {PATH: corpus.paths, "label": corpus.target}
    if corpus.speakers is not None:
        columns["speaker"] = corpus.speakers
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return Source(list(columns), list(rows))


def _read_standard_input():
    encoded = Encoded(sys.stdin.buffer.read(), STDIN)
    return Source([PATH], [(STDIN,)], {STDIN: encoded})


def _search(folder):
    recordings, others = search_folder(folder)
    skipped = describe_skipped(others, folder)
    if not recordings:
        raise ValueError(
            f"the folder {folder} holds no recordings"
            + (f", but {skipped}." if skipped else ".")
        )
    if skipped:
        text = printable(f"skipped in {folder}: {skipped}")
        print(f"skemotion: {text}", file=sys.stderr)
    return Source([PATH], [(str(path),) for path in recordings])


def _read_rows(path):
    table = read_table(path, [PATH])
    faults = [fault for row in table.rows for fault in name_empty_cells(row, [PATH])]
    refuse_rows(faults, len(table.rows), repr(str(path)))
    columns = [name for name in dict.fromkeys(table.columns) if name not in ("", PATH)]
    rows = [
        (table.locate(row), *(row.cells.get(name, "") for name in columns))
        for row in table.rows
    ]
    return Source([PATH, *columns], rows)


class Joined:
    """Rows of several sources, of which none need have all of the columns."""

    def __init__(self, sources: Sequence[Source]):
        names = [name for source in sources for name in source.columns]
        self.columns = list(dict.fromkeys(names))
        self._sources = sources

    def __iter__(self):
        for source in self._sources:
            places = {name: place for place, name in enumerate(source.columns)}
            chosen = [places.get(name) for name in self.columns]
            for row in source.rows:
                yield tuple("" if place is None else row[place] for place in chosen)
