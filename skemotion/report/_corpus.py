"""The corpus in figures."""

from dataclasses import dataclass

import numpy as np

from skemotion.audio import header_seconds
from skemotion.report._evaluation import Evaluation


@dataclass(frozen=True)
class Share:
    """How much of a corpus is of one class, or of one speaker."""

    name: str
    n_recordings: int
    seconds: float


@dataclass(frozen=True)
class CorpusFigures:
    """What was tested, counted.

    Parameters
    ----------
    n_recordings : int
    seconds : float
        The length of all whose header tells it.
    n_unknown : int
        How many tell nothing.
    n_silent : int
        Recordings that hold no speech, where that was asked.
    classes, speakers : list of Share
        The latter is empty if they are not known.
    """

    n_recordings: int
    seconds: float
    n_unknown: int
    n_silent: int
    classes: list[Share]
    speakers: list[Share]


def count_corpus(evaluation: Evaluation) -> CorpusFigures:
    """Count recordings and seconds, by the headers of the files."""
    seconds = np.array([header_seconds(str(path)) for path in evaluation.paths])
    silent, speakers = evaluation.silent, evaluation.speakers
    return CorpusFigures(
        n_recordings=len(evaluation),
        seconds=float(np.nansum(seconds)),
        n_unknown=int(np.isnan(seconds).sum()),
        n_silent=0 if silent is None else int(np.sum(silent)),
        classes=_shares(evaluation.y_true, evaluation.classes, seconds),
        speakers=[]
        if speakers is None
        else _shares(speakers, np.unique(speakers), seconds),
    )


def _shares(values, names, seconds):
    return [
        Share(
            str(name),
            int(np.sum(values == name)),
            float(np.nansum(seconds[values == name])),
        )
        for name in names
    ]
