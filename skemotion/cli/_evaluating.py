"""How well emotions are recognised: folds are trained and tested, or a model is."""

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from skemotion._evaluation import Evaluation
from skemotion._messages import shorten
from skemotion._version import __version__
from skemotion.cli._checks import (
    check_counts,
    check_folder,
    check_pipeline,
    check_readable,
)
from skemotion.cli._folds import Fold, KeptFolds, forget_folds, open_folds
from skemotion.cli._labels import check_known
from skemotion.cli._models import (
    check_speakers,
    comes_with_package,
    find_file,
    fit_on_standardized,
    is_by_speaker,
    load_model,
    predict_by_speaker,
    set_extraction,
    standardized_features,
)
from skemotion.cli._options import RECIPE
from skemotion.cli._protocols import divide
from skemotion.cli._recordings import Recordings
from skemotion.cli._silence import silence_noted
from skemotion.cli._terminal import note, progress_bar, say_resumed, shows_progress
from skemotion.cli._training import make_pipeline, watch_training

_CHUNK_SIZE = 64
_TRANSDUCTIVE = (
    "Transductive: features are standardised, without labels, over all recordings of "
    "the same speaker, those that are tested among them."
)


class _Plan(NamedTuple):
    """What is to be done, part by part, and what it is called.

    Attributes
    ----------
    words, caveats
        As of :class:`skemotion._evaluation.Evaluation`.
    classes : ndarray of shape (n_classes,)
        The columns of probabilities.
    parts : list of ndarray
        The rows that are tested together.
    answer : callable
        Called as ``answer(number, features)``, returns the fold of that number.
    by_fold : bool
        Whether the parts are folds, of which each was trained.
    """

    words: str
    caveats: list[str]
    classes: Any
    parts: list[Any]
    answer: Callable[[int, Path], Fold]
    by_fold: bool


def evaluate_corpus(
    options: Any, corpus: Any, *, tell: Callable[[str], None] = note
) -> Evaluation:
    """Cross-validate a recipe, or test a trained model.

    Folds that were finished before are not done again, where they are kept: in
    the folder `options.keep`, or else beside `options.out`, until
    :func:`forget_evaluation` is called.

    Parameters
    ----------
    options : argparse.Namespace
        With what :func:`skemotion.cli._options.add_evaluation_options` adds, and
        with the entries `corpus`, `out` and `usage_error`.
    corpus : Bunch
        With `paths`, `target`, `target_names` and `speakers`.
    tell : callable, default=note
        Is told about each fold as it ends.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        If options, labels or speakers do not go together, or recordings cannot
        be read: before any work, as far as that can be seen.
    """
    if options.by_speaker:
        check_speakers(corpus)
    for folder in (options.keep, options.cache):
        if folder:
            check_folder(folder)
    check_readable(corpus.paths)
    plan = (_plan_model if options.model else _plan_folds)(corpus, options)
    with open_folds(_folder(options), identity_of(options, corpus)) as (kept, features):
        folds = _work_through(plan, kept, features, corpus, options, tell)
    return _join(plan, folds, corpus)


def forget_evaluation(options: Any, corpus: Any) -> None:
    """Delete the folds that were kept beside what is written, now that it is."""
    if options.keep is None and options.out:
        forget_folds(_folder(options), identity_of(options, corpus))


def identity_of(options: Any, corpus: Any) -> Mapping[str, Any]:
    """Return what the folds of an evaluation depend on."""
    speakers = corpus.speakers
    columns = [corpus.paths, corpus.target, *([] if speakers is None else [speakers])]
    rows = list(zip(*(map(str, column) for column in columns), strict=True))
    names = ["path", "label", "speaker"][: len(columns)]
    return {
        "command": "evaluate",
        "version": __version__,
        "recordings": Recordings(names, rows).digest,
        "model": _digest(find_file(options.model)) if options.model else None,
        "protocol": options.protocol,
        "folds": options.folds,
        "n_per_class": options.n_per_class,
        "by_speaker": options.by_speaker,
        "recipe": options.recipe,
        "settings": [[name, repr(value)] for name, value in options.settings],
        "seed": options.seed,
    }


def _digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _folder(options):
    if options.keep:
        return options.keep
    return f"{options.out}.partial" if options.out else None


def _plan_folds(corpus, options):
    protocol = divide(corpus, options)
    check_counts(corpus.target, options.corpus)
    pipeline = make_pipeline(options)
    for train, _ in protocol.splits[:1]:
        groups = None if protocol.groups is None else protocol.groups[train]
        check_pipeline(pipeline, options.settings, corpus.target[train], groups)
    n_folds = len(protocol.splits)
    if n_folds > 1 and shows_progress() and not _folder(options):
        note(
            "finished folds are lost if this is stopped; --keep FOLDER would keep them"
        )
    standardized: list[Any] = []

    def answer(number, features):
        start = time.perf_counter()
        train, test = protocol.splits[number]
        groups = None if protocol.groups is None else protocol.groups[train]
        own = clone(pipeline)
        if "extract__memory" in own.get_params() and not options.cache:
            own.set_params(extract__memory=str(features))
        watch_training(own, f"fold {number + 1} of {n_folds}")
        with silence_noted() as silent:
            if options.by_speaker:
                if not standardized:
                    standardized.append(
                        standardized_features(
                            own["extract"], corpus.paths, corpus.speakers
                        )
                    )
                own["extract"].fit(corpus.paths[:1])
                X = standardized[0][train]
                own = fit_on_standardized(own, X, corpus.target[train], groups)
                predicted = _predict_voices(own, corpus, test)
            else:
                own.fit(corpus.paths[train], corpus.target[train], groups=groups)
                predicted = own.predict_proba(corpus.paths[test])
        probabilities = np.zeros((len(test), len(corpus.target_names)))
        columns = np.searchsorted(corpus.target_names, own.classes_)
        probabilities[:, columns] = predicted
        history = getattr(own.steps[-1][1], "history_", {})
        return Fold(
            test,
            probabilities,
            _as_mask(silent, len(test)),
            {name: [float(value) for value in history[name]] for name in history},
            time.perf_counter() - start,
        )

    return _Plan(
        protocol.words,
        [*protocol.caveats, *[_TRANSDUCTIVE] * options.by_speaker],
        corpus.target_names,
        [test for _, test in protocol.splits],
        answer,
        True,
    )


def _predict_voices(model, corpus, test):
    """Predict some recordings, each relative to all of its speaker's."""
    voices = np.flatnonzero(np.isin(corpus.speakers, corpus.speakers[test]))
    found = predict_by_speaker(model, corpus.paths[voices], corpus.speakers[voices])
    return found[np.searchsorted(voices, test)]


def _as_mask(rows, n_rows):
    mask = np.zeros(n_rows, dtype=bool)
    mask[list(rows)] = True
    return mask


def _plan_model(corpus, options):
    _refuse_training(options)
    path = find_file(options.model)
    model = load_model(path)
    if is_by_speaker(model) != options.by_speaker:
        raise ValueError(
            f"{options.model} was trained {'without' if options.by_speaker else 'with'}"
            " --by-speaker, and is evaluated so."
        )
    check_known(corpus, model.classes_, model=options.model, name=options.corpus)
    set_extraction(model, options)
    rows = np.arange(len(corpus.paths))
    size = len(rows) if options.by_speaker else _CHUNK_SIZE
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]

    def answer(number, features):
        chosen = parts[number]
        with silence_noted() as silent:
            if options.by_speaker:
                found = predict_by_speaker(model, corpus.paths, corpus.speakers)
            else:
                found = model.predict_proba(corpus.paths[chosen])
        found = np.asarray(found, dtype=np.float64)
        return Fold(chosen, found, _as_mask(silent, len(chosen)))

    return _Plan(
        f"{options.model} on all recordings of {options.corpus}.",
        [
            *_tell_training(path, options),
            *_tell_adaptation(model),
            *[_TRANSDUCTIVE] * options.by_speaker,
        ],
        np.array([str(label) for label in model.classes_]),
        parts,
        answer,
        False,
    )


def _refuse_training(options):
    """Complain about options that a trained model has no use for."""
    given = {
        "--protocol": options.protocol,
        "--folds": options.folds,
        "--n-per-class": options.n_per_class,
        "--set": options.settings,
        "--recipe": options.recipe != RECIPE,
        "--seed": options.seed,
    }
    useless = [name for name, value in given.items() if value]
    if useless:
        verb = "says" if len(useless) == 1 else "say"
        options.usage_error(
            f"{' and '.join(useless)} {verb} how to train, and --model is trained "
            "already: leave out the one or the other"
        )


def _tell_training(path, options):
    name = options.corpus
    if comes_with_package(path) and (name == "emodb" or name.startswith("emodb:")):
        return [
            f"{options.model} was trained on all recordings of EMO-DB: this says "
            "nothing about others."
        ]
    return [
        "This is honest only if none of them, and none of their speakers, was trained "
        "on."
    ]


def _tell_adaptation(model):
    n_recordings = getattr(model, "adapted_to_", None)
    if n_recordings is None:
        return []
    return [
        f"Adapted, without labels, to {n_recordings} recordings: transductive, if "
        "they are among these."
    ]


def _work_through(plan, kept: KeptFolds, features, corpus, options, tell):
    """Return all folds, those that are kept and those that are done now."""
    folds = {number: kept.load(number) for number in range(len(plan.parts))}
    done = {number: fold for number, fold in folds.items() if fold is not None}
    unit = "folds" if plan.by_fold else "parts"
    say_resumed(len(done), len(plan.parts), unit)
    total, n_before = len(corpus.paths), sum(len(fold.rows) for fold in done.values())
    shown = shows_progress() and not plan.by_fold
    with progress_bar(total, n_before, shown=shown) as bar:
        for number in range(len(plan.parts)):
            if number not in done:
                done[number] = plan.answer(number, features)
                kept.save(number, done[number])
                bar.update(len(done[number].rows))
            if plan.by_fold:
                tell(_describe(number, done[number], plan, corpus))
                _tell_time_left(done, number, len(plan.parts))
    return [done[number] for number in range(len(plan.parts))]


def _describe(number, fold, plan, corpus):
    """Say what one fold has found."""
    from skemotion.metrics import unweighted_average_recall

    whose = ""
    if corpus.speakers is not None:
        names = np.unique(corpus.speakers[fold.rows]).tolist()
        if len(names) < len(np.unique(corpus.speakers)):
            noun = "speaker" if len(names) == 1 else "speakers"
            whose = f", {noun} {shorten(names)}"
    y_pred = plan.classes[fold.probabilities.argmax(axis=1)]
    uar = unweighted_average_recall(corpus.target[fold.rows], y_pred)
    return (
        f"fold {number + 1} of {len(plan.parts)}{whose}: {len(fold.rows)} recordings, "
        f"UAR {uar:.3f}"
    )


def _tell_time_left(done, number, n_folds):
    n_left = n_folds - number - 1
    if shows_progress() and n_left and len(done) == number + 1:
        mean = sum(fold.seconds for fold in done.values()) / len(done)
        note(
            f"fold {number + 1} of {n_folds} took {_duration(done[number].seconds)}, "
            f"about {_duration(mean * n_left)} left"
        )


def _duration(seconds):
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _join(plan, folds, corpus):
    """Put folds together, in the order of the corpus."""
    rows = np.concatenate([fold.rows for fold in folds])
    numbers = np.repeat(np.arange(len(folds)), [len(fold.rows) for fold in folds])
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    return Evaluation(
        paths=corpus.paths[rows],
        y_true=corpus.target[rows],
        probabilities=np.concatenate([fold.probabilities for fold in folds])[order],
        classes=plan.classes,
        protocol=plan.words,
        caveats=plan.caveats,
        speakers=None if corpus.speakers is None else corpus.speakers[rows],
        folds=numbers[order] if plan.by_fold else None,
        silent=np.concatenate([fold.silent for fold in folds])[order],
        histories=[fold.history for fold in folds if fold.history],
    )
