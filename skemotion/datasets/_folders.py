"""Recordings in folders, and what else lies there."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import NamedTuple

from skemotion._messages import shorten

_READ = {
    *(".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3"),
    *(".oga", ".ogg", ".opus", ".rf64", ".snd", ".w64", ".wav"),
}
_NOT_READ = {
    *(".3ga", ".3gp", ".aac", ".ac3", ".amr", ".ape", ".asf", ".avi", ".dss"),
    *(".flv", ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp2", ".mp4"),
    *(".mpeg", ".mpg", ".ra", ".shn", ".sph", ".webm", ".wma", ".wmv", ".wv"),
}
_DOCUMENTS = {
    *("", ".csv", ".docx", ".htm", ".html", ".json", ".jsonl", ".log", ".md"),
    *(".pdf", ".rst", ".tsv", ".txt", ".xlsx", ".xml", ".yaml", ".yml"),
}


class Found(NamedTuple):
    """What lies in a folder and below it.

    Attributes
    ----------
    recordings : list of Path
        In sorted order.
    others : list of Path
        All other files, in sorted order, but not hidden ones.
    """

    recordings: list[Path]
    others: list[Path]


def search_folder(folder: Path) -> Found:
    """Find all recordings in a folder, by their suffix, and name the other files."""
    files = [
        path
        for path in folder.rglob("*")
        if not any(map(is_hidden_name, path.relative_to(folder).parts))
        and path.is_file()
    ]
    files.sort(key=lambda path: path.parts)
    recordings = [path for path in files if is_recording(path)]
    return Found(recordings, [path for path in files if not is_recording(path)])


def is_recording(path: PurePath) -> bool:
    """Tell whether a name is that of a recording, of a format that is read."""
    return path.suffix.lower() in _READ


def is_document(path: Path) -> bool:
    """Tell whether a name is that of a text or a table, which nobody takes for one."""
    return path.suffix.lower() in _DOCUMENTS


def is_hidden_name(name: str) -> bool:
    """Tell whether a file or folder of this name is hidden."""
    return name.startswith(".")


def describe_skipped(others: Iterable[Path], folder: Path | None = None) -> str:
    """Count files that are no recordings by their suffix, and say why they are none.

    Parameters
    ----------
    others : iterable of Path
        The files.
    folder : Path or None, default=None
        Where they lie, if they are to be named, too.

    Returns
    -------
    str
        Empty if there are none.
    """
    others = list(others)
    groups = {
        "of a format that is not read (convert to WAV or FLAC)": [
            path for path in others if path.suffix.lower() in _NOT_READ
        ],
        "by the suffix no audio": [
            path for path in others if path.suffix.lower() not in _NOT_READ
        ],
    }
    return "; ".join(
        f"{count_files(paths)}, {reason}{_name_files(paths, folder)}"
        for reason, paths in groups.items()
        if paths
    )


def _name_files(paths, folder):
    if folder is None:
        return ""
    return f": {shorten([str(path.relative_to(folder)) for path in paths])}"


def count_files(paths: Iterable[Path]) -> str:
    """Say how many files there are of each suffix, such as "5 m4a files"."""
    counts = Counter(path.suffix.lower().lstrip(".") for path in paths)
    return shorten(
        [
            f"{n} {suffix} file{'s' * (n != 1)}"
            if suffix
            else f"{n} file{'s' * (n != 1)} without suffix"
            for suffix, n in sorted(counts.items())
        ]
    )
