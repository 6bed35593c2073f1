"""Predictions as text, CSV and JSON."""

import csv
import json
import sys
import textwrap
from typing import Any, NamedTuple

NO_SPEECH = "no speech"
_UNLIKE = "\tunlike the training data"


class Prediction(NamedTuple):
    """What is known of one recording: probabilities, or an error."""

    path: str
    emotion: str = ""
    probabilities: Any = None
    error: str = ""
    novelty: float | None = None
    is_novel: bool = False

    @property
    def confidence(self):
        """The highest probability."""
        return self.probabilities.max()


def csv_header(labels, *, with_novelty=False):
    """Return the first row of the table."""
    novelty = ["novelty"] if with_novelty else []
    return ["path", "emotion", "confidence", *labels, *novelty, "error"]


def csv_row(prediction, labels, *, with_novelty=False):
    """Return the row of one recording."""
    novelty = [prediction.novelty] if with_novelty else []
    if prediction.error:
        numbers = [""] * (1 + len(labels) + len(novelty))
    else:
        values = (prediction.confidence, *prediction.probabilities, *novelty)
        numbers = [f"{value:.4f}" for value in values]
    return [prediction.path, prediction.emotion, *numbers, prediction.error]


class TextWriter:
    """A line of path, emotion and confidence for each recording that was read.

    Without speech, emotion and confidence are empty, and a fourth column says so.

    Recordings that are unlike the training data are marked.
    """

    def __init__(self, labels, *, with_novelty=False):
        pass

    def write(self, predictions):
        """Print some predictions."""
        for found in predictions:
            if found.error == NO_SPEECH:
                print(f"{found.path}\t\t\t{NO_SPEECH}")
            elif not found.error:
                mark = _UNLIKE if found.is_novel else ""
                print(f"{found.path}\t{found.emotion}\t{found.confidence:.2f}{mark}")

    def close(self):
        """Print what comes last."""


class CsvWriter:
    """A table with the probability of every emotion."""

    def __init__(self, labels, *, with_novelty=False):
        self._labels = labels
        self._with_novelty = with_novelty
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(csv_header(labels, with_novelty=with_novelty))

    def write(self, predictions):
        """Print some predictions."""
        self._writer.writerows(
            csv_row(found, self._labels, with_novelty=self._with_novelty)
            for found in predictions
        )

    def close(self):
        """Print what comes last."""


class JsonWriter:
    """A list of objects."""

    def __init__(self, labels, *, with_novelty=False):
        self._labels = labels
        self._with_novelty = with_novelty
        self._n_written = 0

    def write(self, predictions):
        """Print some predictions."""
        for found in predictions:
            text = json.dumps(self._describe(found), indent=2, ensure_ascii=False)
            print(",\n" if self._n_written else "[\n", end="")
            print(textwrap.indent(text, "  "), end="")
            self._n_written += 1

    def close(self):
        """Print what comes last."""
        print("\n]")

    def _describe(self, found):
        if found.error == NO_SPEECH:
            return {"path": found.path, "emotion": "", "error": NO_SPEECH}
        if found.error:
            return {"path": found.path, "error": found.error}
        values = [_rounded(value) for value in found.probabilities]
        described = {
            "path": found.path,
            "emotion": found.emotion,
            "confidence": _rounded(found.confidence),
            "probabilities": dict(zip(self._labels, values, strict=True)),
        }
        if self._with_novelty:
            described["novelty"] = _rounded(found.novelty)
        return described


def _rounded(value):
    return round(float(value), 4)


WRITERS: dict[str, Any] = {"text": TextWriter, "csv": CsvWriter, "json": JsonWriter}
