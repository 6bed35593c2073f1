"""Choose a model on other speakers, and score the choice on the speaker left out.

    run="python benchmarks/emodb.py --recipe descriptors --models attention lda"
    $run --protocol loso-pairs --seeds 0
    $run --protocol loso --seeds 0
    python benchmarks/nested.py

For each of the ten speakers, candidates are compared on the nine others alone: each
of the nine is predicted by models that have heard neither that speaker nor the one
left out. The candidate with the highest unweighted average recall (UAR), pooled over
the nine, then predicts the one left out. Candidates are ``attention`` and ``lda`` of
``emodb.py``, and soft votes of the two with several weights. Nothing is trained here:
the models are those of the runs in ``benchmarks/results/``. Nothing is chosen where
they are of several versions (``_revisions.py``), and stale ones are marked.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np
from _results import RESULTS
from _revisions import agree, find_outdated, footnote, mark
from _runs import read_run, table

from skemotion.metrics import bootstrap_interval, unweighted_average_recall

MEMBERS = ("attention", "lda")
# Weights of the network and of the analysis in a vote.
CANDIDATES = ((1, 0), (0, 1), (8, 1), (4, 1), (2, 1), (1, 1), (1, 2))


def main():
    print(markdown_table())


def markdown_table():
    """Make a table with a row for each seed, or return None if there are no runs."""
    paths = RESULTS.glob("emodb-loso-pairs-descriptors-attention-*.json")
    seeds = sorted(int(path.stem.rpartition("-")[2]) for path in paths)
    rows, marked = [], set()
    for seed in seeds:
        inner, outer = (_load(name, seed) for name in ("loso-pairs", "loso"))
        outdated = find_outdated(*inner, *outer)
        if agree(*inner, *outer):
            rows.append([mark(seed, outdated), *_choose(_pool(inner), _pool(outer))])
            marked.update(outdated)
        else:
            rows.append([seed, "of several versions", "nothing chosen", "", ""])
    header = ["seed", "UAR of the choice", "95 % interval", "chosen, for how many"]
    if not rows:
        return None
    return table([*header, "UAR of each"], rows) + footnote(marked, "emodb.py")


def _choose(inner, outer):
    predicted, chosen = np.empty_like(outer.y), Counter()
    for speaker in np.unique(outer.speakers):
        unheard = [speaker in pair for pair in inner.left_out]
        others = inner.at(np.array(unheard) & (inner.speakers != speaker))
        best = max(CANDIDATES, key=others.score)
        own = outer.speakers == speaker
        predicted[own] = outer.vote(best)[own]
        chosen[_name(best)] += 1
    low, high = bootstrap_interval(
        outer.y, predicted, groups=outer.speakers, random_state=0
    )
    return [
        f"{unweighted_average_recall(outer.y, predicted):.3f}",
        f"{low:.3f} to {high:.3f}",
        ", ".join(f"{name}: {count}" for name, count in chosen.most_common()),
        ", ".join(f"{_name(c)}: {outer.score(c):.3f}" for c in CANDIDATES),
    ]


class _Predictions(NamedTuple):
    """What the members say of the same recordings."""

    y: np.ndarray
    speakers: np.ndarray
    left_out: np.ndarray
    classes: np.ndarray
    probabilities: np.ndarray

    def at(self, rows):
        """Return a part of them."""
        return self._replace(y=self.y[rows], probabilities=self.probabilities[:, rows])

    def vote(self, weights):
        """Return the emotions of a soft vote."""
        votes = np.average(self.probabilities, axis=0, weights=weights)
        return self.classes[votes.argmax(axis=1)]

    def score(self, weights):
        """Return the UAR of a soft vote."""
        return unweighted_average_recall(self.y, self.vote(weights))


def _pool(runs):
    """Concatenate the folds of the members' runs."""
    folds = runs[0]["folds"]
    speakers = [np.array([n[:2] for n in fold["recordings"]]) for fold in folds]
    left_out = ["-".join(np.unique(of_fold)) for of_fold in speakers]
    return _Predictions(
        y=np.concatenate([fold["y_true"] for fold in folds]),
        speakers=np.concatenate(speakers),
        left_out=np.repeat(left_out, [len(of_fold) for of_fold in speakers]),
        classes=np.asarray(folds[0]["classes"]),
        probabilities=np.array(
            [np.concatenate([f["probabilities"] for f in r["folds"]]) for r in runs]
        ),
    )


def _load(protocol, seed):
    """Return the members' runs."""
    runs = []
    for model in MEMBERS:
        path = RESULTS / f"emodb-{protocol}-descriptors-{model}-{seed}.json"
        if not path.exists():
            raise SystemExit(f"{path.name} is missing; run emodb.py as said above")
        runs.append(read_run(path))
    return runs


def _name(weights):
    network, analysis = weights
    if not analysis:
        return MEMBERS[0]
    return f"{network}:{analysis}" if network else MEMBERS[1]


if __name__ == "__main__":
    main()
