"""Count in which recordings speech is found, and in which sounds.

    python benchmarks/speech_detection.py

takes all recordings of the Berlin EMO-DB under each condition of
``_degradations.py``, synthetic speech, and 1,000 sounds of ``_sounds.py``, and
writes the shares to ``benchmarks/results/speech_detection.json``.

    python benchmarks/speech_detection.py --fit

makes the weights of ``skemotion/voice_activity.py`` from other sounds and a fifth
of the recordings, prints them, and first shows how many sounds of each kind would
be called speech by weights that were made without that kind.
"""

import argparse
import os
import time

import numpy as np
from _degradations import CONDITIONS, RATE
from _runs import RESULTS, table, write
from _sounds import KINDS, MUSIC, make_sound
from robustness import degrade
from sklearn.linear_model import LogisticRegression

from skemotion import voice_activity as va
from skemotion.audio import load_audio
from skemotion.datasets import load_emodb, make_emotional_speech

N_SOUNDS = 1000
N_OF_A_KIND = 60  # to make weights
CAUTION = 0.2  # by which speech must be likelier than other sounds, logit
EVERY = 5  # of the recordings, to make weights


def main():
    args = _parse_arguments()
    if args.fit:
        fit(load_emodb(args.emodb))
        return
    result = measure(load_emodb(args.emodb))
    write(RESULTS / "speech_detection.json", result)
    print(table(["", "called speech"], list(result["speech"].items())))
    print(table(["", "called speech"], list(result["sounds"].items())))
    print(result["milliseconds of 5 s"])


def measure(corpus):
    """Return shares that are called speech, and times."""
    speech = {
        condition: _share(
            degrade(condition, index, corpus) for index in range(len(corpus.paths))
        )
        for condition in CONDITIONS
    }
    made = make_emotional_speech(n_speakers=6, random_state=1)
    speech["synthetic"] = _share((signal, RATE) for signal in made.signals)
    sounds = [make_sound(np.random.default_rng([0, i])) for i in range(N_SOUNDS)]
    found = {kind: [] for kind in KINDS}
    for kind, signal in sounds:
        found[kind].append(va.has_speech(signal, RATE))
    groups = {
        "all": [value for values in found.values() for value in values],
        "music": [value for kind in MUSIC for value in found[kind]],
        **found,
    }
    shares = {name: round(float(np.mean(group)), 4) for name, group in groups.items()}
    signal = np.resize(load_audio(corpus.paths[0]), 5 * RATE)
    return {
        "speech": speech,
        "sounds": shares,
        "milliseconds of 5 s": {
            rate: _milliseconds(np.resize(signal, 5 * rate), rate)
            for rate in (8000, 16000, 44100, 48000)
        },
    }


def _share(pairs):
    return round(float(np.mean([va.has_speech(*pair) for pair in pairs])), 4)


def _milliseconds(signal, rate):
    """Return the best and the median time of 50."""
    times = []
    for _ in range(50):
        start = time.perf_counter()
        va.has_speech(signal, rate)
        times.append(1000 * (time.perf_counter() - start))
    return {"best": round(min(times), 2), "median": round(float(np.median(times)), 2)}


def fit(corpus):
    """Print weights, and what is called speech by weights made without its kind."""
    speech = _windows(_some_speech(corpus))
    sounds = {
        kind: _windows(
            (kind, make_sound(np.random.default_rng([1, i, place]), kind)[1], RATE)
            for i in range(N_OF_A_KIND)
        )
        for place, kind in enumerate(KINDS)
    }
    rows = []
    for kind, left_out in sounds.items():
        others = [s for name, group in sounds.items() if name != kind for s in group]
        found = _weights(speech, others)
        called = [_called(w, v, *found) for _, w, v in left_out]
        share = np.mean(called) if called else 0.0
        rows.append([kind, f"{100 * share:.1f} %"])
    print(table(["kind left out", "called speech"], rows))
    weights, bias = _weights(speech, [s for group in sounds.values() for s in group])
    rows = weights.reshape(2, -1).T
    for name, pair in zip(va._BOUNDS, rows, strict=True):
        print(f"{name}: {pair.round(1).tolist()}")
    print(f"bias: {bias:.1f}")


def _some_speech(corpus):
    for condition in CONDITIONS:
        for index in range(0, len(corpus.paths), EVERY):
            yield condition, *degrade(condition, index, corpus)
    for signal in make_emotional_speech(n_speakers=3, random_state=0).signals:
        yield "synthetic", signal, RATE


def _windows(recordings):
    """Return the kind, what windows lack, and the frames, of what is no silence."""
    found = []
    for kind, signal, rate in recordings:
        _, voice = va._listen(signal, rate)
        if voice is not None:
            found.append((kind, va._lacks(va._describe(voice)), voice))
    return found


def _called(lacks, voice, weights, bias):
    active = va._find_active(voice.voiced, lacks @ weights + bias)
    return va._count_seconds(voice, active) > 0


def _weights(speech, sounds):
    """Fit by windows, in which each kind counts the same."""
    X, y, counts = [], [], []
    for is_speech, group in ((1, speech), (0, sounds)):
        kinds = {}
        for kind, lacks, _ in group:
            kinds.setdefault(kind, []).append(lacks)
        for parts in kinds.values():
            lacks = np.concatenate(parts)
            X.append(lacks)
            y.append(np.full(len(lacks), is_speech))
            counts.append(np.full(len(lacks), 1000 / len(kinds) / len(lacks)))
    model = LogisticRegression(C=10, max_iter=3000)
    model.fit(np.concatenate(X), np.concatenate(y), np.concatenate(counts))
    return model.coef_[0], model.intercept_[0] - CAUTION


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    args = parser.parse_args()
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    return args


if __name__ == "__main__":
    main()
