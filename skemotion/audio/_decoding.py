"""From a recording to samples: decode, mix down, resample."""

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.audio._files import is_encoded, open_to_read
from skemotion.audio._kinds import Recording, Segment, as_segment, split_pair
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
    signal, native_rate = decode(
        recording, sampling_rate=sampling_rate, duration=duration
    )
    return resample(signal, native_rate, sampling_rate)


class Start(NamedTuple):
    """The first seconds of a recording, or all of it.

    Attributes
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        At its own rate.
    native_rate : float
        In Hz.
    is_cut : bool
        Whether the recording goes on. Of a function it is not known, since that
        is told how much is wanted: False.
    """

    signal: NDArray[np.float32]
    native_rate: float
    is_cut: bool


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
    """Decode one recording as :func:`decode` does, and tell whether it is longer.

    Parameters
    ----------
    recording, sampling_rate, duration
        As :func:`decode` takes them.

    Returns
    -------
    Start
    """
    segment = as_segment(recording)
    if is_encoded(segment.whole):
        with open_to_read(segment.whole) as audio:
            rate = audio.samplerate
            n_wanted = None if duration is None else count_samples(duration, rate)
            # One more tells whether there are more, whatever the header says.
            n_read = None if n_wanted is None else n_wanted + 1
            blocks = list(_read_segment(audio, segment, _BLOCK, n_read))
            signal = np.concatenate([np.empty(0, np.float32), *blocks])
    else:
        whole, is_told = segment.whole, callable(segment.whole)
        if is_told:
            whole = whole(sampling_rate=sampling_rate, duration=duration)
        signal, rate = _cut_signal(segment._replace(whole=whole), sampling_rate)
        n_wanted = None if duration is None else count_samples(duration, rate)
        if is_told:
            signal = signal[:n_wanted]
    is_cut = n_wanted is not None and len(signal) > n_wanted
    signal = check_samples(to_float(signal[:n_wanted]))
    return Start(signal, rate, is_cut)


def iter_blocks(
    recording: Recording, n_samples: int
) -> Generator[tuple[NDArray[np.float32], float | None], None, None]:
    """Decode all of a recording, holding only some samples of it at a time.

    Parameters
    ----------
    recording : str, path-like, file object, Encoded, tuple, dict or ndarray
        As :func:`load_audio` takes it, but no function.
    n_samples : int
        Length of a block.

    Yields
    ------
    signal : ndarray of shape (n_samples,), dtype float32
        The next samples, mixed down, at their own rate. The last block may be
        shorter.
    native_rate : float or None
        In Hz; None if the recording does not tell.
    """
    segment = as_segment(recording)
    if is_encoded(segment.whole):
        with open_to_read(segment.whole) as audio:
            for block in _read_segment(audio, segment, n_samples):
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


def _read_segment(
    audio: Any, segment: Segment, n_block: int, n_most: int | None = None
) -> Iterator[NDArray[np.float32]]:
    """Yield blocks of the mean of all channels, of `n_most` samples at most."""
    first, end = _bounds(segment, audio.samplerate)
    n_left = n_most
    if end is not None:
        n_left = end - first if n_most is None else min(end - first, n_most)
    _go_to(audio, first, segment.start)
    while n_left is None or n_left > 0:
        block = _read_mono(audio, n_block if n_left is None else min(n_left, n_block))
        if not block.size:
            return
        n_left = None if n_left is None else n_left - len(block)
        yield block


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


def _read_mono(audio: Any, n_samples: int) -> NDArray[np.float32]:
    """Read so many samples, or what is left, some at a time if there are channels."""
    n_at_once = max(_BLOCK // audio.channels, 1)
    parts = []
    while n_samples > 0:
        parts.append(_read(audio, min(n_samples, n_at_once)))
        n_samples -= len(parts[-1])
        if not parts[-1].size:
            break
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _read(audio: Any, n_samples: int) -> NDArray[np.float32]:
    import soundfile

    try:
        signal = audio.read(frames=n_samples, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"it breaks off while decoding ({error})") from error
    return signal[:, 0] if signal.shape[1] == 1 else average(signal.T)
