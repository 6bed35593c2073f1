"""Protocols: which recordings are trained on, and which are tested."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion._messages import shorten
from skemotion._speakers._left_out import leave_speakers_out
from skemotion.cli._options import MAX_SPEAKERS, N_PER_CLASS
from skemotion.model_selection import balanced_holdout


class Protocol(NamedTuple):
    """How a corpus is divided.

    Attributes
    ----------
    words : str
        What is held out.
    caveats : list of str
        What makes the numbers too kind, or hard to compare.
    splits : list of (ndarray, ndarray)
        Rows to train on and rows to test, for each fold.
    groups : ndarray of shape (n_recordings,) or None
        The speakers, where training may know them.
    """

    words: str
    caveats: list[str]
    splits: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]
    groups: NDArray[np.str_] | None


def divide(corpus, options):
    """Return the protocol that is asked for.

    Raises
    ------
    ValueError
        If options contradict each other, or the corpus is too small for them.
    """
    holdout = options.protocol == "holdout"
    if holdout and options.folds is not None:
        options.usage_error("--folds is for --protocol speaker, not for holdout")
    if not holdout and options.n_per_class is not None:
        options.usage_error("--n-per-class is for --protocol holdout")
    return (_hold_out if holdout else _leave_speakers_out)(corpus, options)


def largest_holdout(target):
    """Return how many recordings of every class a test set can hold at most."""
    return int(np.unique(target, return_counts=True)[1].min()) - 1


def _hold_out(corpus, options):
    n_per_class = options.n_per_class or N_PER_CLASS
    largest = largest_holdout(corpus.target)
    if n_per_class > largest:
        names, counts = np.unique(corpus.target, return_counts=True)
        advice = (
            f"give --n-per-class {largest} or less" if largest else "add recordings"
        )
        raise ValueError(
            f"--n-per-class {n_per_class} needs at least {n_per_class + 1} recordings "
            f"of every class, and {options.corpus} has {counts.min()} of "
            f"{names[counts.argmin()]}: {advice}."
        )
    holdout = balanced_holdout(corpus.target, n_per_class, random_state=options.seed)
    return Protocol(
        f"One test set of {n_per_class} recordings per class.",
        ["Its speakers are also in the training set: expect less on new voices."],
        [(holdout.train, holdout.test)],
        None,
    )


def _leave_speakers_out(corpus, options):
    n_speakers = _count_speakers(corpus, options)
    n_folds = options.folds or ("all" if n_speakers <= MAX_SPEAKERS else MAX_SPEAKERS)
    alone = n_folds in ("all", n_speakers)
    if not alone and n_folds > n_speakers:
        raise ValueError(
            f"--folds {n_folds}: {options.corpus} has {n_speakers} speakers, each of "
            "which can be left out once. Give fewer, or all."
        )
    with warnings.catch_warnings():
        # Classes with fewer recordings than folds are expected here.
        warnings.simplefilter("ignore", UserWarning)
        try:
            splits = leave_speakers_out(
                corpus.speakers,
                corpus.target,
                None if alone else int(n_folds),
                random_state=options.seed,
            )
        except ValueError as error:
            raise ValueError(
                f"{options.corpus} cannot be put into {n_folds} groups of speakers "
                f"({error}): give fewer --folds, or all."
            ) from error
    _check_trained(corpus, splits)
    words = f"Speaker-independent: each of {n_speakers} speakers left out once"
    if len(splits) < n_speakers:
        words = (
            f"Speaker-independent: {n_speakers} speakers in {len(splits)} groups, each "
            "of which is left out once"
        )
    return Protocol(f"{words}.", _untrained(corpus, splits), splits, corpus.speakers)


def _count_speakers(corpus, options):
    n_speakers = 0 if corpus.speakers is None else len(np.unique(corpus.speakers))
    if n_speakers >= 2:
        return n_speakers
    known = (
        f"all recordings of {options.corpus} are of one speaker: add others"
        if n_speakers
        else f"the speakers of {options.corpus} are not known: give a CSV table with "
        "a column speaker"
    )
    raise ValueError(
        f"{known}, or --protocol holdout, whose numbers do not hold for new voices."
    )


def _check_trained(corpus, splits):
    for train, test in splits:
        if len(np.unique(corpus.target[train])) < 2:
            names = shorten(np.unique(corpus.speakers[test]).tolist())
            raise ValueError(
                f"without speaker {names}, one class only is left to train on: add "
                "recordings, or give --protocol holdout."
            )


def _untrained(corpus, splits):
    """Say which classes are tested that were not trained on."""
    lost = {
        label
        for train, test in splits
        for label in np.setdiff1d(corpus.target[test], corpus.target[train]).tolist()
    }
    if not lost:
        return []
    return [
        f"All recordings of {shorten(sorted(lost))} are of speakers that are left out "
        "together: there they were not trained on, and none is recognised."
    ]
