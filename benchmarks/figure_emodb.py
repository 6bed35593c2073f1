"""Draw confusions and attention from the runs in ``benchmarks/results``.

    python benchmarks/figure_emodb.py

Left: the confusion matrix of the recommended recipe, each speaker left out once,
pooled over the seeds of the latest revision. Right: where the same networks look, by
predicted emotion. Stale runs are marked.
"""

from pathlib import Path

import numpy as np
from _results import RESULTS
from _revisions import find_outdated, keep_latest, mark
from _runs import read_run
from _smoke import elsewhere, skip
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

from skemotion.inspection import AttentionDisplay, attention_heatmap

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "emodb.png"
BIN_SECONDS = 15 * 512 / 16000
START_SECONDS = 7 * 512 / 16000


def main():
    y_true, y_pred, attention = [], [], []
    paths = RESULTS.glob("emodb-loso-recommended-attention-*.json")
    runs = keep_latest([(read_run(path),) for path in sorted(paths)])
    if not runs:
        skip("there are no runs of the recommended recipe")
    outdated = find_outdated(*(run for (run,) in runs))
    for (run,) in runs:
        for fold in run["folds"]:
            y_true += fold["y_true"]
            best = np.argmax(fold["probabilities"], axis=1)
            y_pred += np.asarray(fold["classes"])[best].tolist()
            attention += fold["attention"]
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    ConfusionMatrixDisplay.from_predictions(
        y_true,
        y_pred,
        normalize="true",
        values_format=".2f",
        xticks_rotation=45,
        cmap="Blues",
        ax=left,
    )
    left.set_title(mark("EMO-DB, speakers left out", outdated))
    labels = np.unique(y_pred)
    heatmap = attention_heatmap(attention, y_pred, labels=labels)
    AttentionDisplay(
        heatmap,
        labels.tolist(),
        bin_seconds=BIN_SECONDS,
        start_seconds=START_SECONDS,
    ).plot(ax=right)
    right.set_title(mark("Attention over time (recordings end at 5 s)", outdated))
    figure.savefig(elsewhere(PICTURE), dpi=110)


if __name__ == "__main__":
    main()
