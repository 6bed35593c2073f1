"""``skemotion predict``."""

import hashlib
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from skemotion._version import __version__
from skemotion.cli._formats import WRITERS, Prediction, csv_header, csv_row
from skemotion.cli._journal import open_journal
from skemotion.cli._models import (
    find_novelty_limit,
    is_by_speaker,
    load_model,
    predict_by_speaker,
    predict_with_novelty,
)
from skemotion.cli._recordings import Recordings, keep_readable, read_list
from skemotion.cli._terminal import on_terminal, progress_bar, say_resumed
from skemotion.exceptions import AudioError

_UNCERTAIN = "uncertain"
_TABLE, _FAILED = "predictions.csv", "failed.csv"


def run(options):
    """Predict the emotion of every recording, a chunk at a time."""
    if bool(options.files) == bool(options.files_from):
        options.usage_error("give either one or more FILE, or --files-from")
    if options.files_from:
        recordings = read_list(options.files_from)
    else:
        recordings = Recordings(["path"], [(path,) for path in options.files])
    if options.one_speaker:
        options.chunk_size = len(recordings)
    if options.model is None:
        from skemotion.pretrained import BUNDLE

        options.model = BUNDLE
    model = _prepare(load_model(options.model), options)
    failures = (_to_file if options.out else _to_stdout)(model, recordings, options)
    if failures:
        raise AudioError(failures)


def _prepare(model, options):
    if is_by_speaker(model) != options.one_speaker:
        raise ValueError(_MISMATCH[options.one_speaker].format(options.model))
    if _UNCERTAIN in _labels(model) and options.min_confidence:
        raise ValueError(
            f"{options.model} knows an emotion called {_UNCERTAIN}, which "
            "--min-confidence would be confused with."
        )
    known = model.get_params()
    wanted = {
        "extract__n_jobs": options.n_jobs,
        "extract__memory": options.cache,
        "extract__verbose": int(options.one_speaker and on_terminal()),
    }
    return model.set_params(**{key: wanted[key] for key in wanted if key in known})


_MISMATCH = {
    True: (
        "{} was not trained on features standardised by speaker, so --one-speaker "
        "would mislead it: leave it out, or train with --by-speaker."
    ),
    False: (
        "{} was trained with --by-speaker: add --one-speaker if all these recordings "
        "are of one voice, or use a model trained without."
    ),
}


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


def _to_file(model, recordings, options):
    out = Path(options.out)
    targets = {_TABLE: out, _FAILED: out.with_name(f"{out.name}.failed")}
    total, labels = len(recordings), _labels(model)
    with_novelty = find_novelty_limit(model) is not None
    with open_journal(targets, _identity(recordings, options)) as journal:
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


def _identity(recordings, options):
    return {
        "command": "predict",
        "version": __version__,
        "model": hashlib.sha256(Path(options.model).read_bytes()).hexdigest(),
        "min_confidence": options.min_confidence,
        "one_speaker": options.one_speaker,
        "recordings": recordings.digest,
    }


def _predict(model, rows, options):
    """Return a prediction for each row, of recordings that cannot be read too."""

    def work(paths):
        if options.one_speaker:
            return predict_by_speaker(model, paths, np.zeros(len(paths)))
        return predict_with_novelty(model, paths)

    paths = [row[0] for row in rows]
    results, failures = keep_readable(work, paths)
    found = iter(() if results is None else zip(*results, strict=True))
    labels, limit = _labels(model), find_novelty_limit(model)
    return [
        Prediction(path, error=failures[path])
        if path in failures
        else _name_emotion(path, next(found), labels, limit, options.min_confidence)
        for path in paths
    ]


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
