"""Score models that were adapted, without labels, to degraded recordings.

    python benchmarks/adaptation.py --front descriptors --head svm

leaves out two speakers of the Berlin EMO-DB at a time, a woman and a man, or, by
``--split sexes``, all women and all men. A model is trained on the others' clean
recordings, and predicts those of the speakers left out under each condition of
``_degradations.py`` that is asked about: as it comes, and adapted by
``skemotion.adapt`` to some of these very recordings, drawn at random, several times.
That is transductive, and labelled so. The table is the curve of unweighted average
recall, pooled over the folds and averaged over the draws, over how many recordings
were adapted to; where it flattens, ``adapt`` warns no more.

``--head network`` is the network of the recommended recipe, which is trained on
sequences that were extracted before, hence without copies; it is scored twice, with
and without moments of its functionals that are estimated anew. Results go to
``benchmarks/results/adaptation.json``, by front end, head and split. Descriptors and
finished folds are kept in a folder, so that a run that was stopped goes on.
"""

import argparse
import os
import textwrap
import warnings
from pathlib import Path

import numpy as np
from _parameters import list_parameters, of_sequences
from _results import RESULTS, made_by, read, write
from _revisions import current_parts, find_outdated_parts, footnote, mark
from _runs import table
from _smoke import parse_options
from robustness import degrade
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skemotion import (
    EmotionPipeline,
    SequenceFunctionals,
    SequenceScaler,
    SpeechFeatureExtractor,
    adapt,
    make_emotion_pipeline,
)
from skemotion.datasets import load_emodb
from skemotion.exceptions import AdaptationWarning
from skemotion.metrics import unweighted_average_recall

PATH = RESULTS / "adaptation.json"
ASKED = (
    "clean",
    "telephone band",
    "white noise, 20 dB",
    "white noise, 10 dB",
    "babble, 20 dB",
    "small room",
    "MP3, 32 kbit/s",
)
SIZES = (5, 10, 20, 50, 100)
ALL = "all"
WOMEN = ("08", "09", "13", "14", "16")
MEN = ("03", "10", "11", "12", "15")
SPLITS = {"pairs": list(zip(WOMEN, MEN, strict=True)), "sexes": [WOMEN, MEN]}


def make_front(name):
    """Return what turns recordings into sequences."""
    if name == "descriptors":
        return SpeechFeatureExtractor(descriptors="extended", normalize="peak")
    return make_emotion_pipeline()["extract"]


def make_model(front, head, seed=0):
    """Return the pipeline that is trained and adapted."""
    extract = make_front(front)
    if head == "network":
        pipeline = make_emotion_pipeline("descriptors", random_state=seed)
        return pipeline.set_params(
            augment="passthrough", extract=extract, classify__epochs=30
        )
    steps = [
        ("extract", extract),
        ("scale", SequenceScaler(ignore_padding=True)),
        ("functionals", SequenceFunctionals(["mean", "std"]))
        if front == "encoder"
        else ("functionals", SequenceFunctionals()),
        ("standardise", StandardScaler()),
        ("classify", SVC(kernel="linear", C=0.01)),
    ]
    return EmotionPipeline(steps, validation_fraction=None)


def main():
    args = _parse_arguments()
    corpus = load_emodb(args.emodb)
    args.work.mkdir(parents=True, exist_ok=True)
    X = {condition: _extract(condition, corpus, args) for condition in ASKED}
    folds = [
        _score_fold(number, speakers, X, corpus, args)
        for number, speakers in enumerate(SPLITS[args.split][: args.folds])
    ]
    results = read(PATH) or {}
    key = f"{args.front} {args.head} {args.split}"
    model = make_model(args.front, args.head)
    results[key] = {
        "revision": _revision(args),
        "parameters": of_sequences(list_parameters(model)),
        **made_by(),
        "folds": len(folds),
        "draws": args.draws,
        "scores": _pool(folds, corpus),
    }
    write(PATH, results)
    print(markdown_table(results))


def _revision(args):
    parts = ["padding"]
    if args.front == "descriptors":
        parts += ["post descriptors", "extended descriptors"]
    else:
        parts.append("encoder frames")
    if args.head == "network":
        parts.append("network")
    return current_parts(*parts)


def _extract(condition, corpus, args):
    """Return the sequences of all recordings under a condition, kept in a file."""
    path = args.work / f"{args.front}-{_slug(condition)}.npy"
    if not path.exists():
        every = range(len(corpus.paths))
        recordings = [degrade(condition, index, corpus) for index in every]
        temporary = path.with_suffix(".new.npy")
        np.save(temporary, make_front(args.front).fit_transform(recordings))
        temporary.replace(path)
        print(f"{condition}: extracted", flush=True)
    return np.load(path, mmap_mode="r")


def _score_fold(number, speakers, X, corpus, args):
    """Return labels and, by variant, condition, size and draw, predictions."""
    name = f"{args.front}-{args.head}-{args.split}-{args.draws}-{number}.json"
    path = args.work / name
    if path.exists():
        return read(path)
    is_test = np.isin(corpus.speakers, speakers)
    pipeline = make_model(args.front, args.head)
    model = pipeline.sequence_steps
    model.fit(
        X["clean"][~is_test],
        corpus.target[~is_test],
    )
    test = np.flatnonzero(is_test)
    found = {
        variant: {
            condition: _score_condition(model, variant, X[condition][test], args)
            for condition in ASKED
        }
        for variant in _variants(args.head)
    }
    write(path, {"rows": test.tolist(), "predictions": found})
    print(f"fold {number} done", flush=True)
    return read(path)


def _variants(head):
    return ("scalers", "scalers and functionals") if head == "network" else ("scalers",)


def _score_condition(model, variant, X, args):
    found = {"0": [_codes(model, X)]}
    for size in (*SIZES, ALL):
        draws = [_draw(len(X), size, draw) for draw in range(args.draws)]
        if size == ALL:
            draws = draws[:1]
        found[str(size)] = [
            _codes(_adapt(model, variant, X[rows]), X) for rows in draws
        ]
    return found


def _draw(n_recordings, size, draw):
    rng = np.random.default_rng([draw, 0 if size == ALL else size])
    n_drawn = n_recordings if size == ALL else min(size, n_recordings)
    return np.sort(rng.choice(n_recordings, n_drawn, replace=False))


def _adapt(model, variant, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AdaptationWarning)
        adapted = adapt(model, X)
    if variant == "scalers" and adapted.steps[-1][0] == "classify":
        adapted.steps[-1] = model.steps[-1]
    return adapted


def _codes(model, X):
    return np.searchsorted(model.classes_, model.predict(X)).tolist()


def _pool(folds, corpus):
    """Score what all folds predict together."""
    y_true = np.unique(corpus.target, return_inverse=True)[1]
    y_true = y_true[np.concatenate([fold["rows"] for fold in folds])]
    shown = folds[0]["predictions"]
    return {
        variant: {
            condition: {
                size: [
                    round(_score(folds, variant, condition, size, draw, y_true), 4)
                    for draw in range(len(draws))
                ]
                for size, draws in sizes.items()
            }
            for condition, sizes in conditions.items()
        }
        for variant, conditions in shown.items()
    }


def _score(folds, variant, condition, size, draw, y_true):
    predicted = [fold["predictions"][variant][condition][size][draw] for fold in folds]
    return float(unweighted_average_recall(y_true, np.concatenate(predicted)))


def markdown_table(results=None):
    """Make a table of the curves, or return None if there are none."""
    if results is None:
        results = read(PATH)
        if results is None:
            return None
    rows, outdated = [], set()
    for key, found in results.items():
        front, head, _ = key.split()
        old = find_outdated_parts(found, make_model(front, head))
        outdated.update(old)
        for variant, curves in found["scores"].items():
            degraded = [curves[name] for name in curves if name != "clean"]
            sizes = curves["clean"]
            mean = {size: [curve[size] for curve in degraded] for size in sizes}
            for condition, curve in {**curves, "mean of the degraded": mean}.items():
                scores = [f"{100 * np.mean(draws):.1f}" for draws in curve.values()]
                rows.append([mark(f"{key}, {variant}", old), condition, *scores])
    header = ["front end, head, split; estimated anew", "condition", "as it comes"]
    return table([*header, *map(str, SIZES), ALL], rows) + footnote(
        outdated, "adaptation.py"
    )


def sentence(results=None):
    """Say how near few recordings come to all, or return None if there are none."""
    if results is None:
        results = read(PATH)
        if results is None:
            return None
    kept = {key: found for key, found in results.items() if "descriptors" in key}
    curves = [list(found["scores"].values())[-1] for found in kept.values()]
    degraded = [
        {
            size: 100
            * np.mean([curve[name][size] for name in curve if name != "clean"])
            for size in curve["clean"]
        }
        for curve in curves
    ]
    missed = [curve[ALL] - curve[str(size)] for curve in degraded for size in (50, 100)]
    given = [
        (curve["10"] - curve["0"]) / (curve[ALL] - curve["0"]) for curve in degraded
    ]
    clean = [
        100 * (np.mean(curve["clean"]["5"]) - np.mean(curve["clean"]["0"]))
        for curve in curves
    ]
    outdated = set()
    for key, found in kept.items():
        front, head, _ = key.split()
        outdated.update(find_outdated_parts(found, make_model(front, head)))
    text = (
        "On EMO-DB, with models on descriptors that were trained on clean recordings, "
        "and degraded recordings of other speakers, 50 to 100 recordings come within "
        f"{max(missed):.1f} points of the UAR that all give, on average over the "
        f"degradations. Ten give at least {100 * min(given):.0f} % of the gain. On "
        "clean recordings, where there is nothing to adapt to, five cost up to "
        f"{-min(clean):.0f} points."
    )
    lines = textwrap.wrap(text, 92, break_on_hyphens=False)
    note = footnote(outdated, "adaptation.py", "Stale: these were", literal="``")
    return "\n".join(lines) + note


def _slug(text):
    return "".join(c if c.isalnum() else "_" for c in text)


SMOKE_OPTIONS = "--folds 1 --draws 1 --work {work}/adaptation"


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--front", choices=["descriptors", "encoder"], default="descriptors"
    )
    parser.add_argument("--head", choices=["svm", "network"], default="svm")
    parser.add_argument("--split", choices=list(SPLITS), default="pairs")
    parser.add_argument("--folds", type=int, help="the first so many (all)")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("adaptation.partial"),
        help="folder for sequences and finished folds (%(default)s)",
    )
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    args = parse_options(parser, SMOKE_OPTIONS)
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    return args


if __name__ == "__main__":
    main()
