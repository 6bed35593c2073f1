"""Permutation importance: scikit-learn's, of sequences of one frame, is the oracle."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.pipeline import make_pipeline

from skemotion import SpeechFeatureExtractor
from skemotion.feature_extraction import SequenceFunctionals
from skemotion.inspection import sequence_permutation_importance

N_SAMPLES, N_FRAMES, N_FEATURES = 40, 7, 4
RNG = np.random.default_rng(0)
Y = np.array(["calm", "angry"])[RNG.integers(2, size=N_SAMPLES)]
X = RNG.normal(size=(N_SAMPLES, N_FRAMES, N_FEATURES))
X[Y == "angry", :, 1] += 2.0
X[Y == "angry", :, 3] += 1.0
OPTIONS = {"random_state": 0, "n_repeats": 4}


@pytest.fixture
def classifier():
    functionals = SequenceFunctionals(["mean", "std"], ignore_padding=False)
    return make_pipeline(functionals, LogisticRegression()).fit(X, Y)


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what it is asked about."""

    def __init__(self, asked=None):
        self.asked = asked

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.asked_ = []
        return self

    def predict(self, X):
        self.asked_.append(X.copy())
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize("scoring", [None, "neg_log_loss", ["accuracy", "f1_macro"]])
def test_single_frames_equal_scikit_learn(scoring):
    flat = X[:, 0]
    model = LogisticRegression().fit(flat, Y)
    functionals = SequenceFunctionals(["mean"], ignore_padding=False)
    on_sequences = make_pipeline(functionals, LogisticRegression()).fit(X[:, :1], Y)
    weight = np.linspace(1, 2, N_SAMPLES)
    options = {"scoring": scoring, "sample_weight": weight, "n_repeats": 6}
    expected = permutation_importance(model, flat, Y, random_state=3, **options)
    result = sequence_permutation_importance(
        on_sequences, X[:, :1], Y, random_state=3, **options
    )
    if not isinstance(scoring, list):
        result, expected = {"score": result}, {"score": expected}
    assert result.keys() == expected.keys()
    for name in expected:
        for key in ("importances", "importances_mean", "importances_std"):
            np.testing.assert_allclose(
                result[name][key], expected[name][key], atol=1e-5
            )
        assert result[name].feature_names.tolist() == ["x0", "x1", "x2", "x3"]


def test_the_features_that_matter_come_first(classifier):
    result = sequence_permutation_importance(
        classifier, X, Y, scoring="neg_log_loss", feature_names=list("abcd"), **OPTIONS
    )
    assert result.importances.shape == (N_FEATURES, 4)
    order = result.feature_names[np.argsort(-result.importances_mean)]
    assert order[:2].tolist() == ["b", "d"]
    assert result.importances_mean[1] > 0.1


def test_whole_courses_of_one_feature_are_permuted():
    recorder = Recorder().fit(X, Y)
    sequence_permutation_importance(recorder, X, Y, n_repeats=2, random_state=0)
    original, *permuted = recorder.asked_
    np.testing.assert_array_equal(original, X)
    assert len(permuted) == 2 * N_FEATURES
    for number, sequences in enumerate(permuted):
        column = number // 2
        others = np.arange(N_FEATURES) != column
        np.testing.assert_array_equal(sequences[..., others], X[..., others])
        courses, given = sequences[..., column], X[..., column]
        assert (courses != given).any()
        np.testing.assert_array_equal(
            courses[courses[:, 0].argsort()], given[given[:, 0].argsort()]
        )


def test_groups_are_permuted_together():
    recorder = Recorder().fit(X, Y)
    groups = {"outer": ["a", 3], "inner": np.array([1, 2]), "one": "b"}
    result = sequence_permutation_importance(
        recorder,
        X,
        Y,
        feature_names=list("abcd"),
        feature_groups=groups,
        n_repeats=1,
        random_state=0,
    )
    assert result.feature_names.tolist() == ["outer", "inner", "one"]
    for sequences, columns in zip(
        recorder.asked_[1:], ([0, 3], [1, 2], [1]), strict=True
    ):
        moved = (sequences != X).any(axis=(0, 1))
        assert np.flatnonzero(moved).tolist() == columns
        first = columns[0]
        sources = [
            np.flatnonzero(X[:, 0, first] == row[0, first]).item() for row in sequences
        ]
        np.testing.assert_array_equal(
            sequences[:, :, columns], X[:, :, columns][sources]
        )


def test_stand_ins_matter_as_a_group_only():
    twins = np.stack([X[..., 1], X[..., 1], X[..., 0]], axis=2)
    functionals = SequenceFunctionals(["mean"], ignore_padding=False)
    model = make_pipeline(functionals, LogisticRegression()).fit(twins, Y)
    options = {"scoring": "neg_log_loss", "random_state": 0}
    single = sequence_permutation_importance(model, twins, Y, **options)
    group = sequence_permutation_importance(
        model, twins, Y, feature_groups={"twins": [0, 1]}, **options
    )
    assert group.importances_mean[0] > 2 * single.importances_mean[0] > 0


def test_seed_and_workers(classifier):
    first = sequence_permutation_importance(classifier, X, Y, **OPTIONS)
    again = sequence_permutation_importance(classifier, X, Y, n_jobs=2, **OPTIONS)
    np.testing.assert_array_equal(first.importances, again.importances)
    other = sequence_permutation_importance(
        classifier, X, Y, n_repeats=4, random_state=1
    )
    assert (first.importances != other.importances).any()


def test_input_is_left_alone(classifier):
    for given in (X.copy(), X.astype(np.float32), np.asfortranarray(X)):
        before = given.copy()
        given.setflags(write=False)
        sequence_permutation_importance(
            classifier, given, Y, scoring=make_scorer(accuracy_score), **OPTIONS
        )
        np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_repeats": 0}, "'n_repeats' parameter"),
        ({"scoring": "uar"}, "'scoring' parameter"),
        ({"feature_names": ["a", "b"]}, "each of the 4 features of X once, got 2"),
        ({"feature_names": list("abca")}, "got 4 names, 3 of them different"),
        ({"feature_groups": {}}, "feature_groups is empty"),
        ({"feature_groups": {"g": []}}, r"feature_groups\['g'\] is empty"),
        ({"feature_groups": {"g": [4]}}, r"\['g'\] holds 4.*from 0 to 3"),
        ({"feature_groups": {"g": ["rms"]}}, r"\['g'\] holds 'rms'"),
        ({"feature_groups": {"g": X[0, 0] > 0}}, r"\['g'\] holds (True|False)"),
    ],
)
def test_bad_options(classifier, options, message):
    with pytest.raises(ValueError, match=message):
        sequence_permutation_importance(classifier, X, Y, **options)


@pytest.mark.parametrize("bad", [X[:, 0], ["a.wav", "b.wav"], X[..., np.newaxis]])
def test_only_sequences(classifier, bad):
    with pytest.raises(ValueError, match=r"must be sequences of shape.*sequence_steps"):
        sequence_permutation_importance(classifier, bad, Y[: len(bad)])


def test_steps_behind_an_extractor():
    signals = RNG.normal(size=(12, 8000)) * np.repeat([0.01, 0.3], 6)[:, np.newaxis]
    y = ["calm"] * 6 + ["angry"] * 6
    extractor = SpeechFeatureExtractor(duration=0.5, n_mfcc=2)
    functionals = SequenceFunctionals(["mean"])
    pipeline = make_pipeline(extractor, functionals, LogisticRegression())
    pipeline.fit(list(signals), y)
    names = extractor.get_feature_names_out()
    result = sequence_permutation_importance(
        pipeline[1:],
        extractor.transform(list(signals)),
        y,
        feature_names=names,
        random_state=0,
    )
    assert result.feature_names.tolist() == names.tolist()
    assert result.feature_names[result.importances_mean.argmax()] == "mfcc_0"
