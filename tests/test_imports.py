"""Start-up: what is imported only when it is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

import skemotion

HEAVY = ["tensorflow", "keras", "scikeras", "librosa", "imblearn", "matplotlib"]


def heavy_modules_after(code):
    report = f"import sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    "code",
    [
        "import skemotion",
        "import skemotion; dir(skemotion); skemotion.__version__",
        "from skemotion.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass",
        "from skemotion.cli import main\n"
        "try: main(['train', '--help'])\nexcept SystemExit: pass",
        "import skemotion; skemotion.SpeechFeatureExtractor().fit(['a.wav'])",
        "from skemotion import SequenceScaler; SequenceScaler().fit([[[1.0]] * 9])",
        "from skemotion.datasets import make_emotional_speech\n"
        "make_emotional_speech(n_speakers=1, n_texts=1)",
        "import skemotion; skemotion.show_versions()",
        "import skemotion.metrics, skemotion.model_selection, skemotion.inspection",
        "import skemotion.report",
    ],
)
def test_nothing_heavy_is_imported(code):
    assert heavy_modules_after(code) == []


@pytest.mark.parametrize(
    "module",
    [
        "skemotion.audio",
        "skemotion.voice_activity",
        "skemotion.audio._windowing",
        "skemotion._sequences._bounds",
        "skemotion._sequences._functionals",
        "skemotion.feature_extraction._log_mel",
        "skemotion.feature_extraction._encoding",
        "skemotion.feature_extraction._descriptors",
        "skemotion.feature_extraction._extended",
        "skemotion.feature_extraction._sets",
    ],
)
def test_what_computes_numbers_needs_numpy_alone(module):
    assert_others_not_loaded(f"import {module}")


def assert_others_not_loaded(code):
    others = ["sklearn", "joblib", "scipy", "imblearn", "tensorflow", "librosa"]
    code += f"\nimport sys; print(*[n for n in {others} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


# Sounds that differ as those of speech do, so that no rounding shows.
DESCRIBE = """
import numpy as np
from skemotion.feature_extraction._descriptors import compute_descriptors
rng = np.random.default_rng(0)
parts = []
for _ in range(8):
    filter = rng.normal(size=30) * np.exp(-np.arange(30) / rng.uniform(1, 20))
    parts.append(np.convolve(rng.normal(size=1000), filter, "same"))
compute_descriptors(
    np.concatenate(parts).astype("float32"),
    sampling_rate=16000, frame_length=2048, hop_length=512, n_mfcc=20, n_mels=128,
)
"""


def test_the_posts_descriptors_need_no_scipy():
    assert_others_not_loaded(DESCRIBE)


def test_keras_waits_for_training():
    code = "from skemotion import make_emotion_pipeline; make_emotion_pipeline()"
    heavy = heavy_modules_after(code)
    assert "tensorflow" not in heavy
    assert "librosa" not in heavy


@pytest.mark.parametrize(
    "name",
    [
        path.stem
        for path in Path(skemotion.__file__).parent.iterdir()
        if (path.is_dir() or path.suffix == ".py")
        and not path.name.startswith("_")
        and path.name not in ("cli", "networks")
    ],
)
def test_public_modules_are_attributes(name):
    code = f"import skemotion; assert skemotion.{name}.__name__ == 'skemotion.{name}'"
    assert "tensorflow" not in heavy_modules_after(code)
    assert name in skemotion.__all__


def test_public_names_resolve():
    assert "make_emotion_pipeline" in skemotion.__all__
    for name in skemotion.__all__:
        assert getattr(skemotion, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = skemotion.no_such_name
