"""How well emotions are recognised, fold by fold, resumed where it was killed."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import numpy as np

from skemotion._files import digest_of
from skemotion._messages import shorten
from skemotion._version import __version__
from skemotion.cli._checks import check_folder, keep_readable_rows
from skemotion.cli._folds import KeptFolds, forget_folds, has_folds, open_folds
from skemotion.cli._model_names import find_file
from skemotion.cli._models import check_speakers
from skemotion.cli._recordings import Recordings
from skemotion.cli._scores import name_silence
from skemotion.cli._side_by_side import count_processes, run_folds
from skemotion.cli._terminal import note, progress_bar, say_resumed, shows_progress
from skemotion.cli._trials import prepare_trial
from skemotion.metrics import unweighted_average_recall
from skemotion.report._evaluation import Evaluation


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
    trial = prepare_trial(corpus, options)
    if trial.by_fold and len(trial.parts) > 1 and not _folder(options):
        _tell_of_losses()
    with open_folds(_folder(options), identity_of(options, corpus)) as (kept, features):
        folds = _work_through(trial, kept, features, corpus, options, tell)
    return _join(trial, folds, corpus)


def load_for_new(options: Any, check: Callable[[], None], load: Callable) -> Any:
    """Return the corpus, once it is known that what is to be written is not there.

    That is not asked where folds of the same evaluation are kept beside it: a kill
    came after it was written.

    Parameters
    ----------
    options : argparse.Namespace
        As :func:`evaluate_corpus` takes them.
    check : callable
        Raises where something is there, or cannot be written.
    load : callable
        Takes the name of the corpus and the map of labels.
    """
    may_be_begun = options.keep is None and options.out and has_folds(_folder(options))
    if not may_be_begun:
        check()
    corpus = keep_readable_rows(load(options.corpus, options.label_map), options)
    if may_be_begun and not has_folds(_folder(options), identity_of(options, corpus)):
        check()
    return corpus


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
        "model": digest_of(find_file(options.model)) if options.model else None,
        "protocol": options.protocol,
        "folds": options.folds,
        "n_per_class": options.n_per_class,
        "by_speaker": options.by_speaker,
        "recipe": options.recipe,
        "settings": [[name, repr(value)] for name, value in options.settings],
        "seed": options.seed,
    }


def _folder(options):
    if options.keep:
        return options.keep
    return f"{options.out}.partial" if options.out else None


def _tell_of_losses():
    if shows_progress():
        note("finished folds are lost if this stops; --keep FOLDER would keep them")


def _work_through(trial, kept: KeptFolds, features, corpus, options, tell):
    """Return all folds, those that are kept and those that are done now."""
    numbers = range(len(trial.parts))
    folds = [kept.load(number) for number in numbers]
    missing = [number for number in numbers if folds[number] is None]
    n_before = len(numbers) - len(missing)
    say_resumed(n_before, len(numbers), "folds" if trial.by_fold else "parts")
    n_processes = _count_processes(trial, missing, options)
    if n_processes > 1:
        tell(f"{n_processes} folds at a time, each in a process of its own")
    total, n_tested = len(corpus.paths), sum(len(fold.rows) for fold in folds if fold)
    shown = shows_progress() and not trial.by_fold
    work = run_folds(trial, missing, features, kept, n_processes)
    with progress_bar(total, n_tested, shown=shown) as bar, closing(work):
        for number in numbers:
            fold = folds[number]
            is_new = fold is None
            if fold is None:
                fold = folds[number] = next(work)
                bar.update(len(fold.rows))
            if trial.by_fold:
                tell(_describe(number, fold, trial, corpus))
            if trial.by_fold and is_new:
                _tell_time_left(number, folds, n_processes)
    return folds


def _count_processes(trial, missing, options):
    if not trial.by_fold:
        return 1
    return count_processes(
        options.n_jobs, len(missing), trial.count_rows(), trial.count_epochs()
    )


def _describe(number, fold, trial, corpus):
    """Say what one fold has found."""
    whose = ""
    if corpus.speakers is not None:
        names = np.unique(corpus.speakers[fold.rows]).tolist()
        if len(names) < len(np.unique(corpus.speakers)):
            noun = "speaker" if len(names) == 1 else "speakers"
            whose = f", {noun} {shorten(names)}"
    best = trial.classes[fold.probabilities.argmax(axis=1)]
    y_pred = name_silence(best, fold.silent)
    uar = unweighted_average_recall(corpus.target[fold.rows], y_pred)
    return (
        f"fold {number + 1} of {len(trial.parts)}{whose}: {len(fold.rows)} recordings, "
        f"UAR {uar:.3f}"
    )


def _tell_time_left(number, folds, n_processes):
    done = [fold for fold in folds if fold is not None]
    n_left = len(folds) - len(done)
    if shows_progress() and n_left:
        mean = sum(fold.seconds for fold in done) / len(done)
        n_rounds = -(-n_left // n_processes)
        note(
            f"fold {number + 1} of {len(folds)} took "
            f"{_duration(folds[number].seconds)}, about "
            f"{_duration(mean * n_rounds)} left"
        )


def _duration(seconds):
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _join(trial, folds, corpus):
    """Put folds together, in the order of the corpus."""
    rows = np.concatenate([fold.rows for fold in folds])
    numbers = np.repeat(np.arange(len(folds)), [len(fold.rows) for fold in folds])
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    return Evaluation(
        paths=corpus.paths[rows],
        y_true=corpus.target[rows],
        probabilities=np.concatenate([fold.probabilities for fold in folds])[order],
        classes=trial.classes,
        protocol=trial.words,
        caveats=trial.caveats,
        speakers=None if corpus.speakers is None else corpus.speakers[rows],
        folds=numbers[order] if trial.by_fold else None,
        silent=np.concatenate([fold.silent for fold in folds])[order],
        histories=[fold.history for fold in folds if fold.history],
    )
