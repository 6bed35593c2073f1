"""Exceptions and warnings that skemotion raises."""

from collections.abc import Iterable

__all__ = [
    "AdaptationWarning",
    "AudioError",
    "NoSpeechWarning",
    "ResamplingWarning",
    "TruncationWarning",
    "WorkerError",
]

_N_SHOWN = 10


class AudioError(ValueError):
    """One or more recordings cannot be read.

    Parameters
    ----------
    failures : iterable of (str, str)
        The name of each unreadable recording and the reason, in this order.

    Attributes
    ----------
    failures : list of (str, str)
        All of them; the message shows the first ten and counts the rest.

    Examples
    --------
    >>> from skemotion.exceptions import AudioError
    >>> print(AudioError([("a.wav", "no such file")]))
    1 recording cannot be read:
      a.wav: no such file
    """

    def __init__(self, failures: Iterable[tuple[str, str]]):
        self.failures = list(failures)
        super().__init__(self.failures)

    def __str__(self) -> str:
        n_failures = len(self.failures)
        noun = "recording" if n_failures == 1 else "recordings"
        lines = [f"{n_failures} {noun} cannot be read:"]
        lines += [f"  {name}: {reason}" for name, reason in self.failures[:_N_SHOWN]]
        if n_failures > _N_SHOWN:
            lines.append(f"  and {n_failures - _N_SHOWN} more")
        return "\n".join(lines)


class WorkerError(RuntimeError):
    """A worker process has died before its work was done."""


class ResamplingWarning(UserWarning):
    """A sampler's parameters were adapted to a small training set."""


class AdaptationWarning(UserWarning):
    """A model was adapted to fewer recordings than that takes."""


class NoSpeechWarning(UserWarning):
    """Recordings without speech were answered as if all classes were as likely.

    Parameters
    ----------
    message : str
        What is shown.
    rows : iterable of int
        The rows of X that hold no speech.

    Attributes
    ----------
    rows : list of int
        All of them, where the message shows ten.
    """

    def __init__(self, message: str, rows: Iterable[int] = ()):
        super().__init__(message)
        self.rows = list(rows)


class TruncationWarning(UserWarning):
    """Only the beginning of some recordings was looked at.

    Parameters
    ----------
    message : str
        What is shown.
    names : iterable of str
        The recordings that are longer.
    duration : float
        What was looked at, in seconds.

    Attributes
    ----------
    names : list of str
        All of them, where the message shows ten.
    duration : float
        What was looked at, in seconds.
    """

    def __init__(self, message: str, names: Iterable[str] = (), duration: float = 0.0):
        super().__init__(message)
        self.names = list(names)
        self.duration = duration
