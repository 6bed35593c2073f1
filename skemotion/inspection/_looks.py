"""What a pipeline looks at of recordings: windows, as its last step gets them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion._sequences import true_bounds
from skemotion.audio import check_recordings, decode, recording_name
from skemotion.exceptions import AudioError
from skemotion.inspection._estimators import transform_before_last
from skemotion.pipeline._rules import find_fronts, find_rule
from skemotion.pipeline._windows import WindowedRecordings, WindowRule

Array = NDArray[np.float64]
_DEFAULT_RATE = 16000
_ALL = float(2**31)  # seconds


class Look(NamedTuple):
    """Windows of recordings, which are looked at together.

    Attributes
    ----------
    rows : ndarray of shape (n_windows,), dtype intp
        The recording of each.
    starts, seconds : ndarray of shape (n_windows,)
        Where each begins in its recording, and its length, in seconds.
    sounds : ndarray of shape (n_windows, 2)
        Where in each the digital silence in front ends, and that behind begins.
    weights : ndarray of shape (n_windows,)
        How much each counts in the prediction of its recording, as :func:`shares`
        has it.
    sequences : ndarray of shape (n_windows, n_frames, n_features)
        What the last step gets.
    """

    rows: NDArray[np.intp]
    starts: Array
    seconds: Array
    sounds: Array
    weights: Array
    sequences: Any


def iter_looks(pipeline: Any, X: Any) -> Iterator[Look]:
    """Yield the windows of recordings that count, in their order.

    Parameters
    ----------
    pipeline : fitted Pipeline
        With a step that takes recordings.
    X : sequence of recordings
        As that takes them.

    Raises
    ------
    AudioError
        If a recording cannot be read.
    """
    rule = find_rule(pipeline) or _rule_of_one_window(pipeline)
    rule = replace(rule, goes_on=False)  # a picture of nothing would be none
    for batch in WindowedRecordings(X, rule).batches():
        pairs = [getattr(window, "pair", window) for window in batch.windows]
        yield Look(
            batch.rows,
            batch.starts,
            np.array([len(signal) / rate for signal, rate in pairs]),
            np.array([_bounds_of_sound(signal) / rate for signal, rate in pairs]),
            batch.weights,
            transform_before_last(pipeline, batch.windows),
        )


def shares(weights: Sequence[float]) -> Array:
    """Return by which part each window of a recording counts in its prediction."""
    array = np.asarray(weights, dtype=np.float64)
    total = array.sum()
    # A recording of silence has one window, of no weight.
    return array / total if total else np.full(len(array), 1 / len(array))


def check_takes_recordings(pipeline: Any) -> list[Any]:
    """Return what takes the recordings, or raise TypeError if nothing does."""
    fronts = find_fronts(pipeline)
    if not fronts:
        raise TypeError(
            f"{type(pipeline).__name__} has no step that takes recordings; give a "
            "pipeline that begins with one, such as SpeechEncoder."
        )
    return fronts


def load(recording: Any) -> tuple[NDArray[np.float32], float]:
    """Decode all of a recording at its own rate, or raise AudioError."""
    check_recordings([recording])
    try:
        return decode(recording, sampling_rate=_DEFAULT_RATE, duration=None)
    except ValueError as error:
        raise AudioError([(recording_name(recording, 0), str(error))]) from error


def _rule_of_one_window(pipeline):
    fronts = check_takes_recordings(pipeline)
    durations = [getattr(front, "duration", None) or _ALL for front in fronts]
    rate = getattr(fronts[0], "sampling_rate", _DEFAULT_RATE)
    return WindowRule(max(durations), rate, hop_duration=None, detect_speech=False)


def _bounds_of_sound(signal):
    return true_bounds((signal != 0)[np.newaxis])[0]
