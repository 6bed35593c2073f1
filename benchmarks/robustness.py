"""Score recordings that were degraded, by models that were trained on clean ones.

    python benchmarks/robustness.py --model attention

leaves out one speaker of the Berlin EMO-DB at a time. The recipe is trained on
the other nine, and predicts the first 5 s of the tenth's recordings under each
condition of ``_degradations.py``. Babble is made of six recordings of other
speakers. The
models are those of ``emodb.py`` (see there), which scores them on clean
recordings. The recommended recipe trains on copies with noise, babble, rooms
and narrow bands of its own; ``--recipe without-copies`` is without. Writes a
JSON file with every prediction to
``benchmarks/results/``, unless there is one that is not stale, and prints the table.
Descriptors and finished folds are kept in a folder, so that a run that was stopped
goes on where it was, if nothing that it depends on has changed since.
"""

import argparse
import os
import textwrap
import time
import zlib
from pathlib import Path

import numpy as np
from _degradations import CONDITIONS, RATE
from _recipes import FLAT, VOTES, check_recipe, make_model, predict_probabilities
from _results import RESULTS, read, write
from _revisions import CURRENT, find_outdated, footnote
from _runs import describe, load_current, name_revision, table, write_run
from _smoke import parse_options

from skemotion import SpeechEncoder
from skemotion._speakers._left_out import leave_speakers_out
from skemotion.audio import load_audio
from skemotion.datasets import load_emodb
from skemotion.metrics import unweighted_average_recall

N_VOICES = 6
# The most points of UAR that a condition may cost.
TARGETS = {
    "descriptors": {
        "gain -20 dB": 2,
        "gain +20 dB": 2,
        "1 s of silence first": 2,
        "by way of 48 kHz": 1,
        "white noise, 20 dB": 8,
        "babble, 20 dB": 8,
        "telephone band": 8,
    },
    "recommended": {
        "white noise, 20 dB": 2,
        "babble, 20 dB": 2,
        "white noise, 10 dB": 6,
        "babble, 10 dB": 6,
        "telephone band": 3,
        "small room": 3,
        "MP3, 32 kbit/s": 3,
        "1 s of room tone first": 3,
        "first 2 s": 8,
    },
}
LIMIT = 0.95  # of novelty, from which a recording is called unlike the training data


def main():
    args = _parse_arguments()
    args.protocol, args.cache = "loso", args.work / "cache"
    path = RESULTS / f"robustness-{args.recipe}-{args.model}-{args.seed}.json"
    result = load_current(path)
    if result is None:
        result = run(args, load_emodb(args.emodb))
        write_run(path, result)
    print(markdown_table(result))


def run(args, corpus):
    """Score every condition in every fold."""
    args.work.mkdir(parents=True, exist_ok=True)
    descriptors = {
        condition: _describe(condition, corpus, args) for condition in CONDITIONS
    }
    folds = [
        _score_fold(train, test, descriptors, corpus, args)
        for train, test in leave_speakers_out(corpus.speakers)
    ]
    return {**describe(args, args.model, args.seed), "folds": folds}


def _describe(condition, corpus, args):
    """Return the descriptors of all recordings under a condition, kept in a file."""
    extractor = make_model(args, args.model, args.seed)["extract"]
    part = _slug(f"{condition} {extractor.normalize} {_name_front(extractor)}")
    path = args.work / f"{part}.npy"
    if not path.exists():
        start = time.perf_counter()
        recordings = [
            degrade(condition, index, corpus) for index in range(len(corpus.paths))
        ]
        temporary = path.with_suffix(".new.npy")
        np.save(temporary, extractor.fit_transform(recordings))
        temporary.replace(path)
        print(f"{condition}: {time.perf_counter() - start:.0f} s", flush=True)
    return np.load(path, mmap_mode="r")


def _name_front(extractor):
    """Name what frames depend on, besides the samples."""
    if isinstance(extractor, SpeechEncoder):
        return f"encoder{CURRENT['encoder frames']}"
    return " ".join(
        f"{name}{CURRENT[f'{name} descriptors']}"
        for name in ("post", extractor.descriptors)
    )


def degrade(condition, index, corpus):
    """Return a recording under a condition, as a pair of signal and rate."""
    function, settings = CONDITIONS[condition]
    rng = np.random.default_rng([index, zlib.crc32(condition.encode())])
    if "babble" in condition:
        others = np.flatnonzero(corpus.speakers != corpus.speakers[index])
        chosen = corpus.paths[rng.choice(others, N_VOICES, replace=False)]
        settings = {**settings, "voices": [load_audio(path) for path in chosen]}
    degraded = function(load_audio(corpus.paths[index]), rng, **settings)
    return degraded if isinstance(degraded, tuple) else (degraded, RATE)


def _score_fold(train, test, descriptors, corpus, args):
    speaker = corpus.speakers[test[0]]
    revision = name_revision(args, args.model)
    key = f"{args.recipe} {args.model} {args.seed} {revision} {speaker}"
    path = args.work / f"fold-{_slug(key)}.json"
    if not path.exists():
        weights = VOTES if args.model == "vote" else {args.model: 1}
        models = [make_model(args, name, args.seed) for name in weights]
        start = time.perf_counter()
        for model in models:
            model.fit(corpus.paths[train], corpus.target[train])
        write(
            path,
            {
                "speaker": str(speaker),
                "seconds": round(time.perf_counter() - start, 1),
                "recordings": [Path(item).name for item in corpus.paths[test]],
                "y_true": corpus.target[test].tolist(),
                **_predict_all(models, weights, descriptors, test),
            },
        )
        print(f"fold {speaker} done", flush=True)
    return read(path)


def _predict_all(models, weights, descriptors, test):
    """Return what is said under each condition: emotions, confidence, novelty."""
    found = {"predictions": {}, "confidence": {}, "novelty": {}}
    for condition, X in descriptors.items():
        votes = [predict_probabilities(m.sequence_steps, X[test]) for m in models]
        votes = np.average(votes, axis=0, weights=list(weights.values()))
        emotions = models[0].classes_[votes.argmax(axis=1)]
        found["predictions"][condition] = emotions.tolist()
        found["confidence"][condition] = votes.max(axis=1).round(3).tolist()
        if getattr(models[0], "novelty_detector_", None) is not None:
            novelty = models[0].sequence_steps.novelty(X[test])
            found["novelty"][condition] = novelty.round(3).tolist()
    return found


def markdown_table(run):
    """Make a table of UAR, pooled over the folds, and what a condition costs."""
    score = score_conditions(run)
    y_true = np.concatenate([fold["y_true"] for fold in run["folds"]])
    targets = TARGETS[run["recipe"] if run["recipe"] in TARGETS else "descriptors"]
    rows = [
        [name, f"{uar:.1f}", f"{score['clean'] - uar:.1f}", targets.get(name, "")]
        + _describe_confidence(run, name, y_true)
        for name, uar in score.items()
    ]
    header = ["condition", "UAR", "points lost", "at most"]
    if "confidence" in run["folds"][0]:
        header += ["ECE", "unlike training"]
    return table(header, rows) + footnote(
        find_outdated(run), "robustness.py", "Stale: these were"
    )


def sentence(without, with_copies):
    """Say what copies in training give, of two runs that differ by them."""
    runs = without, with_copies
    scores = [score_conditions(run) for run in runs]
    names = {
        "clean": "on clean recordings",
        "white noise, 20 dB": "in white noise 20 dB below the speech",
        "MP3, 32 kbit/s": "on MP3 of 32 kbit/s",
        "telephone band": "in a telephone band",
    }
    before, after = (
        ", ".join(f"{score[name]:.0f} % {where}" for name, where in names.items())
        for score in scores
    )
    text = (
        "With speakers of EMO-DB left out, the network on descriptors reaches an "
        f"unweighted average recall of {before}. Trained on such copies, it reaches "
        f"{after}."
    )
    lines = textwrap.wrap(text, 92, break_on_hyphens=False)
    outdated = find_outdated(*runs)
    note = footnote(outdated, "robustness.py", "Stale: these were", literal="``")
    return "\n".join(lines) + note


def score_conditions(run):
    """Map each condition to UAR in percent, pooled over the folds."""
    y_true = np.concatenate([fold["y_true"] for fold in run["folds"]])
    score = {}
    for condition in run["folds"][0]["predictions"]:
        y_pred = [fold["predictions"][condition] for fold in run["folds"]]
        uar = unweighted_average_recall(y_true, np.concatenate(y_pred))
        score[condition] = 100 * uar
    return score


def _describe_confidence(run, condition, y_true):
    """Return the calibration error, and the share that is called novel."""
    if "confidence" not in run["folds"][0]:
        return []
    y_pred, confidence = (
        np.concatenate([fold[part][condition] for fold in run["folds"]])
        for part in ("predictions", "confidence")
    )
    right = y_pred == y_true
    error = _calibration_error(right, confidence)
    novelty = [fold["novelty"].get(condition) for fold in run["folds"]]
    if None in novelty:
        return [f"{error:.3f}", ""]
    return [f"{error:.3f}", f"{np.mean(np.concatenate(novelty) > LIMIT):.0%}"]


def _calibration_error(right, confidence):
    """Return the expected calibration error with 15 bins."""
    bins = np.minimum((confidence * 15).astype(int), 14)
    return sum(
        np.mean(bins == number)
        * abs(right[bins == number].mean() - confidence[bins == number].mean())
        for number in np.unique(bins)
    )


def _slug(text):
    return "".join(c if c.isalnum() or c in "+-" else "_" for c in text)


SMOKE_OPTIONS = "--recipe descriptors --model lda --work {work}/robustness"


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", choices=["attention", *FLAT, "vote"], default="attention"
    )
    parser.add_argument("--recipe", type=check_recipe, default="recommended")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("robustness.partial"),
        help="folder for descriptors and finished folds (%(default)s)",
    )
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    args = parse_options(parser, SMOKE_OPTIONS)
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    return args


if __name__ == "__main__":
    main()
