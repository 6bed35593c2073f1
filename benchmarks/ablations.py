"""Compare variants of the recommended recipe with it, recording by recording.

    python benchmarks/ablations.py

reads the runs of ``emodb.py`` in ``benchmarks/results/``, trains nothing, and
prints, for each protocol, recipe and model that has runs of the same seeds as
the recommended recipe with attention: the mean difference in unweighted average
recall (UAR) in points; its 95 % interval, of speakers drawn with replacement,
the same for both; and the p-value of an exact test that exchanges the two for
any of the speakers, 1024 ways for ten of them.
"""

import itertools
import json

import numpy as np
from calibration import collect
from emodb import RESULTS

from skemotion.metrics import unweighted_average_recall

REFERENCE = "recommended", "attention"
N_DRAWS = 2000


def main():
    print(markdown_table(load_runs()))


def load_runs():
    """Map protocol, recipe and model to a run for each seed."""
    runs = {}
    for path in sorted(RESULTS.glob("emodb-loso*.json")):
        run = json.loads(path.read_text())
        key = run["protocol"], run["recipe"], run["model"]
        runs.setdefault(key, {})[run["seed"]] = run
    return runs


def markdown_table(runs):
    """Make a table with a row for each variant."""
    lines = [
        "| protocol | recipe | model | seeds | points of UAR | 95 % interval | p |",
        "|---|---|---|---|---|---|---|",
    ]
    for (protocol, *variant), found in sorted(runs.items()):
        reference = runs.get((protocol, *REFERENCE), {})
        seeds = sorted(found.keys() & reference.keys())
        if tuple(variant) == REFERENCE or not seeds:
            continue
        pairs = [(align(found[s]), align(reference[s])) for s in seeds]
        difference, (low, high), p = compare(pairs)
        cells = [protocol, *variant, len(seeds), f"{difference:+.1f}"]
        cells += [f"{low:+.1f} to {high:+.1f}", f"{p:.3f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def align(run):
    """Return labels, predictions and speakers in the order of the recordings."""
    names = np.concatenate([fold["recordings"] for fold in run["folds"]])
    y, probabilities, speakers, classes = collect(run)
    order = np.argsort(names)
    predicted = classes[probabilities.argmax(axis=1)]
    return y[order], predicted[order], speakers[order]


def compare(pairs):
    """Return the mean difference over pairs of runs, its interval, and p."""
    y, _, speakers = pairs[0][0]
    names = np.unique(speakers)
    rows = {name: np.flatnonzero(speakers == name) for name in names}
    swaps = np.array(list(itertools.product([False, True], repeat=len(names))))
    exchanged = [
        _difference(y, pairs, np.isin(speakers, names[swap])) for swap in swaps
    ]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(N_DRAWS):
        drawn = np.concatenate([rows[name] for name in rng.choice(names, len(names))])
        draws.append(_difference(y, pairs, np.zeros(len(y), dtype=bool), drawn))
    observed = exchanged[0]
    p = np.mean(np.abs(exchanged) >= abs(observed) - 1e-9)
    return observed, np.percentile(draws, [2.5, 97.5]), p


def _difference(y, pairs, swapped, rows=slice(None)):
    """Return by how much the first of each pair is ahead, in points of UAR."""
    differences = [
        unweighted_average_recall(y[rows], np.where(swapped, other, one)[rows])
        - unweighted_average_recall(y[rows], np.where(swapped, one, other)[rows])
        for (_, one, _), (_, other, _) in pairs
    ]
    return 100 * np.mean(differences)


if __name__ == "__main__":
    main()
