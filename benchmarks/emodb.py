"""Score recipes on the Berlin EMO-DB under a named protocol.

    python benchmarks/emodb.py --protocol post --seeds 0 1 2

writes one JSON file per model and seed to ``benchmarks/results/`` and prints
the table of all that are there. A run that has its file is not repeated, unless
the file is stale: ``_revisions.py`` says when it is.
The corpus is found by ``--emodb`` or the environment variable
``SKEMOTION_EMODB``. Give ``--cache`` where several runs are made, so that they
extract each recording once. Copies that a recipe trains on are cached, too, by what
they hold, so that folds share them.

Protocols
---------
post
    The post's own, LEAKY: the scaler is fitted on all 535 recordings, and the
    test set chooses the epoch. Speakers and sentences of the test set are in
    the training set.
holdout
    The post's 140 test recordings, but scaler and epochs are chosen without
    them. Speakers and sentences of the test set are in the training set.
loso
    Leave one speaker out: scaler, balancing and network come from the other
    nine speakers. Where the recipe stops early, it does so on recordings of
    speakers among those nine that are not trained on. Scored once over all 535
    predictions.
loso-speaker
    The same, after every speaker's recordings were standardised by their own
    mean and deviation, and so were each speaker's copies in training. TRANSDUCTIVE:
    it looks at the recordings of the speaker left out, all of them at once, though
    not at their labels.
loso-adapted
    Leave one speaker out, and adapt the model to all recordings of that speaker
    (:func:`skemotion.adapt`) before it predicts them. TRANSDUCTIVE, as the above.
loso-text
    Leave out one speaker and one sentence at a time: of the recordings that are
    trained on, none is of the speaker, and none of the sentence, that is tested.
loso-pairs
    Leave two speakers out at a time, for ``nested.py`` to choose by.

Recipes
-------
recommended, descriptors, post
    Those of :func:`skemotion.make_emotion_pipeline`.
without-..., with-...
    The recipe "descriptors" with a part changed, to see what the part gives. ``longer``
    is 30 epochs for 20. Several changes are joined by ``+``; of two runs, one with
    a change more than the other, the shorter one is the reference.
opensmile-egemaps, opensmile-compare
    openSMILE's functionals in place of descriptors, for ``svm`` and ``lda``, without
    copies in training (``pip install opensmile`` before).

Models
------
attention, blstm
    The networks.
svm
    Functionals of the same sequences, copies in training included, and
    scikit-learn's SVC as it comes, with balanced class weights: what a network
    has to beat. Of an encoder's frames, mean and deviation, and a linear SVC with
    C = 0.01. Not under ``post``.
lda
    The same with linear discriminant analysis, shrunk after Ledoit and Wolf, and
    without copies in training. Not under ``post``.
vote
    The soft vote of ``attention``, which counts four times, and ``lda``: what
    scikit-learn's VotingClassifier makes of the two pipelines. Its runs are put
    together from theirs, which are made where they are missing.

Every fold is kept as soon as it is scored, so that a run that was stopped goes
on where it was, if nothing that it depends on has changed since.
"""

import argparse
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from _opensmile import SETS
from _recipes import (
    FLAT,
    NETWORKS,
    VOTES,
    check_recipe,
    make_model,
    predict_probabilities,
)
from _results import RESULTS, read, write
from _runs import (
    describe,
    load_current,
    markdown_table,
    name_revision,
    run_path,
    summarise_run,
    write_run,
)
from _smoke import parse_options
from sklearn.base import clone

from skemotion import SequenceSampler, SequenceScaler, adapt
from skemotion._speakers._left_out import (
    leave_speaker_pairs_out,
    leave_speakers_and_texts_out,
    leave_speakers_out,
)
from skemotion._speakers._standardized import extract_standardized, fit_standardized
from skemotion.datasets import load_emodb
from skemotion.exceptions import AdaptationWarning
from skemotion.model_selection import balanced_holdout

# The protocol and recipe whose attention figure_emodb.py draws.
DRAWN = ("loso", "recommended")


def main():
    args = _parse_arguments()
    corpus = load_emodb(args.emodb)
    with tempfile.TemporaryDirectory() as folder:
        args.cache = args.cache or folder
        for seed in args.seeds:
            for model in args.models:
                run = find_run(corpus, args, model, seed)
                print(run_path(args, model, seed).name, summarise_run(run), flush=True)
    print(markdown_table())


def find_run(corpus, args, model, seed):
    """Return a run that is kept, and make it before if it is not, or stale."""
    path = run_path(args, model, seed)
    run = load_current(path)
    if run is None:
        make = run_vote if model == "vote" else PROTOCOLS[args.protocol]
        run = {**describe(args, model, seed), **make(corpus, args, model, seed)}
        write_run(path, run)
    return run


def run_vote(corpus, args, model, seed):
    """Average the probabilities of the runs that vote."""
    members = [find_run(corpus, args, name, seed)["folds"] for name in VOTES]
    weights = list(VOTES.values())
    folds = []
    for parts in zip(*members, strict=True):
        votes = np.average([p["probabilities"] for p in parts], 0, weights)
        seconds = round(sum(p["seconds"] for p in parts), 1)
        fold = {"probabilities": np.round(votes, 5).tolist(), "seconds": seconds}
        folds.append({**parts[0], **fold})
    return {"folds": folds}


def run_post(corpus, args, model, seed):
    """Train as the post does, leaks and all."""
    X = _extract(args, corpus)
    holdout = balanced_holdout(corpus.target, 20, random_state=42)
    X = SequenceScaler(scope="cell").fit_transform(X)
    X_train, y_train = SequenceSampler(random_state=seed).fit_resample(
        X[holdout.train], corpus.target[holdout.train]
    )
    X_test, y_test = X[holdout.test], corpus.target[holdout.test]
    classifier = NETWORKS[model](random_state=seed)
    start = time.perf_counter()
    classifier.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    seconds = time.perf_counter() - start
    fold = _fold(classifier, X_test, holdout.test, corpus, seconds)
    return {"folds": [fold], "n_train": len(X_train)}


def run_holdout(corpus, args, model, seed):
    """Score the post's test recordings with nothing chosen on them."""
    holdout = balanced_holdout(corpus.target, 20, random_state=42)
    pipeline = make_model(args, model, seed)
    start = time.perf_counter()
    _fit(pipeline, corpus, holdout.train)
    seconds = time.perf_counter() - start
    fold = _fold(pipeline, corpus.paths[holdout.test], holdout.test, corpus, seconds)
    return {"folds": [fold]}


def run_loso(corpus, args, model, seed):
    """Leave one speaker out; early stopping on other speakers' recordings."""
    pipeline = make_model(args, model, seed)
    return _run_splits(
        leave_speakers_out(corpus.speakers),
        pipeline,
        corpus.paths,
        corpus,
        args,
        model,
        seed,
    )


def run_loso_adapted(corpus, args, model, seed):
    """Leave one speaker out, and adapt to all recordings of that speaker."""
    pipeline = make_model(args, model, seed)
    splits = leave_speakers_out(corpus.speakers)
    return _run_splits(
        splits, pipeline, corpus.paths, corpus, args, model, seed, adapts=True
    )


def run_loso_speaker(corpus, args, model, seed):
    """Leave one speaker out, each speaker standardised by all recordings of theirs."""
    pipeline = make_model(args, model, seed)
    extract = pipeline["extract"]
    X = extract_standardized(extract, corpus.paths, corpus.speakers)
    return _run_splits(
        leave_speakers_out(corpus.speakers),
        pipeline,
        X,
        corpus,
        args,
        model,
        seed,
        fit=_fit_standardized,
    )


def run_loso_text(corpus, args, model, seed):
    """Leave out one speaker and one sentence at a time."""
    splits = leave_speakers_and_texts_out(corpus.speakers, corpus.text_ids)
    pipeline = make_model(args, model, seed)
    return _run_splits(splits, pipeline, corpus.paths, corpus, args, model, seed)


def run_loso_pairs(corpus, args, model, seed):
    """Leave out every two speakers."""
    pipeline = make_model(args, model, seed)
    splits = leave_speaker_pairs_out(corpus.speakers)
    return _run_splits(splits, pipeline, corpus.paths, corpus, args, model, seed)


def _run_splits(splits, pipeline, X, corpus, args, model, seed, adapts=False, fit=None):
    fit = fit or _fit
    folds, revision = [], name_revision(args, model)
    for train, test in splits:
        name = f".{revision}.{len(folds)}.part"
        part = run_path(args, model, seed).with_suffix(name)
        if not part.exists():
            start = time.perf_counter()
            fitted = fit(clone(pipeline), corpus, train, corpus.speakers[train])
            seconds = time.perf_counter() - start
            if adapts:
                fitted = adapt_to(fitted, X[test])
            fold = _fold(fitted, X[test], test, corpus, seconds)
            if (args.protocol, args.recipe) == DRAWN:
                fold["attention"] = _bin_attention(fitted, X[test])
            write(part, fold)
        folds.append(read(part))
    for part in RESULTS.glob(run_path(args, model, seed).stem + ".*.part"):
        part.unlink()
    return {"folds": folds}


PROTOCOLS = {
    "loso": run_loso,
    "loso-text": run_loso_text,
    "loso-speaker": run_loso_speaker,
    "loso-adapted": run_loso_adapted,
    "holdout": run_holdout,
    "post": run_post,
    "loso-pairs": run_loso_pairs,
}


def _extract(args, corpus):
    return make_model(args, "attention", 0)["extract"].fit_transform(corpus.paths)


def _fit(pipeline, corpus, train, groups=None):
    return pipeline.fit(corpus.paths[train], corpus.target[train], groups=groups)


def _fit_standardized(pipeline, corpus, train, groups):
    return fit_standardized(pipeline, corpus.paths[train], corpus.target[train], groups)


def adapt_to(pipeline, recordings):
    """Adapt, also to fewer recordings than that takes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AdaptationWarning)
        return adapt(pipeline, recordings)


def _fold(model, X_test, test, corpus, seconds):
    """Keep every prediction of one fold, with its probabilities."""
    classifier = model[-1] if hasattr(model, "steps") else model
    history = getattr(classifier, "history_", {"loss": []})
    watched = history.get("val_loss", history["loss"])
    return {
        "seconds": round(seconds, 1),
        "epochs": len(history["loss"]),
        "best_epoch": 1 + int(np.argmin(watched)) if watched else 0,
        "classes": classifier.classes_.tolist(),
        "recordings": [Path(path).name for path in corpus.paths[test]],
        "y_true": corpus.target[test].tolist(),
        "probabilities": np.round(predict_probabilities(model, X_test), 5).tolist(),
    }


def _bin_attention(model, X_test, n_bins=10):
    """Sum each recording's attention in ten bins, as the post's picture does."""
    classifier = model[-1]
    if not hasattr(classifier, "attention"):
        return None
    sequences = X_test
    for step in model[:-1]:
        if hasattr(step, "transform"):
            sequences = step.transform(sequences)
    weights = classifier.attention(sequences)
    n_dropped = weights.shape[1] % n_bins
    bins = weights[:, n_dropped:].reshape(len(weights), n_bins, -1).sum(axis=2)
    return np.round(bins, 4).tolist()


SMOKE_OPTIONS = "--protocol loso --recipe descriptors --models attention lda --seeds 0"


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--protocol", choices=sorted(PROTOCOLS), required=True)
    parser.add_argument("--recipe", type=check_recipe)
    parser.add_argument("--cache", help="folder for descriptors, of copies too")
    parser.add_argument(
        "--models",
        nargs="+",
        choices=[*sorted(NETWORKS), *FLAT, "vote"],
        default=sorted(NETWORKS),
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    args = parse_options(parser, SMOKE_OPTIONS)
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    if args.recipe in SETS and not set(args.models) <= set(FLAT):
        parser.error(f"{args.recipe} is for --models {' '.join(FLAT)} alone")
    if args.protocol == "post" and not set(args.models) <= set(NETWORKS):
        parser.error(f"post is for --models {' '.join(NETWORKS)} alone")
    if args.recipe is None:
        args.recipe = "post" if args.protocol == "post" else "recommended"
    return args


if __name__ == "__main__":
    main()
