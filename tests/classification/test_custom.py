"""Networks of a user's own behave as those of the package."""

import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut

from skemotion import (
    EmotionPipeline,
    SequenceClassifier,
    SequenceSampler,
    SequenceScaler,
    save_model,
)
from skemotion.inspection import AttentionDisplay
from skemotion.networks import import_keras

keras = import_keras()
layers = keras.layers
sys.path.insert(0, str(Path(__file__).parent))

from builders import ConvolutionalNetwork, build_gru  # noqa: E402

RNG = np.random.default_rng(0)
y = np.array(["anger", "fear", "sadness"])[np.arange(42) % 3]
X = RNG.normal(size=(42, 8, 3)).astype(np.float32)
for column, label in enumerate(["anger", "fear", "sadness"]):
    X[y == label, :, column] += 1


def make(network=build_gru, **parameters):
    parameters = {"epochs": 8, "learning_rate": 0.05, "random_state": 0} | parameters
    return SequenceClassifier(network, **parameters)


@pytest.mark.parametrize("network", [build_gru, ConvolutionalNetwork()])
@pytest.mark.parametrize("n_members", [1, 2])
def test_it_learns_and_refits_to_the_same_bits(network, n_members):
    classifier = make(network, n_members=n_members, schedule="one_cycle", epochs=20)
    probabilities = classifier.fit(X, y).predict_proba(X)
    assert classifier.score(X, y) > 0.8
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    again = clone(classifier).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), probabilities)
    other = clone(classifier).set_params(random_state=1).fit(X, y)
    assert not np.array_equal(other.predict_proba(X), probabilities)
    assert classifier.model_.output_shape == (None, 3)


def test_the_wrapper_agrees():
    classifier = make(ConvolutionalNetwork(), n_members=2).fit(X, y)
    codes = np.searchsorted(classifier.classes_, y)
    estimator = classifier.estimator_
    expected = classifier.predict_proba(X)
    np.testing.assert_array_equal(estimator.predict_proba(X), expected)
    np.testing.assert_array_equal(estimator.predict(X), expected.argmax(axis=1))
    assert estimator.score(X, codes) == classifier.score(X, y)
    np.testing.assert_allclose(
        classifier.model_.predict(X, verbose=0), expected, atol=1e-6
    )


def test_all_that_trains_the_others_trains_it():
    classifier = make(
        early_stopping=True,
        validation_fraction=0.2,
        patience=1,
        class_weight={"fear": 2.0},
        label_smoothing=0.1,
        warm_start=True,
        optimizer="sgd",
    )
    classifier.fit(X, y, sample_weight=np.ones(42))
    assert "val_loss" in classifier.history_
    n_epochs = len(classifier.history_["loss"])
    classifier.partial_fit(X, y)
    assert len(classifier.history_["loss"]) == n_epochs + 1


@pytest.mark.parametrize("n_members", [1, 2])
def test_a_layer_named_attention_gives_attention(n_members):
    classifier = make(ConvolutionalNetwork(), n_members=n_members).fit(X, y)
    weights = classifier.attention(X)
    assert weights.shape == (42, 8)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    AttentionDisplay.from_estimator(classifier, X, n_bins=4)
    without = make(ConvolutionalNetwork(has_attention=False)).fit(X, y)
    assert not hasattr(without, "attention")
    assert not hasattr(make().fit(X, y), "attention")


def test_attention_of_another_shape_is_refused():
    def build(n_frames, n_features, n_classes):
        inputs = keras.Input((n_frames, n_features))
        states = layers.MultiHeadAttention(2, 2, name="attention")(inputs, inputs)
        summary = layers.GlobalAveragePooling1D()(states)
        outputs = layers.Dense(n_classes, activation="softmax")(summary)
        return keras.Model(inputs, outputs)

    classifier = make(build, epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="weight for each frame"):
        classifier.attention(X)


def test_parameters_of_a_network_are_searched():
    pipeline = EmotionPipeline(
        [
            ("scale", SequenceScaler()),
            ("balance", SequenceSampler(random_state=0)),
            ("classify", make(ConvolutionalNetwork(), epochs=2)),
        ],
        random_state=0,
    )
    grid = {"classify__network__filters": [2, 3]}
    search = GridSearchCV(pipeline, grid, cv=LeaveOneGroupOut(), n_jobs=2)
    search.fit(X, y, groups=np.arange(42) % 2)
    best = search.best_estimator_["classify"]
    assert best.network.filters == search.best_params_["classify__network__filters"]
    filters = best.model_.layers[1].filters
    assert filters == best.network.filters
    assert "val_loss" in best.history_  # real rows were held out


def test_a_plain_function_has_no_parameters():
    with pytest.raises(ValueError, match=r"network__units.*plain function"):
        make().set_params(network__units=3)
    classifier = make().set_params(network=ConvolutionalNetwork(), network__filters=7)
    assert classifier.network.filters == 7


def dense(*names, **options):
    def build(n_frames, n_features, n_classes):
        head = layers.Dense(n_classes, **options)
        return keras.Sequential(
            [keras.Input((n_frames, n_features)), layers.Flatten(), head]
        )

    return build


def compiled(*shape):
    model = build_gru(*shape)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (dense(), ValueError, "must put out probabilities"),
        (dense(activation="sigmoid"), ValueError, "rows sum to"),
        (dense(activation="relu"), ValueError, "softmax"),
        (lambda *shape: build_gru(*shape[:2], 5), ValueError, r"\(batch, 5\)"),
        (lambda *shape: build_gru(shape[1], 5, 3), ValueError, r"reads \(batch, 3, 5"),
        (
            lambda *shape: dense(activation="softmax")(4, 6, 3),
            ValueError,
            r"n_features\), here \(8, 3\)",
        ),
        (compiled, ValueError, "without compile"),
        (lambda *shape: Subclassed(), ValueError, "keras.Input"),
        (lambda *shape: None, TypeError, "returned NoneType"),
        (lambda *shape: layers.Dense(3), TypeError, "returned Dense"),
    ],
)
@pytest.mark.parametrize("n_members", [1, 2])
def test_bad_networks_are_refused(network, error, message, n_members):
    with pytest.raises(error, match=message):
        make(network, n_members=n_members).fit(X, y)


def test_a_network_that_cannot_be_called_is_refused():
    with pytest.raises(ValueError, match="'network' parameter"):
        make("gru").fit(X, y)


@pytest.mark.parametrize("network", [build_gru, ConvolutionalNetwork(filters=3)])
def test_it_is_found_again_in_another_process(network, tmp_path):
    classifier = make(network, n_members=2).fit(X, y)
    joblib.dump(classifier, tmp_path / "model.joblib")
    np.save(tmp_path / "X.npy", X)
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import joblib, numpy as np
X = np.load({str(tmp_path / "X.npy")!r})
model = joblib.load({str(tmp_path / "model.joblib")!r})
np.save({str(tmp_path / "probabilities.npy")!r}, model.predict_proba(X))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
    probabilities = np.load(tmp_path / "probabilities.npy")
    np.testing.assert_array_equal(probabilities, classifier.predict_proba(X))


def test_a_network_that_nobody_can_import_is_not_pickled():
    classifier = make(lambda *shape: build_gru(*shape), epochs=1).fit(X, y)
    with pytest.raises(pickle.PicklingError, match="top level of a module"):
        pickle.dumps(classifier)


def test_a_bundle_refuses_it_by_name(tmp_path):
    with pytest.raises(TypeError, match="SequenceClassifier"):
        save_model(make(epochs=1).fit(X, y), tmp_path / "model.skemotion")
    assert list(tmp_path.iterdir()) == []


def test_a_builders_draws_leave_the_process_alone():
    import random

    random.seed(3)
    expected = random.random()
    random.seed(3)
    make(epochs=1).fit(X, y).predict(X)
    assert random.random() == expected
