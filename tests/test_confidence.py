"""Calibration error and risk-coverage curves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from skemotion.metrics import expected_calibration_error, risk_coverage_curve


def make_probabilities(n=300, n_classes=4, seed=0):
    """Predictions of which each is right with the probability that it claims."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(n_classes), size=n)
    y = np.array([rng.choice(n_classes, p=row) for row in proba])
    return np.array(["anger", "boredom", "fear", "joy"])[y], proba


def test_the_error_is_small_where_confidence_is_earned():
    y, proba = make_probabilities(20_000)
    assert expected_calibration_error(y, proba) < 0.02
    sharper = proba**3 / (proba**3).sum(axis=1, keepdims=True)
    assert expected_calibration_error(y, sharper) > 0.1


def test_a_bin_holds_its_upper_edge():
    # 0.5 and 0.4 fall into the same half, 0.6 into the other one.
    proba = [[0.5, 0.3, 0.2], [0.4, 0.3, 0.3], [0.6, 0.2, 0.2]]
    y, labels = ["a", "b", "b"], ["a", "b", "c"]
    error = expected_calibration_error(y, proba, labels=labels, n_bins=2)
    assert error == pytest.approx((abs(0.9 - 1) + 0.6) / 3)


@pytest.mark.parametrize(("y", "error"), [(["a", "a"], 0.0), (["b", "b"], 1.0)])
def test_the_error_of_certainty(y, error):
    # float32 may sum to more than 1.
    proba = np.array([[1, 0], [1 + 1e-7, 0]], dtype=np.float32)
    assert expected_calibration_error(y, proba, labels=["a", "b"]) == error


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 100), st.integers(1, 50))
def test_with_one_bin_it_is_the_distance_of_the_means(seed, n):
    y, proba = make_probabilities(n, seed=seed)
    labels = ["anger", "boredom", "fear", "joy"]
    accuracy = accuracy_score(y, np.array(labels)[proba.argmax(axis=1)])
    expected = abs(proba.max(axis=1).mean() - accuracy)
    error = expected_calibration_error(y, proba, labels=labels, n_bins=1)
    assert error == pytest.approx(expected)


def test_the_curve_is_what_withholding_leaves():
    y, proba = make_probabilities(200)
    proba = np.random.default_rng(0).multinomial(20, proba) / 20  # with ties
    labels = np.unique(y)
    predicted, confidence = labels[proba.argmax(axis=1)], proba.max(axis=1)
    coverage, risk, thresholds = risk_coverage_curve(y, proba)
    assert (np.diff(thresholds) < 0).all()
    assert len(thresholds) < len(y)
    for c, r, threshold in zip(coverage, risk, thresholds, strict=True):
        kept = confidence >= threshold
        assert c == pytest.approx(kept.mean())
        assert r == pytest.approx(1 - accuracy_score(y[kept], predicted[kept]))
    assert coverage[-1] == 1


@pytest.mark.parametrize("measure", [expected_calibration_error, risk_coverage_curve])
@pytest.mark.parametrize(
    ("y", "proba", "labels", "message"),
    [
        (["a", "a"], [[0.5, 0.5]] * 2, None, "2 columns, but y_true has 1 classes"),
        (["a", "b"], [[0.5, 0.5]] * 2, ["a"], "but labels has 1 classes"),
        (["a", "x"], [[0.5, 0.5]] * 2, ["a", "b"], r"holds \['x'\]"),
        (["a", "b"], [[0.5, 0.6]] * 2, None, "no probabilities"),
        (["a", "b"], [[-0.5, 1.5]] * 2, None, "no probabilities"),
        (["a", "b"], [[np.nan, 1.0]] * 2, None, "NaN"),
        (["a"], [[0.5, 0.5]] * 2, ["a", "b"], "inconsistent"),
    ],
)
def test_what_is_wrong_is_named(measure, y, proba, labels, message):
    with pytest.raises(ValueError, match=message):
        measure(y, proba, labels=labels)


@pytest.mark.parametrize("measure", [expected_calibration_error, risk_coverage_curve])
def test_columns_without_a_true_class_are_no_matter(measure):
    labels, proba = ["a", "b", "c"], [[0.7, 0.2, 0.1], [0.2, 0.7, 0.1]]
    result = measure(["a", "b"], proba, labels=labels)
    assert np.isfinite(np.ravel(result)).all()
