"""joblib: the same model in another process, and models pickled long ago."""

import pickle
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    EmotionPipeline,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    SequenceUnion,
    SpeechFeatureExtractor,
    save_model,
)

DATA = Path(__file__).parent / "data"
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 5, 7)).astype(np.float32)
X[:3, :2] = 0
y = np.array(["anger", "fear"] * 10)
SIGNALS = [RNG.normal(size=4000 + 200 * i).astype(np.float32) for i in range(4)]

EXTRACTOR = SpeechFeatureExtractor(duration=0.3, n_mfcc=2, n_mels=8)
UNION = SequenceUnion([("a", EXTRACTOR), ("b", EXTRACTOR)])
CLASSIFIER = AttentionBLSTMClassifier(units=2, epochs=1, random_state=0)
BLSTM = BLSTMClassifier(units=2, epochs=1, random_state=0)
PIPELINE = EmotionPipeline(
    [
        ("scale", SequenceScaler(ignore_padding=True)),
        ("balance", SequenceSampler(SMOTE(k_neighbors=2), random_state=0)),
        ("classify", CLASSIFIER),
    ],
    random_state=0,
)
# Name, estimator, what it is fitted on, what it is asked for.
CASES = [
    ("extractor", EXTRACTOR, (SIGNALS,), "transform"),
    ("union", UNION, (SIGNALS,), "transform"),
    ("scaler", SequenceScaler(), (X,), "transform"),
    ("functionals", SequenceFunctionals(), (X,), "transform"),
    ("sampler", SequenceSampler(random_state=0), (X, y), "fit_resample"),
    ("attention", CLASSIFIER, (X, y), "predict_proba"),
    ("blstm", BLSTM, (X, y), "predict_proba"),
    ("pipeline", PIPELINE, (X, y), "predict_proba"),
    (
        "search",
        GridSearchCV(PIPELINE, {"scale__scope": ["feature", "cell"]}, cv=2),
        (X, y),
        "predict_proba",
    ),
]

CHECK = """
import sys
import joblib

def ask(estimator, method, arguments):
    answer = getattr(estimator, method)(*arguments)
    return answer[0] if isinstance(answer, tuple) else answer

for path in sys.argv[1:]:
    unfitted, fitted, data, method, expected = joblib.load(path)
    arguments = data if method == "fit_resample" else data[:1]
    assert (ask(fitted, method, arguments) == expected).all(), path
    assert (ask(unfitted.fit(*data), method, arguments) == expected).all(), path
    if hasattr(fitted, "partial_fit"):
        trained_on = joblib.load(path + ".trained_on")
        answer = ask(fitted.partial_fit(*data), method, arguments)
        assert (answer == ask(trained_on, method, arguments)).all(), path
"""


def test_models_in_a_fresh_process(tmp_path):
    paths = []
    for number, (name, estimator, data, method) in enumerate(CASES):
        fitted = clone(estimator).fit(*data)
        arguments = data if method == "fit_resample" else data[:1]
        expected = getattr(fitted, method)(*arguments)
        if isinstance(expected, tuple):
            expected = expected[0]
        paths.append(str(tmp_path / name))
        joblib.dump(
            (estimator, fitted, data, method, expected), paths[-1], compress=number % 2
        )
        if hasattr(fitted, "partial_fit"):
            joblib.dump(fitted.partial_fit(*data), paths[-1] + ".trained_on")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHECK, *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("compress", [0, 3])
def test_compression_changes_nothing(compress, tmp_path):
    fitted = clone(CLASSIFIER).fit(X, y)
    joblib.dump(fitted, tmp_path / "model.joblib", compress=compress)
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert loaded.history_ == fitted.history_
    assert loaded.get_params() == fitted.get_params()


def test_frozen_pickle():
    """It works where it was made, and elsewhere works or says why it cannot."""
    with np.load(DATA / "pickle-1.npz", allow_pickle=False) as file:
        frozen = dict(file)
    made_with = dict(line.split() for line in frozen["made_with"].tolist())
    here = {package: version(package) for package in made_with}
    try:
        pipeline = joblib.load(DATA / "pickle-1.joblib")
    except (ImportError, ValueError) as error:
        if here == made_with:
            raise
        pytest.skip(f"made with {made_with}, cannot be read with {here}: {error}")
    sequences = frozen["sequences"]
    np.testing.assert_allclose(
        pipeline[1:].predict_proba(sequences),
        frozen["probabilities"],
        rtol=0,
        atol=1e-5,
    )
    assert clone(pipeline).get_params().keys() == pipeline.get_params().keys()
    classifier = pipeline["classify"]
    scaled = pipeline["scale"].transform(sequences)
    classifier.partial_fit(scaled, pipeline.classes_[[0, 1, 2, 0]])
    np.testing.assert_allclose(
        classifier.predict_proba(scaled), frozen["trained_on"], rtol=0, atol=1e-4
    )


def test_pickle_of_another_network_says_what_to_do():
    estimator = clone(CLASSIFIER).fit(X, y).estimator_
    state = estimator.__getstate__()
    state["versions"] = "skemotion 0.0.1 and Keras 3.0.0"
    state["variables"][0] = np.zeros((2, 2), dtype="float32")
    with pytest.raises(
        ValueError, match=r"pickled under skemotion 0\.0\.1.*save_model"
    ):
        estimator.__setstate__(state)


def test_pickles_without_later_parameters():
    state = clone(CLASSIFIER).fit(X, y).__getstate__()
    del state["warm_start"]
    classifier = AttentionBLSTMClassifier.__new__(AttentionBLSTMClassifier)
    classifier.__setstate__(state)
    assert clone(classifier).get_params() == clone(CLASSIFIER).get_params()


def test_models_that_were_changed_are_not_kept_without_their_change(tmp_path):
    classifier = clone(CLASSIFIER).fit(X, y)
    layer = classifier.model_.get_layer("emotion")
    layer.trainable = False
    assert not pickle.loads(pickle.dumps(classifier)).model_.layers[-1].trainable
    before, layer.activation = layer.activation, abs
    with pytest.raises(ValueError, match="model_ was changed after fit"):
        pickle.dumps(classifier)
    with pytest.raises(ValueError, match="model_ was changed after fit"):
        save_model(classifier, tmp_path / "model.skemotion")
    layer.activation = before
    pickle.dumps(classifier)
