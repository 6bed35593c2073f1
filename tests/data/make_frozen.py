"""Make the bundle that every later version has to load, and a pickle.

Run it only when the format of bundles, or what pickles hold, changes, and give
the files a new number then. The bundles of earlier versions stay, and are never
made again:

    python tests/data/make_frozen.py bundle
    python tests/data/make_frozen.py pickle

What the models of the package predict is frozen whenever one is trained anew:

    python tests/data/make_frozen.py pretrained
"""

import sys
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np

from skemotion import (
    AttentionBLSTMClassifier,
    EmotionPipeline,
    SequenceSampler,
    SequenceScaler,
    SpeechFeatureExtractor,
    load_pretrained,
)
from skemotion.datasets import make_emotional_speech
from skemotion.persistence import save_model
from skemotion.pretrained._files import BUNDLES

FOLDER = Path(__file__).parent
FORMAT_VERSION = 1
PICKLE_VERSION = 1
# What else decides whether a pickle can be read.
PACKAGES = ["imbalanced-learn", "joblib", "keras", "numpy", "scikit-learn"]
N_FROZEN = 4


def make_signals(rng):
    """Noisy tones of three pitches at 16 kHz, in 16 bits."""
    time = np.arange(5000) / 16_000
    y = np.repeat(["anger", "fear", "sadness"], [8, 10, 8])
    signals = []
    for label in y:
        pitch = {"anger": 900, "fear": 400, "sadness": 120}[label] * rng.uniform(0.8, 1)
        signal = np.sin(2 * np.pi * pitch * time) + 0.1 * rng.normal(size=time.size)
        signals.append((5000 * signal[: rng.integers(3000, 5000)]).astype(np.int16))
    return signals, y


def fit_pipeline():
    """Fit a small pipeline; return it with what it was fitted on."""
    signals, y = make_signals(np.random.default_rng(0))
    recordings = [signal / np.float32(32768) for signal in signals]
    pipeline = EmotionPipeline(
        [
            ("extract", SpeechFeatureExtractor(duration=0.3, n_mfcc=3, n_mels=16)),
            ("scale", SequenceScaler(ignore_padding=True)),
            ("balance", SequenceSampler(random_state=0)),
            (
                "classify",
                AttentionBLSTMClassifier(
                    units=3,
                    dropout=0.1,
                    ignore_padding=True,
                    learning_rate=0.05,
                    epochs=5,
                    random_state=0,
                ),
            ),
        ],
        validation_fraction=0.2,
        random_state=0,
    ).fit(recordings, y)
    return pipeline, signals, recordings


def make_bundle():
    pipeline, signals, recordings = fit_pipeline()
    save_model(pipeline, FOLDER / f"bundle-{FORMAT_VERSION}.skemotion")
    frozen = np.linspace(0, len(signals) - 1, N_FROZEN).astype(int)
    sequences = pipeline["extract"].transform([recordings[i] for i in frozen])
    scaled = pipeline["scale"].transform(sequences)
    np.savez_compressed(
        FOLDER / f"bundle-{FORMAT_VERSION}.npz",
        **{f"signal_{row}": signals[i] for row, i in enumerate(frozen)},
        sequences=sequences,
        attention=pipeline["classify"].attention(scaled),
        probabilities=pipeline["classify"].predict_proba(scaled),
    )


def make_pickle():
    pipeline, _, recordings = fit_pipeline()
    file = FOLDER / f"pickle-{PICKLE_VERSION}.joblib"
    joblib.dump(pipeline, file, compress=3)
    sequences = pipeline["extract"].transform(recordings[::7])
    trained_on = joblib.load(file)[1:]
    scaled = trained_on["scale"].transform(sequences)
    trained_on["classify"].partial_fit(scaled, pipeline.classes_[[0, 1, 2, 0]])
    np.savez_compressed(
        file.with_suffix(".npz"),
        sequences=sequences,
        probabilities=pipeline[1:].predict_proba(sequences),
        trained_on=trained_on.predict_proba(sequences),
        made_with=[f"{package} {version(package)}" for package in PACKAGES],
    )


def make_pretrained():
    speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    spoken = dict(zip(speech.target.tolist(), speech.signals, strict=True))
    # One window, and several.
    signals = [spoken["anger"], np.concatenate([spoken["boredom"], spoken["disgust"]])]
    signals = [(32767 * signal).astype(np.int16) for signal in signals]
    np.savez_compressed(
        FOLDER / "pretrained.npz",
        **{f"signal_{row}": signal for row, signal in enumerate(signals)},
        **{name: load_pretrained(name).predict_proba(signals) for name in BUNDLES},
    )


if __name__ == "__main__":
    makers = {
        "bundle": make_bundle,
        "pickle": make_pickle,
        "pretrained": make_pretrained,
    }
    makers[sys.argv[1]]()
