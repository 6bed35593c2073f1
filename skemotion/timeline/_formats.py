"""Segments in the formats of other programs."""

import html
import importlib.util
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from skemotion._files import atomic_path
from skemotion._text import csv_text, json_text
from skemotion.timeline._result import EmotionTimeline, Segment

Row = tuple[str, Segment]
COLUMNS = ("file", *Segment._fields)


@dataclass(frozen=True)
class TableFormat:
    """Lines of text with the segments of many recordings.

    Parameters
    ----------
    header : str
        What comes before all lines.
    line : callable
        Makes the line of a row.
    """

    header: str
    line: Callable[[str, Segment], str]
    library: str | None = None


@dataclass(frozen=True)
class FileFormat:
    """A file for each recording.

    Parameters
    ----------
    suffix : str
        Of the file.
    write : callable
        Takes a path and a timeline.
    library : str or None
        What it needs to be installed.
    """

    suffix: str
    write: Callable[[Path, EmotionTimeline], None]
    library: str | None = None


@dataclass(frozen=True)
class FolderFormat:
    """A folder with the segments of many recordings.

    Parameters
    ----------
    write : callable
        Takes the path of a new folder, rows, and all labels that there may be.
    library : str or None
        What it needs to be installed.
    """

    write: Callable[[Path, Iterable[Row], Iterable[Any]], None]
    library: str | None = None


def check_library(name: str) -> None:
    """Raise ImportError where a format needs a library that is not there."""
    library = FORMATS[name].library
    if library is not None and importlib.util.find_spec(library) is None:
        raise ImportError(
            f"the format {name} is written by {library}, which is not installed: "
            'pip install "skemotion[timeline]".'
        )


def name_files(files: Iterable[str], suffix: str) -> list[str]:
    """Name a file after each recording, no two alike in any system of files."""
    taken: set[str] = set()
    names = []
    for file in files:
        stem = Path(file).stem or "recording"
        name, number = f"{stem}{suffix}", 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _floor(seconds: float, digits: int) -> float:
    """Round down, so that nothing lies behind the end of the recording."""
    # What is off by no more than floating point is not brought one further down.
    return math.floor(round(seconds * 10**digits, 4)) / 10**digits


def _csv_line(*cells: Any) -> str:
    return csv_text([cells])


def _csv_row(file: str, segment: Segment) -> str:
    start, end, emotion, confidence = segment
    times = [f"{_floor(time, 6):.6f}" for time in (start, end)]
    return _csv_line(file, *times, emotion, f"{confidence:.4f}")


def _json_line(file: str, segment: Segment) -> str:
    start, end, emotion, confidence = segment
    values = (file, _floor(start, 6), _floor(end, 6), emotion, round(confidence, 4))
    row = dict(zip(COLUMNS, values, strict=True))
    return json_text(row) + "\n"


def _one_line(emotion: Any) -> str:
    """Return a label without tabs and ends of lines, which would end it."""
    return " ".join(str(emotion).split()) or "-"


def _write_audacity(path: Path, timeline: EmotionTimeline) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for start, end, emotion, _ in timeline.segments:
            times = f"{_floor(start, 6):.6f}\t{_floor(end, 6):.6f}"
            file.write(f"{times}\t{_one_line(emotion)}\n")


def _write_webvtt(path: Path, timeline: EmotionTimeline) -> None:
    from webvtt import Caption, WebVTT

    captions = [
        Caption(
            _timestamp(start),
            _timestamp(end),
            html.escape(_one_line(emotion), quote=False),
        )
        for start, end, emotion, _ in timeline.segments
    ]
    Path(path).write_text(WebVTT(captions=captions).content, encoding="utf-8")


def _timestamp(seconds: float) -> str:
    milliseconds = round(_floor(seconds, 3) * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def _write_textgrid(path: Path, timeline: EmotionTimeline) -> None:
    from praatio.data_classes.interval_tier import IntervalTier
    from praatio.textgrid import Textgrid

    end = timeline.duration
    grid = Textgrid(0, end)
    emotions = [(s.start, s.end, _one_line(s.emotion)) for s in timeline.segments]
    values = [(s.start, s.end, f"{s.confidence:.4f}") for s in timeline.segments]
    grid.addTier(IntervalTier("emotion", emotions, 0, end))
    grid.addTier(IntervalTier("confidence", values, 0, end))
    grid.save(os.fspath(path), format="long_textgrid", includeBlankSpaces=True)


def _write_audformat(path: Path, rows: Iterable[Row], labels: Iterable[Any]) -> None:
    import audformat
    import pandas as pd

    rows = list(rows)
    emotions = [str(segment.emotion) for _, segment in rows]
    database = audformat.Database("skemotion")
    names = [str(label) for label in labels]
    database.schemes["emotion"] = audformat.Scheme("str", labels=names)
    database.schemes["confidence"] = audformat.Scheme("float", minimum=0, maximum=1)
    index = audformat.segmented_index(
        [file for file, _ in rows],
        *(
            pd.to_timedelta([_floor(segment[edge], 6) for _, segment in rows], unit="s")
            for edge in (0, 1)
        ),
    )
    table = database["emotion"] = audformat.Table(index)
    values = [segment.confidence for _, segment in rows]
    for name, column in {"emotion": emotions, "confidence": values}.items():
        table[name] = audformat.Column(scheme_id=name)
        table[name].set(column)
    database.save(os.fspath(path), storage_format="csv")


FORMATS: dict[str, Any] = {
    "csv": TableFormat(_csv_line(*COLUMNS), _csv_row),
    "jsonl": TableFormat("", _json_line),
    "audacity": FileFormat(".txt", _write_audacity),
    "textgrid": FileFormat(".TextGrid", _write_textgrid, "praatio"),
    "webvtt": FileFormat(".vtt", _write_webvtt, "webvtt"),
    "audformat": FolderFormat(_write_audformat, "audformat"),
}


def write_timelines(
    timelines: Mapping[str, EmotionTimeline], out: str | os.PathLike, *, format: str
) -> None:
    """Write segments for other programs.

    Parameters
    ----------
    timelines : mapping of str to EmotionTimeline
        By the name of the recording.
    out : str or path-like
        What is written, whole or not at all; it may not be there. For "csv" and
        "jsonl" a file with the segments of all recordings. For "audacity",
        "textgrid" and "webvtt" a folder with a file for each. For "audformat" the
        folder of a database with the table "emotion".
    format : {"csv", "jsonl", "audacity", "textgrid", "webvtt", "audformat"}
        The last three need ``pip install "skemotion[timeline]"``. Labels lose tabs
        and ends of lines in "audacity", "textgrid" and "webvtt".

    Raises
    ------
    FileExistsError
        If `out` is there.
    ImportError
        If the library that writes the format is not installed.
    ValueError
        If there is no such format.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skemotion import emotion_timeline, load_pretrained
    >>> from skemotion.datasets import make_emotional_speech
    >>> from skemotion.timeline import write_timelines
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> timeline = emotion_timeline(load_pretrained(), speech.signals[0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "segments.csv")
    ...     write_timelines({"a.wav": timeline}, path, format="csv")
    ...     print(path.read_text().splitlines()[0])
    file,start,end,emotion,confidence
    """
    if format not in FORMATS:
        raise ValueError(f"no format {format!r}: there are {', '.join(FORMATS)}.")
    check_library(format)
    out = Path(out)
    if out.exists():
        raise FileExistsError(f"{out} exists: delete it, or name another.")
    form = FORMATS[format]
    rows = [
        (name, segment)
        for name, timeline in timelines.items()
        for segment in timeline.segments
    ]
    if isinstance(form, TableFormat):
        with atomic_path(out) as temporary:
            text = form.header + "".join(form.line(*row) for row in rows)
            temporary.write_bytes(text.encode(errors="surrogateescape"))
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(out) as temporary:
        if isinstance(form, FolderFormat):
            classes = [timeline.classes.tolist() for timeline in timelines.values()]
            form.write(temporary, rows, dict.fromkeys(chain(*classes)))
            return
        temporary.mkdir()
        names = name_files(timelines, form.suffix)
        for name, timeline in zip(names, timelines.values(), strict=True):
            form.write(temporary / name, timeline)
