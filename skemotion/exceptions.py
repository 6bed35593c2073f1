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
    """A worker process has died before its work was done.

    Examples
    --------
    >>> from skemotion import SpeechFeatureExtractor
    >>> from skemotion.exceptions import WorkerError
    >>> extractor = SpeechFeatureExtractor(n_jobs=2)
    >>> recordings = [[0.5] * 16000] * 4
    >>> try:
    ...     X = extractor.transform(recordings)
    ... except WorkerError:  # for want of memory, say
    ...     X = extractor.set_params(n_jobs=1).transform(recordings)
    >>> X.shape
    (4, 157, 46)
    """


class ResamplingWarning(UserWarning):
    """A sampler's parameters were adapted to a small training set.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skemotion import SequenceSampler
    >>> X = np.random.default_rng(0).normal(size=(7, 4, 2))
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     X, y = SequenceSampler(random_state=0).fit_resample(X, list("aaaabbb"))
    >>> print(caught[0].message)
    k_neighbors=5 lowered to 2: class 'b' has 3 recordings.
    """


class AdaptationWarning(UserWarning):
    """A model was adapted to fewer recordings than that takes.

    Examples
    --------
    >>> import warnings
    >>> from skemotion import adapt, load_pretrained
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     adapted = adapt(load_pretrained(), speech.signals[:3])
    >>> caught[0].category.__name__
    'AdaptationWarning'
    """


class CheckpointWarning(UserWarning):
    """A training is not kept, or what was kept of it cannot be used.

    The training itself goes on, and its result is the same.

    Examples
    --------
    Training stops in place of going on without a checkpoint:

    >>> import warnings
    >>> from skemotion.exceptions import CheckpointWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", CheckpointWarning)
    ...     pipeline.fit(paths, emotions)  # doctest: +SKIP
    """


class NoSpeechWarning(UserWarning):
    """Recordings without speech were answered as if all classes were as likely.

    Parameters
    ----------
    message : str
        What is shown.
    rows : iterable of int, default=()
        The rows of X that hold no speech.

    Attributes
    ----------
    rows : list of int
        All of them, where the message shows ten.

    Examples
    --------
    >>> import warnings
    >>> from skemotion import load_pretrained
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     emotions = load_pretrained().predict([[0.0] * 16000])
    >>> caught[0].message.rows
    [0]
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
    names : iterable of str, default=()
        The recordings.

    Attributes
    ----------
    names : list of str
        All of them, where the message shows ten.

    Examples
    --------
    >>> import warnings
    >>> from skemotion import SpeechFeatureExtractor
    >>> from skemotion.exceptions import AudioWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", AudioWarning)  # of whatever kind
    ...     X = SpeechFeatureExtractor().transform([[0.5] * 96000])
    """

    def __init__(self, message: str, names: Iterable[str] = ()):
        super().__init__(message)
        self.names = list(names)


class IncompleteAudioWarning(AudioWarning):
    """Some recordings hold less than their headers say; what they hold is used.

    Parameters
    ----------
    message : str
        What is shown.
    names : iterable of str, default=()
        The recordings.

    Attributes
    ----------
    names : list of str
        All of them, where the message shows ten.

    Examples
    --------
    >>> import io
    >>> import warnings
    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, [0.5] * 16000, 16000, format="WAV")
    >>> cut = io.BytesIO(file.getvalue()[:20000])
    >>> from skemotion import SpeechFeatureExtractor
    >>> extractor = SpeechFeatureExtractor()
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     X = extractor.transform([cut])
    >>> caught[0].category.__name__, caught[0].message.names
    ('IncompleteAudioWarning', ['X[0]'])
    """


class CancellationWarning(AudioWarning):
    """The channels of some recordings cancel when they are averaged.

    Parameters
    ----------
    message : str
        What is shown.
    names : iterable of str, default=()
        The recordings.

    Attributes
    ----------
    names : list of str
        All of them, where the message shows ten.

    Examples
    --------
    >>> import io
    >>> import warnings
    >>> import numpy as np
    >>> import soundfile
    >>> noise = np.random.default_rng(0).normal(scale=0.1, size=16000)
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.stack([noise, -noise], axis=1), 16000, format="WAV")
    >>> file.seek(0)
    0
    >>> from skemotion import SpeechFeatureExtractor
    >>> extractor = SpeechFeatureExtractor()
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     X = extractor.transform([file])
    >>> caught[0].category.__name__, caught[0].message.names
    ('CancellationWarning', ['X[0]'])
    """


class TruncationWarning(AudioWarning):
    """Only the beginning of some recordings was looked at.

    Parameters
    ----------
    message : str
        What is shown.
    names : iterable of str, default=()
        The recordings that are longer.
    duration : float, default=0.0
        What was looked at, in seconds.

    Attributes
    ----------
    names : list of str
        All of them, where the message shows ten.
    duration : float
        What was looked at, in seconds.

    Examples
    --------
    >>> import warnings
    >>> from skemotion import SpeechFeatureExtractor
    >>> extractor = SpeechFeatureExtractor()
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     X = extractor.transform([[0.5] * 96000])
    >>> caught[0].message.names, caught[0].message.duration
    (['X[0]'], 5.0)
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
    rows : iterable of int, default=()
        The rows of X that cannot be read.
    failures : iterable of (str, str), default=()
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
    """There is next to no sound in what was looked at of recordings, but behind it.

    Parameters
    ----------
    message : str
        What is shown.
    names : iterable of str, default=()
        The recordings.

    Attributes
    ----------
    names : list of str
        All of them, where the message shows ten.

    Examples
    --------
    >>> import warnings
    >>> from skemotion import SpeechFeatureExtractor
    >>> extractor = SpeechFeatureExtractor()
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     X = extractor.transform([[0.0] * 96000 + [0.5] * 16000])
    >>> caught[-1].category.__name__, caught[-1].message.names
    ('SilentBeginningWarning', ['X[0]'])
    """
