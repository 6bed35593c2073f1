"""From a recording to samples: decode, mix down, resample."""

from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion._messages import Remarks
from skemotion.audio._endings import lacks_frames
from skemotion.audio._files import is_encoded, open_to_read
from skemotion.audio._findings import Findings, may_be_silent, stands_out
from skemotion.audio._kinds import (
    Recording,
    Segment,
    as_segment,
    recording_name,
    split_pair,
)
from skemotion.audio._signals import (
    average,
    check_positive,
    check_samples,
    check_signal,
    count_samples,
    resample,
    to_float,
)

_BLOCK = 2**18  # values that are read at once, whatever a header promises
# Where these go on in the middle, what comes first depends on what was before.
_WITH_MEMORY = ("MP3", "OGG")
# These raise an error where they are cut within a frame.
_BREAKING = ("MP3", "FLAC")
_LEAD = 1.0  # seconds that are read, and forgotten, before it


def load_audio(
    recording: Recording,
    *,
    sampling_rate: int = 16000,
    duration: float | None = None,
) -> NDArray[np.float32]:
    """Decode one recording to mono samples at a given rate.

    The samples equal those of ``librosa.load(path, sr=sampling_rate,
    mono=True, duration=duration)``: no more of a file is read than `duration`
    needs, channels are averaged, and soxr's high-quality mode resamples.

    Parameters
    ----------
    recording : str, path-like, file object, tuple, dict, ndarray or callable
        One of these:

        - A path or a binary file object of a format that libsndfile reads (WAV,
          FLAC, OGG, MP3, AIFF, ...). A file object is read from its start, and
          put back to where it was; one that cannot be rewound is read to its
          end.
        - A pair ``(signal, sampling_rate)``, or a 1-D signal that is already at
          `sampling_rate`. Integer signals are divided by their type's full
          scale.
        - A segment ``(recording, start, end)`` of a path, a file object, a pair
          or a dict. Times are in seconds, or a Timedelta of pandas, as rows of a
          segmented index of audformat have them; an `end` that is None or NaT is
          that of the recording. Of a file, nothing else is decoded, where its
          format allows that. What lies behind the end of the recording is not
          there.
        - A dict of Hugging Face: an `array` and its `sampling_rate`, or encoded
          `bytes`, or a `path`; the first of them that is there and not None. An
          array has the shape (n_samples,) or (n_channels, n_samples); channels
          are averaged. So are those of a decoder of torchcodec, which newer
          versions give.
        - A function, which is called as
          ``recording(sampling_rate=..., duration=...)`` with the arguments of
          this function, and returns a pair, of any rate. Several threads may
          call it at once. If it has an attribute `cache_key`, a string that
          tells what it returns for given arguments from all else, descriptors
          of it are cached under that, and found again without a call.
    sampling_rate : int, default=16000
        Rate of the result, in Hz.
    duration : float, default=None
        Keep only the first so many seconds. None keeps everything.

    Returns
    -------
    ndarray of shape (n_samples,), dtype float32

    Raises
    ------
    ValueError
        If `recording` cannot be read, is empty, holds NaN or infinity, or is
        of another type; the message is the reason without the name.

    Warns
    -----
    IncompleteAudioWarning
        If a file holds less than its header says.
    CancellationWarning
        If the channels cancel when they are averaged.
    SilentBeginningWarning
        If there is next to no sound in `duration`, but behind it.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.audio import load_audio
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> load_audio((tone, 8000), sampling_rate=16000).shape
    (16000,)
    """
    check_positive(sampling_rate=sampling_rate)
    if duration is not None:
        check_positive(duration=duration)
    start = decode_start(recording, sampling_rate=sampling_rate, duration=duration)
    remarks = Remarks()
    # That there is more than was asked for is no news to who asked for no more.
    remarks.note(recording_name(recording, 0), replace(start.findings, is_cut=False))
    remarks.tell(1, start.signal.size / start.native_rate)
    return resample(start.signal, start.native_rate, sampling_rate)


class Start(NamedTuple):
    """The first seconds of a recording, or all of it.

    Attributes
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        At its own rate.
    native_rate : float
        In Hz.
    findings : Findings
        What is odd about the recording.
    """

    signal: NDArray[np.float32]
    native_rate: float
    findings: Findings


def decode(
    recording: Recording, *, sampling_rate: int, duration: float | None
) -> tuple[NDArray[np.float32], float]:
    """Decode one recording to mono samples at its own rate.

    Parameters
    ----------
    recording, duration
        As :func:`load_audio` takes them.
    sampling_rate : int
        Rate of a signal that comes without one, in Hz.

    Returns
    -------
    signal : ndarray of shape (n_samples,), dtype float32
    native_rate : float
        In Hz.
    """
    start = decode_start(recording, sampling_rate=sampling_rate, duration=duration)
    return start.signal, start.native_rate


def decode_start(
    recording: Recording, *, sampling_rate: int, duration: float | None
) -> Start:
    """Decode one recording as :func:`decode` does, and tell what is odd about it.

    Parameters
    ----------
    recording, sampling_rate, duration
        As :func:`decode` takes them.

    Returns
    -------
    Start
    """
    segment = as_segment(recording)
    findings = _look_at_array(segment, Findings())
    if is_encoded(segment.whole):
        with open_to_read(segment.whole) as audio:
            rate = audio.samplerate
            parts = _Parts(audio, segment, findings)
            n_wanted = None if duration is None else count_samples(duration, rate)
            # One more tells whether there are more, whatever the header says.
            n_read = None if n_wanted is None else n_wanted + 1
            signal = np.concatenate(
                [np.empty(0, np.float32), *parts.take(_BLOCK, n_read)]
            )
            signal = _look_behind(signal, n_wanted, parts.take(_BLOCK), findings)
    else:
        whole, is_told = segment.whole, callable(segment.whole)
        if is_told:
            whole = whole(sampling_rate=sampling_rate, duration=duration)
        signal, rate = _cut_signal(segment._replace(whole=whole), sampling_rate)
        n_wanted = None if duration is None else count_samples(duration, rate)
        if is_told:
            signal = signal[:n_wanted]
        signal = _look_behind(signal, n_wanted, (), findings)
    return Start(check_samples(to_float(signal)), rate, findings)


def _look_behind(signal, n_wanted, behind, findings):
    """Return what is wanted, and find out what there is behind it."""
    if n_wanted is None or len(signal) <= n_wanted:
        return signal
    findings.is_cut = True
    beginning = to_float(signal[:n_wanted])
    if may_be_silent(beginning):
        rest = chain(_as_blocks(signal[n_wanted:]), behind)
        with suppress(ValueError):  # nobody has asked for what cannot be read there
            findings.begins_silent = any(stands_out(part, beginning) for part in rest)
    return beginning


def _as_blocks(signal):
    for first in range(0, len(signal), _BLOCK):
        yield to_float(signal[first : first + _BLOCK])


def _look_at_array(segment, findings):
    """Note what an array of channels tells, which has been averaged by now."""
    if segment.channels is not None:
        findings.note_channels(to_float(segment.channels), segment.whole[0])
    return findings


def iter_blocks(
    recording: Recording, n_samples: int, findings: Findings | None = None
) -> Generator[tuple[NDArray[np.float32], float | None], None, None]:
    """Decode all of a recording, holding only some samples of it at a time.

    Parameters
    ----------
    recording : str, path-like, file object, Encoded, tuple, dict or ndarray
        As :func:`load_audio` takes it, but no function.
    n_samples : int
        Length of a block.
    findings : Findings, default=None
        Where to note what is odd about the recording, which is known in the end.

    Yields
    ------
    signal : ndarray of shape (n_samples,), dtype float32
        The next samples, mixed down, at their own rate. The last block may be
        shorter.
    native_rate : float or None
        In Hz; None if the recording does not tell.
    """
    segment = as_segment(recording)
    findings = _look_at_array(segment, Findings() if findings is None else findings)
    if is_encoded(segment.whole):
        with open_to_read(segment.whole) as audio:
            for block in _Parts(audio, segment, findings).take(n_samples):
                yield block, float(audio.samplerate)
    else:
        _, told = split_pair(segment.whole, None)
        signal, _ = _cut_signal(segment, 1)
        rate = None if told is None else float(told)
        for start in range(0, len(signal), n_samples):
            yield to_float(signal[start : start + n_samples]), rate


def _cut_signal(segment: Segment, sampling_rate: Any) -> tuple[NDArray, float]:
    signal, rate = split_pair(segment.whole, sampling_rate)
    signal = check_signal(signal, rate)
    first, end = _bounds(segment, rate)
    return signal[first:end], rate


def _bounds(segment: Segment, rate: float) -> tuple[int, int | None]:
    end = None if segment.end is None else count_samples(segment.end, rate)
    return count_samples(segment.start, rate), end


class _Parts:
    """The samples of an open file, or of a segment of it, one part after the other.

    Parameters
    ----------
    audio : soundfile.SoundFile
        As :func:`open_to_read` gives it.
    segment : Segment
        What to read.
    findings : Findings
        Where to note what is odd.
    """

    def __init__(self, audio: Any, segment: Segment, findings: Findings):
        self._audio = audio
        self._findings = findings
        first, self._end = _bounds(segment, audio.samplerate)
        self._place = first
        # Where a segment ends before the file does, that may be all that is missing.
        findings.ends_early = audio.ends_early and self._end is None
        _go_to(audio, first, segment.start)

    def take(
        self, n_block: int, n_most: int | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the next blocks, the mean of all channels, of `n_most` samples in all.

        Without `n_most`, until the end.
        """
        stops = (self._end, None if n_most is None else self._place + n_most)
        stop = min((each for each in stops if each is not None), default=None)
        while stop is None or self._place < stop:
            n_wanted = n_block if stop is None else min(stop - self._place, n_block)
            block = _read_mono(self._audio, n_wanted, self._findings)
            self._place += len(block)
            if len(block) < n_wanted:
                self._findings.ends_early |= self._is_early()
            if not block.size:
                return
            yield block

    def _is_early(self):
        audio = self._audio
        lacks = audio.tells_frames and lacks_frames(audio, self._place)
        return audio.ends_early or lacks


def _go_to(audio: Any, first: int, start: float) -> None:
    """Skip so many samples, without decoding them where that changes nothing."""
    import soundfile

    if first and audio.seekable():
        with_memory = audio.format in _WITH_MEMORY
        lead = count_samples(_LEAD, audio.samplerate) if with_memory else 0
        lead = min(lead, first)
        try:
            audio.seek(first - lead)
        except soundfile.LibsndfileError as error:
            raise ValueError(f"it ends before {start:.10g} s") from error
        first = lead
    # After a read, soundfile seeks, after which MP3 is decoded otherwise.
    audio.seekable = lambda: False
    while first > 0:
        n_skipped = len(_read_mono(audio, min(first, _BLOCK)))
        if not n_skipped:
            raise ValueError(f"it ends before {start:.10g} s")
        first -= n_skipped


def _read_mono(
    audio: Any, n_samples: int, findings: Findings | None = None
) -> NDArray[np.float32]:
    """Read so many samples, or what is left, some at a time if there are channels."""
    n_at_once = max(_BLOCK // audio.channels, 1)
    parts = []
    while n_samples > 0:
        parts.append(_read(audio, min(n_samples, n_at_once), findings))
        n_samples -= len(parts[-1])
        if not parts[-1].size:
            break
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _read(audio, n_samples, findings):
    signal = _read_channels(audio, n_samples)
    if signal.shape[1] == 1:
        return signal[:, 0]
    mean = average(signal.T)
    if findings is not None:
        findings.note_channels(signal.T, mean)
    return mean


def _read_channels(audio, n_samples):
    """Read samples of shape (n_samples, n_channels), up to where a file is cut."""
    import soundfile

    # What these formats give is never NaN, which so marks what was not written.
    shape = n_samples, audio.channels
    out = np.full(shape, np.nan, "f") if audio.format in _BREAKING else None
    try:
        signal = audio.read(n_samples, dtype="float32", always_2d=True, out=out)
    except soundfile.LibsndfileError as error:
        signal = out if out is None else out[: np.isfinite(out[:, 0]).argmin()]
        if signal is None or not (len(signal) or audio.has_given) or not audio.is_cut():
            raise ValueError(f"it breaks off while decoding ({error})") from error
        audio.ends_early = True
    audio.has_given = True
    return signal
