"""What is said in the end of recordings that have no answer."""

import sys
from collections.abc import Sequence

from skemotion._messages import shorten
from skemotion._text import printable
from skemotion.cli._formats import NO_SPEECH
from skemotion.exceptions import AudioError


def conclude(failures: Sequence[tuple[str, str]]) -> int:
    """Name the recordings without an answer, and return the exit code.

    Parameters
    ----------
    failures : sequence of (str, str)
        Path and error of each.

    Raises
    ------
    AudioError
        If any cannot be read.
    """
    silent = [path for path, error in failures if error == NO_SPEECH]
    if silent:
        noun = "recording holds" if len(silent) == 1 else "recordings hold"
        print(
            f"skemotion: {len(silent)} {noun} no speech: {printable(shorten(silent))}",
            file=sys.stderr,
        )
    unreadable = [failure for failure in failures if failure[1] != NO_SPEECH]
    if unreadable:
        raise AudioError(unreadable)
    return int(bool(silent))
