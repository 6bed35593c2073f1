"""Networks of a user's own behave as those of the package."""

import copy
import os
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
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from builders import (  # noqa: E402  (found by the path above)
    ConvolutionalNetwork,
    build_gru,
)

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


FACTOR = 1.0


def build_reader(n_frames, n_features, n_classes):
    return headed(layers.Lambda(lambda x: FACTOR * x))(n_frames, n_features, n_classes)


def headed(*first):
    def build(n_frames, n_features, n_classes):
        softmax = layers.Dense(n_classes, activation="softmax")
        return keras.Sequential(
            [keras.Input((n_frames, n_features)), *first, layers.Flatten(), softmax]
        )

    return build


class Times(layers.Layer):
    """Its settings keep silent about what it computes with."""

    def __init__(self, factor, **options):
        super().__init__(**options)
        self._factor = factor

    def call(self, inputs):
        return self._factor * inputs

    def get_config(self):
        return super().get_config()


class TimesGlobal(layers.Layer):
    def call(self, inputs):
        return FACTOR * inputs


def by_array(factor):
    factors = np.ones((8, 500), dtype=np.float32)
    factors[4, 250:] = factor  # not in its repr
    widened = keras.layers.Lambda(lambda x: keras.ops.tile(x, (1, 1, 200))[..., :500])
    return headed(widened, layers.Lambda(lambda x: factors * x))


@pytest.mark.parametrize(
    "network_of",
    [
        lambda factor: build_reader,
        lambda factor: headed(Times(factor)),
        lambda factor: headed(TimesGlobal()),
        by_array,
    ],
    ids=["global", "private attribute", "global of a layer", "array"],
)
def test_graphs_are_shared_by_what_they_compute(network_of, monkeypatch):
    """A network's own answer is that of Keras, whatever was trained before."""
    for factor in (1.0, 50.0):
        monkeypatch.setitem(globals(), "FACTOR", factor)
        fitted = make(network_of(factor), epochs=1).fit(X, y)
        np.testing.assert_allclose(
            fitted.predict_proba(X), fitted.model_.predict(X, verbose=0), atol=1e-5
        )


def test_a_changed_regularizer_is_followed():
    classifier = make(dense(activation="softmax"), epochs=1).fit(X, y)
    head = classifier.model_.layers[-1]
    head.kernel_regularizer = keras.regularizers.L2(1e3)
    classifier.partial_fit(X, y)
    assert classifier.history_["loss"][1] > 100


def test_layers_are_made_anew():
    shared = layers.Dense(2)
    with pytest.raises(ValueError, match="layers anew in each call"):
        make(headed(shared), n_members=2).fit(X, y)
    with pytest.raises(ValueError, match="layers anew in each call"):
        make(headed(shared)).fit(X, y)
    model = build_gru(8, 3, 3)
    with pytest.raises(ValueError, match="layers anew in each call"):
        make(lambda *shape: model, n_members=2).fit(X, y)


def test_layers_that_do_not_learn_can_be_shared():
    backbone = layers.Dense(2, trainable=False)
    classifier = make(headed(backbone), n_members=2, epochs=2).fit(X, y)
    before = [weights.copy() for weights in backbone.get_weights()]
    clone(classifier).fit(X, y)
    np.testing.assert_equal(backbone.get_weights(), before)


def test_what_was_fitted_is_kept_when_a_network_is_set(tmp_path):
    classifier = make(ConvolutionalNetwork(filters=3), epochs=1).fit(X, y)
    expected = classifier.predict_proba(X)
    classifier.set_params(network__filters=5)
    loaded = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)
    assert loaded.network.filters == 5
    loaded.partial_fit(X, y)


@pytest.mark.parametrize(
    "network", [ConvolutionalNetwork, layers.Dense(3), build_gru(8, 3, 3)]
)
def test_what_is_no_builder_is_refused(network):
    with pytest.raises(TypeError, match="of a class, give an instance"):
        make(network).fit(X, y)


def test_a_class_has_no_parameters():
    with pytest.raises(ValueError, match=r"network__filters.* a class"):
        make(ConvolutionalNetwork).set_params(network__filters=3)


def test_batches_of_one_size_are_refused():
    def build(n_frames, n_features, n_classes):
        inputs = keras.Input(batch_shape=(4, n_frames, n_features))
        states = layers.LSTM(2, stateful=True)(inputs)
        return keras.Model(inputs, layers.Dense(n_classes, "softmax")(states))

    with pytest.raises(ValueError, match="fixes the size of batches to 4"):
        make(build).fit(X, y)


def test_copies_of_the_wrapper():
    classifier = make(lambda *shape: build_gru(*shape), epochs=1).fit(X, y)
    estimator = classifier.estimator_
    again = copy.deepcopy(classifier)
    np.testing.assert_array_equal(again.predict(X), classifier.predict(X))
    with pytest.raises(pickle.PicklingError, match="top level of a module"):
        pickle.dumps(estimator)
    codes = np.arange(42) % 3
    unfitted = pickle.loads(pickle.dumps(clone(make(epochs=1).fit(X, y).estimator_)))
    assert set(unfitted.fit(X, codes).predict(X)) <= {0, 1, 2}


def test_a_function_of_main_comes_back_from_workers(tmp_path):
    code = """
import numpy as np
from sklearn.model_selection import cross_validate
from skemotion import SequenceClassifier
from builders import build_gru

def build(*shape):
    return build_gru(*shape)

if __name__ == "__main__":
    X, y = np.random.default_rng(0).normal(size=(20, 4, 2)), [0, 1] * 10
    scores = cross_validate(
        SequenceClassifier(build, epochs=1), X, y, cv=2, n_jobs=2,
        return_estimator=True, error_score="raise",
    )
    print(*(fitted.predict(X[:1]).shape for fitted in scores["estimator"]))
"""
    (tmp_path / "script.py").write_text(code)
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout == "(1,) (1,)\n", done.stderr


def test_a_builders_draws_leave_the_process_alone():
    import random

    random.seed(3)
    expected = random.random()
    random.seed(3)
    make(epochs=1).fit(X, y).predict(X)
    assert random.random() == expected


@pytest.mark.parametrize("network", ["build", "Network()"])
def test_a_network_of_another_script_is_missed_by_name(network, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import joblib, numpy as np
from skemotion import SequenceClassifier
from builders import build_gru

def build(*shape):
    return build_gru(*shape)

class Network:
    def __call__(self, *shape):
        return build_gru(*shape)

X = np.random.default_rng(0).normal(size=(8, 4, 2))
classifier = SequenceClassifier({network}, epochs=1).fit(X, [0, 1] * 4)
joblib.dump(classifier, "model.joblib")
joblib.load("model.joblib").predict(X)
"""
    )
    subprocess.run([sys.executable, str(script)], check=True, cwd=tmp_path, timeout=300)
    code = "import joblib; joblib.load('model.joblib')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert "of a script, which this process does not have: define it" in done.stderr
