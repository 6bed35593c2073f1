"""Common checks for X of three dimensions, over every estimator that takes it."""

import joblib
import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    EmotionPipeline,
    NoveltyDetector,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
)

N_SAMPLES, N_FRAMES, N_FEATURES = 18, 6, 7
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_SAMPLES, N_FRAMES, N_FEATURES)).astype(np.float32)
X[:4, :2] = 0
X.flags.writeable = False
y = np.resize(["anger", "fear", "sadness"], N_SAMPLES)
NETWORK = {"units": 2, "epochs": 1, "random_state": 0}

ESTIMATORS = {
    "scaler": SequenceScaler(),
    "scaler of cells": SequenceScaler(scope="cell"),
    "scaler with padding": SequenceScaler(ignore_padding=True),
    "functionals": SequenceFunctionals(),
    "novelty detector": NoveltyDetector(random_state=0),
    "sampler": SequenceSampler(RandomOverSampler(random_state=0)),
    "attention": AttentionBLSTMClassifier(**NETWORK),
    "blstm": BLSTMClassifier(**NETWORK),
    "pipeline": EmotionPipeline(
        [
            ("scale", SequenceScaler()),
            ("balance", SequenceSampler(RandomOverSampler(random_state=0))),
            ("classify", BLSTMClassifier(**NETWORK)),
        ],
        validation_fraction=None,
    ),
    "pipeline of flat vectors": make_pipeline(
        SequenceScaler(ignore_padding=True),
        SequenceFunctionals(),
        StandardScaler(),
        LogisticRegression(),
    ),
}
CLASSIFIERS = ["attention", "blstm", "pipeline", "pipeline of flat vectors"]

_ANY_FRAMES = "statistics over frames do not depend on how many there are"
EXPECTED_FAILURES = {
    ("other frames", "scaler"): _ANY_FRAMES,
    ("other frames", "scaler with padding"): _ANY_FRAMES,
    ("other frames", "functionals"): _ANY_FRAMES,
    ("other frames", "novelty detector"): _ANY_FRAMES,
    ("other frames", "pipeline of flat vectors"): _ANY_FRAMES,
}


def over(check, names):
    """Parametrize a check by estimators, those that cannot pass as failures."""
    return pytest.mark.parametrize(
        "estimator",
        [
            pytest.param(
                ESTIMATORS[name],
                id=name,
                marks=(
                    pytest.mark.xfail(reason=EXPECTED_FAILURES[check, name])
                    if (check, name) in EXPECTED_FAILURES
                    else ()
                ),
            )
            for name in names
        ],
    )


EVERY = list(ESTIMATORS)
PREDICTORS = [name for name in EVERY if name != "sampler"]


def answer(estimator, X):
    """Return the main output of a fitted estimator."""
    for method in ("predict_proba", "transform", "score_samples"):
        if hasattr(estimator, method):
            return getattr(estimator, method)(X)
    return estimator.fit_resample(X, y)[0]


def fit(estimator, X=X, y=y):
    return clone(estimator).fit(X, y)


@pytest.fixture(scope="module")
def expected():
    """What each estimator makes of X."""
    return {name: answer(fit(estimator), X) for name, estimator in ESTIMATORS.items()}


def in_lists(X):
    return X.tolist()


def in_float64(X):
    return X.astype(np.float64)


def in_fortran_order(X):
    return np.asfortranarray(X)


def with_gaps(X):
    wide = np.zeros((*X.shape[:2], 2 * X.shape[2]), dtype=X.dtype)
    wide[..., ::2] = X
    return wide[..., ::2]


def in_big_endian(X):
    return X.astype(">f4")


FORMS = [in_lists, in_float64, in_fortran_order, with_gaps, in_big_endian]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("name", EVERY)
def test_form_in_memory_changes_nothing(name, form, expected):
    given = form(X)
    np.testing.assert_array_equal(
        answer(fit(ESTIMATORS[name], given), given), expected[name]
    )


@pytest.mark.parametrize("name", EVERY)
def test_memmaps_are_read_only(name, expected, tmp_path):
    joblib.dump((X, y), tmp_path / "data.joblib")
    X_mapped, y_mapped = joblib.load(tmp_path / "data.joblib", mmap_mode="r")
    assert isinstance(X_mapped, np.memmap)
    found = answer(fit(ESTIMATORS[name], X_mapped, y_mapped), X_mapped)
    np.testing.assert_array_equal(found, expected[name])


@pytest.mark.parametrize("name", EVERY)
def test_input_is_not_changed(name):
    given = X.copy()
    answer(fit(ESTIMATORS[name], given), given)
    np.testing.assert_array_equal(given, X)


@pytest.mark.parametrize("name", EVERY)
def test_clone_and_set_params(name, expected):
    changed = clone(ESTIMATORS[name])
    parameters = ESTIMATORS[name].get_params()
    assert changed.get_params().keys() == parameters.keys()
    plain = {key: value for key, value in parameters.items() if np.isscalar(value)}
    changed.set_params(**dict.fromkeys(plain))
    assert all(changed.get_params()[key] is None for key in plain)
    changed.set_params(**plain)
    np.testing.assert_array_equal(answer(fit(changed), X), expected[name])


@over("refit", EVERY)
def test_refit_forgets(estimator):
    again = fit(estimator, 2 * X[:, :4, :6]).fit(X, y)
    np.testing.assert_array_equal(answer(again, X), answer(fit(estimator), X))


@over("one sample", PREDICTORS)
def test_one_sample(estimator):
    fitted = fit(estimator)
    found = answer(fitted, X[:1])
    assert found.shape == (1, *answer(fitted, X).shape[1:])
    np.testing.assert_allclose(found, answer(fitted, X)[:1], rtol=1e-4, atol=1e-5)


@over("other features", PREDICTORS)
def test_other_features(estimator):
    with pytest.raises(ValueError, match=r"X has 6 features, but .* expecting 7"):
        answer(fit(estimator), X[..., :6])


@over("other number of dimensions", PREDICTORS)
def test_other_number_of_dimensions(estimator):
    square = X[:, :, :N_FRAMES]
    with pytest.raises(ValueError, match="X has 2 dimensions, .* was fitted on 3"):
        answer(fit(estimator, square), square[:, :, 0])
    with pytest.raises(ValueError, match="X has 3 dimensions, .* was fitted on 2"):
        answer(fit(estimator, square[:, :, 0]), square)


@over("names of a frame", EVERY)
def test_names_of_an_earlier_frame_are_forgotten(estimator):
    frame = pd.DataFrame(X[:, :, 0], columns=list("abcdef"))
    again = fit(estimator, frame).fit(X, y)
    assert not hasattr(again, "feature_names_in_")


@over("other frames", PREDICTORS)
def test_other_frames(estimator):
    with pytest.raises(ValueError, match=r"5 frames, but .* fitted on 6"):
        answer(fit(estimator), X[:, :5])


@pytest.mark.parametrize("shape", [(3,), (3, 2, 2, 2), (0, 6, 7), (3, 0, 7), (3, 6, 0)])
@over("other dimensions", EVERY)
def test_other_dimensions(estimator, shape):
    labels = np.resize(["anger", "fear"], shape[0])
    with pytest.raises(ValueError, match=r"(?i)shape|dim|sample"):
        fit(estimator, np.zeros(shape), labels)


@pytest.mark.parametrize(("value", "message"), [(np.nan, "NaN"), (np.inf, "infinity")])
@over("not finite", EVERY)
def test_not_finite(estimator, value, message):
    bad = X.copy()
    bad[2, 3, 1] = value
    with pytest.raises(ValueError, match=message):
        fit(estimator, bad)
    if not isinstance(estimator, SequenceSampler):
        with pytest.raises(ValueError, match=message):
            answer(fit(estimator), bad)


@over("too large", EVERY)
def test_too_large_for_float32(estimator):
    with pytest.raises(ValueError, match="infinity or a value too large"):
        fit(estimator, np.full(X.shape, 1e300))


@over("unfitted", PREDICTORS)
def test_unfitted(estimator):
    with pytest.raises(NotFittedError):
        answer(clone(estimator), X)


LABELS = {
    "integers": np.arange(N_SAMPLES) % 3 - 1,
    "booleans": np.arange(N_SAMPLES) % 2 == 0,
    "two strings": np.resize(["sadness", "anger"], N_SAMPLES),
    "objects": y.astype(object),
    "list": y.tolist(),
    "Series": pd.Series(y, index=np.arange(N_SAMPLES)[::-1]),
    "Series of strings": pd.Series(y, dtype="string"),
    "Series of categories": pd.Series(y, dtype="category"),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@over("labels", ["blstm", "pipeline", "pipeline of flat vectors"])
def test_labels_of_classifiers(estimator, labels):
    fitted = fit(estimator, X, labels)
    kinds = set(np.asarray(labels).tolist())
    assert fitted.classes_.tolist() == sorted(kinds)
    assert set(fitted.predict(X).tolist()) <= kinds
    assert fitted.predict_proba(X).shape == (N_SAMPLES, len(kinds))
    assert 0 <= fitted.score(X, labels) <= 1


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_of_the_sampler(labels):
    few = [*range(10), 10, 12]  # classes of different sizes
    some = labels.iloc[few] if hasattr(labels, "iloc") else np.asarray(labels)[few]
    sampler = ESTIMATORS["sampler"]
    resampled, new = clone(sampler).fit_resample(X[few], some)
    assert resampled.shape[1:] == X.shape[1:]
    _, counts = np.unique(np.asarray(new), return_counts=True)
    assert len(set(counts)) == 1
    assert set(np.asarray(new).tolist()) == set(np.asarray(some).tolist())


@over("absent class", CLASSIFIERS)
def test_class_absent_from_training(estimator):
    in_order = np.repeat(["anger", "fear", "sadness"], 6)
    scores = cross_validate(
        estimator, X, in_order, cv=KFold(3), error_score="raise", return_estimator=True
    )
    # Each fold tests the one class that it does not train on.
    np.testing.assert_array_equal(scores["test_score"], 0)
    for fitted in scores["estimator"]:
        assert len(fitted.classes_) == 2
