"""Fitted models of the folds, kept in files, for scripts that ask the same ones."""

import time
from pathlib import Path
from types import SimpleNamespace

import joblib
from _recipes import make_model
from _runs import name_revision

from skemotion._speakers._left_out import leave_speakers_out


def fitted_folds(corpus, folder, *, recipe="recommended", model="attention", seed=0):
    """Yield each speaker with the model that has not heard them.

    Parameters
    ----------
    corpus : Bunch
        As :func:`skemotion.datasets.load_emodb` returns it.
    folder : path-like
        Where fitted models, and features, are kept. What is there is not fitted
        again.
    recipe, model, seed
        As in ``emodb.py``.

    Yields
    ------
    speaker : str
    test : ndarray of shape (n_test,)
        Rows of the speaker's recordings.
    pipeline : EmotionPipeline
        Fitted on all other rows.
    """
    for train, test in leave_speakers_out(corpus.speakers):
        speaker = str(corpus.speakers[test[0]])
        pipeline = fit_fold(corpus, train, speaker, folder, recipe, model, seed)
        yield speaker, test, pipeline


def fit_fold(corpus, train, name, folder, recipe, model, seed):
    """Fit a model on some rows, or load it if that has been done."""
    folder = Path(folder)
    args = SimpleNamespace(protocol="loso", recipe=recipe, cache=str(folder / "cache"))
    revision = name_revision(args, model)
    path = folder / f"{recipe}-{model}-{seed}-{revision}-{name}.joblib"
    if not path.exists():
        start = time.perf_counter()
        pipeline = make_model(args, model, seed)
        groups = corpus.speakers[train]
        pipeline.fit(corpus.paths[train], corpus.target[train], groups=groups)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        joblib.dump(pipeline, temporary)
        temporary.replace(path)
        print(f"fold {name}: {time.perf_counter() - start:.0f} s", flush=True)
    return joblib.load(path)
