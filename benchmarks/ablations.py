"""Compare variants of a recipe with it, recording by recording.

    python benchmarks/ablations.py

reads the runs of ``emodb.py`` in ``benchmarks/results/``, trains nothing, and
prints, for each protocol, recipe and model that has runs of the same seeds as
its reference: the mean difference in unweighted average recall (UAR) in points;
its 95 % interval, of speakers drawn with replacement, the same for both; and the
p-value of an exact test that exchanges the two for any of the speakers, 1024
ways for ten of them. The reference of a recipe with several changes, joined by
``+``, is the network with attention and all changes but the last; that of one
change is the recipe "descriptors" with attention, and that of other recipes the
recommended one. Runs that leave out sentences as well are
compared with those of the same recipe and model that do not. Runs are compared only
where they have the parts that they share in the same versions (``_revisions.py``); a
row of runs of which either is stale is marked so.
"""

import itertools
import textwrap

import numpy as np
from _recipes import ABLATIONS
from _revisions import agree, find_outdated, footnote, keep_latest, mark
from _runs import collect, load_runs, table

N_DRAWS = 2000


def main():
    print(markdown_table())


def markdown_table():
    """Make a table with a row for each variant."""
    runs, marked = {}, set()
    for run in load_runs():
        key = run["protocol"], run["recipe"], run["model"]
        if run["protocol"].startswith("loso"):
            runs.setdefault(key, {})[run["seed"]] = run
    rows = []
    for (protocol, recipe, model), found in sorted(runs.items()):
        base = _reference(recipe)
        reference = runs.get((protocol, base, "attention"), {})
        if protocol == "loso-text":
            base, reference = "loso", runs.get(("loso", recipe, model), {})
        seeds = sorted(found.keys() & reference.keys())
        if not seeds or found is reference:
            continue
        pairs = [(found[s], reference[s]) for s in seeds]
        pairs = keep_latest([pair for pair in pairs if agree(*pair)])
        if not pairs:
            row = [protocol, recipe, model, base, 0, "of several versions"]
            rows.append([*row, "not compared", ""])
            continue
        outdated = find_outdated(*pairs[0])
        marked.update(outdated)
        difference, (low, high), p = compare([tuple(map(align, p)) for p in pairs])
        row = [protocol, mark(recipe, outdated), model, base, len(pairs)]
        interval = f"{low:+.1f} to {high:+.1f}"
        rows.append([*row, f"{difference:+.1f}", interval, f"{p:.3f}"])
    header = ["protocol", "recipe", "model", "against", "seeds", "points of UAR"]
    return table([*header, "95 % interval", "p"], rows) + footnote(marked, "emodb.py")


def sentence():
    """Say how far the recommended network is ahead of the support vector machine."""
    runs = {"attention": {}, "svm": {}}
    for run in load_runs():
        if (run["protocol"], run["recipe"]) == ("loso", "recommended"):
            runs.setdefault(run["model"], {})[run["seed"]] = run
    seeds = sorted(runs["attention"].keys() & runs["svm"].keys())
    pairs = [(runs["attention"][seed], runs["svm"][seed]) for seed in seeds]
    pairs = keep_latest([pair for pair in pairs if agree(*pair)])
    if not pairs:
        return None
    points, (low, high), p = compare([tuple(map(align, pair)) for pair in pairs])
    text = (
        f"On the same frames and copies, the network is {points:.1f} points of UAR "
        "ahead of the support vector machine with speakers left out, on average over "
        f"{len(pairs)} seeds (95 % interval over the speakers {low:.1f} to {high:.1f} "
        f"points, p = {p:.2f}, `python benchmarks/ablations.py`)."
    )
    if low < 0 < high:
        text += " This does not rule out that there is no difference."
    lines = textwrap.wrap(text, 92, break_on_hyphens=False)
    note = footnote(find_outdated(*pairs[0]), "emodb.py", "Stale: these were")
    return "\n".join(lines) + note


def _reference(recipe):
    """Return the recipe that another one is a change of."""
    return recipe.rpartition("+")[0] or (
        "descriptors" if recipe in ABLATIONS else "recommended"
    )


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
    counts = _count(y, np.ones(len(y)), speakers)
    ahead, behind = (
        np.array([_count(y, run[1] == y, speakers) for run in runs])
        for runs in zip(*pairs, strict=True)
    )

    def differ(ahead, behind, counts):
        """Return the mean difference of UAR, in points, for summed counts."""
        recalls = (ahead - behind) / np.where(counts > 0, counts, np.nan)
        return 100 * np.nanmean(recalls, axis=-1).mean(axis=0)

    n_speakers = len(counts)
    swaps = np.array(list(itertools.product([0, 1], repeat=n_speakers)))
    exchanged = differ(
        (1 - swaps) @ ahead + swaps @ behind,
        (1 - swaps) @ behind + swaps @ ahead,
        counts.sum(axis=0),
    )
    drawn = np.random.default_rng(0).integers(n_speakers, size=(N_DRAWS, n_speakers))
    drawn = np.apply_along_axis(np.bincount, 1, drawn, minlength=n_speakers)
    draws = differ(drawn @ ahead, drawn @ behind, drawn @ counts)
    observed = exchanged[0]
    p = np.mean(np.abs(exchanged) >= abs(observed) - 1e-9)
    return observed, np.percentile(draws, [2.5, 97.5]), p


def _count(y, weights, speakers):
    """Sum weights by speaker and emotion."""
    rows, columns = (
        np.unique(names, return_inverse=True)[1] for names in (speakers, y)
    )
    counts = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(counts, (rows, columns), weights)
    return counts


if __name__ == "__main__":
    main()
