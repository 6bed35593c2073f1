"""In which frames of a signal someone speaks, and whether that is enough."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from skemotion.audio import check_positive
from skemotion.voice_activity._features import describe
from skemotion.voice_activity._judgement import judge
from skemotion.voice_activity._samples import (
    LOWEST_RATE,
    check_signal,
    find_peak,
    normalize,
)
from skemotion.voice_activity._voice import FRAME_SECONDS, Voice, track_voice
from skemotion.voice_activity._windows import spread_to_frames

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SHORTEST_SPEECH = 0.3  # seconds that make a recording one with speech
_PREVAILING = 0.34  # share of its voiced frames that do
_HANGOVER = 10  # frames around voiced ones, where consonants without voice are


def voice_activity(signal: ArrayLike, sampling_rate: float) -> Mask:
    """Tell in which frames of 10 ms someone speaks.

    Parameters
    ----------
    signal : array-like of shape (n_samples,)
        Finite samples, of any scale: a constant factor or offset changes
        nothing.
    sampling_rate : float
        In Hz. Below 4 kHz no speech is found.

    Returns
    -------
    ndarray of shape (n_frames,), dtype bool
        Frame ``i`` begins ``i * 0.01`` seconds after the first sample, and
        there are as many as begin before the end: the duration divided by
        10 ms, rounded up. True where someone speaks, and up to 0.1 s around a
        voice, where consonants are that have none.

    Examples
    --------
    >>> from skemotion.datasets import make_emotional_speech
    >>> from skemotion.voice_activity import voice_activity
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> active = voice_activity(speech.signals[0], speech.sampling_rate)
    >>> active.dtype, bool(active.mean() > 0.5)
    (dtype('bool'), True)
    """
    n_frames, voice = _listen(signal, sampling_rate)
    return np.zeros(n_frames, dtype=bool) if voice is None else _find_speech(voice)


def speech_seconds(signal: ArrayLike, sampling_rate: float) -> float:
    """Return for how many seconds someone speaks.

    Parameters
    ----------
    signal : array-like of shape (n_samples,)
        As :func:`voice_activity` takes it.
    sampling_rate : float
        Its rate, in Hz.

    Returns
    -------
    float
        0.0 where there is too little to be speech: less than 0.3 s, or than a
        third of all that has a pitch, as in music that resembles speech at
        times.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.voice_activity import speech_seconds
    >>> speech_seconds(np.zeros(16000), 16000)
    0.0
    """
    return float(speech_frames(signal, sampling_rate).sum() * FRAME_SECONDS)


def speech_frames(signal: ArrayLike, sampling_rate: float) -> Mask:
    """Tell in which frames of 10 ms someone speaks, if that is speech on the whole.

    Parameters
    ----------
    signal : array-like of shape (n_samples,)
        As :func:`voice_activity` takes it.
    sampling_rate : float
        Its rate, in Hz.

    Returns
    -------
    ndarray of shape (n_frames,), dtype bool
        As :func:`voice_activity` returns it, but False everywhere if there is too
        little to be speech, as :func:`speech_seconds` has it.
    """
    n_frames, voice = _listen(signal, sampling_rate)
    if voice is not None:
        active = _find_speech(voice)
        if _is_enough(voice, active):
            return active
    return np.zeros(n_frames, dtype=bool)


def has_speech(signal: ArrayLike, sampling_rate: float) -> bool:
    """Tell whether anyone speaks, for at least 0.3 s and a third of the voiced time.

    Parameters
    ----------
    signal : array-like of shape (n_samples,)
        As :func:`voice_activity` takes it.
    sampling_rate : float
        Its rate, in Hz.

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.voice_activity import has_speech
    >>> has_speech(np.random.default_rng(0).normal(size=16000), 16000)
    False
    """
    return speech_seconds(signal, sampling_rate) > 0


def _listen(signal: ArrayLike, sampling_rate: float) -> tuple[int, Voice | None]:
    """Return the number of frames, and what is seen if there is anything to see."""
    check_positive(sampling_rate=sampling_rate)
    signal = normalize(check_signal(signal))
    n_frames = int(np.ceil(round(signal.size / sampling_rate / FRAME_SECONDS, 6)))
    too_short = n_frames < SHORTEST_SPEECH / FRAME_SECONDS
    if too_short or sampling_rate < LOWEST_RATE or not find_peak(signal):
        return n_frames, None
    return n_frames, track_voice(signal, sampling_rate, n_frames)


def _find_speech(voice: Voice) -> Mask:
    return _find_active(voice.voiced, judge(describe(voice)))


def _find_active(voiced: Mask, scores: Array) -> Mask:
    """Tell where frames are voiced, or nearly, in windows that score above 0."""
    likely = spread_to_frames(scores > 0, len(voiced))
    return _dilate(voiced & likely, _HANGOVER) & likely


def _is_enough(voice: Voice, active: Mask) -> bool:
    prevails = (voice.voiced & active).sum() >= _PREVAILING * voice.voiced.sum()
    return bool(prevails and active.sum() * FRAME_SECONDS >= SHORTEST_SPEECH)


def _dilate(mask: Mask, n_frames: int) -> Mask:
    """Widen what is True by so many frames on either side."""
    padded = np.pad(mask, n_frames)
    return np.asarray(sliding_window_view(padded, 2 * n_frames + 1).any(axis=1))
