"""Count in which recordings speech is found, and in which sounds.

    python benchmarks/speech_detection.py

takes all recordings of the Berlin EMO-DB under each condition of
``_degradations.py``, synthetic speech, and 1,000 sounds of ``_sounds.py``, and
writes the shares to ``benchmarks/results/speech_detection.json``.

    python benchmarks/speech_detection.py --fit

makes the weights of ``skemotion/voice_activity/_judgement.py`` from other sounds and
a fifth of the recordings, and prints them. The file also holds how many of these
sounds are called speech by weights that were made without sounds of their kind.
"""

import argparse
import os
import time

import numpy as np
from _degradations import CONDITIONS, RATE
from _results import RESULTS, made_by, write
from _revisions import current_parts
from _runs import table
from _smoke import fewer, parse_options
from _sounds import KINDS, MUSIC, make_sound
from robustness import degrade
from sklearn.linear_model import LogisticRegression

from skemotion.audio import load_audio
from skemotion.datasets import load_emodb, make_emotional_speech
from skemotion.voice_activity import _judgement, _speech, has_speech
from skemotion.voice_activity._features import describe

N_SOUNDS = fewer(1000, 3)
N_OF_A_KIND = fewer(60, 2)  # to make weights
HARD = 4  # times as much do speech in noise and babble at 0 dB count
EVERY = 5  # of the recordings, to make weights


def main():
    args = _parse_arguments()
    if args.fit:
        fit(load_emodb(args.emodb))
        return
    result = measure(load_emodb(args.emodb))
    made = {"revision": current_parts("speech detection"), **made_by()}
    write(RESULTS / "speech_detection.json", {**result, **made})
    milliseconds = result.pop("milliseconds of 5 s")
    for name, shares in result.items():
        print(table([name, "called speech"], list(shares.items())), end="\n\n")
    print(milliseconds)


def measure(corpus):
    """Return shares that are called speech, and times."""
    speech = {
        condition: _share(
            degrade(condition, index, corpus) for index in range(len(corpus.paths))
        )
        for condition in CONDITIONS
    }
    made = make_emotional_speech(fewer(6, 1), fewer(4, 1), random_state=1)
    speech["synthetic"] = _share((signal, RATE) for signal in made.signals)
    sounds = [make_sound(np.random.default_rng([2, i])) for i in range(N_SOUNDS)]
    found = {kind: [] for kind in KINDS}
    for kind, signal in sounds:
        found[kind].append(has_speech(signal, RATE))
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
        "sounds, their kind left out": leave_out(corpus),
        "milliseconds of 5 s": {
            rate: _milliseconds(np.resize(signal, 5 * rate), rate)
            for rate in (8000, 16000, 44100, 48000)
        },
    }


def _share(pairs):
    return round(float(np.mean([has_speech(*pair) for pair in pairs])), 4)


def _milliseconds(signal, rate):
    """Return the best and the median time of 50."""
    times = []
    for _ in range(fewer(50, 2)):
        start = time.perf_counter()
        has_speech(signal, rate)
        times.append(1000 * (time.perf_counter() - start))
    return {"best": round(min(times), 2), "median": round(float(np.median(times)), 2)}


def leave_out(corpus):
    """Return shares called speech by weights made without sounds of that kind."""
    speech, sounds = _material(corpus)
    shares = {}
    for kind in KINDS:
        found = _weights(speech, [sound for sound in sounds if sound[0] != kind])
        called = [_called(w, v, *found) for name, w, v in sounds if name == kind]
        # Silence is none before any weights.
        shares[kind] = round(float(np.mean(called)), 4) if called else 0.0
    return {"all": round(float(np.mean(list(shares.values()))), 4), **shares}


def fit(corpus):
    """Print the weights."""
    weights, bias = _weights(*_material(corpus))
    for name, pair in zip(_judgement._FEATURES, weights, strict=True):
        print(f"{name}: {pair.round(2).tolist()}")
    print(f"bias: {bias:.2f}")


def _material(corpus):
    """Return windows of speech and of other sounds."""
    sounds = (
        (kind, make_sound(np.random.default_rng([1, i, place]), kind)[1], RATE)
        for place, kind in enumerate(KINDS)
        for i in range(N_OF_A_KIND)
    )
    return _windows(_some_speech(corpus)), _windows(sounds)


def _some_speech(corpus):
    for condition in CONDITIONS:
        for index in range(0, len(corpus.paths), EVERY):
            yield condition, *degrade(condition, index, corpus)
    made = make_emotional_speech(fewer(3, 1), fewer(4, 1), random_state=0)
    for emotion, signal in zip(made.target, made.signals, strict=True):
        yield f"synthetic {emotion}", signal, RATE


def _windows(recordings):
    """Return the kind, the windows, and the frames, of what is no silence."""
    found = []
    for kind, signal, rate in recordings:
        _, voice = _speech._listen(signal, rate)
        if voice is not None:
            found.append((kind, describe(voice), voice))
    return found


def _called(features, voice, weights, bias):
    active = _speech._find_active(
        voice.voiced, _judgement.judge(features, weights, bias)
    )
    return _speech._is_enough(voice, active)


def _weights(speech, sounds):
    """Fit by windows, in which each kind counts the same, but hard ones more."""
    X, y, counts = [], [], []
    for is_speech, group in ((1, speech), (0, sounds)):
        kinds = {}
        for kind, features, _ in group:
            kept = features[~_judgement._is_steady(features)]
            if len(kept):
                kinds.setdefault(kind, []).append(_judgement._lacks(kept))
        for kind, parts in kinds.items():
            share = (HARD if kind.endswith(" 0 dB") else 1) / len(kinds)
            lacks = np.concatenate(parts)
            X.append(lacks)
            y.append(np.full(len(lacks), is_speech))
            counts.append(np.full(len(lacks), 1000 * share / len(lacks)))
    model = LogisticRegression(C=10, max_iter=3000)
    model.fit(np.concatenate(X), np.concatenate(y), np.concatenate(counts))
    return model.coef_.reshape(2, -1).T, model.intercept_[0]


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    args = parse_options(parser)
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    return args


if __name__ == "__main__":
    main()
