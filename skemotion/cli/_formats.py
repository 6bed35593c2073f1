"""Predictions as text, CSV and JSON."""

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

from skemotion._text import csv_text, json_text, printable
from skemotion.cli._terminal import write_out
from skemotion.pipeline._extents import Extent

NO_SPEECH = "no speech"
_EXTENT = ("seconds", "speech")  # the length, and the share of speech
_UNLIKE = "\tunlike the training data"


class Prediction(NamedTuple):
    """What is known of one recording: probabilities, or an error."""

    path: str
    emotion: str = ""
    probabilities: Any = None
    error: str = ""
    novelty: float | None = None
    is_novel: bool = False
    extent: Extent | None = None
    kept: Sequence[str] = ()

    @property
    def confidence(self):
        """The highest probability."""
        return self.probabilities.max()


class Layout:
    """What stands in a table of predictions.

    Parameters
    ----------
    labels : list of str
        The emotions.
    with_novelty : bool, default=False
        Whether novelty is known.
    kept : sequence of str, default=()
        Columns of the recordings that are kept. One that is called as another is
        here gets the prefix "given_".
    """

    def __init__(self, labels, *, with_novelty=False, kept=()):
        self.labels = labels
        self.with_novelty = with_novelty
        novelty = ["novelty"] if with_novelty else []
        own = ["path", "emotion", "confidence", *labels, *novelty, *_EXTENT, "error"]
        taken = {*own, "probabilities"}
        self.kept = []
        for name in kept:
            while name in taken:
                name = f"given_{name}"
            taken.add(name)
            self.kept.append(name)
        self.header = [*own, *self.kept]

    def row(self, found):
        """Return the row of one recording in CSV."""
        extent = [""] * len(_EXTENT)
        if found.extent is not None:
            extent = [f"{found.extent.seconds:.3f}", f"{found.extent.speech:.4f}"]
        novelty = [found.novelty] if self.with_novelty else []
        if found.error:
            numbers = [""] * (1 + len(self.labels) + len(novelty))
        else:
            values = (found.confidence, *found.probabilities, *novelty)
            numbers = [f"{value:.4f}" for value in values]
        return [found.path, found.emotion, *numbers, *extent, found.error, *found.kept]

    def describe(self, found):
        """Return what is known of one recording as an object of JSON."""
        described: dict[str, Any] = {"path": found.path}
        if not found.error:
            values = [_rounded(value) for value in found.probabilities]
            described["emotion"] = found.emotion
            described["confidence"] = _rounded(found.confidence)
            described["probabilities"] = dict(zip(self.labels, values, strict=True))
            if self.with_novelty:
                described["novelty"] = _rounded(found.novelty)
        elif found.error == NO_SPEECH:
            described["emotion"] = ""
        if found.extent is not None:
            extent = round(found.extent.seconds, 3), _rounded(found.extent.speech)
            described |= dict(zip(_EXTENT, extent, strict=True))
        if found.error:
            described["error"] = found.error
        return described | dict(zip(self.kept, found.kept, strict=True))


class TextWriter:
    """A line of path, emotion and confidence for each recording that was read.

    Without speech, emotion and confidence are empty, and a fourth column says so.

    Recordings that are unlike the training data are marked.
    """

    def __init__(self, layout):
        pass

    def write(self, predictions):
        """Print some predictions."""
        for found in predictions:
            if found.error == NO_SPEECH:
                print(f"{printable(found.path)}\t\t\t{NO_SPEECH}")
            elif not found.error:
                mark = _UNLIKE if found.is_novel else ""
                path, emotion = printable(found.path), printable(found.emotion)
                print(f"{path}\t{emotion}\t{found.confidence:.2f}{mark}")

    def close(self):
        """Print what comes last."""


class CsvWriter:
    """A table with the probability of every emotion."""

    def __init__(self, layout):
        self._layout = layout
        write_out(csv_text([layout.header]))

    def write(self, predictions):
        """Print some predictions."""
        write_out(csv_text(map(self._layout.row, predictions)))

    def close(self):
        """Print what comes last."""


class JsonWriter:
    """A list of objects."""

    def __init__(self, layout):
        self._layout = layout
        self._n_written = 0

    def write(self, predictions):
        """Print some predictions."""
        for found in predictions:
            text = json_text(self._layout.describe(found), indent=2)
            write_out(",\n" if self._n_written else "[\n")
            write_out(textwrap.indent(text, "  "))
            self._n_written += 1

    def close(self):
        """Print what comes last."""
        write_out("\n]\n")


def _rounded(value):
    return round(float(value), 4)


WRITERS: dict[str, Any] = {"text": TextWriter, "csv": CsvWriter, "json": JsonWriter}
