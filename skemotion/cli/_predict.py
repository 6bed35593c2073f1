"""``skemotion predict``."""

import hashlib
import sys
import warnings
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from skemotion._messages import shorten
from skemotion._version import __version__
from skemotion.cli._formats import (
    NO_SPEECH,
    WRITERS,
    Prediction,
    csv_header,
    csv_row,
)
from skemotion.cli._journal import open_journal, refuse_existing
from skemotion.cli._models import (
    adapt_model,
    find_novelty_limit,
    open_model,
    predict_with_novelty,
)
from skemotion.cli._recordings import find_recordings, keep_readable
from skemotion.cli._terminal import on_terminal, progress_bar, say_resumed
from skemotion.exceptions import AudioError, NoSpeechWarning

_UNCERTAIN = "uncertain"
_TABLE, _FAILED = "predictions.csv", "failed.csv"


def run(options):
    """Predict the emotion of every recording, a chunk at a time."""
    recordings = find_recordings(options)
    if options.out:
        refuse_existing([Path(options.out)])
    model = open_model(options)
    if _UNCERTAIN in _labels(model) and options.min_confidence:
        raise ValueError(
            f"{options.model} knows an emotion called {_UNCERTAIN}, which "
            "--min-confidence would be confused with."
        )
    left_out = None
    if options.adapt or options.one_speaker:
        model, left_out = adapt_model(model, recordings, options)
    if options.out:
        failures = _to_file(model, recordings, options, left_out)
    else:
        failures = _to_stdout(model, recordings, options)
    silent = [path for path, error in failures if error == NO_SPEECH]
    if silent:
        noun = "recording holds" if len(silent) == 1 else "recordings hold"
        print(
            f"skemotion: {len(silent)} {noun} no speech: {shorten(silent)}",
            file=sys.stderr,
        )
    unreadable = [failure for failure in failures if failure[1] != NO_SPEECH]
    if unreadable:
        raise AudioError(unreadable)
    return int(bool(silent))


def _labels(model):
    return [str(label) for label in model.classes_]


def _to_stdout(model, recordings, options):
    with_novelty = find_novelty_limit(model) is not None
    writer = WRITERS[options.format](_labels(model), with_novelty=with_novelty)
    total, failures = len(recordings), []
    shown = options.progress or (on_terminal() and total > options.chunk_size)
    with progress_bar(total, shown=shown) as bar:
        for rows in recordings.chunks(options.chunk_size):
            predictions = _predict(model, rows, options)
            # Where both are the terminal, the bar must not stand in a line of text.
            with bar.external_write_mode() if shown else nullcontext():
                writer.write(predictions)
                sys.stdout.flush()
            failures += _failures(predictions)
            bar.update(len(rows))
    writer.close()
    return failures


def _to_file(model, recordings, options, unreadable):
    out = Path(options.out)
    targets = {_TABLE: out, _FAILED: out.with_name(f"{out.name}.failed")}
    total, labels = len(recordings), _labels(model)
    with_novelty = find_novelty_limit(model) is not None
    identity = _identity(recordings, options, unreadable)
    with open_journal(targets, identity) as journal:
        if journal.is_new:
            journal.write_rows(_TABLE, [csv_header(labels, with_novelty=with_novelty)])
        done = journal.n_done
        say_resumed(done, total)
        with progress_bar(total, done, shown=options.progress or on_terminal()) as bar:
            for rows in recordings.chunks(options.chunk_size, done):
                predictions = _predict(model, rows, options)
                table = [
                    csv_row(found, labels, with_novelty=with_novelty)
                    for found in predictions
                ]
                journal.write_rows(_TABLE, table)
                journal.write_failures(_FAILED, dict(_failures(predictions)))
                journal.commit(len(rows))
                bar.update(len(rows))
        failures = journal.read_failures(_FAILED)
    print(f"saved {out} ({total} recordings)")
    return failures


def _identity(recordings, options, unreadable):
    return {
        "command": "predict",
        "version": __version__,
        "model": hashlib.sha256(Path(options.model).read_bytes()).hexdigest(),
        "min_confidence": options.min_confidence,
        "recordings": recordings.digest,
        # Where the model is adapted, it is to all recordings but these.
        "adapted_without": None if unreadable is None else sorted(unreadable),
    }


def _predict(model, rows, options):
    """Return a prediction for each row, of recordings that cannot be read too."""
    paths = [row[0] for row in rows]
    with _no_speech_noted() as silent:
        results, failures = keep_readable(partial(predict_with_novelty, model), paths)
    kept = [path for path in paths if path not in failures]
    failures |= {kept[row]: NO_SPEECH for row in silent}
    answers = () if results is None else zip(*results, strict=True)
    answered = zip(kept, answers, strict=False)
    found = (answer for path, answer in answered if path not in failures)
    labels, limit = _labels(model), find_novelty_limit(model)
    return [
        Prediction(path, error=failures[path])
        if path in failures
        else _name_emotion(path, next(found), labels, limit, options.min_confidence)
        for path in paths
    ]


@contextmanager
def _no_speech_noted():
    """Give a list, which has the rows without speech behind the block."""
    rows: list[int] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NoSpeechWarning)
        yield rows
    for warning in caught:
        if isinstance(warning.message, NoSpeechWarning):
            rows[:] = warning.message.rows
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


def _name_emotion(path, found, labels, limit, min_confidence):
    probabilities, novelty = found
    best = probabilities.argmax()
    certain = probabilities[best] >= min_confidence
    return Prediction(
        path,
        labels[best] if certain else _UNCERTAIN,
        probabilities,
        novelty=novelty,
        is_novel=limit is not None and novelty > limit,
    )


def _failures(predictions):
    return [(found.path, found.error) for found in predictions if found.error]
