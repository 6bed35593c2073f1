"""What is odd about a corpus, found before anything is trained on it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from skemotion._messages import BELOW, shorten
from skemotion._validation._labels import check_labels
from skemotion._validation._parameters import validate_params
from skemotion._validation._rows import check_same_length
from skemotion.audio import check_recordings, count_samples, recording_name
from skemotion.datasets._looks import Look, look_at_all
from skemotion.voice_activity import SHORTEST_SPEECH

# In the order in which they are reported.
KINDS = (
    *("unreadable", "small class", "cut short", "silent", "no speech", "too short"),
    *("too long", "clipped", "low rate", "other rate", "duplicate", "few for SMOTE"),
    *("few for folds", "class of one speaker", "speaker of one class"),
)
_CLIPPED = 1e-4  # share of samples at the peak
_LOUD = 0.1  # peak below which steps of the converter look like clipping
_FEWEST = 2  # recordings of a class that can be trained on


class Finding(NamedTuple):
    """One thing that is odd.

    Attributes
    ----------
    kind : str
        What it is: one of KINDS.
    stops : bool
        Whether training would stop there.
    row : int or None
        The row of X; None if it is of a class or a speaker.
    name : str
        The recording, as errors name it, the class, or the speaker.
    detail : str
        What was found.
    """

    kind: str
    stops: bool
    row: int | None
    name: str
    detail: str


@dataclass(frozen=True)
class CorpusCheck:
    """What :func:`~skemotion.datasets.check_corpus` has found. As text, it is a report.

    Parameters
    ----------
    n_recordings : int
        How many were looked at.
    findings : list of Finding
        All that is odd, kind by kind. Each is a named tuple with `kind`, `stops`
        (whether training would stop there), `row` of X (None for what is found of a
        class or a speaker), `name` and `detail`.

    Attributes
    ----------
    n_recordings, findings
        As given.

    See Also
    --------
    check_corpus : Makes it, and says what it looks for.

    Examples
    --------
    >>> from skemotion.datasets import check_corpus
    >>> check = check_corpus(["gone.wav", [0.5] * 16000])
    >>> check.usable
    array([False,  True])
    >>> check.findings[0].kind, check.findings[0].detail
    ('unreadable', 'no such file')
    """

    n_recordings: int
    findings: list[Finding]

    @property
    def stops(self) -> bool:
        """Whether training would stop at something."""
        return any(found.stops for found in self.findings)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Mask of shape (n_recordings,), False for rows that would stop training."""
        mask = np.ones(self.n_recordings, dtype=bool)
        stopping = [found.row for found in self.findings if found.stops]
        mask[[row for row in stopping if row is not None]] = False
        return mask

    def rows(self, kind: str) -> NDArray[np.intp]:
        """Return the rows of X of which something was found.

        Parameters
        ----------
        kind : str
            What, such as "duplicate".

        Returns
        -------
        ndarray of shape (n_rows,), dtype intp
            In ascending order.
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}.")
        rows = [found.row for found in self.findings if found.kind == kind]
        return np.array([row for row in rows if row is not None], dtype=np.intp)

    def __str__(self) -> str:
        verdict = "training would stop" if self.stops else "nothing stops training"
        lines = [f"{self.n_recordings} recordings looked at: {verdict}."]
        for kind, group in groupby(self.findings, lambda found: found.kind):
            found = list(group)
            mark = ", stops training" if found[0].stops else ""
            lines += ["", f"{kind} ({len(found)}{mark}):"]
            details = [f"{each.name}: {each.detail}" for each in found]
            lines.append(f"  {shorten(details, separator=BELOW)}")
        return "\n".join(lines)


@validate_params(
    {
        "duration": [Interval(Real, 0, None, closed="neither")],
        "sampling_rate": [Interval(Integral, 1, None, closed="left")],
        "k_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }
)
def check_corpus(
    X: Any,
    y: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    *,
    duration: float = 5.0,
    sampling_rate: int = 16000,
    k_neighbors: int = 5,
    n_folds: int = 5,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> CorpusCheck:
    """Look at all recordings of a corpus, and tell what is odd about them.

    Every recording is read to its end, block by block, so that memory does not grow
    with the length of recordings. What would stop training is told from what is
    worth to know.

    Parameters
    ----------
    X : sequence of recordings
        As :meth:`skemotion.SpeechFeatureExtractor.transform` takes them.
    y : array-like of shape (n_recordings,), default=None
        Class labels. Without them, nothing is said of classes.
    groups : array-like of shape (n_recordings,), default=None
        Speakers. Without them, nothing is said of speakers.
    duration : float, default=5.0
        What is trained on of a recording, in seconds: `duration` of the extractor.
    sampling_rate : int, default=16000
        Rate to which recordings are brought, in Hz.
    k_neighbors : int, default=5
        How many neighbours SMOTE chooses from.
    n_folds : int, default=5
        Number of folds of a cross-validation. With `groups`, whole speakers are left
        out, and a class should be of as many speakers.
    n_jobs : int, default=None
        Number of threads that read, by joblib.
    verbose : int, default=0
        If positive, a progress bar is shown on standard error.

    Returns
    -------
    CorpusCheck
        With the attributes `findings`, `stops` and `usable`. Printed, it is a report.

    See Also
    --------
    load_recordings : Loads a corpus of yours.

    Notes
    -----
    These are the kinds. The first two stop training.

    "unreadable"
        It cannot be decoded to its end. Where the fault lies behind `duration`,
        training goes on, but predictions by windows, which read all, stop.
    "small class"
        It has one recording that can be read, or is the only one.
    "cut short"
        It holds less than its header says.
    "silent"
        All its samples are the same.
    "no speech"
        Nobody speaks in it, as :func:`skemotion.voice_activity.has_speech` tells
        from parts of 16 s.
    "too short"
        It is shorter than 0.3 s, which no speech is.
    "too long"
        It is longer than `duration`, and its rest is not trained on.
    "clipped"
        A ten thousandth of its samples, or more, are at the peak, three or more
        side by side.
    "low rate"
        It is sampled at less than `sampling_rate`, and lacks the upper frequencies.
    "other rate"
        It is sampled at another rate than most of the others.
    "duplicate"
        It holds the same samples, at the same rate, as an earlier one. In a
        cross-validation, one of them may be trained on and the other tested.
    "few for SMOTE"
        A class that SMOTE would add to has not `k_neighbors` others to each.
    "few for folds"
        A class has fewer recordings than there are folds, or fewer speakers.
    "class of one speaker"
        Where that speaker is left out, the class is not trained on.
    "speaker of one class"
        Several recordings of a speaker are all of one class, so that the voice gives
        the answer away.

    Examples
    --------
    >>> from skemotion.datasets import check_corpus, make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=2, n_texts=4, random_state=0)
    >>> recordings, y = [*speech.signals, [0.0] * 32000], [*speech.target, "anger"]
    >>> recordings[1] = "gone.wav"
    >>> found = check_corpus(recordings, y)
    >>> print(found)
    57 recordings looked at: training would stop.
    <BLANKLINE>
    unreadable (1, stops training):
      gone.wav: no such file
    <BLANKLINE>
    silent (1):
      X[56]: all samples are 0
    >>> found.rows("silent"), found.usable[:3]
    (array([56]), array([ True, False,  True]))
    """
    recordings = check_recordings(X)
    check_same_length(recordings, y=y, groups=groups)
    target = None if y is None else check_labels(y)
    speakers = None if groups is None else check_labels(groups, "groups")
    looks: Iterable[Look] = look_at_all(
        recordings, sampling_rate=sampling_rate, n_jobs=n_jobs
    )
    if verbose:
        from tqdm import tqdm

        looks = tqdm(looks, total=len(recordings), desc="check", unit="rec")
    names = [recording_name(each, row) for row, each in enumerate(recordings)]
    seen = list(looks)
    findings = [
        *_of_recordings(seen, names, duration, sampling_rate),
        *_of_rates(seen, names, sampling_rate),
        *_of_duplicates(seen, names, target, speakers),
    ]
    readable = np.array([not look.error for look in seen])
    if target is not None:
        target = target[readable]
        speakers = None if speakers is None else speakers[readable]
        findings += _of_classes(target, k_neighbors)
        if speakers is None:
            findings += _of_folds(Counter(target.tolist()), n_folds, "recording")
        else:
            findings += _of_speakers(target, speakers, n_folds)
    findings.sort(key=lambda found: KINDS.index(found.kind))  # rows stay in order
    return CorpusCheck(len(recordings), findings)


def _of_recordings(
    looks: Sequence[Look], names: Sequence[str], duration: float, sampling_rate: int
) -> Iterator[Finding]:
    """Yield what is odd about each recording by itself."""
    for row, (look, name) in enumerate(zip(looks, names, strict=True)):
        if look.error:
            yield Finding("unreadable", True, row, name, look.error)
            continue
        for kind, detail in _describe(look, duration, sampling_rate):
            yield Finding(kind, False, row, name, detail)


def _describe(
    look: Look, duration: float, sampling_rate: int
) -> Iterator[tuple[str, str]]:
    if look.ends_early:
        yield "cut short", f"{look.seconds:.2f} s, less than its header says"
    if look.seconds < SHORTEST_SPEECH:
        yield "too short", f"{look.seconds:.3f} s"
    elif look.is_steady:
        yield "silent", f"all samples are {look.peak:.3g}"
    elif not look.has_speech:
        yield "no speech", f"in {look.seconds:.2f} s"
    if look.n_samples > count_samples(duration, look.rate):
        yield "too long", f"{look.seconds:.2f} s, of which {duration:g} s are used"
    share = look.n_clipped / look.n_samples
    if share >= _CLIPPED and look.peak >= _LOUD and not look.is_steady:
        yield "clipped", f"{look.n_clipped} samples, {share:.2%}, at {look.peak:.3g}"
    if look.rate < sampling_rate:
        yield "low rate", f"{look.rate:g} Hz, where {sampling_rate} Hz are wanted"


def _of_rates(
    looks: Sequence[Look], names: Sequence[str], sampling_rate: int
) -> Iterator[Finding]:
    counts = Counter(look.rate for look in looks if not look.error)
    for row, look in enumerate(looks):
        usual = counts.most_common(1)[0][0] if counts else look.rate
        if not look.error and look.rate != usual and look.rate >= sampling_rate:
            detail = f"{look.rate:g} Hz, where most have {usual:g} Hz"
            yield Finding("other rate", False, row, names[row], detail)


def _of_duplicates(looks, names, target, speakers) -> Iterator[Finding]:
    first: dict[bytes, int] = {}
    for row, look in enumerate(looks):
        if look.error or look.is_steady:
            continue
        other = first.setdefault(look.digest, row)
        if other == row:
            continue
        detail = f"the same as {names[other]}"
        for what, column in (("labelled", target), ("of speaker", speakers)):
            if column is not None and column[other] != column[row]:
                detail += f", {what} {column[row]} and not {column[other]}"
        yield Finding("duplicate", False, row, names[row], detail)


def _of_classes(target: NDArray, k_neighbors: int) -> Iterator[Finding]:
    counts = Counter(target.tolist())
    largest = max(counts.values(), default=0)
    for label in sorted(counts):
        n, name = counts[label], str(label)
        if len(counts) < _FEWEST:
            yield Finding("small class", True, None, name, "it is the only class")
        elif n < _FEWEST:
            yield Finding("small class", True, None, name, "1 recording")
        elif n < largest and n <= k_neighbors:
            detail = f"{_count(n, 'recording')}, so that k_neighbors is lowered to "
            yield Finding("few for SMOTE", False, None, name, f"{detail}{n - 1}")


def _of_folds(counts, n_folds: int, noun: str) -> Iterator[Finding]:
    for label in sorted(counts):
        if _FEWEST <= counts[label] < n_folds:
            detail = f"{_count(counts[label], noun)} for {n_folds} folds"
            yield Finding("few for folds", False, None, str(label), detail)


def _of_speakers(target, speakers, n_folds: int) -> Iterator[Finding]:
    voices: dict[Any, set] = defaultdict(set)
    labels: dict[Any, Counter] = defaultdict(Counter)
    for label, speaker in zip(target.tolist(), speakers.tolist(), strict=True):
        voices[label].add(speaker)
        labels[speaker][label] += 1
    sizes = Counter(target.tolist())
    for label in sorted(voices):
        if len(voices[label]) > 1 or sizes[label] < _FEWEST:
            continue
        detail = f"all of speaker {shorten(list(map(str, voices[label])))}"
        yield Finding("class of one speaker", False, None, str(label), detail)
    counts = {label: len(voices[label]) for label in voices}
    yield from _of_folds(counts, min(n_folds, len(labels)), "speaker")
    for speaker in sorted(labels):
        n = labels[speaker].total()
        if len(labels[speaker]) == 1 and n > 1 and len(voices) > 1:
            detail = f"all {n} recordings are of {next(iter(labels[speaker]))}"
            name = str(speaker)
            yield Finding("speaker of one class", False, None, name, detail)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"
