"""Attention on the recording's own time: padding removed, windows put together."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skemotion.audio import check_recordings
from skemotion.inspection._estimators import check_attends, last_step
from skemotion.inspection._looks import check_takes_recordings, iter_looks, shares

Array = NDArray[np.float64]


def attention_over_time(pipeline: Any, recording: Any) -> tuple[Array, Array]:
    """Compute how much of a model's attention each moment of a recording gets.

    The attention of a network is over its frames: padding stands in front of a
    short recording, and a long one is cut in windows. Here it is over the
    recording's own time.

    Parameters
    ----------
    pipeline : fitted Pipeline
        Its first step takes recordings, and its last has a method `attention`, as
        :class:`~skemotion.AttentionBLSTMClassifier` has.
    recording : str, path-like, file object, tuple, ndarray or callable
        As :func:`skemotion.audio.load_audio` takes it.

    Returns
    -------
    edges : ndarray of shape (n_stretches + 1,), dtype float64
        Where stretches of time begin and end, in seconds from the recording's
        begin. The first is 0, and the last where the model stops to look.
    weights : ndarray of shape (n_stretches,), dtype float64
        Share of the attention that falls on each stretch. Over windows it is
        averaged as predictions are, so a moment that is in two counts twice. The
        sum is 1, less what falls on padding, if the network sees that. Without
        speech, where that is looked for, there are no stretches.

    Raises
    ------
    TypeError
        If the pipeline has no step that takes recordings, or its last step no
        method `attention`.
    AudioError
        If the recording cannot be read.
    sklearn.exceptions.NotFittedError
        If the last step is not fitted.

    See Also
    --------
    RecordingDisplay : Draws it over the recording.
    occlusion_over_time : What the model needs, where this is what it looks at.

    Examples
    --------
    >>> from skemotion import load_pretrained
    >>> from skemotion.datasets import make_emotional_speech
    >>> from skemotion.inspection import attention_over_time
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> edges, weights = attention_over_time(load_pretrained(), speech.signals[0])
    >>> bool(edges[-1] == len(speech.signals[0]) / speech.sampling_rate)
    True
    >>> print(f"{weights.sum():.2f}")
    1.00
    """
    course = attend(pipeline, [recording])[0]
    return course.edges, course.weights


class Course(NamedTuple):
    """Attention over the time of a recording.

    Attributes
    ----------
    edges : ndarray of shape (n_stretches + 1,)
        Where stretches begin and end, in seconds.
    weights : ndarray of shape (n_stretches,)
        Share of the attention on each.
    bounds : tuple of float
        Where digital silence in front ends, and that behind begins, in seconds.
    """

    edges: Array
    weights: Array
    bounds: tuple[float, float]


def attend(pipeline: Any, X: Any) -> list[Course]:
    """Do what :func:`attention_over_time` does with several recordings."""
    classifier = last_step(pipeline)
    check_attends(classifier)
    check_is_fitted(classifier, "classes_")
    fronts = check_takes_recordings(pipeline)
    recordings = check_recordings(X)
    found: list[list[_Seen]] = [[] for _ in recordings]
    for look in iter_looks(pipeline, recordings):
        attention = classifier.attention(look.sequences)
        for row, start, seconds, sound, weight, weights in zip(
            look.rows,
            look.starts,
            look.seconds,
            look.sounds,
            look.weights,
            attention,
            strict=True,
        ):
            edges = _edges_of(fronts, seconds, len(weights))
            found[row].append(
                _Seen(start, seconds, start + sound, weight, edges, weights)
            )
    return [_put_together(windows) for windows in found]


def spread(edges: Array, values: Array, grid: Array) -> Array:
    """Share values over stretches of time out over others, by how they overlap.

    Parameters
    ----------
    edges : ndarray of shape (n + 1,)
        Of the stretches that the values are of.
    values : ndarray of shape (n,)
        The values.
    grid : ndarray of shape (n_stretches + 1,)
        Edges of others.

    Returns
    -------
    ndarray of shape (n_stretches,)
        With the same sum, less what lies outside the grid.
    """
    if len(edges) < 2:
        return np.zeros(len(grid) - 1)
    total = np.concatenate([[0.0], np.cumsum(values)])
    return np.diff(np.interp(grid, edges, total))


class _Seen(NamedTuple):
    """The attention within a window of a recording."""

    start: float
    seconds: float
    sound: Array
    weight: float
    edges: Array
    attention: Array


def _edges_of(fronts, seconds, n_frames):
    """Return where the frames of a window lie in it, as the last step sees them."""
    candidates = [_edges_of_front(front, seconds, n_frames) for front in fronts]
    edges = min(candidates, key=len)  # as unions have it
    places = np.linspace(0, len(edges) - 1, n_frames + 1)
    return np.interp(places, np.arange(len(edges)), edges)


def _edges_of_front(front, seconds, n_frames):
    if hasattr(front, "frame_edges"):
        return front.frame_edges(seconds)
    step = getattr(front, "frame_seconds", None)
    if step is None:
        step = (getattr(front, "duration", None) or seconds) / n_frames
    edges = np.arange(n_frames + 1) * step
    if getattr(front, "padding_side", "right") == "left":
        edges -= max(edges[-1] - seconds, 0.0)
    return edges


def _put_together(windows):
    """Average over the windows of a recording, on one grid."""
    if not windows:
        return Course(np.zeros(1), np.zeros(0), (0.0, 0.0))
    parts = shares([seen.weight for seen in windows])
    clipped = [_clip(seen) for seen in windows]
    grid = _make_grid(clipped)
    weights = sum(
        part * spread(edges, attention, grid)
        for part, (edges, attention) in zip(parts, clipped, strict=True)
    )
    begin = min(float(seen.sound[0]) for seen in windows)
    end = max(float(seen.sound[1]) for seen in windows)
    return Course(grid, weights, (begin, end))


def _clip(seen):
    """Leave out the frames that are padding, and cut those at the ends."""
    is_real = (seen.edges[1:] > 0) & (seen.edges[:-1] < seen.seconds)
    first = int(is_real.argmax())
    end = first + int(np.count_nonzero(is_real))
    edges = np.clip(seen.edges[first : end + 1], 0, seen.seconds)
    return seen.start + edges, np.asarray(seen.attention[first:end], np.float64)


def _make_grid(clipped):
    """Return edges as far apart as frames, those of the first window among them."""
    first, end = clipped[0][0], max(edges[-1] for edges, _ in clipped)
    step = np.diff(first).max()
    phase = first[1] % step
    inner = phase + step * np.arange(math.ceil(end / step) + 1)
    # The frames at the ends hold little of the recording, or nothing but rounding.
    inner = inner[(inner > step / 2) & (inner < end - step / 2)]
    return np.concatenate([[0.0], inner, [end]])
