"""Scores of speakers, errors by coverage, and scikit-learn's own calibration."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.calibration import CalibrationDisplay
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skemotion.inspection import RiskCoverageDisplay, SpeakerScoreDisplay
from skemotion.metrics import (
    bootstrap_interval,
    risk_coverage_curve,
    speaker_report,
    unweighted_average_recall,
)

RNG = np.random.default_rng(0)
N = 200
Y = RNG.choice(["anger", "fear", "joy"], N)
SPEAKERS = RNG.choice(["03", "08", "mean"], N)
PROBA = RNG.dirichlet(np.ones(3), N)
PROBA[np.arange(N), np.unique(Y, return_inverse=True)[1]] += 0.4
PROBA /= PROBA.sum(axis=1, keepdims=True)
LABELS = np.unique(Y)
PREDICTED = LABELS[PROBA.argmax(axis=1)]


class Given(LogisticRegression):
    """Says what it is told to."""

    def predict(self, X):
        return PREDICTED

    def predict_proba(self, X):
        return PROBA


@pytest.fixture
def fitted():
    return Given().fit(np.arange(6)[:, None], [*LABELS, *LABELS])


# SpeakerScoreDisplay


def test_scores_are_those_of_the_report():
    display = SpeakerScoreDisplay.from_predictions(
        Y, PREDICTED, SPEAKERS, n_resamples=50, random_state=0
    )
    report = speaker_report(Y, PREDICTED, SPEAKERS, output_dict=True)
    assert display.speaker_names == ["03", "08", "mean"]
    for name, score in zip(display.speaker_names[:2], display.scores, strict=False):
        assert score == report[name]["uar"]
    own = SPEAKERS == "mean"
    assert display.scores[2] == unweighted_average_recall(Y[own], PREDICTED[own])
    assert display.pooled == report["pooled"]["uar"]
    np.testing.assert_array_equal(display.points_.get_xdata(), display.scores)
    ticks = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    counts = [np.count_nonzero(name == SPEAKERS) for name in display.speaker_names]
    assert ticks == [
        f"{name} ({n})" for name, n in zip(display.speaker_names, counts, strict=True)
    ]


def test_intervals_are_those_of_the_bootstrap():
    options = {"n_resamples": 50, "random_state": 3}
    display = SpeakerScoreDisplay.from_predictions(Y, PREDICTED, SPEAKERS, **options)
    own = SPEAKERS == "03"
    first = bootstrap_interval(Y[own], PREDICTED[own], **options)
    assert display.intervals[0].tolist() == list(first)
    segments = display.bars_.get_segments()
    np.testing.assert_allclose([s[:, 0] for s in segments], display.intervals)
    low, high = display.pooled_interval
    assert low <= display.pooled <= high


def test_single_recordings_and_speakers_have_no_interval():
    display = SpeakerScoreDisplay.from_predictions(
        ["a", "b", "b"], ["a", "b", "a"], ["x", "y", "y"], random_state=0
    )
    assert np.isnan(display.intervals[0]).all()
    assert not np.isnan(display.intervals[1]).any()
    display = SpeakerScoreDisplay.from_predictions(["a", "b"], ["a", "a"], ["x", "x"])
    assert display.pooled_interval is None


def test_speakers_of_an_estimator(fitted):
    display = SpeakerScoreDisplay.from_estimator(fitted, None, Y, SPEAKERS)
    assert display.pooled == unweighted_average_recall(Y, PREDICTED)


def test_nothing_to_score_is_an_error():
    with pytest.raises(ValueError, match="y_true must be one-dimensional"):
        SpeakerScoreDisplay.from_predictions([], [], [])
    with pytest.raises(ValueError, match="inconsistent"):
        SpeakerScoreDisplay.from_predictions(["a"], ["a"], ["x", "y"])
    with pytest.raises(ValueError, match="at least one"):
        SpeakerScoreDisplay([], []).plot()


# RiskCoverageDisplay


def test_curve_is_that_of_the_metric(fitted):
    coverage, risk, _ = risk_coverage_curve(Y, PROBA)
    for display in (
        RiskCoverageDisplay.from_predictions(Y, PROBA, labels=LABELS),
        RiskCoverageDisplay.from_arrays(coverage, risk),
        RiskCoverageDisplay.from_estimator(fitted, None, Y),
    ):
        np.testing.assert_array_equal(display.line_.get_xdata(), coverage)
        np.testing.assert_array_equal(display.line_.get_ydata(), risk)
    legend = display.ax_.get_legend().get_texts()
    assert [text.get_text() for text in legend] == ["Given"]


def test_curves_are_compared_on_the_same_axes():
    _, ax = plt.subplots()
    first = RiskCoverageDisplay.from_predictions(Y, PROBA, name="first", ax=ax)
    second = RiskCoverageDisplay.from_arrays([0.5, 1], [0, 0.9], name="second", ax=ax)
    assert ax.lines[:] == [first.line_, second.line_]
    assert first.line_.get_color() != second.line_.get_color()
    assert ax.get_ylim()[1] > 0.9
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["first", "second"]


def test_curve_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        RiskCoverageDisplay([], []).plot()
    with pytest.raises(ValueError, match=r"y_true must be one-dim|at least one"):
        RiskCoverageDisplay.from_predictions([], np.zeros((0, 3)), labels=LABELS)
    with pytest.raises(NotFittedError):
        RiskCoverageDisplay.from_estimator(LogisticRegression(), None, Y)


def test_reliability_is_drawn_by_scikit_learn():
    display = CalibrationDisplay.from_predictions(
        PREDICTED == Y, PROBA.max(axis=1), n_bins=5
    )
    right = (PREDICTED == Y)[(PROBA.max(axis=1) > 0.6) & (PROBA.max(axis=1) <= 0.8)]
    assert np.isclose(display.prob_true, right.mean()).any()
