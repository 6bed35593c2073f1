"""Predictions of the folds of a run, packed for a file of results, and unpacked.

Recordings and their emotions stand once, in ``recordings.json`` beside the runs; a
fold names the rows of that table, ``"0-48,51"``. Probabilities are whole numbers of
hundred thousandths, a list for each recording; sums of attention in bins, of ten
thousandths; confidence and novelty, of thousandths; emotions that are predicted, one
digit each, the place of the class among the sorted ones. No digit is lost, and what is
read is what was written.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np

# What a whole number of a field stands for.
PARTS = {"probabilities": 100_000, "attention": 10_000}
PARTS_BY_CONDITION = {"confidence": 1000, "novelty": 1000}


class Recordings(dict[str, str]):
    """Emotions by names of recordings; rows are told by their place."""

    def rows_of(self, fold: Mapping[str, Any]) -> str:
        """Return the rows of a fold's recordings, which are added where unknown."""
        for name, emotion in zip(fold["recordings"], fold["y_true"], strict=True):
            if self.setdefault(name, emotion) != emotion:
                raise ValueError(f"{name} was {self[name]} before, and is {emotion}")
        places = {name: row for row, name in enumerate(self)}
        return _join_spans([places[name] for name in fold["recordings"]])

    def at(self, rows: str) -> dict[str, list[str]]:
        """Return the names and emotions of some rows."""
        names = list(self)
        names = [names[row] for row in _split_spans(rows)]
        return {"recordings": names, "y_true": [self[name] for name in names]}


def pack(run: Mapping[str, Any], recordings: Recordings) -> dict[str, Any]:
    """Return a run as it is kept; recordings that are not in the table are added."""
    classes = _list_classes(run["folds"])
    folds = [_pack_fold(fold, classes, recordings) for fold in run["folds"]]
    return {**run, "classes": classes, "folds": folds}


def unpack(kept: Mapping[str, Any], recordings: Recordings) -> dict[str, Any]:
    """Return a run as it was before it was packed."""
    run = dict(kept)
    classes = run.pop("classes")
    run["folds"] = [_unpack_fold(fold, classes, recordings) for fold in kept["folds"]]
    return run


def _list_classes(folds):
    told = [fold["classes"] for fold in folds if "classes" in fold]
    if any(classes != told[0] for classes in told):
        raise ValueError("the folds of a run differ in their classes")
    return told[0] if told else sorted({name for fold in folds for name in _said(fold)})


def _said(fold):
    return chain(fold["y_true"], *fold["predictions"].values())


def _pack_fold(fold, classes, recordings):
    packed = {"rows": recordings.rows_of(fold)}
    for name, value in fold.items():
        if name in PARTS and value is not None:
            packed[name] = _whole(value, PARTS[name])
        elif name in PARTS_BY_CONDITION:
            packed[name] = {
                condition: _whole(numbers, PARTS_BY_CONDITION[name])
                for condition, numbers in value.items()
            }
        elif name == "predictions":
            packed[name] = {
                condition: "".join(str(classes.index(told)) for told in emotions)
                for condition, emotions in value.items()
            }
        elif name not in ("recordings", "y_true", "classes", *PARTS):
            packed[name] = value
    return packed


def _unpack_fold(packed, classes, recordings):
    fold = {}
    for name, value in packed.items():
        if name == "rows":
            fold |= recordings.at(value)
        elif name in PARTS:
            fold[name] = (np.asarray(value) / PARTS[name]).tolist()
        elif name in PARTS_BY_CONDITION:
            fold[name] = {
                condition: (np.asarray(numbers) / PARTS_BY_CONDITION[name]).tolist()
                for condition, numbers in value.items()
            }
        elif name == "predictions":
            fold[name] = {
                condition: [classes[int(digit)] for digit in digits]
                for condition, digits in value.items()
            }
        else:
            fold[name] = value
    return fold if "predictions" in fold else {"classes": classes, **fold}


def _whole(numbers, parts):
    return np.rint(np.asarray(numbers) * parts).astype(int).tolist()


def _join_spans(rows: Iterable[int]) -> str:
    spans: list[list[int]] = []
    for row in rows:
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _split_spans(text: str) -> list[int]:
    rows = []
    for span in text.split(","):
        first, _, last = span.partition("-")
        rows += range(int(first), int(last or first) + 1)
    return rows
