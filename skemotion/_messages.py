"""What is said of lists that are too long to be shown."""

import sys
import warnings
from collections.abc import Sequence
from typing import Any

from skemotion.exceptions import (
    AudioWarning,
    CancellationWarning,
    IncompleteAudioWarning,
    SilentBeginningWarning,
    TruncationWarning,
)

BELOW = "\n  "  # one below another, indented
_N_SHOWN = 10
_LIBRARIES = ("skemotion", "sklearn", "imblearn", "scikeras")


def shorten(names: Sequence[str], separator: str = ", ") -> str:
    """Join the first ten names and count the rest.

    Parameters
    ----------
    names : sequence of str
    separator : {", ", BELOW}, default=", "
    """
    listed = separator.join(names[:_N_SHOWN])
    n_more = len(names) - _N_SHOWN
    if n_more <= 0:
        return listed
    return f"{listed}{BELOW if separator == BELOW else ' '}and {n_more} more"


# What is said of recordings, by the kind of warning.
_TEXTS: dict[type[AudioWarning], str] = {
    IncompleteAudioWarning: (
        "{n} of {total} recordings {hold} less than the header says, as if cut; what "
        "there is was used: {names}. Copy or download {them} again."
    ),
    CancellationWarning: (
        "the channels of {n} of {total} recordings cancel to next to nothing when they "
        "are averaged, as if one were turned upside down: {names}. Pass one channel "
        "alone, such as (signal[:, 0], sampling_rate) of soundfile.read."
    ),
    TruncationWarning: (
        "{n} of {total} recordings {are} longer than duration={duration} s; the rest "
        "of {them} is not looked at: {names}."
    ),
    SilentBeginningWarning: (
        "{n} of {total} recordings {are} next to silent in the first "
        "duration={duration} s, and nothing else is looked at, but not behind: "
        "{names}. Set hop_duration of EmotionPipeline, raise duration, or pass a "
        "segment (recording, start, end)."
    ),
}
_ONE = {"are": "is", "hold": "holds", "them": "it"}
_MANY = {"are": "are", "hold": "hold", "them": "them"}


class Remarks:
    """What is odd about recordings, gathered to be said once of each kind."""

    def __init__(self) -> None:
        self._names: dict[type[AudioWarning], list[str]] = {kind: [] for kind in _TEXTS}

    def note(self, name: str, findings: Any) -> None:
        """Note what was found out about a recording.

        Parameters
        ----------
        name : str
            Of the recording.
        findings : Findings
            As :func:`skemotion.audio.decode_start` makes them.
        """
        found = {
            IncompleteAudioWarning: findings.ends_early,
            CancellationWarning: findings.channels_cancel,
            TruncationWarning: findings.is_cut,
            SilentBeginningWarning: findings.begins_silent,
        }
        for kind, is_so in found.items():
            if is_so:
                self._names[kind].append(name)

    def add(self, warning: AudioWarning) -> None:
        """Note what a warning says."""
        self._names[type(warning)] += warning.names

    def tell(self, n_recordings: int, duration: float = 0.0) -> None:
        """Warn, once for each kind of oddity that there is.

        Parameters
        ----------
        n_recordings : int
            How many there are in all, functions not counted.
        duration : float, default=0.0
            What was looked at, in seconds, if not all.
        """
        for kind, names in self._names.items():
            if not names:
                continue
            text = _TEXTS[kind].format(
                n=len(names),
                total=n_recordings,
                duration=duration,
                names=shorten(names),
                **(_ONE if len(names) == 1 else _MANY),
            )
            more = (duration,) if kind is TruncationWarning else ()
            warn_user(kind(text, names, *more))


def warn_user(warning: Warning) -> None:
    """Warn, and name the line that has called this package as its origin."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_library(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level)


def _is_library(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES
