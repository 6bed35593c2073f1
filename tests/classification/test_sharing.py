"""Networks built alike share traced graphs, and nothing else."""

import gc
import multiprocessing
import pickle
import random
import subprocess
import sys
import tempfile
import weakref
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skemotion import BLSTMClassifier
from skemotion.networks import import_keras

keras = import_keras()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 6, 3)).astype(np.float32)
y = np.arange(20) % 2
X[y == 1] += 1

# Differ in what is no part of a graph: seeds, step sizes, batches and epochs.
ALIKE = [
    BLSTMClassifier(units=3, epochs=2, batch_size=8, random_state=0),
    BLSTMClassifier(
        units=3, epochs=3, batch_size=16, learning_rate=0.1, random_state=1
    ),
]


def fit(classifier):
    return clone(classifier).fit(X, y)


def assert_equal(fitted, others):
    for one, other in zip(fitted, others, strict=True):
        np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
        assert one.history_ == other.history_


@pytest.fixture(scope="module")
def alone():
    return [fit(classifier) for classifier in ALIKE]


def test_order_of_trainings_changes_nothing(alone):
    assert_equal(alone, [fit(classifier) for classifier in ALIKE[::-1]][::-1])


def test_training_on_in_turns_changes_nothing():
    in_turns = [clone(classifier) for classifier in ALIKE]
    for _ in range(2):
        for classifier in in_turns:
            classifier.partial_fit(X, y, classes=[0, 1])
    one_by_one = [clone(classifier) for classifier in ALIKE]
    for classifier in one_by_one:
        for _ in range(2):
            classifier.partial_fit(X, y, classes=[0, 1])
    assert_equal(one_by_one, in_turns)


def test_threads_change_nothing(alone):
    expected = alone[0].predict_proba(X)
    with ThreadPoolExecutor(4) as pool:
        trained = [pool.submit(fit, classifier) for classifier in ALIKE * 2]
        predicted = [pool.submit(alone[0].predict_proba, X) for _ in range(20)]
        assert_equal(alone * 2, [future.result() for future in trained])
        for future in predicted:
            np.testing.assert_array_equal(future.result(), expected)


def test_spawned_worker_changes_nothing(alone):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        futures = [pool.submit(clone(one).fit, X, y) for one in ALIKE]
        assert_equal(alone, [future.result() for future in futures])


def test_nothing_is_left_behind():
    import tensorflow as tf
    from tensorflow.python.framework import config

    def draw():
        return random.random(), np.random.random(), float(tf.random.uniform(()))

    keras.utils.set_random_seed(3)
    expected = draw()
    keras.utils.set_random_seed(3)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fit, ALIKE))
    assert draw() == expected
    assert not config.is_op_determinism_enabled()
    assert keras.config.dtype_policy().name == "float32"


class ChangeStep(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 7.0


class ReadBack(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        with tempfile.TemporaryDirectory() as folder:
            self.model.save_weights(f"{folder}/all.weights.h5")
            self.model.load_weights(f"{folder}/all.weights.h5")


class Freeze(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        for layer in self.model.layers:
            layer.trainable = False


class FreezeLater(Freeze):
    on_train_begin = keras.callbacks.Callback.on_train_begin

    def on_epoch_end(self, epoch, logs=None):
        Freeze.on_train_begin(self)


class ChangeMomentum(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.model.optimizer.beta_1 = 0.0


@pytest.mark.parametrize("callback", [ChangeStep(), ReadBack()])
def test_callbacks_change_their_own_network_only(callback, alone):
    clone(ALIKE[0]).set_params(callbacks=callback).fit(X, y)
    assert_equal(alone[:1], [fit(ALIKE[0])])


class Fail(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise ZeroDivisionError("in training")


class Replace(keras.callbacks.Callback):
    def on_train_end(self, logs=None):
        self.model.compile("sgd", "sparse_categorical_crossentropy")


@pytest.mark.parametrize(
    ("callback", "error", "message"),
    [
        (Fail(), ZeroDivisionError, "in training"),
        (Replace(), RuntimeError, "callback has replaced variables"),
        # Whether a graph follows would depend on whether it was traced before.
        (Freeze(), RuntimeError, "callback has changed settings"),
        (FreezeLater(), RuntimeError, "callback has changed settings"),
        (ChangeMomentum(), RuntimeError, "callback has changed settings"),
    ],
)
def test_failed_training_changes_nothing(callback, error, message, alone):
    classifier = clone(ALIKE[0]).set_params(warm_start=True).fit(X, y)
    classifier.set_params(callbacks=callback)
    with pytest.raises(error, match=message):
        classifier.fit(X, y)
    assert_equal(alone[:1], [classifier])
    assert_equal(alone[:1], [fit(ALIKE[0])])


def test_frozen_layers_stay_as_they_are():
    classifier = fit(ALIKE[0])
    recurrent, output = (
        layer for layer in classifier.model_.layers if layer.get_weights()
    )
    recurrent.trainable = False
    before = recurrent.get_weights(), output.get_weights()
    classifier.partial_fit(X, y)
    for old, new in zip(before[0], recurrent.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert not np.array_equal(before[1][0], output.get_weights()[0])


def test_precision_is_that_of_the_first_training(alone):
    keras.config.set_dtype_policy("float64")
    try:
        double = fit(ALIKE[0])
        expected = double.predict_proba(X)
        assert_equal(alone[:1], alone[:1])
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(double.predict_proba(X), expected)
    assert not np.array_equal(expected, alone[0].predict_proba(X))
    assert_equal(alone[:1], [fit(ALIKE[0])])


@pytest.mark.parametrize("policy", ["float64", "mixed_float16"])
def test_probabilities_are_single_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        classifier = fit(ALIKE[0])
        assert classifier.predict_proba(X).dtype == np.float32
    finally:
        keras.config.set_dtype_policy("float32")


class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise KeyboardInterrupt


def test_frozen_layers_stay_so_in_pickles():
    classifier = fit(ALIKE[0])
    classifier.model_.get_layer("recurrent").trainable = False
    loaded = pickle.loads(pickle.dumps(classifier))
    assert_equal([classifier.partial_fit(X, y)], [loaded.partial_fit(X, y)])


def test_a_refit_that_fails_leaves_no_network_of_other_labels():
    classifier = fit(ALIKE[0]).set_params(callbacks=Stop())
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, np.where(y, "anger", "fear"))
    with pytest.raises(NotFittedError):
        classifier.predict(X)


def test_schedules_of_the_step_size(tmp_path):
    def make(decay):
        schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, decay)
        return clone(ALIKE[0]).set_params(learning_rate=schedule)

    constant, falling = make(1.0).fit(X, y), make(0.1).fit(X, y)
    assert_equal([clone(ALIKE[0]).set_params(learning_rate=0.1).fit(X, y)], [constant])
    assert falling.history_["loss"] != constant.history_["loss"]
    joblib.dump(falling, tmp_path / "falling.joblib")
    loaded = joblib.load(tmp_path / "falling.joblib")
    assert_equal([falling.partial_fit(X, y)], [loaded.partial_fit(X, y)])


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")
def test_memory_does_not_grow_by_refits():
    code = """
import os
import numpy as np
from skemotion import BLSTMClassifier

X, y = np.random.default_rng(0).normal(size=(8, 4, 2)), [0, 1] * 4

def refit(n_times):
    for seed in range(n_times):
        classifier = BLSTMClassifier(units=2, epochs=1, random_state=seed)
        classifier.fit(X, y).predict(X)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = refit(20)
print((refit(40) - before) / 40)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 5e5


@pytest.mark.parametrize("ignore_padding", [False, True])
def test_nothing_holds_on_to_what_was_trained_on(ignore_padding):
    classifier = BLSTMClassifier(
        units=2, epochs=1, ignore_padding=ignore_padding, functionals_units=2
    )
    sequences = RNG.normal(size=(8, 4, 2)).astype(np.float32)
    held = weakref.ref(sequences)
    classifier.fit(sequences, [0, 1] * 4)
    del sequences
    gc.collect()
    assert held() is None
