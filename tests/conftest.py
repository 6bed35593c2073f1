"""Fixtures that the whole test suite shares."""

import importlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "data"))

from small_encoder import small_encoder


@pytest.fixture(scope="session", autouse=True)
def _interrupts():
    """Take interrupts, which what a script starts in the background ignores."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def models_path() -> Path:
    """Folder of pretrained speech encoders."""
    path = os.environ.get("SKEMOTION_MODELS")
    if not path:
        pytest.skip("SKEMOTION_MODELS does not name a folder with speech encoders")
    return Path(path)


@pytest.fixture
def benchmark(monkeypatch):
    """A function that imports a script of benchmarks, by its name."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    before = dict(os.environ)
    yield importlib.import_module
    for name in os.environ.keys() - before:  # scripts choose numbers of threads
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def encoder_arrays():
    """Arrays of an encoder of 3 blocks, 64 features wide, of random values."""
    arrays = small_encoder()
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


@pytest.fixture(scope="session")
def encoder_file(encoder_arrays, tmp_path_factory) -> Path:
    """The same as a file, which `SpeechEncoder(weights=...)` takes."""
    from safetensors.numpy import save_file

    path = tmp_path_factory.mktemp("encoder") / "model.safetensors"
    arrays = {name: np.float16(array) for name, array in encoder_arrays.items()}
    save_file({f"model.encoder.{name}": each for name, each in arrays.items()}, path)
    return path


@pytest.fixture(scope="session")
def encoder_oracle():
    """What transformers makes of two recordings: see ``make_encoder_oracle.py``."""
    with np.load(Path(__file__).parent / "data" / "encoder-oracle.npz") as frozen:
        return dict(frozen)
