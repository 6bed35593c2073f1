"""Runs as files in ``benchmarks/results/``, and tables of them."""

from functools import lru_cache
from pathlib import Path

import _results
import numpy as np
from _packing import Recordings, pack, unpack
from _results import RESULTS, made_by
from _revisions import (
    current_revision,
    digest,
    find_outdated,
    footnote,
    keep_latest,
    made_with,
    mark,
)
from sklearn.metrics import precision_recall_fscore_support

from skemotion.metrics import bootstrap_interval, unweighted_average_recall

# Those that are results: honest ones first, and speakers left out before all.
PROTOCOLS = ("loso", "loso-text", "loso-speaker", "loso-adapted", "holdout", "post")


def run_path(args, model, seed):
    """Return where the run of a model and seed is kept."""
    return RESULTS / f"emodb-{args.protocol}-{args.recipe}-{model}-{seed}.json"


def describe(args, model, seed):
    """Return what a run depends on, and what made it."""
    return {
        **made_with(args.protocol, args.recipe, model),
        "seed": seed,
        **made_by(),
    }


def name_revision(args, model):
    """Return revision and parameters as a part of a file's name."""
    key = args.protocol, args.recipe, model
    parts = current_revision(*key).items()
    versions = [f"{part.split()[0]}{number}" for part, number in parts]
    return "-".join([*versions, digest(*key)])


def load_current(path):
    """Return a run that is kept, or None if there is none or it is stale."""
    if not path.exists():
        return None
    run = read_run(path)
    if outdated := find_outdated(run):
        print(f"{path.name} is stale, by {', '.join(outdated)}: it is made again")
        return None
    return run


def read_run(path):
    """Return a run with predictions for recordings, which ``_packing.py`` packed."""
    return unpack(_results.read(path), _load_recordings(path))


def write_run(path, run):
    """Keep a run with predictions for recordings, whole or not at all."""
    recordings = _load_recordings(path)
    n_before = len(recordings)
    packed = pack(run, recordings)
    if len(recordings) > n_before:
        _results.write(_recordings_path(path), recordings)
    _results.write(path, packed)


def _load_recordings(path):
    return Recordings(_results.read(_recordings_path(path)) or {})


def _recordings_path(path):
    return Path(path).with_name("recordings.json")


def collect(run):
    """Pool labels, probabilities, speakers and classes over all folds."""
    classes = np.asarray(run["folds"][0]["classes"])
    if any(fold["classes"] != classes.tolist() for fold in run["folds"]):
        raise SystemExit("the folds of a run differ in their classes")
    y = np.concatenate([fold["y_true"] for fold in run["folds"]])
    proba = np.concatenate([fold["probabilities"] for fold in run["folds"]])
    names = np.concatenate([fold["recordings"] for fold in run["folds"]])
    speakers = np.array([name[:2] for name in names])
    # They were rounded to five places.
    return y, proba / proba.sum(axis=1, keepdims=True), speakers, classes


def summarise_run(run):
    """Score a run."""
    y_true, proba, speakers, classes = collect(run)
    y_pred = classes[proba.argmax(axis=1)]
    low, high = bootstrap_interval(
        y_true,
        y_pred,
        groups=speakers if run["protocol"].startswith("loso") else None,
        random_state=0,
    )
    precision, recall, f1, _ = precision_recall_fscore_support(
        y_true, y_pred, average="macro", zero_division=0
    )
    return {
        "accuracy": float(np.mean(np.equal(y_true, y_pred))),
        "UAR": float(unweighted_average_recall(y_true, y_pred)),
        "low": low,
        "high": high,
        "precision": float(precision),
        "recall": float(recall),
        "F1": float(f1),
        "best epoch": float(np.mean([fold["best_epoch"] for fold in run["folds"]])),
        "epochs": float(np.mean([fold["epochs"] for fold in run["folds"]])),
        "seconds": float(np.sum([fold["seconds"] for fold in run["folds"]])),
        "outdated": find_outdated(run),
    }


def markdown_table():
    """Make a table of mean and range over the seeds of the latest revision.

    Intervals are bootstrapped over speakers where those are left out, over
    recordings otherwise, and their ends averaged over the seeds.
    """
    columns = ["UAR", "accuracy", "precision", "F1"]
    header = ["protocol", "recipe", "model", "seeds", *columns]
    runs = summarise()
    rows = [
        [
            *mark_row(key, found),
            len(found),
            *(spread(found, column) for column in columns),
        ]
        + [interval(found), round(np.mean([s["seconds"] for s in found]) / 60)]
        for key, found in runs.items()
    ]
    return table([*header, "95 % interval of UAR", "minutes a seed"], rows) + (
        footnote_rows(runs.values())
    )


def mark_row(key, found):
    """Return protocol, recipe and model, with a mark where the run is stale."""
    protocol, recipe, model = key
    return [protocol, mark(recipe, found[0]["outdated"]), model]


def footnote_rows(rows):
    """Return what to write under a table with summaries of these rows."""
    outdated = {part for found in rows for part in found[0]["outdated"]}
    return footnote(outdated, "emodb.py")


@lru_cache
def summarise():
    """Map protocol, recipe and model to a summary for each seed, in order.

    Where seeds were made by several revisions, only those of the latest count.
    """
    runs = {}
    for run in load_runs():
        key = run["protocol"], run["recipe"], run["model"]
        runs.setdefault(key, []).append((run,))
    summaries = {
        key: [summarise_run(run) for (run,) in keep_latest(found)]
        for key, found in runs.items()
    }
    return dict(sorted(summaries.items(), key=_rank))


def load_runs():
    """Yield all runs under a protocol that gives results."""
    for protocol in PROTOCOLS:
        for path in sorted(RESULTS.glob(f"emodb-{protocol}-*.json")):
            run = read_run(path)
            if run["protocol"] == protocol:
                yield run


def spread(summaries, column):
    """Return the mean over the seeds, and the range if there are several."""
    values = [summary[column] for summary in summaries]
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{np.mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"


def interval(summaries):
    """Return the mean ends of the intervals of UAR."""
    return " to ".join(
        f"{np.mean([summary[end] for summary in summaries]):.3f}"
        for end in ("low", "high")
    )


def table(header, rows):
    """Make a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _rank(item):
    (protocol, *others), _ = item
    return PROTOCOLS.index(protocol), others
