"""Fill the tables of the model card from ``benchmarks/results/``.

    python benchmarks/model_card.py

Blocks between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` are replaced; one
whose results are missing stays as it is, and is named. Run ``emodb.py``,
``calibration.py`` and ``robustness.py`` before.
"""

import json
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import robustness
from calibration import collect
from calibration import markdown_table as calibration_table
from emodb import RESULTS, markdown_table

import skemotion
from skemotion.metrics import speaker_report

CARD = Path(skemotion.__file__).parent / "pretrained" / "MODEL_CARD.md"


def main():
    text = CARD.read_text(encoding="utf-8")
    for name, make in BLOCKS.items():
        table = make()
        if table is None:
            print(f"{name}: no results")
            continue
        block = rf"(<!-- begin {name}\b[^>]*-->\n).*?(\n<!-- end {name} -->)"
        text, n_found = re.subn(
            block,
            lambda found, table=table: found[1] + table + found[2],
            text,
            flags=re.DOTALL,
        )
        print(f"{name}: {'filled' if n_found else 'no such block in the card'}")
    CARD.write_text(text, encoding="utf-8")


def make_accuracy():
    """Pick the recommended networks' rows, and the columns a reader needs."""
    lines = markdown_table(RESULTS).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    columns = ["protocol", "seeds", "UAR", "95 % interval of UAR", "accuracy"]
    kept = [rows[0].index(column) for column in columns]
    rows = [
        [row[column] for column in kept]
        for row in rows[2:]
        if row[0].startswith("loso") and row[1:3] == ["recommended", "attention"]
    ]
    return _table(columns, rows) if rows else None


def make_recall():
    """Average each emotion's recall over the seeds."""
    values = defaultdict(list)
    for y, predicted, _ in _loso_runs():
        for emotion in np.unique(y):
            values[emotion].append(np.mean(predicted[y == emotion] == emotion))
    return _spread("emotion", "recall", values)


def make_speakers():
    """Average each speaker's UAR over the seeds."""
    values = defaultdict(list)
    for y, predicted, speakers in _loso_runs():
        report = speaker_report(y, predicted, speakers, output_dict=True)
        for speaker in np.unique(speakers):
            values[speaker].append(report[speaker]["uar"])
    return _spread("speaker", "UAR", values)


def make_confidence():
    """Take over the table of ``calibration.py``."""
    path = RESULTS / "calibration.json"
    return calibration_table(json.loads(path.read_text())) if path.exists() else None


def make_robustness():
    """Take over the table of ``robustness.py``."""
    path = RESULTS / "robustness-recommended-attention-0.json"
    if not path.exists():
        return None
    return robustness.markdown_table(json.loads(path.read_text()))


BLOCKS = {
    "accuracy": make_accuracy,
    "recall": make_recall,
    "speakers": make_speakers,
    "confidence": make_confidence,
    "robustness": make_robustness,
}


def _loso_runs():
    for path in sorted(RESULTS.glob("emodb-loso-recommended-attention-*.json")):
        y, proba, speakers, classes = collect(json.loads(path.read_text()))
        yield y, classes[proba.argmax(axis=1)], speakers


def _spread(first, second, values):
    rows = [
        [name, f"{np.mean(found):.3f} ({min(found):.3f}-{max(found):.3f})"]
        for name, found in sorted(values.items())
    ]
    return _table([first, second], rows) if rows else None


def _table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    main()
