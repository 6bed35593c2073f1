"""Which recordings hold speech, however long they are."""

from collections.abc import Generator
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from skemotion.voice_activity._speech import has_speech

_BLOCK = 2**18  # samples that are held at once: 16 s at 16 kHz


def speech_mask(recordings: Any, *, sampling_rate: int = 16000) -> NDArray[np.bool_]:
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
