"""Ask what is called unlike the training data, and what that does to confidence.

    python benchmarks/novelty.py --encoder FOLDER_OR_FILE

leaves out one speaker of the Berlin EMO-DB at a time. On the other nine a
:class:`skemotion.NoveltyDetector` is fitted, and shrinkage LDA as a cheap
classifier, both on the mean and the deviation over time of the frames of a
Whisper encoder. LDA is trained on the recordings alone, and on them with the
copies of the recommended recipe; its temperature is chosen by speakers left out of
the nine. Both judge the tenth speaker's recordings as they are, and under
conditions of ``_degradations.py``; sounds without speech, made by
``_sounds.py``; and the synthetic speech of the package.

Prints, and writes to ``benchmarks/results/novelty.json``: how many recordings are
flagged; how far they are from the training data, as a multiple of the limit; the
expected calibration error (ECE) before and after confidence is pulled down; and
how many have a confidence above 0.5. The pull begins at the limit and is complete
at twice the limit. These two numbers were chosen once, with these speakers.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from _degradations import RATE
from _runs import RESULTS, table, write
from _sounds import make_sound
from robustness import degrade
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skemotion import (
    NoveltyDetector,
    SequenceFunctionals,
    SpeechAugmenter,
    SpeechEncoder,
)
from skemotion.datasets import load_emodb, make_emotional_speech
from skemotion.metrics import expected_calibration_error
from skemotion.pipeline._novelty import pull_to_equal

CONDITIONS = (
    "clean",
    "white noise, 20 dB",
    "white noise, 10 dB",
    "babble, 20 dB",
    "babble, 10 dB",
    "telephone band",
    "small room",
    "MP3, 32 kbit/s",
    "first 2 s",
)
N_SOUNDS = 306
COPIES = "copies"
OTHERS = ("sounds without speech", "synthetic speech")


def main():
    args = _parse_arguments()
    corpus = load_emodb(args.emodb)
    result = run(args, corpus)
    write(RESULTS / "novelty.json", result)
    print(markdown_table(result))


def run(args, corpus):
    """Leave out each speaker, and put together what is said of all."""
    args.work.mkdir(parents=True, exist_ok=True)
    X = {
        name: _summarise(name, corpus, args) for name in (*CONDITIONS, COPIES, *OTHERS)
    }
    folds = [_judge(speaker, X, corpus) for speaker in np.unique(corpus.speakers)]
    found = {
        name: _score(name, [fold[name] for fold in folds])
        for name in (*CONDITIONS, *OTHERS)
    }
    return {"protocol": "loso", "layer": args.layer, "found": found}


def _summarise(name, corpus, args):
    """Return mean and deviation over time of all frames, kept in a file."""
    slug = "".join(letter if letter.isalnum() else "-" for letter in name)
    path = args.work / f"{slug}-{args.layer}.npy"
    if not path.exists():
        encode = make_pipeline(
            SpeechEncoder(weights=args.encoder, layer=args.layer),
            SequenceFunctionals(("mean", "std")),
        )
        recordings = _find_recordings(name, corpus)
        parts = [recordings[i : i + 64] for i in range(0, len(recordings), 64)]
        values = np.concatenate([encode.fit_transform(part) for part in parts])
        np.save(path, values)
        print(name, values.shape, flush=True)
    return np.load(path)


def _find_recordings(name, corpus):
    if name == COPIES:
        augmenter = SpeechAugmenter(random_state=0)
        both, _ = augmenter.fit_resample(list(corpus.paths), corpus.target)
        return both[len(corpus.paths) :]
    if name == OTHERS[0]:
        rng = np.random.default_rng(0)
        return [(make_sound(rng)[1], RATE) for _ in range(N_SOUNDS)]
    if name == OTHERS[1]:
        return make_emotional_speech(random_state=0).signals
    return [degrade(name, index, corpus) for index in range(len(corpus.paths))]


def _judge(speaker, X, corpus):
    """Train without one speaker; return what is said of each recording."""
    own = corpus.speakers == speaker
    others = [X["clean"][~own], corpus.target[~own], corpus.speakers[~own]]
    detector = NoveltyDetector().fit(others[0], groups=others[2])
    n_copies = len(X[COPIES]) // len(own)
    kept = np.tile(~own, n_copies)
    copied = [
        np.concatenate([each, *[each] * n_copies])
        if each is not others[0]
        else np.concatenate([each, X[COPIES][kept]])
        for each in others
    ]
    models = {"clean": _fit(*others), "copies": _fit(*copied)}
    judged = {}
    for name in (*CONDITIONS, *OTHERS):
        rows = X[name][own] if name in CONDITIONS else X[name]
        scores = detector.score_samples(rows)
        judged[name] = {"times": scores / detector.offset_}
        judged[name]["y"] = corpus.target[own] if name in CONDITIONS else None
        for trained, (model, temperature) in models.items():
            before = _soften(model.predict_log_proba(rows), temperature)
            after = pull_to_equal(before, scores, detector.offset_)
            judged[name] |= {f"{trained} before": before, f"{trained} after": after}
    return judged


def _fit(X, y, speakers):
    """Return LDA, and the temperature that is best for speakers left out."""
    model = make_pipeline(
        StandardScaler(), LinearDiscriminantAnalysis("lsqr", shrinkage="auto")
    )
    logs = cross_val_predict(
        model, X, y, groups=speakers, cv=GroupKFold(5), method="predict_log_proba"
    )
    column = np.searchsorted(np.unique(y), y)[:, np.newaxis]
    temperatures = np.geomspace(1, 20, 40)
    losses = [
        -np.log(np.take_along_axis(_soften(logs, each), column, 1) + 1e-12).mean()
        for each in temperatures
    ]
    return model.fit(X, y), temperatures[np.argmin(losses)]


def _soften(logs, temperature):
    logs = np.maximum(logs, -700) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _score(name, folds):
    times = np.concatenate([fold["times"] for fold in folds])
    scored = {
        "flagged": float(np.mean(times > 1)),
        "times the limit": np.quantile(times, [0, 0.05, 0.5, 0.95]).round(3).tolist(),
    }
    for key in [key for key in folds[0] if key.endswith(("before", "after"))]:
        proba = np.concatenate([fold[key] for fold in folds])
        scored[f"sure {key}"] = float(np.mean(proba.max(axis=1) > 0.5))
        if name in CONDITIONS:
            y = np.concatenate([fold["y"] for fold in folds])
            classes = np.unique(y)
            scored[f"accuracy {key}"] = float(np.mean(classes[proba.argmax(1)] == y))
            scored[f"ECE {key}"] = float(
                expected_calibration_error(y, proba, labels=classes)
            )
    return scored


def markdown_table(result):
    """Make a table of a result."""
    header = ["", "flagged", "times the limit, median (least)"]
    for trained in ("clean", "copies"):
        header += [f"ECE, trained on {trained}", "pulled", "above 0.5", "pulled"]
    rows = []
    for name, found in result["found"].items():
        least, _, median, _ = found["times the limit"]
        row = [name, f"{found['flagged']:.1%}", f"{median:.2f} ({least:.2f})"]
        for trained in ("clean", "copies"):
            row += [_show(found, f"ECE {trained} {when}") for when in _WHEN]
            row += [_show(found, f"sure {trained} {when}") for when in _WHEN]
        rows.append(row)
    return table(header, rows)


_WHEN = ("before", "after")


def _show(found, key):
    return f"{found[key]:.3f}" if key in found else ""


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    parser.add_argument(
        "--encoder", required=True, help="weights of Whisper base, as SpeechEncoder"
    )
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("novelty-work"))
    args = parser.parse_args()
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    return args


if __name__ == "__main__":
    main()
