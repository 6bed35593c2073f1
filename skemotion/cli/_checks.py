"""What is looked at before long work, so that it is not lost in the end."""

import os
import re
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.base import clone

from skemotion._files import refuse_existing, refuse_folder
from skemotion.audio import check_audio
from skemotion.audio._unreadable import (
    find_unreadable,
    raise_unreadable,
    warn_unreadable,
)
from skemotion.cli._labels import take_rows
from skemotion.model_selection import stratified_validation_split

_MIN_PER_CLASS = 2
_MAX_REHEARSED = 3
_RATE = 16000
_OFF = (None, "passthrough")
_HINT = (
    "--on-error warn leaves them out and says which. skemotion check CORPUS looks at "
    "all of a corpus, and with -o TABLE.csv lists what can be used."
)


def check_new_file(path, example):
    """Raise where a file cannot be written, or is there already."""
    path = Path(path)
    refuse_folder(path, example)
    refuse_existing([path])
    check_folder(path.parent)


def check_folder(path):
    """Raise where a folder is no folder, or cannot be made or written to."""
    existing = Path(path).absolute()
    while not os.path.lexists(existing):
        existing = existing.parent
    if not existing.is_dir():
        raise NotADirectoryError(
            f"nothing can be written to {path}: {existing} is not a folder."
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(
            f"nothing can be written to {path}: the folder {existing} does not allow "
            "it."
        )


def check_readable(paths):
    """Raise AudioError for recordings that are seen to be unreadable."""
    failures = {}
    for row, path in enumerate(paths):
        try:
            check_audio(path)
        except ValueError as error:
            failures[row] = str(error)
    raise_unreadable(failures, paths, _HINT)


def keep_readable_rows(corpus, options):
    """Return the corpus without recordings that cannot be read, if that is asked for.

    Raises
    ------
    AudioError
        If it is not, and it can be seen without decoding that there are some.
    ValueError
        If fewer than two labels are left.
    """
    if options.on_error == "raise":
        check_readable(corpus.paths)
        return corpus
    failures = find_unreadable(corpus.paths, n_jobs=options.n_jobs)
    warn_unreadable(failures, corpus.paths, ", and are left out")
    if not failures:
        return corpus
    kept = np.ones(len(corpus.paths), dtype=bool)
    kept[list(failures)] = False
    return take_rows(corpus, kept, "what can be read leaves the corpus")


def check_counts(target, name):
    """Raise where a class has too few recordings to be learnt."""
    counts = Counter(target.tolist())
    lonely = sorted(label for label in counts if counts[label] < _MIN_PER_CLASS)
    if lonely:
        raise ValueError(
            f"{name} has one recording only of {', '.join(lonely)}, and at least "
            f"{_MIN_PER_CLASS} of every class are needed: add some, or leave the "
            f"class out by --map {lonely[0]}= ."
        )


def check_pipeline(pipeline, settings, target, groups=None):
    """Raise where a pipeline cannot be trained as it is set.

    Parameters
    ----------
    pipeline : EmotionPipeline
        Not fitted, and left so.
    settings : list of (str, object)
        What --set has set in it.
    target : ndarray of shape (n_recordings,)
        The classes to train on.
    groups : ndarray of shape (n_recordings,), default=None
        The speakers.
    """
    _check_steps(pipeline)
    for name, step in _parts(pipeline):
        _check_parameters(name, step, settings)
    trained = np.arange(len(target))
    if pipeline.validation_fraction is not None:
        trained, _ = stratified_validation_split(
            target,
            pipeline.validation_fraction,
            groups=groups,
            random_state=pipeline.random_state,
        )
    if settings or hasattr(pipeline["balance"], "fit_resample"):
        _rehearse(clone(pipeline), target[trained])


def _check_steps(pipeline):
    for name, step in pipeline.steps:
        if step in _OFF and name in ("extract", "classify"):
            what = "hears" if name == "extract" else "predicts"
            raise ValueError(
                f"--set {name}={step}: without {name}, nothing {what}. Steps that can "
                "be left out are augment, scale and balance."
            )
        if step not in _OFF and not hasattr(step, "get_params"):
            raise ValueError(
                f"--set {name}={step}: a step can be left out, by {name}=passthrough, "
                "but it cannot be replaced here."
            )


def _parts(pipeline):
    """Return all that has parameters, each with the name before the underscores."""
    yield "", pipeline
    if pipeline.novelty_detector is not None:
        yield "novelty_detector", pipeline.novelty_detector
    yield from ((name, step) for name, step in pipeline.steps if step not in _OFF)


def _check_parameters(name, step, settings):
    try:
        step._validate_params()
    except ValueError as error:
        found = re.match(r"The '(\w+)' parameter of \w+ (.*)", str(error), re.DOTALL)
        if not found:
            raise
        full = f"{name}__{found[1]}" if name else found[1]
        given = dict(settings).get(full)
        if full not in dict(settings):
            raise
        hint = ""
        if isinstance(given, str) and given.lower() in ("none", "true", "false"):
            hint = f" Write {given.capitalize()}."
        raise ValueError(
            f"--set {full}={given}: {full} {found[2].rstrip()}{hint}"
        ) from error


def _rehearse(pipeline, target):
    """Train for an epoch on noise with a few of the labels, and forget it all."""
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.normal(size=(4, _RATE)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        augment, extract = pipeline["augment"], pipeline["extract"]
        if augment not in _OFF:
            augment.fit_resample(list(noise), np.unique(target)[[0, 0, 1, 1]])
        shape = (
            extract.set_params(memory=None, verbose=0)
            .fit_transform(noise[:1])
            .shape[1:]
        )
        rows = _first_of_each(target)
        X = rng.normal(size=(len(rows), *shape)).astype(np.float32)
        pipeline.set_params(classify__epochs=1, validation_fraction=None)
        pipeline.sequence_steps.fit(X, target[rows])


def _first_of_each(target):
    rows = [np.flatnonzero(target == label) for label in np.unique(target)]
    return np.concatenate([each[:_MAX_REHEARSED] for each in rows])
