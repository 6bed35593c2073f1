"""Which recordings hold no speech, as models tell it."""

import warnings
from contextlib import contextmanager

from skemotion.exceptions import NoSpeechWarning


@contextmanager
def silence_noted():
    """Give a list, which has the rows without speech behind the block.

    Other warnings go on their way.
    """
    rows: list[int] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NoSpeechWarning)
        yield rows
    for warning in caught:
        if isinstance(warning.message, NoSpeechWarning):
            rows[:] = warning.message.rows
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
