"""``skemotion evaluate``."""

import contextlib
import csv
import tempfile

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

from skemotion._files import atomic_path
from skemotion.cli._corpus import load_corpus
from skemotion.cli._models import (
    check_speakers,
    is_by_speaker,
    load_model,
    predict_by_speaker,
    standardized_features,
)
from skemotion.cli._scores import print_report, save_confusion_matrix
from skemotion.cli._training import make_pipeline, watch_training
from skemotion.model_selection import balanced_holdout

_MAX_FOLDS = 10
_TRANSDUCTIVE = (
    "Transductive: features are standardised, without labels, over all recordings of "
    "the same speaker, those that are tested among them."
)


def run(options):
    """Print how well emotions are recognised, and under which protocol."""
    corpus = load_corpus(options.corpus)
    if options.by_speaker:
        check_speakers(corpus)
    if options.model:
        caption = (
            f"{options.model} on all recordings of {options.corpus}: honest only if "
            "none of them, and none of their speakers, was trained on."
        )
        tested = np.arange(len(corpus.paths))
        model = load_model(options.model)
        caption += _tell_adaptation(model)
        y_pred = _predict(model, corpus, options)
    else:
        caption, splits = _SPLITTERS[options.protocol](corpus, options)
        tested, y_pred = _cross_validate(corpus, splits, options)
    print(caption, *[_TRANSDUCTIVE] * options.by_speaker, sep="\n", end="\n\n")
    y_true = corpus.target[tested]
    speakers = None if corpus.speakers is None else corpus.speakers[tested]
    print_report(y_true, y_pred, speakers)
    if options.predictions:
        _write_predictions(options.predictions, corpus.paths[tested], y_true, y_pred)
    if options.figures:
        print(f"saved {save_confusion_matrix(options.figures, y_true, y_pred)}")


def _tell_adaptation(model):
    n_recordings = getattr(model, "adapted_to_", None)
    if n_recordings is None:
        return ""
    return (
        f"\nAdapted, without labels, to {n_recordings} recordings: transductive, if "
        "they are among these."
    )


def _predict(model, corpus, options):
    if is_by_speaker(model) != options.by_speaker:
        known = "without" if options.by_speaker else "with"
        raise ValueError(
            f"{options.model} was trained {known} --by-speaker, and is evaluated so."
        )
    if not options.by_speaker:
        return model.predict(corpus.paths)
    probabilities = predict_by_speaker(model, corpus.paths, corpus.speakers)
    return model.classes_[probabilities.argmax(axis=1)]


def _split_by_speaker(corpus, options):
    if corpus.speakers is None:
        raise ValueError(
            f"the speakers of {options.corpus} are not known: give a CSV table with a "
            "column speaker, or --protocol holdout, whose numbers do not hold for new "
            "voices."
        )
    n_speakers = len(np.unique(corpus.speakers))
    if n_speakers <= _MAX_FOLDS:
        splitter = LeaveOneGroupOut()
        caption = f"Speaker-independent: each of {n_speakers} speakers left out once."
    else:
        splitter = StratifiedGroupKFold(
            _MAX_FOLDS, shuffle=True, random_state=options.seed
        )
        caption = f"Speaker-independent: {n_speakers} speakers in {_MAX_FOLDS} folds."
    splits = splitter.split(corpus.paths, corpus.target, corpus.speakers)
    return caption, list(splits)


def _split_holdout(corpus, options):
    holdout = balanced_holdout(
        corpus.target, options.n_per_class, random_state=options.seed
    )
    caption = (
        f"One test set of {options.n_per_class} recordings per class. Its speakers "
        "are also in the training set: expect less on new voices."
    )
    return caption, [(holdout.train, holdout.test)]


_SPLITTERS = {"speaker": _split_by_speaker, "holdout": _split_holdout}


def _cross_validate(corpus, splits, options):
    """Return the rows that were tested and their predictions, fold after fold."""
    pipeline, X = make_pipeline(options), corpus.paths
    if options.by_speaker:
        X = standardized_features(pipeline["extract"], X, corpus.speakers)
        pipeline = pipeline.sequence_steps
    with _features_kept(pipeline):
        return _predict_folds(pipeline, X, corpus, splits, options)


@contextlib.contextmanager
def _features_kept(pipeline):
    """Let all folds have a cache of features, which learn nothing, if none is set."""
    if pipeline.get_params().get("extract__memory", "none needed") is not None:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        yield pipeline.set_params(extract__memory=folder)


def _predict_folds(pipeline, X, corpus, splits, options):
    tested, y_pred = [], []
    for number, (train, test) in enumerate(splits, start=1):
        fold = watch_training(clone(pipeline), f"fold {number}/{len(splits)}")
        groups = None if corpus.speakers is None else corpus.speakers[train]
        if options.protocol == "holdout":
            groups = None
        fold.fit(X[train], corpus.target[train], groups=groups)
        tested.append(test)
        y_pred.append(fold.predict(X[test]))
    return np.concatenate(tested), np.concatenate(y_pred)


def _write_predictions(path, recordings, y_true, y_pred):
    with (
        atomic_path(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "label", "prediction"])
        writer.writerows(zip(recordings, y_true, y_pred, strict=True))
    print(f"saved {path}")
