"""Exceptions and warnings that skemotion raises."""

from collections.abc import Iterable

__all__ = [
    "AdaptationWarning",
    "AudioError",
    "AudioWarning",
    "CancellationWarning",
    "CheckpointWarning",
    "IncompleteAudioWarning",
    "NoSpeechWarning",
    "ResamplingWarning",
    "SilentBeginningWarning",
    "TruncationWarning",
    "UnreadableWarning",
    "WorkerError",
]

_N_SHOWN = 10


class AudioError(ValueError):
    """One or more recordings cannot be read.

    Parameters
    ----------
    failures : iterable of (str, str)
        The name of each unreadable recording and the reason, in this order.
    hint : str, default=""
        What can be done, the last line of the message.

    Attributes
    ----------
    failures : list of (str, str)
        All of them; the message shows the first ten and counts the rest.
    hint : str
        As given.

    Examples
    --------
    >>> from skemotion.exceptions import AudioError
    >>> print(AudioError([("a.wav", "no such file")]))
    1 recording cannot be read:
      a.wav: no such file
    """

    def __init__(self, failures: Iterable[tuple[str, str]], hint: str = ""):
        self.failures = list(failures)
        self.hint = hint
        super().__init__(self.failures)

    def __str__(self) -> str:
        n_failures = len(self.failures)
        noun = "recording" if n_failures == 1 else "recordings"
        lines = [f"{n_failures} {noun} cannot be read:"]
        lines += [f"  {name}: {reason}" for name, reason in self.failures[:_N_SHOWN]]
        if n_failures > _N_SHOWN:
            lines.append(f"  and {n_failures - _N_SHOWN} more")
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class WorkerError(RuntimeError):
    """A worker process has died before its work was done."""


class ResamplingWarning(UserWarning):
    """A sampler's parameters were adapted to a small training set."""


class AdaptationWarning(UserWarning):
    """A model was adapted to fewer recordings than that takes."""


class CheckpointWarning(UserWarning):
    """A training is not kept, or what was kept of it cannot be used.

    The training itself goes on, and its result is the same.
    """


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


class AudioWarning(UserWarning):
    """There is something odd about recordings, which are used all the same.

    Parameters
    ----------
    message : str
        What is shown.
    names : iterable of str
        The recordings.

    Attributes
    ----------
    names : list of str
        All of them, where the message shows ten.
    """

    def __init__(self, message: str, names: Iterable[str] = ()):
        super().__init__(message)
        self.names = list(names)


class IncompleteAudioWarning(AudioWarning):
    """Some recordings hold less than their headers say; what they hold is used."""


class CancellationWarning(AudioWarning):
    """The channels of some recordings cancel when they are averaged."""


class TruncationWarning(AudioWarning):
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
        super().__init__(message, names)
        self.duration = duration


class UnreadableWarning(UserWarning):
    """Recordings cannot be read, and work went on without them.

    Parameters
    ----------
    message : str
        What is shown.
    rows : iterable of int
        The rows of X that cannot be read.
    failures : iterable of (str, str)
        The name of each of them, and the reason.

    Attributes
    ----------
    rows : list of int
        All of them, where the message shows ten.
    failures : list of (str, str)
        As :class:`AudioError` has them, in the order of `rows`.

    Examples
    --------
    >>> import warnings
    >>> from skemotion import SpeechFeatureExtractor
    >>> extractor = SpeechFeatureExtractor(on_error="warn")
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     X = extractor.transform(["gone.wav", [0.5] * 16000])
    >>> caught[0].message.rows, caught[0].message.failures
    ([0], [('gone.wav', 'no such file')])
    >>> X.any(axis=(1, 2))
    array([False,  True])
    """

    def __init__(
        self,
        message: str,
        rows: Iterable[int] = (),
        failures: Iterable[tuple[str, str]] = (),
    ):
        super().__init__(message)
        self.rows = list(rows)
        self.failures = list(failures)


class SilentBeginningWarning(AudioWarning):
    """There is next to no sound in what was looked at of recordings, but behind it."""
