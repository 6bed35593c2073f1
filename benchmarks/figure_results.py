"""Draw the chart of the results page from the runs in ``benchmarks/results``.

    python benchmarks/figure_results.py

A bar is the mean unweighted average recall over the seeds, a line its 95 % interval.
Speakers left out come first; what is transductive or leaky says so. Stale rows are
marked.
"""

from pathlib import Path

import numpy as np
from _revisions import mark
from _runs import summarise
from _smoke import elsewhere
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "results.png"
NEW, SEEN, LEAKY = "#0072B2", "#56B4E9", "#BBBBBB"
ROWS = (
    ("new voices", NEW, "loso", "recommended", "attention"),
    ("the same, support vector machine", NEW, "loso", "recommended", "svm"),
    ("the same, descriptors", NEW, "loso", "descriptors", "attention"),
    ("new voices and sentences", NEW, "loso-text", "recommended", "attention"),
    (
        "new voices, adapted (transductive)",
        SEEN,
        "loso-adapted",
        "recommended",
        "attention",
    ),
    (
        "standardised by speaker (transductive)",
        SEEN,
        "loso-speaker",
        "recommended",
        "attention",
    ),
    ("known voices", LEAKY, "holdout", "recommended", "attention"),
    ("the post's protocol (leaky)", LEAKY, "post", "post", "attention"),
)
LISTENERS = 0.935
CHANCE = 1 / 7


def main():
    runs = summarise()
    rows = [(*row[:2], runs[row[2:]]) for row in ROWS if row[2:] in runs]
    figure = Figure(figsize=(9, 0.45 * len(rows) + 1.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for number, (_, colour, found) in enumerate(rows):
        mean, low, high = (
            np.mean([summary[column] for summary in found])
            for column in ("UAR", "low", "high")
        )
        axes.barh(number, mean, color=colour, height=0.7)
        axes.plot([low, high], [number, number], color="black", linewidth=1.5)
        ink = "white" if colour == NEW else "black"
        axes.text(0.02, number, f"{mean:.3f}", va="center", color=ink)
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([mark(what, found[0]["outdated"]) for what, _, found in rows])
    axes.invert_yaxis()
    for value, what in ((CHANCE, "chance"), (LISTENERS, "listeners")):
        axes.axvline(value, color="black", linestyle=":", linewidth=1)
        axes.text(value, -0.75, what, ha="center", va="bottom", fontsize=9)
    axes.set_xlim(0, 1)
    axes.set_xlabel("Unweighted average recall on the Berlin EMO-DB")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(elsewhere(PICTURE), dpi=110)


if __name__ == "__main__":
    main()
