"""Which recordings the page lets listen to, in which order, and what it leaves out."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.report._evaluation import Evaluation
from skemotion.report._scores import SILENT, encode
from skemotion.report._snippets import LONGEST, Snippet, SnippetMaker

# With text and figures, the page stays below 10 MB.
_BUDGET = 8_000_000  # characters of data URIs
_N_PROBABLE = 3


@dataclass(frozen=True)
class Row:
    """One recording in the table."""

    name: str
    truth: int
    predicted: int
    confidence: float
    is_right: bool
    is_silent: bool
    speaker: int | None
    fold: int | None
    probable: list[tuple[str, float]]
    snippet: Snippet


@dataclass(frozen=True)
class Listening:
    """The table to listen to.

    Parameters
    ----------
    rows : list of Row
        The most confident mistake first, the most confident right answer last.
    n_left_out : int
        Recordings that were not wanted, or did not fit.
    n_mistakes_left_out : int
        The wrongly predicted among these.
    failures : list of (str, str)
        Recordings that could not be read, and why.
    n_cut : int
        Rows of which the beginning alone is there.
    longest : float
        Seconds of a beginning.
    speakers : list of str
        Those of the rows, by number.
    """

    rows: list[Row]
    n_left_out: int
    n_mistakes_left_out: int
    failures: list[tuple[str, str]]
    n_cut: int
    longest: float
    speakers: list[str]


def choose_recordings(
    evaluation: Evaluation,
    make_snippet: SnippetMaker,
    n_recordings: int | None,
    *,
    verbose: int = 0,
) -> Listening:
    """Make a snippet of each recording that is to be shown.

    Parameters
    ----------
    evaluation : Evaluation
    make_snippet : SnippetMaker
    n_recordings : int or None
        How many to show. None shows those that fit into some megabytes.
    verbose : int, default=0
        Whether to show progress.

    Returns
    -------
    Listening
    """
    from tqdm import tqdm

    order = rank(evaluation)
    limit = len(order) if n_recordings is None else min(n_recordings, len(order))
    names, n_bytes, n_seen = short_names(evaluation.paths), 0, 0
    rows, failures = [], []
    make_row = _RowMaker(evaluation, names)
    wanted = tqdm(order[:limit], desc="report", unit="rec", disable=not verbose)
    for row in wanted:
        try:
            snippet = make_snippet(str(evaluation.paths[row]))
        except ValueError as error:
            failures.append((names[row], str(error)))
        else:
            n_bytes += snippet.n_bytes
            if n_recordings is None and n_bytes > _BUDGET:
                wanted.close()
                break
            rows.append(make_row(row, snippet))
        n_seen += 1
    left_out = order[n_seen:]
    return Listening(
        rows=rows,
        n_left_out=len(left_out),
        n_mistakes_left_out=int(is_wrong(evaluation)[left_out].sum()),
        failures=failures,
        n_cut=sum(each.snippet.is_cut for each in rows),
        longest=LONGEST,
        speakers=make_row.speakers,
    )


def is_wrong(evaluation: Evaluation) -> NDArray[np.bool_]:
    """Tell which recordings are not recognised."""
    y_true, y_pred = encode(evaluation)
    return y_pred != y_true


def rank(evaluation: Evaluation) -> NDArray[np.intp]:
    """Order rows from the most confident mistake to the most confident right one."""
    surprise = np.where(is_wrong(evaluation), 1, -1) * evaluation.confidence
    return np.argsort(-surprise, kind="stable")


def short_names(paths: Iterable[Any]) -> list[str]:
    """Name recordings within the folder that they have in common."""
    names = [str(path) for path in paths]
    try:
        folder = os.path.commonpath([os.path.dirname(name) for name in names])
    except ValueError:  # some absolute and some not, or on several drives
        return names
    return [os.path.relpath(name, folder) if folder else name for name in names]


class _RowMaker:
    """Puts what an evaluation knows of a recording beside its snippet."""

    def __init__(self, evaluation, names):
        self._evaluation = evaluation
        self._names = names
        self._true, self._predicted = encode(evaluation)
        self.speakers: list[str] = []
        self._voices = None
        if evaluation.speakers is not None:
            speakers, self._voices = np.unique(evaluation.speakers, return_inverse=True)
            self.speakers = [str(name) for name in speakers]

    def __call__(self, row, snippet):
        found = self._evaluation
        probabilities = found.probabilities[row]
        most = np.argsort(-probabilities, kind="stable")[:_N_PROBABLE]
        truth, predicted = int(self._true[row]), int(self._predicted[row])
        return Row(
            name=self._names[row],
            truth=truth,
            predicted=predicted,
            confidence=float(probabilities.max()),
            is_right=truth == predicted,
            is_silent=predicted == SILENT,
            speaker=None if self._voices is None else int(self._voices[row]),
            fold=None if found.folds is None else int(found.folds[row]) + 1,
            probable=[
                (str(found.classes[code]), float(probabilities[code]))
                for code in ([] if predicted == SILENT else most)
            ],
            snippet=snippet,
        )
