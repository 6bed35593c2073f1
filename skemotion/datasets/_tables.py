"""Tables in CSV format whose rows are recordings."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from skemotion._files import refuse_pipes
from skemotion._messages import BELOW, shorten

PATH = "path"


class Row(NamedTuple):
    """A row of a table.

    Attributes
    ----------
    place : str
        Where it stands, such as "line 3".
    cells : dict of str to str
        What stands in each column. Cells that the row lacks are not there.
    """

    place: str
    cells: dict[str, str]


class Table(NamedTuple):
    """Rows, and the names of the columns.

    Attributes
    ----------
    source : Path
        The file.
    columns : list of str
        In order.
    rows : list of Row
    """

    source: Path
    columns: list[str]
    rows: list[Row]

    def locate(self, row: Row) -> str:
        """Return the path of a row's recording, which may be relative to the table."""
        return str(self.source.parent / row.cells[PATH])


def read_table(source: Path, required: Sequence[str], *, hint: str = "") -> Table:
    """Read a table in CSV format, with a header, encoded in UTF-8.

    Parameters
    ----------
    source : Path
        The file.
    required : sequence of str
        Columns that it must have.
    hint : str, default=""
        What else is said in errors.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If it is no such table, lacks a column, or has no rows.
    """
    table = _parse(source, hint)
    absent = [name for name in required if name not in table.columns]
    if absent:
        raise ValueError(
            f"The table {str(source)!r} lacks the column {' and '.join(absent)}; its "
            f"first line reads {','.join(table.columns)!r}.{hint}"
        )
    if not table.rows:
        raise ValueError(f"The table {str(source)!r} has no rows.")
    return table


def _parse(source, hint):
    refuse_pipes(source)
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = [name.strip() for name in next(reader, [])]
            rows = [
                Row(
                    f"line {reader.line_num}",
                    dict(zip(columns, map(str.strip, cells), strict=False)),
                )
                for cells in reader
                if any(cells)
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{str(source)!r} is neither a folder nor a CSV table in UTF-8: {error}."
            f"{hint}"
        ) from error
    return Table(source, columns, rows)


def name_empty_cells(row: Row, columns: Sequence[str]) -> list[str]:
    """Say which of these columns a row has nothing in, if any."""
    empty = [name for name in columns if not row.cells.get(name)]
    return [f"{row.place}: no {' and no '.join(empty)}"] if empty else []


def refuse_rows(faults: Sequence[str], n_rows: int, source: str) -> None:
    """Raise ValueError if rows cannot be used, with ten of the faults.

    Parameters
    ----------
    faults : sequence of str
        What is wrong, and where.
    n_rows : int
        How many rows there are in all.
    source : str
        What they are of.
    """
    if not faults:
        return
    raise ValueError(
        f"{len(faults)} of {n_rows} rows of {source} cannot be used:\n  "
        f"{shorten(faults, separator=BELOW)}"
    )
