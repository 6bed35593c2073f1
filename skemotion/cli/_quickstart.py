"""``skemotion quickstart``: the whole way once, and what it found."""

import shlex
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from skemotion.cli._checks import (
    check_counts,
    check_folder,
    check_pipeline,
    keep_readable_rows,
)
from skemotion.cli._labels import load_labelled
from skemotion.cli._scores import (
    name_silence,
    print_report,
    save_confusion_matrix,
    save_figure,
)
from skemotion.cli._terminal import say
from skemotion.cli._training import (
    make_pipeline,
    save_pipeline,
    unwatch,
    watch_training,
)
from skemotion.cli._warnings import silence_noted
from skemotion.datasets import make_emotional_speech
from skemotion.inspection import (
    AttentionDisplay,
    ClassBalanceDisplay,
    TrainingHistoryDisplay,
)

_SYNTHETIC = (
    "This was synthetic speech, made by the package itself: the numbers show that "
    "everything works, and say nothing about human voices."
)


def run(options):
    """Train, test on unheard speakers, predict once, draw, and save."""
    check_folder(options.out)
    corpus = keep_readable_rows(_load(options), options)
    check_counts(corpus.target, options.data or "the synthetic speech")
    recordings = corpus.paths
    train, test = _split(corpus, options.seed)
    groups = None if corpus.speakers is None else corpus.speakers[train]
    pipeline = make_pipeline(options)
    check_pipeline(pipeline, options.settings, corpus.target[train], groups)
    watch_training(pipeline)
    say(
        f"{len(recordings)} recordings, {len(corpus.target_names)} emotions; "
        f"training on {len(train)}, testing on {len(test)}{_whose(corpus, test)}"
    )
    pipeline.fit(recordings[train], corpus.target[train], groups=groups)
    unwatch(pipeline)

    with silence_noted() as silent:
        probabilities = pipeline.predict_proba(recordings[test])
    y_true = corpus.target[test]
    best = pipeline.classes_[probabilities.argmax(axis=1)]
    y_pred = name_silence(best, np.isin(np.arange(len(test)), silent))
    speakers = None if corpus.speakers is None else corpus.speakers[test]
    print_report(y_true, y_pred, speakers)
    _print_example(recordings[test[0]], y_true[0], pipeline.classes_, probabilities[0])

    folder = Path(options.out)
    sequences = pipeline["extract"].transform(recordings[test])
    saved = _draw(folder, pipeline, sequences, corpus.target[train], y_true, y_pred)
    model = folder / "model.joblib"
    save_pipeline(pipeline, model)
    listed = "\n  ".join(map(str, [*saved, model]))
    say(f"\nsaved\n  {listed}")
    words = ["skemotion", "predict", "-m", str(model), recordings[test[0]]]
    say(f"\ntry: {shlex.join(words)}")
    if options.data is None:
        say(_SYNTHETIC)


def _load(options):
    if options.data is not None:
        return load_labelled(options.data, options.label_map)
    folder = Path(options.out, "recordings")
    say("making synthetic speech")
    return make_emotional_speech(folder=folder, random_state=options.seed)


def _split(corpus, seed):
    """Hold out about a third of the speakers, or of the rows without speakers."""
    rows = np.arange(len(corpus.paths))
    if corpus.speakers is None or len(np.unique(corpus.speakers)) < 3:
        return train_test_split(
            rows, test_size=0.3, stratify=corpus.target, random_state=seed
        )
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    return next(splitter.split(rows, corpus.target, corpus.speakers))


def _whose(corpus, test):
    if corpus.speakers is None or len(np.unique(corpus.speakers)) < 3:
        return " (of speakers that may be in both)"
    names = ", ".join(np.unique(corpus.speakers[test]).tolist())
    return f" of speakers that are not trained on ({names})"


def _print_example(recording, label, classes, probabilities):
    print(f"\n{recording}, in truth {label}:")
    width = max(map(len, map(str, classes)))
    for index in probabilities.argsort()[::-1]:
        bar = "#" * round(40 * probabilities[index])
        print(f"  {classes[index]!s:<{width}}  {probabilities[index]:.2f}  {bar}")


def _draw(folder, pipeline, sequences, y_train, y_true, y_pred):
    """Draw what the steps have to show, from what has been computed already."""
    yield save_confusion_matrix(folder, y_true, y_pred)
    balance, classifier = pipeline["balance"], pipeline["classify"]
    if hasattr(balance, "fit_resample"):
        _, y_balanced = balance.fit_resample(np.zeros((len(y_train), 1, 1)), y_train)
        yield save_figure(
            folder,
            "class_balance.png",
            lambda ax: ClassBalanceDisplay.from_arrays(y_train, y_balanced, ax=ax),
        )
    if hasattr(classifier, "history_"):
        yield save_figure(
            folder,
            "training_history.png",
            lambda ax: TrainingHistoryDisplay.from_estimator(classifier, ax=ax),
            n_axes=2,
        )
    if hasattr(classifier, "attention"):
        seconds = pipeline["extract"].frame_seconds
        yield save_figure(
            folder,
            "attention.png",
            lambda ax: AttentionDisplay.from_estimator(
                pipeline.sequence_steps, sequences, frame_seconds=seconds, ax=ax
            ),
        )
