"""Labels of a corpus in other words."""

from difflib import get_close_matches

import numpy as np

from skemotion._messages import shorten
from skemotion.cli._corpus import load_corpus
from skemotion.datasets._labelled import LabelledSpeech


def load_labelled(name, pairs, *, must_exist=True):
    """Load a corpus, and rename its labels.

    Parameters
    ----------
    name : str
        As on the command line.
    pairs : list of (str, str)
        Each label that is renamed, and what it is called then. Recordings of
        which that is empty are left out.

    Returns
    -------
    LabelledSpeech

    Raises
    ------
    ValueError
        If the corpus has no such label, one is given two names, or fewer than
        two are left.
    """
    corpus = load_corpus(name, must_exist=must_exist)
    if not pairs:
        return corpus
    names = _check_pairs(pairs, corpus.target_names.tolist(), name)
    target = np.array([names.get(label, label) for label in corpus.target.tolist()])
    kept = target != ""
    return take_rows(corpus, kept, f"--map leaves {name}", target)


def take_rows(corpus, kept, what, target=None):
    """Return some recordings of a corpus, perhaps with other labels.

    Parameters
    ----------
    corpus : LabelledSpeech
    kept : ndarray of shape (n_recordings,), dtype bool
        Which.
    what : str
        The beginning of what is said if they are too few.
    target : ndarray of shape (n_recordings,), default=None
        Their labels. None: those of `corpus`.

    Raises
    ------
    ValueError
        If fewer than two labels are left.
    """
    target = corpus.target if target is None else target
    speakers = corpus.speakers
    classes = np.unique(target[kept])
    if len(classes) < 2:
        raise ValueError(
            f"{what} with {len(classes)} label, and at least two are needed: "
            f"{', '.join(classes.tolist()) or 'none is left'}."
        )
    return LabelledSpeech(
        paths=corpus.paths[kept],
        target=target[kept],
        speakers=None if speakers is None else speakers[kept],
        target_names=classes,
    )


def _check_pairs(pairs, known, corpus):
    names: dict[str, str] = {}
    for label, emotion in pairs:
        if label not in known:
            raise ValueError(
                f"--map {label}={emotion}: {corpus} has no label {label}, only "
                f"{shorten(known)}."
            )
        if names.setdefault(label, emotion) != emotion:
            raise ValueError(
                f"--map gives {label} two names, {names[label]} and {emotion}."
            )
    return names


def check_known(corpus, classes, *, model, name):
    """Raise where a model cannot give the labels of a corpus."""
    known = [str(label) for label in classes]
    unknown = [label for label in corpus.target_names.tolist() if label not in known]
    if not unknown:
        return
    pairs = [f"{label}={_nearest(label, known)}" for label in unknown]
    raise ValueError(
        f"{model} does not know {_count(unknown)} of {name}: {shorten(unknown)}. It "
        f"knows {', '.join(known)}. Say what they are called there, as by --map "
        f"{' --map '.join(pairs[:10])}, or leave them out by --map {unknown[0]}= ."
    )


def _count(labels):
    return f"{len(labels)} label{'s' * (len(labels) > 1)}"


def _nearest(label, known):
    return next(iter(get_close_matches(label.lower(), known, 1, 0.5)), "EMOTION")
