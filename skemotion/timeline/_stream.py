"""Emotions over the time of a recording, or of a stream while it goes on."""

import copy
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from numbers import Real
from typing import Any

import numpy as np

from skemotion._messages import Remarks
from skemotion.audio import (
    Findings,
    Recording,
    check_positive,
    decode,
    iter_blocks,
    recording_name,
)
from skemotion.exceptions import AudioError
from skemotion.timeline._defaults import (
    HOP,
    MAX_UTTERANCE,
    MIN_PAUSE,
    SMOOTHING,
    WINDOW,
)
from skemotion.timeline._listener import SpeechListener
from skemotion.timeline._merging import Merger
from skemotion.timeline._result import EmotionTimeline, join

_BLOCK = 2**16  # samples
_BATCH = 32  # windows of a file that are put through the pipeline at once


def emotion_timeline(
    pipeline: Any,
    recording: Recording,
    *,
    window: float = WINDOW,
    hop: float = HOP,
    smoothing: float = SMOOTHING,
    min_pause: float = MIN_PAUSE,
    max_utterance: float = MAX_UTTERANCE,
    sampling_rate: int = 16000,
) -> EmotionTimeline:
    """Tell the emotions in a recording over its time.

    Speech is found first, by energy and voicing. In each stretch of speech
    between pauses, windows are cut, and the pipeline is asked for the
    probabilities of each. These are smoothed, and windows of one emotion that
    follow each other become a segment. So no segment reaches over a pause, and
    no window holds the speech before one together with that behind.

    The recording is read block by block, and never held as a whole, unless a
    function returns it.

    Parameters
    ----------
    pipeline : estimator
        Fitted, with `predict_proba`, which takes recordings.
    recording : str, path-like, file object, tuple, ndarray or callable
        As :func:`skemotion.audio.load_audio` takes it, of any length.
    window : float, default=3.0
        Length of a window, in seconds.
    hop : float, default=0.5
        From the begin of one window to that of the next, in seconds. At most
        `window`. The last window of a stretch ends with it.
    smoothing : float, default=1.0
        The probabilities of a window are the mean over those windows of the
        same stretch whose middles lie within so many seconds around its own.
        0 leaves them as they are.
    min_pause : float, default=0.5
        Shorter pauses, in seconds, do not end a stretch of speech. Where the
        emotion changes within a stretch, it does so at such a pause, if there is
        one near.
    max_utterance : float, default=5.0
        A stretch of speech that is no longer, in seconds, is one window, and has
        one emotion. In longer ones the emotion may change.
    sampling_rate : int, default=16000
        Rate of a signal that comes without one, in Hz.

    Returns
    -------
    EmotionTimeline
        Without segments, where nobody speaks.

    Raises
    ------
    AudioError
        If the recording cannot be read.
    ValueError
        If a parameter is out of its range, or `hop` is longer than `window`.

    Warns
    -----
    IncompleteAudioWarning
        If a file holds less than its header says. What there is is used.
    CancellationWarning
        If the channels cancel when they are averaged.

    See Also
    --------
    iter_timeline : Does the same while a stream goes on.

    Examples
    --------
    >>> from skemotion import emotion_timeline, load_pretrained
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> timeline = emotion_timeline(load_pretrained(), speech.signals[0])
    >>> len(timeline.segments)
    1
    >>> start, end, emotion, confidence = timeline.segments[0]
    >>> 0 <= start < end <= timeline.duration
    True
    """
    check_positive(sampling_rate=sampling_rate)
    findings = Findings()
    blocks = _read(recording, sampling_rate, findings)
    pieces = _follow(
        pipeline,
        blocks,
        _BATCH,
        smoothing,
        window=window,
        hop=hop,
        min_pause=min_pause,
        max_utterance=max_utterance,
    )
    try:
        with closing(blocks):
            timeline = join(list(pieces))
    except _Unreadable as error:
        name = recording_name(recording, 0)
        raise AudioError([(name, str(error))]) from error.__cause__
    remarks = Remarks()
    remarks.note(recording_name(recording, 0), findings)
    remarks.tell(1)
    return timeline


def iter_timeline(
    pipeline: Any,
    blocks: Iterable[Any],
    *,
    sampling_rate: int = 16000,
    window: float = WINDOW,
    hop: float = HOP,
    smoothing: float = SMOOTHING,
    min_pause: float = MIN_PAUSE,
    max_utterance: float = MAX_UTTERANCE,
) -> Iterator[EmotionTimeline]:
    """Tell the emotions in a stream, such as that of a microphone, as it goes on.

    What it finds is what :func:`emotion_timeline` finds in a recording of the
    same samples, however they are divided into blocks.

    Parameters
    ----------
    pipeline : estimator
        As :func:`emotion_timeline` takes it.
    blocks : iterable of ndarray or tuple
        The samples, part by part: each of shape (n_samples,) or
        (n_samples, n_channels), of floats or integers, or a pair of these and
        their rate. The next is asked for when all that could be told by those
        before has been.
    sampling_rate : int, default=16000
        Rate of blocks that come without one, in Hz.
    window : float, default=3.0
        As :func:`emotion_timeline` takes it.
    hop : float, default=0.5
        As :func:`emotion_timeline` takes it.
    smoothing : float, default=1.0
        As :func:`emotion_timeline` takes it.
    min_pause : float, default=0.5
        As :func:`emotion_timeline` takes it.
    max_utterance : float, default=5.0
        As :func:`emotion_timeline` takes it.

    Yields
    ------
    EmotionTimeline
        What has become certain since the last: windows, stretches of speech and
        segments, each once. Its `duration` is what has been heard so far. There is
        one for every block that makes anything certain, and one at the end.

    Raises
    ------
    ValueError
        If a block is no samples, holds NaN, or is of another rate than the first;
        if nothing comes; if a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import iter_timeline, load_pretrained
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> blocks = np.array_split(speech.signals[0], 10)
    >>> for piece in iter_timeline(load_pretrained(), blocks):
    ...     for segment in piece.segments:
    ...         print(f"{segment.start:.1f} s")
    0.0 s
    """
    check_positive(sampling_rate=sampling_rate)
    samples = _mix_down(blocks, sampling_rate)
    return _follow(
        pipeline,
        samples,
        1,
        smoothing,
        window=window,
        hop=hop,
        min_pause=min_pause,
        max_utterance=max_utterance,
    )


class _Unreadable(ValueError):
    """The reason why samples cannot be had."""


def _read(recording, sampling_rate, findings):
    """Yield blocks of a recording, at a rate."""
    try:
        if callable(recording) and not hasattr(recording, "read"):
            recording = decode(recording, sampling_rate=sampling_rate, duration=None)
        with closing(iter_blocks(recording, _BLOCK, findings)) as blocks:
            yield from _mix_down(blocks, sampling_rate)
    except ValueError as error:
        raise _Unreadable(str(error)) from error


def _mix_down(blocks, sampling_rate):
    """Yield blocks of shape (n_samples,), dtype float32, all of one rate."""
    first_rate = None
    for block in blocks:
        signal, rate = block if isinstance(block, tuple) else (block, sampling_rate)
        rate = float(sampling_rate if rate is None else rate)
        if first_rate not in (None, rate):
            raise ValueError(
                f"a block is of {rate:g} Hz, but the first was of {first_rate:g} Hz"
            )
        for part in _as_mono(np.asarray(signal), rate):
            first_rate = rate
            yield part, rate
    if first_rate is None:
        raise ValueError("it holds no samples")


def _as_mono(signal, rate):
    """Yield the mean over channels, in parts that are not too long."""
    if signal.ndim != 2:
        signal = signal[..., np.newaxis]
    for start in range(0, signal.shape[0] if signal.size else 0, _BLOCK):
        part = signal[start : start + _BLOCK].T
        mono = [decode((x, rate), sampling_rate=0, duration=None)[0] for x in part]
        yield mono[0] if len(mono) == 1 else np.mean(mono, axis=0)


def _follow(pipeline, blocks, batch, smoothing, *, window, hop, **options):
    """Check the parameters, and return an iterator over what becomes certain."""
    if not hasattr(pipeline, "predict_proba"):
        raise ValueError(
            f"pipeline must have predict_proba, but is {type(pipeline).__name__}: give "
            "a fitted pipeline that predicts probabilities."
        )
    check_positive(window=window, hop=hop)
    _check_not_negative(smoothing=smoothing, **options)
    if hop > window:
        raise ValueError(
            f"hop={hop} is longer than window={window}, so that some speech would be "
            "in no window: make it at most as long."
        )
    make_listener = partial(SpeechListener, window=window, hop=hop, **options)
    pipeline = _without_detection(pipeline)
    return _iterate(pipeline, blocks, batch, make_listener, smoothing)


def _iterate(pipeline, blocks, batch, make_listener, smoothing):
    first, rate = next(blocks)  # there is one, or an error
    listener, waiting = make_listener(rate), []
    merger = Merger(np.asarray(pipeline.classes_), rate, smoothing)
    for block in chain([first], (block for block, _ in blocks)):
        waiting += listener.feed(block)
        if len(waiting) >= batch:
            yield merger.add(waiting, _ask(pipeline, waiting, rate), listener.n_samples)
            waiting = []
    waiting += listener.close()
    yield merger.add(waiting, _ask(pipeline, waiting, rate), listener.n_samples)


def _check_not_negative(**named):
    for name, value in named.items():
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or not 0.0 <= value < np.inf:
            raise ValueError(
                f"{name} must be a finite number from 0 on, got {value!r:.50}."
            )


def _without_detection(pipeline):
    """Return a pipeline that does not look for speech: that has been done."""
    if not getattr(pipeline, "detect_speech", False):
        return pipeline
    pipeline = copy.copy(pipeline)
    pipeline.detect_speech = False
    return pipeline


def _ask(pipeline, windows, rate):
    if not windows:
        return np.empty((0, len(pipeline.classes_)))
    return pipeline.predict_proba([(window.signal, rate) for window in windows])
