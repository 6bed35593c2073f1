"""Labelled recordings of any corpus: a folder per class, or a table."""

import csv
import os
import warnings
from pathlib import Path

import numpy as np

from skemotion._messages import shorten
from skemotion._validation import validate_params
from skemotion.datasets._corpus import Corpus
from skemotion.datasets._emodb import find_recordings

_SUFFIXES = {
    *(".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3"),
    *(".oga", ".ogg", ".opus", ".rf64", ".snd", ".w64", ".wav"),
}
_REQUIRED_COLUMNS = ("path", "label")
_N_SHOWN = 10
_LAYOUTS = (
    "Known layouts are a folder with one folder of recordings per class, such as "
    "anger/a.wav and neutral/b.flac, and a CSV table with the columns path, label "
    "and optionally speaker."
)


@validate_params({"path": [str, os.PathLike]})
def load_recordings(path: str | os.PathLike[str]) -> Corpus:
    """Load labelled recordings from a folder per class or from a CSV table.

    Nothing is decoded.

    Parameters
    ----------
    path : str or path-like
        Either a folder that holds one folder per class, named as the class, with
        the recordings anywhere below it; or a table in CSV format with a header,
        encoded in UTF-8, with the columns

        path
            The recording, relative to the table's folder, or absolute.
        label
            Its class.
        speaker
            Who speaks. Optional.

        Other columns are ignored, and so are hidden files and files whose
        suffix is not that of an audio format.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object.

        paths : ndarray of shape (n_recordings,), dtype str
            The recordings, in sorted order if they come from folders, or in the
            order of the table.
        target : ndarray of shape (n_recordings,), dtype str
            The class of each.
        speakers : ndarray of shape (n_recordings,), dtype str, or None
            The speaker of each; None without a column `speaker`.
        target_names : ndarray of shape (n_classes,), dtype str
            The classes in sorted order, as classifiers have them in
            ``classes_``.

    Warns
    -----
    UserWarning
        If a folder holds no recordings. It makes no class.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    ValueError
        If the layout is unknown, there are fewer than two classes, or rows of
        the table are incomplete or name recordings that do not exist.

    See Also
    --------
    load_emodb : Loads the Berlin Database of Emotional Speech.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skemotion.datasets import load_recordings
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ["anger/1.wav", "anger/2.flac", "neutral/1.wav"]:
    ...         recording = Path(folder, name)
    ...         recording.parent.mkdir(exist_ok=True)
    ...         recording.touch()
    ...     data = load_recordings(folder)
    >>> print(*data.target)
    anger anger neutral
    >>> data.speakers is None
    True
    """
    source = Path(path).expanduser()
    if not source.exists():
        raise FileNotFoundError(f"There is nothing at {str(source)!r}. {_LAYOUTS}")
    if source.is_dir():
        paths, target = _scan_class_folders(source)
        speakers = None
    else:
        paths, target, speakers = _read_table(source)
    target_names = np.unique(target)
    if len(target_names) < 2:
        raise ValueError(
            f"All recordings in {str(source)!r} belong to the class "
            f"{str(target_names[0])!r}; at least two classes are needed.{_hint(source)}"
        )
    return Corpus(
        paths=np.array(paths),
        target=np.array(target),
        speakers=None if speakers is None else np.array(speakers),
        target_names=target_names,
    )


def _scan_class_folders(folder: Path) -> tuple[list[str], list[str]]:
    classes = sorted(
        (entry for entry in folder.iterdir() if entry.is_dir() and not _hidden(entry)),
        key=lambda entry: entry.name,
    )
    recordings = {entry.name: _list_audio(entry) for entry in classes}
    silent = [repr(name) for name, paths in recordings.items() if not paths]
    if len(silent) == len(recordings):
        raise ValueError(
            f"No folder in {str(folder)!r} holds recordings.{_hint(folder)} {_LAYOUTS}"
        )
    if silent:
        warnings.warn(
            f"Left out folders in {str(folder)!r} that hold no recordings: "
            f"{shorten(silent)}.",
            stacklevel=4,
        )
    labelled = [(str(path), name) for name in recordings for path in recordings[name]]
    paths, target = map(list, zip(*labelled, strict=True))
    return paths, target


def _list_audio(folder: Path) -> list[Path]:
    recordings = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    return sorted(recordings, key=lambda path: path.parts)


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _hint(folder: Path) -> str:
    if folder.is_dir() and find_recordings(folder):
        return " The names are those of EMO-DB: use load_emodb."
    return ""


def _read_table(table: Path) -> tuple[list[str], list[str], list[str] | None]:
    columns, rows = _parse_csv(table)
    absent = [name for name in _REQUIRED_COLUMNS if name not in columns]
    if absent:
        raise ValueError(
            f"The table {str(table)!r} lacks the column {' and '.join(absent)}; its "
            f"first line reads {','.join(columns)!r}. {_LAYOUTS}"
        )
    if not rows:
        raise ValueError(f"The table {str(table)!r} has no rows.")
    used = [name for name in (*_REQUIRED_COLUMNS, "speaker") if name in columns]
    _check_rows(table, rows, used)
    return (
        [str(table.parent / row["path"]) for _, row in rows],
        [row["label"] for _, row in rows],
        [row["speaker"] for _, row in rows] if "speaker" in used else None,
    )


def _parse_csv(table: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the column names, and each row with the number of its last line."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = [name.strip() for name in next(reader, [])]
            rows = [
                (
                    reader.line_num,
                    dict(zip(columns, map(str.strip, cells), strict=False)),
                )
                for cells in reader
                if any(cells)
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{str(table)!r} is neither a folder nor a CSV table in UTF-8: {error}. "
            f"{_LAYOUTS}"
        ) from error
    return columns, rows


def _check_rows(
    table: Path, rows: list[tuple[int, dict[str, str]]], columns: list[str]
) -> None:
    faults = []
    for line, row in rows:
        empty = [name for name in columns if not row.get(name)]
        if empty:
            faults.append(f"line {line}: no {' and no '.join(empty)}")
        elif not (table.parent / row["path"]).is_file():
            faults.append(f"line {line}: no such file as {row['path']!r}")
    if faults:
        n_more = len(faults) - _N_SHOWN
        shown = faults[:_N_SHOWN] + ([f"and {n_more} more"] if n_more > 0 else [])
        raise ValueError(
            f"{len(faults)} of {len(rows)} rows of {str(table)!r} cannot be used:\n  "
            + "\n  ".join(shown)
        )
