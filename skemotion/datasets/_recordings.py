"""Labelled recordings of any corpus: a folder per class, or a table."""

import os
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from sklearn.utils._param_validation import HasMethods

from skemotion._messages import shorten, warn_user
from skemotion._validation._parameters import validate_params
from skemotion.datasets._folders import (
    count_files,
    describe_skipped,
    is_document,
    is_hidden_name,
    is_recording,
    search_folder,
)
from skemotion.datasets._frames import Labelled, read_frame
from skemotion.datasets._known import CORPORA
from skemotion.datasets._labelled import LabelledSpeech, give_form
from skemotion.datasets._load import find_recordings
from skemotion.datasets._tables import name_empty_cells, read_table, refuse_rows

_REQUIRED_COLUMNS = ("path", "label")
_COLUMNS = {"paths": "path", "target": "label", "speakers": "speaker"}
_LAYOUTS = (
    " Known layouts are a folder with one folder of recordings per class, such as "
    "anger/a.wav and neutral/b.flac, and a CSV table with the columns path, label "
    "and optionally speaker."
)


@overload
def load_recordings(
    path: Any, *, return_X_y: Literal[False] = ..., as_frame: bool = ...
) -> LabelledSpeech: ...
@overload
def load_recordings(
    path: Any, *, return_X_y: Literal[True], as_frame: bool = ...
) -> tuple[Any, Any]: ...
@validate_params(
    {
        "path": [str, os.PathLike, HasMethods("to_numpy")],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    }
)
def load_recordings(
    path: Any, *, return_X_y: bool = False, as_frame: bool = False
) -> LabelledSpeech | tuple[Any, Any]:
    """Load labelled recordings from a folder per class or from a table.

    Nothing is decoded.

    Parameters
    ----------
    path : str, path-like, DataFrame or Series
        One of these:

        - A folder that holds one folder per class, named as the class, with the
          recordings anywhere below it. Hidden files are ignored, and so are files
          whose suffix is not that of an audio format.
        - A table in CSV format with a header, encoded in UTF-8, with the columns
          described below.
        - A data frame of pandas with such columns. Without a column ``path``, its
          index names the recordings, as audformat has it: by its levels file, or
          file, start and end. A label may then stand in the column ``emotion``,
          too, or be the values of a series.

        The columns are

        path
            The recording: absolute, or relative to the table's folder, or, in a
            data frame, to the current one.
        label
            Its class.
        speaker
            Who speaks. Optional.

        Other columns are ignored.

    return_X_y : bool, default=False
        If True, ``(data, target)`` is returned instead of a Bunch.

    as_frame : bool, default=False
        If True, `data` is a pandas DataFrame with the column ``path``, which
        pipelines take as it is, and what has a value for each recording is a
        Series.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object.

        paths : ndarray of shape (n_recordings,), dtype str
            The recordings, in sorted order if they come from folders, or in the
            order of the table. If there are segments, the dtype is object, and
            each is a path or a tuple ``(path, start, end)``, in seconds, with an
            `end` of None for that of the recording.
        target : ndarray of shape (n_recordings,), dtype str
            The class of each.
        speakers : ndarray of shape (n_recordings,), dtype str, or None
            The speaker of each; None without a column `speaker`.
        target_names : ndarray of shape (n_classes,), dtype str
            The classes in sorted order, as classifiers have them in
            ``classes_``.
        data : ndarray of shape (n_recordings,) or DataFrame
            The same as `paths`, or a data frame of them.
        frame : DataFrame of shape (n_recordings, 2 or 3) or None
            The columns path, label and speaker; None without `as_frame`.

    (data, target) : tuple if ``return_X_y`` is True

    Warns
    -----
    UserWarning
        If files in a folder are skipped that could have been meant as recordings:
        they are of a format that is not read, or lie beside the folders of the
        classes. Or if a folder holds no recordings: it makes no class.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    TypeError
        If a data frame has neither a column ``path`` nor an index of recordings.
    ValueError
        If the layout is unknown, there are fewer than two classes, or rows of
        the table are incomplete or name recordings that do not exist.

    See Also
    --------
    load_corpus : Loads a corpus whose paths tell what its recordings are.

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
    corpus = read_corpus(path)
    return give_form(corpus, _COLUMNS, return_X_y=return_X_y, as_frame=as_frame)


def read_corpus(path: Any, *, must_exist: bool = True) -> LabelledSpeech:
    """Do what :func:`load_recordings` does, without the forms of its result.

    Parameters
    ----------
    path : str, path-like, DataFrame or Series
        As there.
    must_exist : bool, default=True
        Whether recordings that a table names must exist.
    """
    labelled, source, hint = _read(path, must_exist)
    paths, target, speakers = labelled
    target_names = np.unique(target)
    if len(target_names) < 2:
        raise ValueError(
            f"All recordings in {source} belong to the class "
            f"{str(target_names[0])!r}; at least two classes are needed.{hint}"
        )
    return LabelledSpeech(
        paths=as_array(paths),
        target=np.array(target),
        speakers=None if speakers is None else np.array(speakers),
        target_names=target_names,
    )


def as_array(paths: list) -> np.ndarray:
    """Return paths as strings, and segments among them as the tuples that they are."""
    if all(isinstance(path, str) for path in paths):
        return np.array(paths)
    array = np.empty(len(paths), dtype=object)
    array[:] = paths
    return array


def _read(path: Any, must_exist: bool) -> tuple[Labelled, str, str]:
    """Return the recordings, what they are of, and what else may be meant."""
    if not isinstance(path, (str, os.PathLike)):
        return read_frame(path), "the table", ""
    source = Path(os.path.expanduser(path))
    if not os.path.exists(source):
        raise FileNotFoundError(f"There is nothing at {str(source)!r}.{_LAYOUTS}")
    found = (
        _scan_class_folders(source)
        if source.is_dir()
        else _read_csv(source, must_exist)
    )
    return found, repr(str(source)), _hint(source)


def _scan_class_folders(folder: Path) -> Labelled:
    entries = [entry for entry in folder.iterdir() if not is_hidden_name(entry.name)]
    classes = sorted(entry for entry in entries if entry.is_dir())
    found = {entry.name: search_folder(entry) for entry in classes}
    silent = [name for name, (recordings, _) in found.items() if not recordings]
    if len(silent) == len(found):
        raise ValueError(
            f"No folder in {str(folder)!r} holds recordings.{_hint(folder)}{_LAYOUTS}"
        )
    _warn_of_skipped(
        folder,
        [path for _, others in found.values() for path in others],
        sorted(entry for entry in entries if entry.is_file()),
        silent,
    )
    labelled = [(str(path), name) for name in found for path in found[name].recordings]
    paths, target = map(list, zip(*labelled, strict=True))
    return Labelled(paths, target, None)


def _warn_of_skipped(
    folder: Path, others: list[Path], beside: list[Path], silent: list[str]
) -> None:
    """Say once what was not taken, if any of it could have been meant."""
    stray = [path for path in beside if is_recording(path)]
    others = others + [path for path in beside if not is_recording(path)]
    parts = []
    if stray:
        parts.append(f"{count_files(stray)}, beside the folders of the classes")
    if stray or not all(map(is_document, others)):
        parts += [describe_skipped(others)] if others else []
    if silent:
        parts.append(
            f"folders that hold no recordings: {shorten(list(map(repr, silent)))}"
        )
    if parts:
        warn_user(UserWarning(f"Left out in {str(folder)!r}: {'; '.join(parts)}."))


def _hint(folder: Path) -> str:
    for name, corpus in CORPORA.items() if folder.is_dir() else ():
        if find_recordings(corpus, folder).paths:
            return f" The names are those of {corpus.title}: use load_corpus({name!r})."
    return ""


def _read_csv(source: Path, must_exist: bool) -> Labelled:
    table = read_table(source, _REQUIRED_COLUMNS, hint=_LAYOUTS)
    used = [name for name in _COLUMNS.values() if name in table.columns]
    faults = []
    for row in table.rows:
        empty = name_empty_cells(row, used)
        faults += empty
        if must_exist and not empty and not os.path.isfile(table.locate(row)):
            faults.append(f"{row.place}: no such file as {row.cells['path']!r}")
    refuse_rows(faults, len(table.rows), repr(str(source)))
    return Labelled(
        [table.locate(row) for row in table.rows],
        [row.cells["label"] for row in table.rows],
        [row.cells["speaker"] for row in table.rows] if "speaker" in used else None,
    )
