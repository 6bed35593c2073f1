"""skops: files that run no code but of types that the reader trusts."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skemotion import (
    NoveltyDetector,
    SequenceClassifier,
    SequenceFunctionals,
    SequenceScaler,
    SequenceUnion,
    SpeechAugmenter,
    SpeechEncoder,
    SpeechFeatureExtractor,
    adapt,
)
from skemotion.exceptions import AdaptationWarning
from skemotion.persistence import skops_types

skops = pytest.importorskip("skops.io", reason="optional, in extra 'test'")

LOAD = """
import sys
import numpy as np
import skops.io
from skemotion.persistence import skops_types

file, expected, *paths = sys.argv[1:]
model = skops.io.load(file, trusted=skops_types())
assert (model.predict_proba(paths) == np.load(expected)).all()
"""


def test_pipelines_in_a_fresh_process(fitted, speech, tmp_path):
    file, expected = tmp_path / "model.skops", tmp_path / "expected.npy"
    skops.dump(fitted, file)
    paths = speech.paths[:4].tolist()
    np.save(expected, fitted.predict_proba(paths))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD, str(file), str(expected), *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def back(model, *others):
    return skops.loads(skops.dumps(model), trusted=[*skops_types(), *others])


def test_pipelines_train_on(fitted, speech):
    """The state of the optimizer is kept, as in pickles."""
    sequences = fitted[:2].transform(speech.paths)
    first, second = back(fitted), back(fitted)
    for each in (first, second):
        each["classify"].partial_fit(sequences, speech.target)
    np.testing.assert_array_equal(
        first.predict_proba(speech.paths), second.predict_proba(speech.paths)
    )
    assert first["classify"].history_.keys() == fitted["classify"].history_.keys()


def test_what_is_adapted_and_tells_what_is_new(unfitted, speech):
    novel = clone(unfitted).set_params(novelty_detector=NoveltyDetector())
    novel.fit(speech.paths, speech.target)
    with pytest.warns(AdaptationWarning):
        adapted = adapt(novel, speech.paths)
    np.testing.assert_array_equal(
        back(adapted).predict_proba(speech.paths), adapted.predict_proba(speech.paths)
    )


def test_encoders(encoder_file, speech):
    encoder = SpeechEncoder(weights=str(encoder_file)).fit(speech.paths)
    np.testing.assert_array_equal(
        back(encoder).transform(speech.paths[:2]), encoder.transform(speech.paths[:2])
    )


def test_classifiers_of_flat_vectors(speech):
    union = SequenceUnion(
        [("a", SpeechFeatureExtractor()), ("b", SpeechFeatureExtractor(n_mfcc=2))]
    )
    svm = make_pipeline(
        union, SequenceScaler(ignore_padding=True), SequenceFunctionals(), SVC()
    ).fit(speech.paths, speech.target)
    np.testing.assert_array_equal(
        back(svm).decision_function(speech.paths), svm.decision_function(speech.paths)
    )
    assert back(SpeechAugmenter(random_state=0)).random_state == 0


def test_networks_of_ones_own(monkeypatch):
    """The function that builds it is one more thing to trust, by its name."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    from my_network import build

    X = np.random.default_rng(0).normal(size=(8, 3, 2)).astype(np.float32)
    y = np.array(["anger", "fear"] * 4)
    model = SequenceClassifier(build, epochs=1, random_state=0).fit(X, y)
    with pytest.raises(TypeError, match=r"Untrusted.*my_network\.build"):
        back(model)
    np.testing.assert_array_equal(
        back(model, "my_network.build").predict_proba(X), model.predict_proba(X)
    )


def test_every_type_is_one(fitted):
    """None has been renamed or moved."""
    import importlib

    types = skops_types()
    assert types == sorted(set(types))
    for name in types:
        module, _, kind = name.rpartition(".")
        found = getattr(importlib.import_module(module), kind)
        assert f"{found.__module__}.{found.__qualname__}" == name
    assert set(skops.get_untrusted_types(data=skops.dumps(fitted))) <= set(types)
