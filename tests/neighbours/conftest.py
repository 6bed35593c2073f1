"""Speech and a model that are quick to make, for all that is tried on them."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE

from skemotion import (
    BLSTMClassifier,
    EmotionPipeline,
    SequenceSampler,
    SequenceScaler,
    SpeechFeatureExtractor,
)
from skemotion.datasets import make_emotional_speech


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    speech = make_emotional_speech(
        n_speakers=3, n_texts=2, folder=folder, random_state=0
    )
    kept = np.isin(speech.target, ["anger", "sadness"])
    for name in ("paths", "target", "speakers"):
        speech[name] = speech[name][kept]
    return speech


@pytest.fixture(scope="session")
def unfitted():
    return EmotionPipeline(
        [
            ("extract", SpeechFeatureExtractor()),
            ("scale", SequenceScaler(ignore_padding=True)),
            ("balance", SequenceSampler(SMOTE(k_neighbors=2), random_state=0)),
            ("classify", BLSTMClassifier(units=2, epochs=1, random_state=0)),
        ],
        random_state=0,
    )


@pytest.fixture(scope="session")
def fitted(unfitted, speech):
    return unfitted.fit(speech.paths, speech.target, groups=speech.speakers)
