"""``skemotion predict``."""

import sys
from contextlib import nullcontext
from pathlib import Path

from skemotion._files import digest_of, refuse_folder
from skemotion._version import __version__
from skemotion.cli._failures import conclude
from skemotion.cli._formats import WRITERS, Layout
from skemotion.cli._journal import FAILED, open_journal, refuse_finished
from skemotion.cli._opening import find_novelty_limit, open_model
from skemotion.cli._predictor import UNCERTAIN, Predictor
from skemotion.cli._recordings import find_recordings
from skemotion.cli._terminal import (
    on_terminal,
    progress_bar,
    say,
    say_resumed,
    shows_progress,
)

_TABLE = "predictions.csv"


def run(options):
    """Predict the emotion of every recording, a chunk at a time."""
    recordings = find_recordings(options)
    if options.out:
        refuse_folder(options.out, "predictions.csv")
        refuse_finished(Path(options.out))
    if options.speaker_column:
        options.one_speaker = True
        recordings.split(options.speaker_column)  # what is wrong is said first
    model = open_model(options)
    if UNCERTAIN in _labels(model) and options.min_confidence:
        raise ValueError(
            f"{options.model} knows an emotion called {UNCERTAIN}, which "
            "--min-confidence would be confused with."
        )
    predictor = Predictor.of(model, recordings, options)
    layout = Layout(
        _labels(model),
        with_novelty=find_novelty_limit(model) is not None,
        kept=recordings.columns[1:],
    )
    write = _to_file if options.out else _to_stdout
    return conclude(write(predictor, recordings, layout, options))


def _labels(model):
    return [str(label) for label in model.classes_]


def _to_stdout(predictor, recordings, layout, options):
    writer = WRITERS[options.format](layout)
    total, failures = len(recordings), []
    shown = options.progress or (on_terminal() and total > options.chunk_size)
    with progress_bar(total, shown=shown) as bar:
        for rows in recordings.chunks(options.chunk_size):
            predictions = predictor.predict(rows)
            # Where both are the terminal, the bar must not stand in a line of text.
            with bar.external_write_mode() if shown else nullcontext():
                writer.write(predictions)
                sys.stdout.flush()
            failures += _failures(predictions)
            bar.update(len(rows))
    writer.close()
    predictor.odd.tell()
    return failures


def _to_file(predictor, recordings, layout, options):
    out = Path(options.out)
    targets = {_TABLE: out, FAILED: out.with_name(f"{out.name}.failed")}
    total = len(recordings)
    identity = _identity(recordings, options, predictor.left_out)
    with open_journal(targets, identity) as journal:
        if journal.is_new:
            journal.write_rows(_TABLE, [layout.header])
        done = journal.n_done
        say_resumed(done, total)
        with progress_bar(total, done, shown=shows_progress()) as bar:
            for rows in recordings.chunks(options.chunk_size, done):
                predictions = predictor.predict(rows)
                journal.write_rows(_TABLE, map(layout.row, predictions))
                journal.write_failures(FAILED, dict(_failures(predictions)))
                journal.commit(len(rows))
                bar.update(len(rows))
        failures = journal.read_failures(FAILED)
    say(f"saved {out} ({total} recordings)")
    predictor.odd.tell()
    return failures


def _identity(recordings, options, unreadable):
    return {
        "command": "predict",
        "version": __version__,
        "model": digest_of(options.model),
        "min_confidence": options.min_confidence,
        "recordings": recordings.digest,
        # Where the model is adapted, it is to all recordings but these.
        "adapted_without": None if unreadable is None else sorted(unreadable),
        "speaker_column": options.speaker_column,
    }


def _failures(predictions):
    return [(found.path, found.error) for found in predictions if found.error]
