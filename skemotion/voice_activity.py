"""Where someone speaks in a recording, found by energy and voicing.

What speech does and other sounds do not is to move: while the voice goes on, its
pitch glides and its formants shift. Notes and hums keep still, beats of chords
have no lasting pitch, and noise has none. So frames are looked for that have a
pitch, near that of the frame before but not equal to it, and another spectrum;
windows of 2 s in which such frames prevail are speech.
"""

from collections.abc import Generator
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from skemotion._messages import Remarks
from skemotion.audio import (
    Findings,
    check_positive,
    check_recordings,
    check_samples,
    decode,
    iter_blocks,
    recording_name,
)
from skemotion.exceptions import AudioError

__all__ = ["has_speech", "speech_mask", "speech_seconds", "voice_activity"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

FRAME_SECONDS = 0.01
_LOWEST_RATE = 4000.0  # Hz, and what higher rates are brought near to
_TAPS = 6  # of the filter before that, in samples of the lower rate
_WINDOW = 0.04  # seconds, of the spectrum: nearly three periods of the lowest pitch
_LOWEST_PITCH, _HIGHEST_PITCH = 60.0, 500.0  # Hz
_HIGHEST = 2000.0  # Hz, of what is looked at; a telephone has it too
_BANDS = (80, 200, 320, 450, 600, 780, 980, 1200, 1450, 1700, 1950)  # Hz
_PEAK = 6  # bins of the spectrum that a single harmonic fills
_AT_ONCE = 512  # frames, so that memory and its caches suffice
_OCTAVE_COST = 0.02  # of the height of a peak, so that the shorter period wins
_VOICED = 0.38  # height of the peak of the autocorrelation
_QUIET = 50.0  # dB below the loudest frame: no voice
_MASKED = 25.0  # dB below a frame's loudest band: not looked at
_JUMP = 0.15  # octaves a frame: another voice, or an error

_CONTEXT = 200  # frames that are looked at to tell speech from other sounds
_STEP = 25  # frames from one such window to the next
_RUN = 4  # frames over which spectra that drift are told from those that flicker
_STEADY = 0.2  # deviation of the levels in a window, in 10 dB: too little for speech
_LEVELS = 35.0  # dB below the loudest frame of a window; what is below is alike
_FEW = 0.03  # share of frames that counts as few, to divide by
_HANGOVER = 10  # frames around voiced ones, where consonants without voice are
SHORTEST_SPEECH = 0.3  # seconds that make a recording one with speech
_PREVAILING = 0.34  # share of its voiced frames that do

# What tells speech. The first number is the value beyond which more (or less, where
# it is negative) is no more like speech, so that no excess makes up for what lacks
# elsewhere. The others weight what lacks and its square; they and the bias are made
# by ``benchmarks/speech_detection.py --fit``.
_FEATURES = {
    "moving": (0.7, -6.59, -0.21),
    "still": (-0.1, -15.11, -3.82),
    "alone": (-0.15, -4.06, -5.31),
    "drift": (0.5, -3.35, 1.36),
    "louder and softer": (0.25, -3.0, -0.15),
    "range of levels": (0.6, -0.15, -5.04),
    "breadth": (0.45, -2.51, 0.26),
    "harmonics": (0.8, -3.84, -0.45),
}
_BOUNDS = np.array([bound for bound, *_ in _FEATURES.values()])
_WEIGHTS = np.array([weights for _, *weights in _FEATURES.values()])
_BIAS = 4.95

_BLOCK = 2**18  # samples that are held at once: 16 s at 16 kHz


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
    signal, sampling_rate
        As :func:`voice_activity` takes them.

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
    signal, sampling_rate
        As :func:`voice_activity` takes them.

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
    signal, sampling_rate
        As :func:`voice_activity` takes them.

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


def speech_mask(recordings: Any, *, sampling_rate: int = 16000) -> Mask:
    """Tell which recordings hold speech.

    Speech is found by energy and voicing, in any language and at any level,
    but it is no more than a rule: noise, tones and most simple tunes are told
    from it, but drums, synthesisers with moving resonances and produced music
    often are not, singing is speech to it, and a whisper or a
    single short word may be missed.

    Parameters
    ----------
    recordings : sequence of recordings
        Each as :func:`skemotion.audio.load_audio` takes it. Long ones are read
        block by block, and never held as a whole, unless a function returns
        them.
    sampling_rate : int, default=16000
        Rate of signals that come without one, in Hz, and what functions are
        asked for.

    Returns
    -------
    ndarray of shape (n_recordings,), dtype bool
        False where nobody speaks for at least 0.3 s.

    Raises
    ------
    AudioError
        If recordings cannot be read; it names all of them.
    TypeError, ValueError
        If `recordings` is no sequence of recordings, or is empty.

    Warns
    -----
    IncompleteAudioWarning
        If files hold less than their headers say. What there is is used.
    CancellationWarning
        If the channels of recordings cancel when they are averaged.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import speech_mask
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> silence = np.zeros(32000)
    >>> speech_mask([silence, (speech.signals[0], speech.sampling_rate)])
    array([False,  True])
    """
    check_positive(sampling_rate=sampling_rate)
    recordings = check_recordings(recordings)
    mask, failures = np.zeros(len(recordings), dtype=bool), []
    remarks = Remarks()
    for index, recording in enumerate(recordings):
        name, findings = recording_name(recording, index), Findings()
        try:
            mask[index] = _holds_speech(recording, sampling_rate, findings)
            remarks.note(name, findings)
        except ValueError as error:
            failures.append((name, str(error)))
    if failures:
        raise AudioError(failures)
    remarks.tell(sum(not callable(recording) for recording in recordings))
    return mask


def _holds_speech(recording: Any, sampling_rate: int, findings: Findings) -> bool:
    found, n_samples = False, 0
    with closing(_iter_blocks(recording, sampling_rate, findings)) as blocks:
        # All of it is read, for what is wrong at the end counts too.
        for signal, rate in blocks:
            n_samples += check_samples(signal).size
            found = found or has_speech(signal, rate)
    if not n_samples:
        raise ValueError("it holds no samples")
    return found


def _iter_blocks(
    recording: Any, sampling_rate: int, findings: Findings
) -> Generator[tuple[NDArray[np.float32], float], None, None]:
    """Yield parts of a recording that are long enough to be judged alone."""
    if callable(recording) and not hasattr(recording, "read"):
        recording = decode(recording, sampling_rate=sampling_rate, duration=None)
    for signal, rate in iter_blocks(recording, _BLOCK, findings):
        yield signal, sampling_rate if rate is None else rate


class _Voice(NamedTuple):
    """What is seen in each frame, of shape (n_frames,) or (n_frames, n_bands)."""

    voiced: Mask
    pitch: Array  # binary logarithm of Hz
    levels: Array  # of bands, dB
    level: Array  # dB
    rich: Mask  # whether there is more than one harmonic


def _listen(signal: ArrayLike, sampling_rate: float) -> tuple[int, _Voice | None]:
    """Return the number of frames, and what is seen if there is anything to see."""
    check_positive(sampling_rate=sampling_rate)
    signal = _normalize(_check_signal(signal))
    n_frames = int(np.ceil(round(signal.size / sampling_rate / FRAME_SECONDS, 6)))
    too_short = n_frames < SHORTEST_SPEECH / FRAME_SECONDS
    if too_short or sampling_rate < _LOWEST_RATE or not _peak(signal):
        return n_frames, None
    return n_frames, _track_voice(signal, sampling_rate, n_frames)


def _check_signal(signal: ArrayLike) -> Array:
    try:
        samples = np.asarray(signal)
    except Exception:  # of objects that say they are arrays, and lists of any kind
        samples = np.empty((0, 0))
    if samples.ndim != 1 or samples.dtype.kind not in "fiu":
        raise ValueError(
            "signal must be one-dimensional, and hold a number for each sample."
        )
    with np.errstate(over="ignore"):
        samples = samples.astype(np.float64, copy=False)
    if not np.isfinite(samples).all():
        raise ValueError("signal holds NaN or infinite samples.")
    return samples


def _find_speech(voice: _Voice) -> Mask:
    return _find_active(voice.voiced, _judge(_describe(voice)))


def _find_active(voiced: Mask, scores: Array) -> Mask:
    """Tell where frames are voiced, or nearly, in windows that score above 0."""
    likely = _spread(scores > 0, len(voiced))
    return _dilate(voiced & likely, _HANGOVER) & likely


def _is_enough(voice: _Voice, active: Mask) -> bool:
    prevails = (voice.voiced & active).sum() >= _PREVAILING * voice.voiced.sum()
    return bool(prevails and active.sum() * FRAME_SECONDS >= SHORTEST_SPEECH)


def _judge(features: Array, weights: Array = _WEIGHTS, bias: float = _BIAS) -> Array:
    """Score windows by what they lack, of shape (n_windows,)."""
    scores = bias + _lacks(features) @ weights.T.ravel()
    return np.where(_is_steady(features), -np.inf, scores)


def _is_steady(features: Array) -> Mask:
    """Tell in which windows there can be no syllables."""
    return np.asarray(features[:, list(_FEATURES).index("range of levels")] < _STEADY)


def _lacks(features: Array) -> Array:
    """Return how far each feature is from that of speech, and the squares."""
    missing = np.maximum(_BOUNDS - np.sign(_BOUNDS) * features, 0)
    return np.hstack([missing, missing**2])


def _normalize(signal: Array) -> Array:
    """Take the offset away, and bring the peak to 1, or all to 0 if nothing is left."""
    peak = _peak(signal)
    if not peak:
        return signal
    signal = signal / peak
    signal -= signal.mean()
    rest = _peak(signal)
    # Single precision resolves no less.
    signal *= 1 / rest if rest > 1e-6 else 0
    return signal


def _peak(signal: Array) -> float:
    return float(max(signal.max(initial=0), -signal.min(initial=0)))


def _track_voice(signal: Array, sampling_rate: float, n_frames: int) -> _Voice:
    signal, rate = _decimate(signal, sampling_rate)
    width, hop = round(_WINDOW * rate), round(FRAME_SECONDS * rate)
    # The middles of frame and spectrum are the same.
    padded = np.pad(signal, ((width - hop) // 2, width + hop))
    frames = sliding_window_view(padded, width)
    starts = np.rint(np.arange(n_frames) * FRAME_SECONDS * rate).astype(int)
    parts = [
        _analyse(frames[starts[first : first + _AT_ONCE]], rate)
        for first in range(0, n_frames, _AT_ONCE)
    ]
    height, pitch, bands, rich = map(np.concatenate, zip(*parts, strict=True))
    energy = bands.sum(axis=1)
    floor = 1e-9 * energy.max() + np.finfo(float).tiny
    level = 10 * np.log10(energy + floor)
    return _Voice(
        voiced=(height > _VOICED) & (level > level.max() - _QUIET),
        pitch=np.log2(pitch),
        levels=10 * np.log10(bands + floor),
        level=level,
        rich=rich,
    )


def _decimate(signal: Array, rate: float) -> tuple[Array, float]:
    """Bring to a rate between 4 and 8 kHz, keeping what is below 2 kHz."""
    factor = int(rate // _LOWEST_RATE)
    if factor == 1:
        return signal, rate
    n_taps = _TAPS * factor
    place = (np.arange(n_taps) - (n_taps - 1) / 2) / factor
    taps = np.sinc(0.92 * place) * np.hanning(n_taps + 2)[1:-1]
    taps = (taps / taps.sum()).reshape(_TAPS, factor)
    if lacking := -signal.size % factor:
        signal = np.pad(signal, (0, lacking))
    parts = signal.reshape(-1, factor) @ taps.T
    result = np.zeros(len(parts) + _TAPS - 1)
    for tap in range(_TAPS):
        delay = _TAPS - 1 - tap
        result[delay : delay + len(parts)] += parts[:, tap]
    middle = _TAPS // 2
    return result[middle : middle + len(parts)], rate / factor


def _analyse(frames: Array, rate: float) -> tuple[Array, Array, Array, Mask]:
    """Return voicing, pitch, power in bands, and whether there are harmonics."""
    width = frames.shape[1]
    n_fft = width + int(rate / _LOWEST_PITCH) + 2
    n_fft += -n_fft % 32
    taper = np.hanning(width + 2)[1:-1]
    spectrum = np.fft.rfft(frames * taper, n_fft)
    power = spectrum.real**2 + spectrum.imag**2
    frequency = np.fft.rfftfreq(n_fft, 1 / rate)
    power[:, (frequency < _LOWEST_PITCH) | (frequency > _HIGHEST)] = 0
    edges = np.asarray(_BANDS)
    in_band = (frequency[:, None] >= edges[:-1]) & (frequency[:, None] < edges[1:])
    narrow = np.partition(power, -_PEAK, axis=1)[:, -_PEAK:].sum(axis=1)
    return (
        *_find_pitch(np.sqrt(power), n_fft, taper, rate),
        power @ in_band.astype(float),
        narrow < 0.95 * power.sum(axis=1),
    )


def _find_pitch(
    magnitude: Array, n_fft: int, taper: Array, rate: float
) -> tuple[Array, Array]:
    """Find the highest peak of the autocorrelation, and its frequency in Hz."""
    first, last = int(np.ceil(rate / _HIGHEST_PITCH)), int(rate / _LOWEST_PITCH)
    lags = np.arange(first, last + 1)
    correlation = np.fft.irfft(magnitude, n_fft)[:, : last + 2]
    total = correlation[:, :1]
    own = np.fft.irfft(np.abs(np.fft.rfft(taper, n_fft)) ** 2)[: last + 2]
    correlation = correlation / np.where(total > 0, total, 1)
    correlation /= np.maximum(own / own[0], 0.3)

    before, here, after = (
        correlation[:, first + shift : last + 1 + shift] for shift in (-1, 0, 1)
    )
    is_peak = (here >= before) & (here > after)
    wanted = np.where(is_peak, here - _OCTAVE_COST * np.log2(lags / first), -1)
    best = wanted.argmax(axis=1)
    rows = np.arange(len(best))
    height = np.where(is_peak[rows, best], here[rows, best], 0)
    left, right = before[rows, best], after[rows, best]
    bend = left - 2 * here[rows, best] + right
    shift = 0.5 * (left - right) / np.where(bend < -1e-12, bend, -np.inf)
    return height, rate / (lags[best] + np.clip(shift, -0.5, 0.5))


def _describe(voice: _Voice) -> Array:
    """Return what tells speech, of shape (n_windows, n_features)."""
    glide = np.abs(np.diff(voice.pitch))
    loud = voice.levels > voice.levels.max(axis=1, keepdims=True) - _MASKED
    both = loud[1:] & loud[:-1]
    n_bands = np.maximum(both.sum(axis=1), 1)
    shift = np.where(both, np.diff(voice.levels, axis=0), 0)
    # What gets louder as a whole keeps its spectrum.
    shift -= both * (shift.sum(axis=1) / n_bands)[:, np.newaxis]
    change = np.abs(shift).sum(axis=1) / n_bands
    swell = np.diff(voice.level)

    voiced = voice.voiced[1:]
    held = voiced & voice.voiced[:-1] & (glide < _JUMP)
    moving = held & (glide > 0.003) & (change > 0.4) & (n_bands >= 3)
    lasting, drift = _find_drift(shift, held)
    lasting &= moving
    counts = {
        "held": held,
        "moving": moving,
        "still": held & (glide < 0.002),
        "alone": voiced & ~held,
        "louder": moving & (swell > 0.15),
        "softer": moving & (swell < -0.15),
        "bands": moving * n_bands,
        "rich": moving & voice.rich[1:],
        "lasting": lasting,
        "drift": lasting * drift,
    }
    sums = _window_means(np.column_stack(list(counts.values())))
    mean = dict(zip(counts, sums.T, strict=True))
    held_, moving_ = mean["held"] + _FEW, mean["moving"] + _FEW
    return np.column_stack(
        [
            mean["moving"] / held_,
            mean["still"] / held_,
            mean["alone"] / (held_ + mean["alone"]),
            mean["drift"] / (mean["lasting"] + _FEW / 3),
            np.minimum(mean["louder"], mean["softer"]) / moving_,
            _spread_of_levels(voice.level[1:]) / 10,
            mean["bands"] / moving_ / 10,
            mean["rich"] / moving_,
        ]
    )


def _find_drift(shift: Array, held: Mask) -> tuple[Mask, Array]:
    """Tell where a voice lasts, and how much of its changes is a drift, 0 to 1."""
    lasting, drift = np.zeros(len(held), dtype=bool), np.zeros(len(held))
    n = len(held) - _RUN + 1
    if n > 0:
        parts = [shift[start : start + n] for start in range(_RUN)]
        total = np.abs(np.sum(parts, axis=0)).sum(axis=1)
        path = np.sum([np.abs(part).sum(axis=1) for part in parts], axis=0)
        drift[:n] = total / (path + 1)
        lasting[:n] = sliding_window_view(held, _RUN).all(axis=1)
    return lasting, drift


def _window_starts(n: int) -> NDArray[np.int_]:
    """Return where windows start; the last one ends with the signal."""
    last = max(n - _CONTEXT, 0)
    return np.append(np.arange(0, last, _STEP), last)


def _window_means(values: Array) -> Array:
    """Return means over windows, along the first axis."""
    n = len(values)
    total = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])
    starts = _window_starts(n)
    ends = np.minimum(starts + _CONTEXT, n)
    return (total[ends] - total[starts]) / max(min(_CONTEXT, n), 1)


def _spread_of_levels(level: Array) -> Array:
    """Return the deviation of levels in each window, in dB."""
    windows = sliding_window_view(level, min(_CONTEXT, len(level)))
    windows = windows[_window_starts(len(level))]
    loudest = windows.max(axis=1, keepdims=True)
    return np.maximum(windows - loudest, -_LEVELS).std(axis=1)


def _spread(found: Mask, n_frames: int) -> Mask:
    """Give each frame what was found for the window whose middle is nearest."""
    middles = _window_starts(n_frames - 1) + min(_CONTEXT, n_frames) / 2
    borders = (middles[1:] + middles[:-1]) / 2
    return found[np.searchsorted(borders, np.arange(n_frames))]


def _dilate(mask: Mask, n_frames: int) -> Mask:
    """Widen what is True by so many frames on either side."""
    padded = np.pad(mask, n_frames)
    return np.asarray(sliding_window_view(padded, 2 * n_frames + 1).any(axis=1))
