"""``skemotion timeline``."""

import json
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skemotion._files import (
    atomic_path,
    digest_of,
    refuse_existing,
    refuse_folder,
)
from skemotion._text import json_text
from skemotion._version import __version__
from skemotion.cli._failures import conclude
from skemotion.cli._formats import NO_SPEECH
from skemotion.cli._journal import FAILED, open_journal, refuse_finished
from skemotion.cli._opening import open_model
from skemotion.cli._recordings import find_recordings
from skemotion.cli._terminal import (
    progress_bar,
    say,
    say_resumed,
    shows_progress,
    write_out,
)
from skemotion.exceptions import AudioError
from skemotion.timeline import EmotionTimeline, Segment, emotion_timeline
from skemotion.timeline._formats import (
    FORMATS,
    FileFormat,
    FolderFormat,
    TableFormat,
    check_library,
    name_files,
)

_PARAMETERS = ("window", "hop", "smoothing", "min_pause", "max_utterance")
_TABLE, _FOUND = "timeline", "found.jsonl"


class _Found(NamedTuple):
    """What is known of one recording."""

    path: str
    timeline: EmotionTimeline | None
    error: str


def run(options):
    """Tell the emotions in every recording over its time, one after the other."""
    recordings = find_recordings(options)
    check_library(options.format)
    if options.hop > options.window:
        options.usage_error("--hop is longer than --window: some speech would be lost")
    write = _WRITERS[type(FORMATS[options.format])]
    return conclude(write(options, recordings))


def _listen(model, recordings, options, n_done=0):
    """Yield what is found in each recording that has not been done."""
    total = len(recordings)
    to_terminal = not options.out and sys.stdout.isatty()
    shown = shows_progress()
    parameters = {name: getattr(options, name) for name in _PARAMETERS}
    with progress_bar(total, n_done, shown=shown) as bar:
        for ((path, *_),) in recordings.chunks(1, n_done):
            try:
                (recording,) = recordings.audio([path])
                timeline = emotion_timeline(model, recording, **parameters)
                found = _Found(path, timeline, "" if timeline.segments else NO_SPEECH)
            except AudioError as error:
                found = _Found(path, None, error.failures[0][1])
            # Where both are the terminal, the bar must not stand in a line of text.
            with bar.external_write_mode() if shown and to_terminal else nullcontext():
                yield found
            bar.update()


def _write_table(options, recordings):
    """Write lines to standard output, or to a file that grows, and can be resumed."""
    if options.out:
        return _write_journal(options, recordings)
    form, failures = FORMATS[options.format], []
    model = open_model(options)
    write_out(form.header)
    for found in _listen(model, recordings, options):
        write_out(_lines(form, found))
        failures += _failure(found)
    return failures


def _write_journal(options, recordings):
    refuse_folder(options.out, f"timeline.{options.format}")
    out, form = Path(options.out), FORMATS[options.format]
    targets = {_TABLE: out, FAILED: out.with_name(f"{out.name}.failed")}
    refuse_finished(out)
    model = open_model(options)
    with open_journal(targets, _identity(recordings, options)) as journal:
        if journal.is_new:
            journal.write(_TABLE, form.header.encode())
        say_resumed(journal.n_done, len(recordings))
        for found in _listen(model, recordings, options, journal.n_done):
            text = _lines(form, found)
            journal.write(_TABLE, text.encode(errors="surrogateescape"))
            journal.write_failures(FAILED, dict(_failure(found)))
            journal.commit(1)
        failures = journal.read_failures(FAILED)
    _say_saved(options, recordings)
    return failures


def _identity(recordings, options):
    return {
        "command": "timeline",
        "version": __version__,
        "model": digest_of(options.model),
        "recordings": recordings.digest,
        "format": options.format,
        **{name: getattr(options, name) for name in _PARAMETERS},
    }


def _write_files(options, recordings):
    """Write a file for each recording that can be read, once all are listened to."""
    form = FORMATS[options.format]
    targets = _find_targets(options, recordings, form.suffix)
    refuse_finished(Path(options.out), targets)
    with _listened(options, recordings, targets) as (found, _):
        targets[0].parent.mkdir(parents=True, exist_ok=True)
        for each, target in zip(found, targets, strict=True):
            if each.timeline is not None and not target.exists():
                with atomic_path(target) as temporary:
                    form.write(temporary, each.timeline)
    _say_saved(options, recordings)
    return [failure for each in found for failure in _failure(each)]


def _find_targets(options, recordings, suffix):
    """Return the path of the file for each recording."""
    out = _check_out(options)
    if out.suffix.casefold() != suffix.casefold() or out.is_dir():
        if out.exists() and not out.is_dir():
            raise FileExistsError(
                f"{out} is a file: give a folder, or for a single recording a file "
                f"that ends in {suffix}."
            )
        paths = [row[0] for rows in recordings.chunks(len(recordings)) for row in rows]
        return [out / name for name in name_files(paths, suffix)]
    if len(recordings) > 1:
        options.usage_error(
            f"--out {out} is one file, for {len(recordings)} recordings: give a folder"
        )
    return [out]


def _write_folder(options, recordings):
    """Write a folder with all recordings, whole or not at all."""
    out = _check_out(options)
    refuse_finished(out)
    with _listened(options, recordings, [out]) as (found, classes):
        rows = [(each.path, segment) for each in found for segment in _segments(each)]
        if not out.exists():
            with atomic_path(out) as temporary:
                FORMATS[options.format].write(temporary, rows, classes)
    _say_saved(options, recordings)
    return [failure for each in found for failure in _failure(each)]


@contextmanager
def _listened(options, recordings, targets):
    """Give what is found in all recordings, and the classes; what is done is kept."""
    out, total = Path(options.out), len(recordings)
    model = open_model(options)
    identity = _identity(recordings, options)
    with open_journal({_FOUND: None}, identity, beside=out) as journal:
        if journal.n_done < total:  # otherwise a killed process may have made some
            refuse_existing(targets)
        say_resumed(journal.n_done, total)
        for found in _listen(model, recordings, options, journal.n_done):
            journal.write(_FOUND, _to_line(found))
            journal.commit(1)
        yield list(map(_from_line, journal.read_lines(_FOUND))), model.classes_.tolist()


def _to_line(found):
    segments = [
        (float(start), float(end), str(emotion), float(confidence))
        for start, end, emotion, confidence in _segments(found)
    ]
    duration = None if found.timeline is None else found.timeline.duration
    text = json_text([found.path, duration, segments, found.error]) + "\n"
    return text.encode(errors="surrogateescape")


def _from_line(line):
    path, duration, segments, error = json.loads(line.decode(errors="surrogateescape"))
    if duration is None:
        return _Found(path, None, error)
    none = np.empty(0)
    kept = [Segment(*segment) for segment in segments]
    return _Found(
        path, EmotionTimeline(none, none, none, none, none, kept, duration), error
    )


def _check_out(options):
    if not options.out:
        options.usage_error(f"--format {options.format} needs --out")
    return Path(options.out)


def _lines(form, found):
    return "".join(form.line(found.path, segment) for segment in _segments(found))


def _segments(found):
    return found.timeline.segments if found.timeline else []


def _failure(found):
    return [(found.path, found.error)] if found.error else []


def _say_saved(options, recordings):
    noun = "recording" if len(recordings) == 1 else "recordings"
    say(f"saved {options.out} ({len(recordings)} {noun})")


_WRITERS = {
    TableFormat: _write_table,
    FileFormat: _write_files,
    FolderFormat: _write_folder,
}
