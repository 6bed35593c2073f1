"""What is found out about the emotions in a recording, over its time."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Segment(NamedTuple):
    """A part of a recording in which one emotion prevails.

    Parameters
    ----------
    start : float
        In seconds from the begin of the recording.
    end : float
        In seconds from the begin of the recording.
    emotion : object
        The class.
    confidence : float
        The mean of its probability over the segment.

    Examples
    --------
    >>> from skemotion.timeline import Segment
    >>> segment = Segment(start=0.5, end=2.0, emotion="anger", confidence=0.8)
    >>> segment.end - segment.start
    1.5
    """

    start: float
    end: float
    emotion: Any
    confidence: float


@dataclass(frozen=True, eq=False)
class EmotionTimeline:
    """Emotions over the time of a recording.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The emotions, in the order of the columns of `probabilities`.
    starts, ends : ndarray of shape (n_windows,), dtype float64
        Where each window begins and ends, in seconds from the begin of the
        recording. A window lies within one stretch of speech.
    probabilities : ndarray of shape (n_windows, n_classes), dtype float64
        Of each class in each window, smoothed.
    speech : ndarray of shape (n_stretches, 2), dtype float64
        Start and end of each stretch of speech, in seconds. No segment is
        elsewhere.
    segments : list of Segment
        In order of time; none overlap.
    duration : float
        Of the recording, in seconds.

    See Also
    --------
    emotion_timeline : Makes one.

    Examples
    --------
    >>> from skemotion import emotion_timeline, load_pretrained
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> timeline = emotion_timeline(load_pretrained(), speech.signals[0])
    >>> timeline.probabilities.shape == (len(timeline.starts), 7)
    True
    """

    classes: NDArray[Any]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    speech: NDArray[np.float64]
    segments: list[Segment]
    duration: float


def join(pieces: list[EmotionTimeline]) -> EmotionTimeline:
    """Make one timeline of pieces that follow each other, of which there is one."""
    return EmotionTimeline(
        pieces[0].classes,
        np.concatenate([piece.starts for piece in pieces]),
        np.concatenate([piece.ends for piece in pieces]),
        np.concatenate([piece.probabilities for piece in pieces]),
        np.concatenate([piece.speech for piece in pieces]),
        [segment for piece in pieces for segment in piece.segments],
        pieces[-1].duration,
    )
