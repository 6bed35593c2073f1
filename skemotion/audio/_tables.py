"""Recordings in tables of pandas and of its kin, and in indexes of audformat."""

from typing import Any

_SEGMENTED = ["file", "start", "end"]
_FILEWISE = ["file"]
_PATH = "path"


def is_table(X: Any) -> bool:
    """Tell whether X is a table with columns, such as a data frame."""
    return hasattr(X, "columns")


def check_computed(X: Any) -> None:
    """Raise TypeError for a frame of polars that is only the plan of one."""
    if hasattr(X, "collect_schema") and not hasattr(X, "__len__"):
        raise TypeError(
            f"X must be a sequence of recordings, but is a {type(X).__name__}, which "
            "has not been computed yet; pass X.collect()."
        )


def column_names(table: Any) -> list:
    """Return the names of the columns of a table."""
    return list(getattr(table, "column_names", table.columns))


def is_audformat_index(index: Any) -> bool:
    """Tell whether this is an index of files, or of segments, as audformat has it."""
    return list(getattr(index, "names", ())) in (_FILEWISE, _SEGMENTED)


def check_index(index: Any) -> None:
    """Raise TypeError for an index of several levels that is none of audformat."""
    if getattr(index, "nlevels", 1) > 1 and not is_audformat_index(index):
        raise TypeError(
            "X must be a sequence of recordings; an index of several levels must have "
            f"the levels file, start and end, got {', '.join(map(str, index.names))}."
        )


def recordings_in(table: Any) -> Any:
    """Return what holds the recordings of a table: a column or the index.

    Parameters
    ----------
    table : data frame
        Its column ``path`` holds them, or its index, of audformat.

    Returns
    -------
    sequence

    Raises
    ------
    TypeError
        If it has neither, or both.
    """
    names, index = column_names(table), getattr(table, "index", None)
    if index is not None and is_audformat_index(index) and _PATH in names:
        raise TypeError(
            "X has recordings in its column path and in its index, whose levels are "
            f"{', '.join(index.names)}: pass X['path'], or X.index."
        )
    if _PATH in names:
        return table[_PATH]
    if is_audformat_index(index):
        return index
    raise TypeError(
        "X must be a sequence of recordings; of a data frame it is the column path, or "
        "else the index, with the levels file, start and end. Got the columns "
        f"{', '.join(map(str, names)) or '(none)'}: rename the one with the "
        "paths, or pass the column that holds them."
    )
