"""Tables of the trials with an encoder, from ``results/encoder_trials.json``."""

import numpy as np
from _encoder_frames import CONDITIONS
from _encoder_protocols import summarise_shifts
from _results import RESULTS, read
from _revisions import find_outdated_parts, footnote, mark
from _runs import table
from encoder_trials import load_trials

# Layers of a linear support vector machine without copies, by what they cost.
FRONTS = {
    "tiny1": "tiny.en, 1",
    "tiny2": "tiny.en, 2",
    "tiny3": "tiny.en, 3",
    "base1": "base, 1",
    "base2": "base, 2",
    "base3": "base, 3",
    "base2+3": "base, 2 and 3",
    "base4": "base, 4",
}
# The cut that is timed in ``encoder.json``; a layer that is passed costs nothing more.
CUTS = {"tiny2": "tiny.en 2", "base2": "base 2", "base3": "base 3", "base2+3": "base 3"}
PROTOCOLS = ("loso", "loso-speaker", "loso-text")
SEXES = ("women-men", "men-women")
SHIFTS = (*SEXES, *CONDITIONS)
COLUMNS = (*PROTOCOLS, "loso-adapted", "ece", "shifts", "shifts-adapted", "composite")


def make_cost():
    """Put recall beside what the layers cost."""
    trials = {t["name"]: t for t in load_trials() if t["kind"] == "linear"}
    trials = {f: trials[f"svm-{f}"] for f in FRONTS if f"svm-{f}" in trials}
    found = {front: trial["scores"] for front, trial in trials.items()}
    if not found:
        return None
    shared = [s for s in SHIFTS if all(s in scores for scores in found.values())]
    times = _load_times()
    rows = []
    for front, scores in found.items():
        means = summarise_shifts({"loso": scores["loso"], **_pick(scores, shared)})
        scores = {**scores, **means}
        cells = [_cell(scores, name) for name in PROTOCOLS]
        cells += [_cell(scores, name) for name in ("shifts", "shifts-adapted")]
        named = mark(FRONTS[front], find_outdated_parts(trials[front]))
        rows.append([named, *cells, times.get(CUTS.get(front), "")])
    header = ["model, layers", *PROTOCOLS, "shifts", "shifts, adapted", "ms for 5 s"]
    names = ", ".join(name.replace("_", " ").replace("  ", " ") for name in shared)
    note = _note(trials.values())
    note += footnote(_timed_outdated(), "bench_encoder.py", "Stale: the times were")
    return f"{table(header, rows)}\n\nShifts that all rows share: {names}.{note}"


def _note(trials):
    """Return what to write under a table of trials."""
    outdated = {part for trial in trials for part in find_outdated_parts(trial)}
    return footnote(outdated, "encoder_trials.py")


def _timed_outdated():
    timed = read(RESULTS / "encoder.json")
    return find_outdated_parts(timed) if timed else []


def make_trials():
    """List every trial, those that were asked the most at the top."""
    trials = [t for t in load_trials() if "scores" in t]
    rows = []
    for trial in sorted(trials, key=_rank):
        scores = trial["scores"]
        shuffled = trial["name"].endswith("shuffled")
        if shuffled:  # but for the shifts, whose labels were left as they are
            scores = _pick(scores, ["loso", "loso-adapted", "loso-speaker"])
        cells = [_cell(scores, name) for name in COLUMNS]
        n_shifts = 0 if shuffled else _count_shifts(trial)
        named = mark(trial["name"], find_outdated_parts(trial))
        row = [named, trial["seed"], _describe(trial["settings"])]
        rows.append([*row, *cells, n_shifts])
    header = ["trial", "seed", "settings", *COLUMNS, "number of shifts"]
    return table(header, rows) + _note(trials) if rows else None


def make_nested():
    """Say what is left where the trial is chosen on the other speakers."""
    trials = [t for t in load_trials() if t["kind"] == "nested"]
    rows = [
        [
            mark(f"{trial['of the choice']:.3f}", find_outdated_parts(trial)),
            ", ".join(f"{name}: {n}" for name, n in trial["chosen"].items()),
            ", ".join(f"{name} {uar:.3f}" for name, uar in trial["each"].items()),
        ]
        for trial in trials
    ]
    header = ["UAR of the choice", "chosen, for how many", "UAR of each"]
    return table(header, rows) + _note(trials) if rows else None


def _load_times():
    """Map each cut that was timed to milliseconds of a processor."""
    cuts = (read(RESULTS / "encoder.json") or {"cuts": {}})["cuts"]
    return {
        name: round(cut["median_processor_ms"]["transform"])
        for name, cut in cuts.items()
    }


def _rank(trial):
    return -_count_shifts(trial), -trial["scores"].get("composite", 0)


def _count_shifts(trial):
    return len(_pick(trial["scores"], SHIFTS))


def _pick(scores, names):
    return {name: scores[name] for name in names if name in scores}


def _cell(scores, name):
    return f"{np.mean(scores[name]):.3f}" if name in scores else ""


def _describe(settings):
    """Write settings in a line."""
    return ", ".join(
        f"{name} {'+'.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in settings.items()
    )
