"""Protocols that leave speakers out: what the command line and benchmarks test."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import (
    LeaveOneGroupOut,
    LeavePGroupsOut,
    StratifiedGroupKFold,
)

Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def leave_speakers_out(
    speakers: ArrayLike,
    y: ArrayLike | None = None,
    n_folds: int | None = None,
    random_state: Any = None,
) -> Splits:
    """Leave every speaker out once, alone or in one of some groups.

    Parameters
    ----------
    speakers : array-like of shape (n_recordings,)
        Who speaks.
    y : array-like of shape (n_recordings,), default=None
        Class of each recording, by which groups are made alike.
    n_folds : int, default=None
        Number of groups. None: each speaker is left out alone.
    random_state : int, RandomState instance or None, default=None
        Determines the groups.

    Returns
    -------
    list of (ndarray, ndarray)
        Rows to train on and rows to test, for each fold, in ascending order of
        speakers where each is left out alone. Groups without a row are left out.

    Raises
    ------
    ValueError
        If there are fewer than two speakers, or recordings cannot be put into so many
        groups.

    Examples
    --------
    >>> from skemotion._speakers._left_out import leave_speakers_out
    >>> for train, test in leave_speakers_out(["ann", "ben", "ann"]):
    ...     print(train, test)
    [1] [0 2]
    [0 2] [1]
    """
    speakers = np.asarray(speakers)
    labels = np.zeros(len(speakers)) if y is None else y
    splitter = LeaveOneGroupOut()
    if n_folds is not None:
        splitter = StratifiedGroupKFold(
            n_folds, shuffle=True, random_state=random_state
        )
    splits = splitter.split(speakers, labels, speakers)
    return [(train, test) for train, test in splits if len(test)]


def leave_speaker_pairs_out(speakers: ArrayLike) -> Splits:
    """Leave out every two speakers.

    Parameters
    ----------
    speakers : array-like of shape (n_recordings,)
        Who speaks.

    Returns
    -------
    list of (ndarray, ndarray)
        Rows to train on and rows to test, for each fold.

    Examples
    --------
    >>> from skemotion._speakers._left_out import leave_speaker_pairs_out
    >>> [test.tolist() for _, test in leave_speaker_pairs_out(["a", "b", "c"])]
    [[0, 1], [0, 2], [1, 2]]
    """
    speakers = np.asarray(speakers)
    return list(LeavePGroupsOut(2).split(speakers, groups=speakers))


def leave_speakers_and_texts_out(speakers: ArrayLike, texts: ArrayLike) -> Splits:
    """Leave out one speaker and one text at a time.

    Parameters
    ----------
    speakers, texts : array-like of shape (n_recordings,)
        Who speaks, and what is said.

    Returns
    -------
    list of (ndarray, ndarray)
        For each speaker and text that are recorded: rows of neither, to train on, and
        rows of both, to test.

    Examples
    --------
    >>> from skemotion._speakers._left_out import leave_speakers_and_texts_out
    >>> splits = leave_speakers_and_texts_out(["a", "a", "b", "b"], [1, 2, 1, 2])
    >>> [(train.tolist(), test.tolist()) for train, test in splits]
    [([3], [0]), ([2], [1]), ([1], [2]), ([0], [3])]
    """
    speakers, texts = np.asarray(speakers), np.asarray(texts)
    by_speaker, by_text = (
        np.unique(names, return_inverse=True)[1] for names in (speakers, texts)
    )
    return [
        (
            np.flatnonzero((by_speaker != speaker) & (by_text != text)),
            np.flatnonzero((by_speaker == speaker) & (by_text == text)),
        )
        for speaker, text in np.unique(np.column_stack([by_speaker, by_text]), axis=0)
    ]
