"""Recordings that cannot be read: found, named in one error, or gone on without."""

from collections.abc import Mapping, Sequence
from typing import Any

from skemotion._messages import shorten, warn_user
from skemotion.audio import can_seek, decode_start, is_segment, recording_name
from skemotion.exceptions import AudioError, UnreadableWarning

HINT = (
    'on_error="warn" goes on without them and says which (--on-error warn on the '
    "command line). skemotion check, and datasets.check_corpus, look at all of a "
    "corpus before anything is trained."
)


def raise_unreadable(
    failures: Mapping[int, str], recordings: Sequence[Any], hint: str = HINT
) -> None:
    """Raise one AudioError that names all, if there are any.

    Parameters
    ----------
    failures : mapping of int to str
        The reason for each row that cannot be read.
    recordings : sequence of recordings
        All rows.
    hint : str
        What can be done.
    """
    if failures:
        raise AudioError(_named(failures, recordings), hint)


def warn_unreadable(
    failures: Mapping[int, str], recordings: Sequence[Any], consequence: str
) -> None:
    """Warn once of all, if there are any.

    Parameters
    ----------
    failures, recordings
        As :func:`raise_unreadable` takes them.
    consequence : str
        What becomes of their rows, such as ", and are left out".
    """
    if not failures:
        return
    named = _named(failures, recordings)
    rows = sorted(failures)
    listed = [
        f"row {row} ({name}: {reason})"
        for row, (name, reason) in zip(rows, named, strict=True)
    ]
    warn_user(
        UnreadableWarning(
            f"{len(rows)} of {len(recordings)} recordings cannot be read{consequence}: "
            f"{shorten(listed)}.",
            rows,
            named,
        )
    )


def _named(failures, recordings):
    return [
        (recording_name(recordings[row], row), failures[row])
        for row in sorted(failures)
    ]


def find_unreadable(
    recordings: Sequence[Any],
    *,
    sampling_rate: int = 16000,
    duration: float | None = None,
    n_jobs: int | None = None,
) -> dict[int, str]:
    """Decode recordings, one after the other, and tell which cannot be.

    Parameters
    ----------
    recordings : sequence of recordings
        As :func:`skemotion.audio.load_audio` takes them. File objects that cannot be
        rewound are passed over: what is read of them is gone.
    sampling_rate : int, default=16000
        Rate of signals that come without one, in Hz.
    duration : float, default=None
        How much of each is decoded, in seconds. None: all.
    n_jobs : int, default=None
        Number of threads that decode, by joblib.

    Returns
    -------
    dict of int to str
        The reason for each row that cannot be read, in ascending order.
    """
    from joblib import Parallel, delayed

    reasons = Parallel(n_jobs=n_jobs, prefer="threads", batch_size=16)(
        delayed(_why_unreadable)(recording, sampling_rate, duration)
        for recording in recordings
        if not _is_read_once(recording)
    )
    rows = [row for row, each in enumerate(recordings) if not _is_read_once(each)]
    found = zip(rows, reasons, strict=True)
    return {row: reason for row, reason in found if reason is not None}


def _is_read_once(recording):
    if is_segment(recording):
        recording = recording[0]
    return hasattr(recording, "read") and not can_seek(recording)


def _why_unreadable(recording, sampling_rate, duration):
    try:
        decode_start(recording, sampling_rate=sampling_rate, duration=duration)
    except ValueError as error:
        return str(error)
    return None
