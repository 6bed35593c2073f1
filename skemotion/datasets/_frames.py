"""Labelled recordings in data frames, and in series of audformat."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skemotion._validation._arrays import is_missing
from skemotion._validation._labels import check_labels
from skemotion.audio import as_segment, check_recordings
from skemotion.datasets._tables import refuse_rows

_LABELS = ("label", "emotion")
_SPEAKER = "speaker"


class Labelled(NamedTuple):
    """Recordings, their classes, and who speaks if that is known."""

    paths: list
    target: list[str]
    speakers: list[str] | None


def read_frame(table: Any) -> Labelled:
    """Read what a data frame says of recordings, or a series with such an index.

    Raises
    ------
    TypeError
        If it names no recordings.
    ValueError
        If it has no labels, or rows are incomplete or name no file.
    """
    if not hasattr(table, "columns"):
        if not hasattr(table, "index"):
            raise TypeError(
                f"{type(table).__name__} has no labels: give a data frame, or a series "
                "of labels whose index names the recordings."
            )
        table = table.to_frame("label")
    recordings = check_recordings(table)
    names = [name for name in _LABELS if name in table.columns]
    if not names:
        raise ValueError(
            "The data frame has no column label, nor emotion; its columns are "
            f"{', '.join(map(str, table.columns)) or '(none)'}."
        )
    columns = [names[0], *([_SPEAKER] if _SPEAKER in table.columns else [])]
    cells = {name: np.asarray(table[name], dtype=object).tolist() for name in columns}
    paths, faults = [], []
    for number, recording in enumerate(recordings):
        empty = [name for name in columns if _is_empty(cells[name][number])]
        try:
            paths.append(_locate(recording))
        except ValueError as error:
            faults.append(f"row {number}: {error}")
        if empty:
            faults.append(f"row {number}: no {' and no '.join(empty)}")
    refuse_rows(faults, len(recordings), "the data frame")
    speakers = cells.get(_SPEAKER)
    return Labelled(
        paths,
        list(map(str, check_labels(cells[names[0]]))),
        None if speakers is None else list(map(str, speakers)),
    )


def _is_empty(cell):
    return is_missing(cell) or not str(cell).strip()


def _locate(recording):
    """Return the path of a recording that exists, with times if it is a segment."""
    whole, start, end, _ = as_segment(recording)
    if is_missing(whole):
        raise ValueError("no path")
    try:
        path = Path(os.path.expanduser(whole))
    except TypeError:
        raise ValueError(f"{whole!r:.50} is no path") from None
    if not os.path.isfile(path):
        raise ValueError(f"no such file as {str(whole)!r}")
    return str(path) if not start and end is None else (str(path), start, end)
