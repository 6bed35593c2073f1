"""What is said of lists that are too long to be shown."""

import sys
import warnings
from collections.abc import Sequence

from skemotion.exceptions import TruncationWarning

_N_SHOWN = 10
_LIBRARIES = ("skemotion", "sklearn", "imblearn", "scikeras")


def shorten(names: Sequence[str]) -> str:
    """Join the first ten names and count the rest."""
    listed = ", ".join(names[:_N_SHOWN])
    n_more = len(names) - _N_SHOWN
    return f"{listed} and {n_more} more" if n_more > 0 else listed


def warn_truncated(names: Sequence[str], n_recordings: int, duration: float) -> None:
    """Say of which recordings only the first seconds were looked at, if of any.

    Parameters
    ----------
    names : sequence of str
        Those that are longer.
    n_recordings : int
        How many there are in all, functions not counted.
    duration : float
        What was looked at, in seconds.
    """
    if not names:
        return
    verb = "is" if len(names) == 1 else "are"
    whole = "it" if len(names) == 1 else "them"
    warn_user(
        TruncationWarning(
            f"{len(names)} of {n_recordings} recordings {verb} longer than "
            f"duration={duration} s; the rest of {whole} is not looked at: "
            f"{shorten(names)}.",
            names,
            duration,
        )
    )


def warn_user(warning: Warning) -> None:
    """Warn, and name the line that has called this package as its origin."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_library(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level)


def _is_library(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES
