"""Warnings of many chunks, which are told once."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from skemotion._messages import Remarks
from skemotion.exceptions import AudioWarning, NoSpeechWarning, UnreadableWarning

_W = TypeVar("_W", bound=Warning)


@contextmanager
def noted(category: type[_W]) -> Iterator[list[_W]]:
    """Give a list, which has the warnings of a kind behind the block.

    Others are given as ever.
    """
    found: list[_W] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", category)
        yield found
    for warning in caught:
        if isinstance(warning.message, category):
            found.append(warning.message)
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


@contextmanager
def silence_noted() -> Iterator[list[int]]:
    """Give a list, which has the rows without speech behind the block."""
    rows: list[int] = []
    with noted(NoSpeechWarning) as found:
        yield rows
    rows += [row for warning in found for row in warning.rows]


@contextmanager
def unreadable_noted() -> Iterator[dict[int, str]]:
    """Give a dict, which has the reason for each unreadable row behind the block."""
    reasons: dict[int, str] = {}
    with noted(UnreadableWarning) as found:
        yield reasons
    for warning in found:
        texts = [reason for _, reason in warning.failures]
        reasons |= dict(zip(warning.rows, texts, strict=True))


class OddRecordings:
    """What is odd about recordings, of one chunk after another."""

    def __init__(self) -> None:
        self._remarks = Remarks()
        self._duration = 0.0
        self._n_recordings = 0

    @contextmanager
    def collected(self, n_recordings: int) -> Iterator[None]:
        """Note what is found out about those of a chunk, and say nothing."""
        with noted(AudioWarning) as found:
            yield
        self._n_recordings += n_recordings
        for warning in found:
            self._remarks.add(warning)
            self._duration = getattr(warning, "duration", self._duration)

    def tell(self) -> None:
        """Say what there was, if there was anything."""
        self._remarks.tell(self._n_recordings, self._duration)
