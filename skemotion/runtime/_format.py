"""What an exported model is made of: names of tensors, and what stands beside them."""

import json
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion._limits import (
    LABEL_DTYPE,
    MAX_DURATION,
    MAX_LABEL_BYTES,
    MAX_NUMBERS,
    MAX_WINDOWS_A_SECOND,
)

SUFFIX = ".onnx"
METADATA_KEY = "skemotion"
FORMAT_VERSION = 1
_OF_WINDOWS = (
    "duration",
    "sampling_rate",
    "hop_duration",
    "detect_speech",
    "goes_on",
)
_KINDS = ("encoder", "descriptors")
_MAX_RATE = 2**20  # Hz
EXPORT_AGAIN = "export the model again"


class Names:
    """Names of what goes into the graph, and of what comes out."""

    SEQUENCE = "sequence"
    LOG_MEL = "log_mel"
    N_HEARD = "n_heard"
    N_REAL = "n_real"
    FIRST = "first"
    PROBABILITIES = "probabilities"
    ATTENTION = "attention"
    DISTANCE = "distance"


class _Refused(ValueError):
    """What a description asks for, and does not get."""


class Novelty(NamedTuple):
    """What is usual, as :class:`skemotion.NoveltyDetector` has learnt it.

    Attributes
    ----------
    offset_ : float
        The score at the limit.
    distances_ : ndarray of shape (n_samples,), dtype float64
        Distances of the training recordings, in ascending order.
    """

    offset_: float
    distances_: NDArray[np.float64]

    def rank_scores(self, scores: Any) -> NDArray[np.float64]:
        """Turn scores into the part of the training data that is less strange."""
        return rank_distances(-np.asarray(scores, np.float64), self.distances_)


def rank_distances(distances: NDArray, usual: NDArray) -> NDArray[np.float64]:
    """Return which part of usual distances, in ascending order, is smaller."""
    ranks = np.searchsorted(usual, distances)
    return np.where(np.isnan(distances), np.nan, ranks / len(usual))


class Description(NamedTuple):
    """What is known of an exported model beside its graph.

    Attributes
    ----------
    kind : {"encoder", "descriptors"}
        What the graph reads.
    settings : dict
        Of the front end.
    windows : dict
        How recordings are looked at.
    classes : ndarray of shape (n_classes,)
        The labels.
    novelty : Novelty or None
        What is usual.
    made_of : str or None
        SHA-256 of the file that the model was loaded from, if that was told.
    """

    kind: str
    settings: dict[str, Any]
    windows: dict[str, Any]
    classes: NDArray
    novelty: Novelty | None
    made_of: str | None


def read_description(text: str | None) -> Description:
    """Read what :mod:`skemotion.export` has written beside a graph.

    Raises
    ------
    ValueError
        If it is no description, or of another version.
    """
    if text is None:
        raise ValueError(
            f"it was not exported by skemotion: it has no entry {METADATA_KEY!r}."
        )
    try:
        described = json.loads(text)
        version = described["format_version"]
        if version != FORMAT_VERSION:
            raise _Refused(
                f"its format version is {version}, but this skemotion reads "
                f"{FORMAT_VERSION}: {EXPORT_AGAIN}, or install a newer skemotion."
            )
        return _as_description(described)
    except _Refused:
        raise
    except (LookupError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(
            f"its description is damaged ({error!r}): {EXPORT_AGAIN}."
        ) from error


def _as_description(described):
    front = described["front"]
    windows = {name: described["windows"][name] for name in _OF_WINDOWS}
    settings = dict(front["settings"])
    settings["shape"] = tuple(int(length) for length in settings["shape"])
    _check_extent(settings["shape"], windows)
    if front["kind"] not in _KINDS:
        raise TypeError(f"front is of kind {front['kind']!r}")
    return Description(
        front["kind"],
        settings,
        windows,
        _read_classes(described["classes"]),
        _read_novelty(described["novelty"]),
        described.get("made_of"),
    )


def _check_extent(shape, windows):
    """Refuse what would fill the memory, or never come to an end."""
    hop = windows["hop_duration"]
    if (
        not 0 < math.prod(shape) <= MAX_NUMBERS
        or not 0 < windows["duration"] <= MAX_DURATION
        or not 0 < windows["sampling_rate"] <= _MAX_RATE
        or (hop is not None and not 1 / MAX_WINDOWS_A_SECOND <= hop < math.inf)
    ):
        raise _Refused(
            f"it has implausible frames, {shape}, or windows, {windows}: "
            f"{EXPORT_AGAIN}."
        )


def _read_classes(described):
    labels, dtype = described["labels"], described["dtype"]
    if len(labels) < 2 or not LABEL_DTYPE.fullmatch(dtype):
        raise TypeError("classes")
    if np.dtype(dtype).itemsize * len(labels) > MAX_LABEL_BYTES:
        raise TypeError("classes")
    classes = np.array(labels, dtype)
    if classes.tolist() != labels:
        raise TypeError("classes")
    return classes


def _read_novelty(described):
    if described is None:
        return None
    novelty = Novelty(
        float(described["offset"]), np.array(described["distances"], np.float64)
    )
    if not (novelty.distances_.size and np.isfinite(novelty.distances_).all()):
        raise TypeError("novelty")
    return novelty
