import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import (
    LeaveOneGroupOut,
    cross_val_predict,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB

from skemotion.metrics import (
    bootstrap_interval,
    speaker_report,
    uar_scorer,
    unweighted_average_recall,
)


def make_predictions(n=200, n_groups=10, seed=0):
    rng = np.random.RandomState(seed)
    emotions = np.array(["anger", "fear", "joy"])
    y_true = emotions[rng.choice(3, size=n, p=[0.6, 0.3, 0.1])]
    y_pred = np.where(rng.uniform(size=n) < 0.7, y_true, rng.choice(emotions, n))
    return y_true, y_pred, rng.randint(n_groups, size=n)


# unweighted_average_recall

pairs = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0.1, 10)), min_size=1
)


@given(pairs)
@settings(deadline=None)
def test_uar_is_balanced_accuracy_and_never_warns(rows):
    y_true, y_pred, weight = zip(*rows, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = unweighted_average_recall(y_true, y_pred)
        weighted = unweighted_average_recall(y_true, y_pred, sample_weight=weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert plain == pytest.approx(balanced_accuracy_score(y_true, y_pred))
        assert weighted == pytest.approx(
            balanced_accuracy_score(y_true, y_pred, sample_weight=weight)
        )
    assert type(plain) is float


def test_uar_counts_classes_alike():
    y_true = ["anger"] * 98 + ["fear"] * 2
    assert unweighted_average_recall(y_true, ["anger"] * 100) == 0.5


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [([0, 1], [0]), ([[0, 1], [1, 0]], [[0, 1], [1, 0]]), (["a", "b"], [0, 1])],
)
def test_uar_refuses_what_does_not_match(y_true, y_pred):
    with pytest.raises(ValueError, match=r"inconsistent|one-dim|holds text"):
        unweighted_average_recall(y_true, y_pred)


def test_scorer_pickles_and_scores():
    X, y = np.zeros((10, 1)), [0] * 8 + [1] * 2
    scorer = pickle.loads(pickle.dumps(uar_scorer))
    assert scorer(DummyClassifier().fit(X, y), X, y) == 0.5


# speaker_report


def test_report_equals_cross_validation_by_speaker():
    rng = np.random.RandomState(0)
    X, y, speakers = (
        rng.normal(size=(90, 2)),
        np.tile([0, 1, 2], 30),
        np.repeat([7, 8, 9], 30),
    )
    X[:, 0] += y
    cv = {"groups": speakers, "cv": LeaveOneGroupOut()}
    scores = cross_val_score(GaussianNB(), X, y, scoring=uar_scorer, **cv)
    y_pred = cross_val_predict(GaussianNB(), X, y, **cv)
    report = speaker_report(y, y_pred, speakers, output_dict=True)
    assert list(report) == ["7", "8", "9", "mean", "std", "pooled"]
    assert [report[s]["uar"] for s in "789"] == pytest.approx(scores)
    assert report["mean"]["uar"] == pytest.approx(scores.mean())
    assert report["std"]["uar"] == pytest.approx(scores.std())
    assert report["pooled"] == {
        "uar": pytest.approx(unweighted_average_recall(y, y_pred)),
        "accuracy": pytest.approx(np.mean(y == y_pred)),
        "n_recordings": 90,
    }


def test_speaker_is_measured_on_own_classes_only():
    y_true = ["anger", "anger", "anger", "fear"]
    y_pred = ["anger", "anger", "fear", "fear"]
    report = speaker_report(y_true, y_pred, ["f", "f", "m", "m"], output_dict=True)
    assert report["f"] == {"uar": 1.0, "accuracy": 1.0, "n_recordings": 2}
    assert report["m"] == {"uar": 0.5, "accuracy": 0.5, "n_recordings": 2}


@pytest.mark.parametrize("digits", [0, 3, 9])
def test_text_report_is_aligned_and_complete(digits):
    y_true, y_pred, _ = make_predictions(6)
    speakers = ["03", "a long speaker's name", "03"] * 2
    text = speaker_report(y_true, y_pred, speakers, digits=digits)
    lines = [line for line in text.splitlines() if line]
    names = [line.strip().split("  ")[0] for line in lines[1:]]
    assert names == ["03", "a long speaker's name", "mean", "std", "pooled"]
    full = [len(line) for line in lines if line.split()[0] not in {"mean", "std"}]
    assert len(set(full)) == 1
    assert lines[-1].split()[0] == "pooled"
    assert lines[-1].split()[-1] == "6"
    accuracy = np.mean(y_true == y_pred)
    assert lines[-1].split()[2] == f"{accuracy:.{digits}f}"


def test_report_refuses_other_lengths():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        speaker_report([0, 1], [0, 1], ["03"])


# bootstrap_interval


def test_interval_over_recordings_agrees_with_theory():
    # One class: the recall is a proportion, with its binomial standard error.
    y_true, y_pred = np.zeros(400, int), np.repeat([0, 1], [320, 80])
    low, high = bootstrap_interval(y_true, y_pred, n_resamples=20000, random_state=0)
    half_width = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert low == pytest.approx(0.8 - half_width, abs=0.005)
    assert high == pytest.approx(0.8 + half_width, abs=0.005)


@pytest.mark.parametrize("by_group", [False, True])
def test_fast_path_agrees_with_calling_the_metric(by_group):
    y_true, y_pred, speakers = make_predictions()
    options = {"groups": speakers if by_group else None, "random_state": 0}
    fast = bootstrap_interval(y_true, y_pred, n_resamples=20000, **options)
    slow = bootstrap_interval(
        y_true, y_pred, metric=balanced_accuracy_score, n_resamples=400, **options
    )
    assert fast == pytest.approx(slow, abs=0.02)


def test_whole_groups_are_drawn():
    # Two speakers, one always right, one always wrong: 0, 1/2 or 1 and no other.
    y_true, y_pred = [0] * 40, [0] * 20 + [1] * 20
    speakers = ["f"] * 20 + ["m"] * 20
    seen = []

    def accuracy(y_true, y_pred):
        seen.append(np.mean(y_true == y_pred))
        return seen[-1]

    options = {"groups": speakers, "random_state": 0, "confidence_level": 0.9}
    interval = bootstrap_interval(y_true, y_pred, metric=accuracy, **options)
    assert interval == bootstrap_interval(y_true, y_pred, **options) == (0.0, 1.0)
    assert len(seen) == 2000
    assert set(seen) == {0.0, 0.5, 1.0}


def test_interval_widens_with_confidence_and_narrows_with_data():
    y_true, y_pred, _ = make_predictions()
    widths = [
        np.diff(bootstrap_interval(*data, confidence_level=level, random_state=0))[0]
        for data, level in [
            ((np.tile(y_true, 4), np.tile(y_pred, 4)), 0.95),
            ((y_true, y_pred), 0.95),
            ((y_true, y_pred), 0.99),
        ]
    ]
    assert widths[0] < 0.6 * widths[1]
    assert widths[1] < widths[2]


def test_resample_may_lack_a_class():
    y_true, y_pred = ["anger"] * 9 + ["fear"], ["anger"] * 10
    low, high = bootstrap_interval(y_true, y_pred, random_state=0)
    assert (low, high) == (0.5, 1.0)


@pytest.mark.parametrize("by_group", [False, True])
def test_interval_is_determined_by_the_seed_alone(by_group):
    y_true, y_pred, speakers = make_predictions()
    groups = speakers if by_group else None
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    intervals = [
        bootstrap_interval(y_true, y_pred, groups=groups, random_state=seed)
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(before, np.random.get_state()[1])
    assert intervals[0] == intervals[1] != intervals[2]


def test_too_little_to_draw_from_is_refused():
    with pytest.raises(ValueError, match="at least two recordings, but y_true has 1"):
        bootstrap_interval([0], [0])
    with pytest.raises(ValueError, match="at least two groups, but groups has 1"):
        bootstrap_interval([0, 1], [0, 1], groups=["03", "03"])


def test_interval_refuses_what_does_not_match():
    with pytest.raises(ValueError, match="y_true holds text, but y_pred numbers"):
        bootstrap_interval(["a", "b"], [0, 1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        bootstrap_interval([0, 1], [0, 1], groups=[0])
    with pytest.raises(ValueError, match="confidence_level"):
        bootstrap_interval([0, 1], [0, 1], confidence_level=95)
