"""``skemotion quickstart``: the whole way once, and what it found."""

from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from skemotion.cli._corpus import load_corpus
from skemotion.cli._report import print_report, save_confusion_matrix, save_figure
from skemotion.cli._training import (
    make_pipeline,
    save_pipeline,
    unwatch,
    watch_training,
)
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
    corpus = _load(options)
    recordings = corpus.paths
    train, test = _split(corpus, options.seed)
    pipeline = watch_training(make_pipeline(options))
    print(
        f"{len(recordings)} recordings, {len(corpus.target_names)} emotions; "
        f"training on {len(train)}, testing on {len(test)}{_whose(corpus, test)}",
        flush=True,
    )
    groups = None if corpus.speakers is None else corpus.speakers[train]
    pipeline.fit(recordings[train], corpus.target[train], groups=groups)
    unwatch(pipeline)

    sequences = pipeline["extract"].transform(recordings[test])
    probabilities = pipeline.sequence_steps.predict_proba(sequences)
    y_true = corpus.target[test]
    y_pred = pipeline.classes_[probabilities.argmax(axis=1)]
    speakers = None if corpus.speakers is None else corpus.speakers[test]
    print_report(y_true, y_pred, speakers)
    _print_example(recordings[test[0]], y_true[0], pipeline.classes_, probabilities[0])

    folder = Path(options.output)
    saved = _draw(folder, pipeline, sequences, corpus.target[train], y_true, y_pred)
    model = folder / "model.joblib"
    save_pipeline(pipeline, model)
    print("\nsaved", *saved, model, sep="\n  ")
    print(f"\ntry: skemotion predict -m {model} {recordings[test[0]]}")
    if options.data is None:
        print(_SYNTHETIC)


def _load(options):
    if options.data is not None:
        return load_corpus(options.data)
    folder = Path(options.output, "recordings")
    print("making synthetic speech", flush=True)
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
