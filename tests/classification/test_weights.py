"""Weights against repeated rows, where all rows are one batch."""

import numpy as np
import pytest
from sklearn.base import clone

from skemotion import BLSTMClassifier

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 5, 3)).astype(np.float32)
y = np.repeat(["anger", "fear"], [4, 8])
COUNTS = RNG.integers(1, 4, size=12)
STEP = 0.5
CLASSIFIER = BLSTMClassifier(
    units=3,
    optimizer="sgd",
    learning_rate=STEP,
    epochs=3,
    batch_size=64,
    random_state=0,
)


def fit(X=X, y=y, sample_weight=None, **parameters):
    classifier = clone(CLASSIFIER).set_params(**parameters)
    return classifier.fit(X, y, sample_weight=sample_weight)


def repeat(counts):
    return fit(np.repeat(X, counts, axis=0), np.repeat(y, counts))


def assert_equal(one, other):
    np.testing.assert_allclose(
        one.predict_proba(X), other.predict_proba(X), rtol=0, atol=1e-6
    )


@pytest.fixture(scope="module")
def repeated():
    return repeat(COUNTS)


def test_weights_of_mean_one_are_repeated_rows(repeated):
    assert_equal(fit(sample_weight=COUNTS / COUNTS.mean()), repeated)


def test_weights_are_not_normalised(repeated):
    by_step = fit(sample_weight=COUNTS, learning_rate=STEP / COUNTS.mean())
    assert_equal(by_step, repeated)
    same_step = fit(sample_weight=COUNTS).predict_proba(X)
    assert np.abs(same_step - repeated.predict_proba(X)).max() > 1e-3


def test_class_weights_are_sample_weights():
    weights = {"anger": 3.0, "fear": 0.5}
    by_class = fit(class_weight=weights)
    assert_equal(by_class, fit(sample_weight=[weights[label] for label in y]))
    both = fit(sample_weight=COUNTS, class_weight=weights)
    assert_equal(both, fit(sample_weight=[weights[label] for label in y] * COUNTS))


def test_balanced_classes_are_repeated_rows():
    assert_equal(fit(class_weight="balanced"), repeat(np.where(y == "anger", 2, 1)))


def test_weight_of_zero_leaves_a_row_out():
    some = np.arange(12) % 3 > 0
    left_out = fit(X[some], y[some])
    assert_equal(fit(sample_weight=some), left_out)
