"""Fixtures that the whole test suite shares."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def emodb_path() -> Path:
    """Folder of the EMO-DB recordings."""
    path = os.environ.get("SKEMOTION_EMODB")
    if not path:
        pytest.skip("SKEMOTION_EMODB does not name a folder with EMO-DB")
    return Path(path)


@pytest.fixture(scope="session")
def emodb(emodb_path):
    """The corpus, as the package loads it."""
    from skemotion.datasets import load_emodb

    return load_emodb(emodb_path)


@pytest.fixture(scope="session")
def emodb_sequences(emodb):
    """Features of all recordings, of shape (535, 157, 46)."""
    from skemotion import SpeechFeatureExtractor
    from skemotion.exceptions import TruncationWarning

    with pytest.warns(TruncationWarning, match="^25 of 535 recordings are longer"):
        sequences = SpeechFeatureExtractor().transform(emodb.paths)
    sequences.flags.writeable = False
    return sequences
