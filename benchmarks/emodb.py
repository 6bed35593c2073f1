"""Score recipes on the Berlin EMO-DB under a named protocol.

    python benchmarks/emodb.py --protocol post --seeds 0 1 2

writes one JSON file per model and seed to ``benchmarks/results/`` and prints
the table of all that are there; a run that has its file is not repeated.
The corpus is found by ``--emodb`` or the environment variable
``SKEMOTION_EMODB``. Give ``--cache`` where several runs are made, so that they
extract each recording once; copies that a recipe trains on are made anew.

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
    mean and deviation, and without copies in training. TRANSDUCTIVE: it looks
    at the recordings of the speaker left out, all of them at once, though not
    at their labels.
loso-text
    Leave out one speaker and one sentence at a time: of the recordings that are
    trained on, none is of the speaker, and none of the sentence, that is tested.
loso-pairs
    Leave two speakers out at a time, for ``nested.py`` to choose by.

Recipes
-------
recommended, post
    Those of :func:`skemotion.make_emotion_pipeline`.
without-..., with-...
    The recommended one with a part changed, to see what the part gives. ``longer``
    is 30 epochs for 20, and so it is with the post's descriptors without copies.
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
    has to beat. Not under ``post``.
lda
    The same with linear discriminant analysis, shrunk after Ledoit and Wolf, and
    without copies in training. Not under ``post``.
vote
    The soft vote of ``attention``, which counts four times, and ``lda``: what
    scikit-learn's VotingClassifier makes of the two pipelines. Its runs are put
    together from theirs, which are made where they are missing.

Every fold is kept as soon as it is scored, so that a run that was stopped goes
on where it was.
"""

import argparse
import itertools
import json
import os
import platform
import tempfile
import time
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from _opensmile import SETS, OpenSmileExtractor
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import precision_recall_fscore_support
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    make_emotion_pipeline,
)
from skemotion.datasets import load_emodb
from skemotion.metrics import bootstrap_interval, unweighted_average_recall
from skemotion.model_selection import balanced_holdout
from skemotion.preprocessing import speaker_standardize

RESULTS = Path(__file__).parent / "results"
NETWORKS = {"attention": AttentionBLSTMClassifier, "blstm": BLSTMClassifier}
# Makers of what reads functionals.
FLAT = {
    "svm": lambda: SVC(class_weight="balanced"),
    "lda": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
}
VOTES = {"attention": 4, "lda": 1}
# What is changed in the recommended recipe, parameter by parameter.
ABLATIONS = {
    "without-copies": {"augment": "passthrough"},
    "without-copies-longer": {"augment": "passthrough", "classify__epochs": 30},
    "with-post-descriptors": {"extract__descriptors": "post"},
    "with-post-descriptors-without-copies": {
        "extract__descriptors": "post",
        "augment": "passthrough",
        "classify__epochs": 30,
    },
    "with-smote": {"balance": SequenceSampler(), "classify__class_weight": None},
    "with-scaled-cells": {"scale__scope": "cell"},
    "with-padding": {"scale__keep_padding": False, "classify__mask_padding": False},
    "without-peak": {"extract__normalize": None},
    "without-balance": {"classify__class_weight": None},
    "without-functionals": {"classify__functionals_units": None},
    "without-joining": {"classify__frame_step": 1},
    "without-members": {"classify__n_members": 1},
    "without-noise": {"classify__noise": 0.0},
    "without-schedule": {"classify__schedule": None},
    "without-smoothing": {"classify__label_smoothing": 0.0},
}
PACKAGES = (
    "keras",
    "tensorflow",
    "scikit-learn",
    "imbalanced-learn",
    "librosa",
    "numpy",
)


def main():
    args = _parse_arguments()
    corpus = load_emodb(args.emodb)
    with tempfile.TemporaryDirectory() as folder:
        args.cache = args.cache or folder
        for seed in args.seeds:
            for model in args.models:
                run = find_run(corpus, args, model, seed)
                print(_result_path(args, model, seed).name, _summary(run), flush=True)
    print(markdown_table(RESULTS))


def find_run(corpus, args, model, seed):
    """Return a run that is kept, and make it before if it is not."""
    path = _result_path(args, model, seed)
    if not path.exists():
        make = run_vote if model == "vote" else PROTOCOLS[args.protocol]
        run = make(corpus, args, model, seed)
        _write(path, {**_setting(args, model, seed), **run})
    return json.loads(path.read_text())


def run_vote(corpus, args, model, seed):
    """Average the probabilities of the runs that vote."""
    members = [find_run(corpus, args, name, seed)["folds"] for name in VOTES]
    weights = list(VOTES.values())
    folds = []
    for parts in zip(*members, strict=True):
        votes = np.average([p["probabilities"] for p in parts], 0, weights)
        seconds = round(sum(p["seconds"] for p in parts), 1)
        fold = {"probabilities": np.round(votes, 5).tolist(), "seconds": seconds}
        folds.append({**parts[0], **fold, "attention": None})
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
    fold = _fit_fold(pipeline, corpus.paths, corpus, holdout.train, holdout.test)
    return {"folds": [fold]}


def run_loso(corpus, args, model, seed):
    """Leave one speaker out; early stopping on other speakers' recordings."""
    pipeline = make_model(args, model, seed)
    return _run_splits(
        _leave_speakers_out(corpus), pipeline, corpus.paths, corpus, args, model, seed
    )


def run_loso_speaker(corpus, args, model, seed):
    """Leave one speaker out, each speaker standardised by all recordings of theirs."""
    X = speaker_standardize(_extract(args, corpus), corpus.speakers)
    pipeline = make_model(args, model, seed)[2:]
    splits = _leave_speakers_out(corpus)
    return _run_splits(splits, pipeline, X, corpus, args, model, seed)


def run_loso_text(corpus, args, model, seed):
    """Leave out one speaker and one sentence at a time."""
    splits = []
    pairs = np.unique(np.column_stack([corpus.speakers, corpus.text_ids]), axis=0)
    for speaker, text in pairs:
        same_speaker, same_text = corpus.speakers == speaker, corpus.text_ids == text
        splits.append((~same_speaker & ~same_text, same_speaker & same_text))
    pipeline = make_model(args, model, seed)
    return _run_splits(splits, pipeline, corpus.paths, corpus, args, model, seed)


def run_loso_pairs(corpus, args, model, seed):
    """Leave out every two speakers."""
    pairs = itertools.combinations(np.unique(corpus.speakers), 2)
    left_out = [np.isin(corpus.speakers, pair) for pair in pairs]
    pipeline = make_model(args, model, seed)
    run = _run_splits(
        [(~test, test) for test in left_out],
        pipeline,
        corpus.paths,
        corpus,
        args,
        model,
        seed,
    )
    # Ten thousand weights that nobody draws.
    return {"folds": [{**fold, "attention": None} for fold in run["folds"]]}


def _leave_speakers_out(corpus):
    speakers = corpus.speakers
    return [(speakers != s, speakers == s) for s in np.unique(speakers)]


def _run_splits(splits, pipeline, X, corpus, args, model, seed):
    folds = []
    for train, test in (map(np.flatnonzero, split) for split in splits):
        groups = corpus.speakers[train]
        part = _result_path(args, model, seed).with_suffix(f".{len(folds)}.part")
        if not part.exists():
            fold = _fit_fold(clone(pipeline), X, corpus, train, test, groups)
            _write(part, fold)
        folds.append(json.loads(part.read_text()))
    for part in RESULTS.glob(_result_path(args, model, seed).stem + ".*.part"):
        part.unlink()
    return {"folds": folds}


PROTOCOLS = {
    "loso": run_loso,
    "loso-text": run_loso_text,
    "loso-speaker": run_loso_speaker,
    "holdout": run_holdout,
    "post": run_post,
    "loso-pairs": run_loso_pairs,
}


def _extract(args, corpus):
    return make_model(args, "attention", 0)["extract"].transform(corpus.paths)


def _make_pipeline(recipe, seed):
    if recipe in SETS:
        extractor = OpenSmileExtractor(SETS[recipe])
        return make_emotion_pipeline("recommended", random_state=seed).set_params(
            augment="passthrough", extract=extractor
        )
    if recipe not in ABLATIONS:
        return make_emotion_pipeline(recipe, random_state=seed)
    pipeline = make_emotion_pipeline("recommended", random_state=seed)
    pipeline.set_params(**clone(ABLATIONS[recipe], safe=False))
    if recipe == "with-smote":
        pipeline.set_params(balance__random_state=seed)
    return pipeline


def _fit_fold(pipeline, X, corpus, train, test, groups=None):
    start = time.perf_counter()
    pipeline.fit(X[train], corpus.target[train], groups=groups)
    seconds = time.perf_counter() - start
    return _fold(pipeline, X[test], test, corpus, seconds)


def make_model(args, model, seed):
    """Return the pipeline of a recipe, with the classifier that `model` names."""
    pipeline = _make_pipeline(args.recipe, seed)
    pipeline.set_params(extract__memory=args.cache)
    if model == "blstm":
        parameters = pipeline["classify"].get_params()
        pipeline.set_params(classify=BLSTMClassifier(**parameters))
    if model in FLAT:
        functionals = (
            FunctionTransformer(_only_frame)
            if args.recipe in SETS
            else SequenceFunctionals()
        )
        classifier = make_pipeline(functionals, StandardScaler(), FLAT[model]())
        pipeline.set_params(
            scale="passthrough", balance="passthrough", classify=classifier
        )
    if model == "lda":
        pipeline.set_params(augment="passthrough")
    return pipeline


def _only_frame(X):
    return X[:, 0]


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
        "probabilities": np.round(_probabilities(model, X_test), 5).tolist(),
        "attention": _binned_attention(model, classifier, X_test),
    }


def _probabilities(model, X_test):
    """Return probabilities, or certainties where the model gives none."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(X_test)
    return (model.predict(X_test)[:, np.newaxis] == model.classes_).astype(float)


def _binned_attention(model, classifier, X_test, n_bins=10):
    """Sum each recording's attention in ten bins, as the post's picture does."""
    if not hasattr(classifier, "attention"):
        return None
    sequences = X_test
    for step in model[:-1] if hasattr(model, "steps") else []:
        if hasattr(step, "transform"):
            sequences = step.transform(sequences)
    weights = classifier.attention(sequences)
    n_dropped = weights.shape[1] % n_bins
    bins = weights[:, n_dropped:].reshape(len(weights), n_bins, -1).sum(axis=2)
    return np.round(bins, 4).tolist()


def _predictions(run):
    y_true, y_pred, speakers = [], [], []
    for fold in run["folds"]:
        y_true += fold["y_true"]
        speakers += [name[:2] for name in fold["recordings"]]
        best = np.argmax(fold["probabilities"], axis=1)
        y_pred += np.asarray(fold["classes"])[best].tolist()
    return y_true, y_pred, speakers


def _summary(run):
    y_true, y_pred, speakers = _predictions(run)
    low, high = bootstrap_interval(
        y_true,
        y_pred,
        groups=speakers if run["protocol"].startswith("loso") else None,
        random_state=0,
    )
    precision, recall, f1, _ = precision_recall_fscore_support(
        y_true, y_pred, average="macro", zero_division=0
    )
    return {
        "accuracy": float(np.mean(np.equal(y_true, y_pred))),
        "UAR": float(unweighted_average_recall(y_true, y_pred)),
        "low": low,
        "high": high,
        "precision": float(precision),
        "recall": float(recall),
        "F1": float(f1),
        "best epoch": float(np.mean([fold["best_epoch"] for fold in run["folds"]])),
        "epochs": float(np.mean([fold["epochs"] for fold in run["folds"]])),
        "seconds": float(np.sum([fold["seconds"] for fold in run["folds"]])),
    }


def markdown_table(folder):
    """Make a table of mean and range over the seeds from the files in a folder.

    Honest protocols come first, and speakers left out before all. Intervals are
    bootstrapped over speakers where those are left out, over recordings
    otherwise, and their ends averaged over the seeds.
    """
    columns = ["UAR", "accuracy", "precision", "F1"]
    header = ["protocol", "recipe", "model", "seeds", *columns]
    rows = [
        [*key, len(found), *(spread(found, column) for column in columns)]
        + [interval(found), round(np.mean([s["seconds"] for s in found]) / 60)]
        for key, found in summarise(folder).items()
    ]
    return table([*header, "95 % interval of UAR", "minutes a seed"], rows)


@lru_cache
def summarise(folder):
    """Map protocol, recipe and model to a summary for each seed, in order."""
    runs = {}
    for path in sorted(folder.glob("emodb-*.json")):
        run = json.loads(path.read_text())
        key = run["protocol"], run["recipe"], run["model"]
        runs.setdefault(key, []).append(_summary(run))
    return dict(sorted(runs.items(), key=_rank))


def spread(summaries, column):
    """Return the mean over the seeds, and the range if there are several."""
    values = [summary[column] for summary in summaries]
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{np.mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"


def interval(summaries):
    """Return the mean ends of the intervals of UAR."""
    return " to ".join(
        f"{np.mean([summary[end] for summary in summaries]):.3f}"
        for end in ("low", "high")
    )


def table(header, rows):
    """Make a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _rank(item):
    (protocol, *others), _ = item
    return list(PROTOCOLS).index(protocol), others


def _setting(args, model, seed):
    return {
        "protocol": args.protocol,
        "recipe": args.recipe,
        "model": model,
        "seed": seed,
        "versions": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def _result_path(args, model, seed):
    return RESULTS / f"emodb-{args.protocol}-{args.recipe}-{model}-{seed}.json"


def _write(path, content):
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".new")
    temporary.write_text(json.dumps(content, indent=None) + "\n")
    temporary.replace(path)


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--protocol", choices=sorted(PROTOCOLS), required=True)
    parser.add_argument(
        "--recipe", choices=["recommended", "post", *sorted(ABLATIONS), *SETS]
    )
    parser.add_argument("--cache", help="folder in which descriptors are kept")
    parser.add_argument(
        "--models",
        nargs="+",
        choices=[*sorted(NETWORKS), *FLAT, "vote"],
        default=sorted(NETWORKS),
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    args = parser.parse_args()
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    if args.recipe in SETS and not set(args.models) <= set(FLAT):
        parser.error(f"{args.recipe} is for --models {' '.join(FLAT)} alone")
    if args.recipe is None:
        args.recipe = "post" if args.protocol == "post" else "recommended"
    return args


if __name__ == "__main__":
    main()
