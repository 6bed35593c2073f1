"""Freeze numbers for parts of ``benchmarks/_revisions.py``, to tell when they change.

    python tests/data/make_revisions.py

writes ``revisions.json``, with the versions that the parts have today.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
PATH = FOLDER / "revisions.json"
RATE = 16_000


def main():
    sys.path.insert(0, str(FOLDER.parents[1] / "benchmarks"))
    from _revisions import CURRENT

    kept = {
        part: {"version": CURRENT[part], "numbers": np.round(compute(), 6).tolist()}
        for part, compute in PARTS.items()
    }
    PATH.write_text(json.dumps(kept, indent=1) + "\n")


def describe_copies():
    """Return numbers of what a recipe makes of signals, for each copy."""
    from skemotion import make_emotion_pipeline

    rng = np.random.default_rng(0)
    # Of lengths of which a number of seconds, times the rate, is rounded to less.
    signals = [
        0.1 * rng.normal(size=n) * np.sin(np.arange(n) / 20)
        for n in (4_012, 8_011, 8_043, 4_079, 8_181, 4_063)
    ]
    recordings = [(signal, RATE) for signal in signals]
    augment = make_emotion_pipeline(random_state=0)["augment"]
    made, _ = augment.set_params(random_state=0).fit_resample(recordings, [0, 1] * 3)
    return [_summarise(*copy(RATE, 5.0)) for copy in made[len(signals) :]]


def _summarise(signal, rate):
    rng = np.random.default_rng(zlib.crc32(str(len(signal)).encode()))
    weights = rng.normal(size=len(signal))
    level = np.sqrt(np.mean(np.square(signal, dtype=float)))
    return [len(signal), rate, level, signal @ weights / len(signal) ** 0.5 / level]


def train_a_network():
    """Return probabilities of a small network with all that a recipe gives one."""
    from skemotion import AttentionBLSTMClassifier

    rng = np.random.default_rng(0)
    X = rng.normal(size=(24, 15, 4)).astype(np.float32)
    X[::3, 10:] = X[1::3, :4] = 0
    y = np.arange(24) % 3
    classifier = AttentionBLSTMClassifier(
        units=4,
        epochs=2,
        batch_size=5,
        n_members=2,
        noise=0.2,
        dropout=0.25,
        frame_step=2,
        functionals_units=3,
        ignore_padding=True,
        label_smoothing=0.1,
        class_weight="balanced",
        schedule="one_cycle",
        random_state=0,
    )
    return classifier.fit(X, y).predict_proba(X[:6])


PARTS = {"copies": describe_copies, "training": train_a_network}

if __name__ == "__main__":
    main()
