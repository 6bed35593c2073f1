"""Resampling: imbalanced-learn on flat vectors is the oracle."""

import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import (
    ADASYN,
    SMOTE,
    SVMSMOTE,
    BorderlineSMOTE,
    KMeansSMOTE,
    RandomOverSampler,
)
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import (
    EditedNearestNeighbours,
    NearMiss,
    RandomUnderSampler,
    TomekLinks,
)
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skemotion import SequenceSampler
from skemotion.exceptions import ResamplingWarning
from skemotion.model_selection import balanced_holdout

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5, 3)).astype(np.float32)
y = np.array(["anger"] * 20 + ["fear"] * 12 + ["disgust"] * 8)


@pytest.mark.parametrize(
    "sampler",
    [
        SMOTE(random_state=0, k_neighbors=3),
        ADASYN(random_state=0, n_neighbors=3, sampling_strategy="minority"),
        BorderlineSMOTE(random_state=0),
        RandomOverSampler(random_state=0),
        RandomUnderSampler(random_state=0),
        SMOTEENN(random_state=0),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
def test_equals_the_sampler_on_flat_vectors(sampler):
    expected_X, expected_y = sampler.fit_resample(X.reshape(40, -1), y)
    X_new, y_new = SequenceSampler(sampler).fit_resample(X, y)
    np.testing.assert_array_equal(X_new.reshape(len(X_new), -1), expected_X)
    np.testing.assert_array_equal(y_new, expected_y)
    assert X_new.dtype == np.float32


def test_smote_is_the_default_and_keeps_the_real_recordings_first():
    X_new, y_new = SequenceSampler(random_state=0).fit_resample(X, y)
    assert Counter(y_new.tolist()) == {"anger": 20, "fear": 20, "disgust": 20}
    np.testing.assert_array_equal(X_new[:40], X)
    np.testing.assert_array_equal(y_new[:40], y)


def test_padding_between_padded_frames_stays_zero():
    padded = X.copy()
    padded[:, :2] = 0
    X_new, _ = SequenceSampler(random_state=0).fit_resample(padded, y)
    assert (X_new[:, :2] == 0).all()
    assert (X_new[:, 2:] != 0).all()


@pytest.mark.parametrize("sampler", [None, SMOTE(), RandomUnderSampler()])
def test_random_state(sampler):
    first, _ = SequenceSampler(sampler, random_state=1).fit_resample(X, y)
    again, _ = SequenceSampler(sampler, random_state=1).fit_resample(X, y)
    other, _ = SequenceSampler(sampler, random_state=2).fit_resample(X, y)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_samplers_own_random_state_wins_and_is_left_alone():
    sampler = SMOTE(random_state=7)
    expected, _ = SequenceSampler(sampler).fit_resample(X, y)
    given, _ = SequenceSampler(sampler, random_state=1).fit_resample(X, y)
    np.testing.assert_array_equal(given, expected)
    assert sampler.random_state == 7


def test_neighbours_are_clipped_with_a_warning():
    few = np.r_[0:20, 32:35]
    sampler = SMOTE(random_state=0)
    with pytest.warns(ResamplingWarning, match="lowered to 2: class 'disgust' has 3"):
        _, y_new = SequenceSampler(sampler).fit_resample(X[few], y[few])
    assert Counter(y_new.tolist()) == {"anger": 20, "disgust": 20}
    assert sampler.k_neighbors == 5


@pytest.mark.parametrize(
    ("sampler", "lowered"),
    [
        (None, ["k_neighbors=5 lowered to 2"]),
        (
            SMOTE(k_neighbors=NearestNeighbors(n_neighbors=6)),
            ["k_neighbors__n_neighbors=6 lowered to 3"],
        ),
        (ADASYN(), ["n_neighbors=5 lowered to 2"]),
        (BorderlineSMOTE(m_neighbors=30), ["k_neighbors=5 lowered", "m_neighbors=30"]),
        (BorderlineSMOTE(kind="borderline-2"), []),
        (SVMSMOTE(m_neighbors=30), ["k_neighbors=5 lowered", "m_neighbors=30"]),
        (
            KMeansSMOTE(
                k_neighbors=4, kmeans_estimator=1, cluster_balance_threshold=0.0
            ),
            ["k_neighbors=4 lowered to 2"],
        ),
        (SMOTEENN(), ["smote__k_neighbors=5 lowered to 2"]),
        (SMOTETomek(), ["smote__k_neighbors=5 lowered to 2"]),
        (
            SMOTEENN(
                smote=SMOTE(k_neighbors=4), enn=EditedNearestNeighbours(n_neighbors=25)
            ),
            ["enn__n_neighbors=25 lowered to 22", "smote__k_neighbors=4 lowered to 2"],
        ),
        (EditedNearestNeighbours(n_neighbors=30), ["n_neighbors=30 lowered to 22"]),
        (NearMiss(n_neighbors=4), ["n_neighbors=4 lowered to 3"]),
        (
            Pipeline([("smote", SMOTE()), ("clean", TomekLinks())]),
            ["smote__k_neighbors=5 lowered to 2"],
        ),
    ],
    ids=str,
)
def test_neighbours_are_clipped_in_all_samplers(sampler, lowered):
    few = np.r_[0:20, 32:35]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResamplingWarning)
        resampler = SequenceSampler(sampler, random_state=0)
        X_new, y_new = resampler.fit_resample(X[few], y[few])
    messages = sorted(
        str(each.message) for each in caught if each.category is ResamplingWarning
    )
    assert len(messages) == len(lowered)
    for message, expected in zip(messages, lowered, strict=True):
        assert expected in message
        assert ("X has 23" if "m_neighbors" in message else "has ") in message
    assert len(X_new) == len(y_new)


@pytest.mark.parametrize(
    "sampler",
    [ADASYN(), SMOTEENN(), SMOTETomek(smote=SMOTE()), BorderlineSMOTE(), SVMSMOTE()],
    ids=str,
)
def test_class_with_one_recording_in_all_samplers(sampler):
    lonely = np.r_[0:20, 32]
    with pytest.raises(ValueError, match=r"'disgust' has one recording.*RandomOver"):
        SequenceSampler(sampler).fit_resample(X[lonely], y[lonely])


@pytest.mark.parametrize(
    "sampler",
    [
        SMOTEENN(smote=SMOTE()),
        SMOTETomek(smote=BorderlineSMOTE()),
        SVMSMOTE(svm_estimator=SVC()),
        KMeansSMOTE(
            kmeans_estimator=MiniBatchKMeans(n_clusters=2),
            cluster_balance_threshold=0.0,
            k_neighbors=1,
        ),
        Pipeline([("under", RandomUnderSampler()), ("over", RandomOverSampler())]),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::skemotion.exceptions.ResamplingWarning")
def test_random_state_reaches_what_is_nested(sampler):
    resampler = SequenceSampler(sampler, random_state=0)
    first, again = (resampler.fit_resample(X, y)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    parameters = resampler.sampler_.get_params()
    seeds = {name: parameters[name] for name in parameters if "random_state" in name}
    assert None not in seeds.values()
    assert None in sampler.get_params().values()  # what was given is left alone


def test_a_nested_random_state_wins():
    sampler = SMOTEENN(smote=SMOTE(random_state=7))
    resampler = SequenceSampler(sampler, random_state=0)
    resampler.fit_resample(X, y)
    assert resampler.sampler_.smote.random_state == 7
    assert resampler.sampler_.random_state == 0


def test_small_class_that_is_not_resampled_clips_nothing():
    few = np.r_[0:20, 20:32, 32:34]
    sampler = SMOTE(sampling_strategy={"fear": 15}, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, y_new = SequenceSampler(sampler).fit_resample(X[few], y[few])
    assert Counter(y_new.tolist()) == {"anger": 20, "fear": 15, "disgust": 2}


@pytest.mark.parametrize("method", ["fit", "fit_resample"])
def test_class_with_one_recording(method):
    lonely = np.r_[0:20, 32]
    with pytest.raises(ValueError, match=r"'disgust' has one recording.*RandomOver"):
        getattr(SequenceSampler(), method)(X[lonely], y[lonely])
    sampler = SequenceSampler(RandomOverSampler(random_state=0))
    _, y_new = sampler.fit_resample(X[lonely], y[lonely])
    assert Counter(y_new.tolist()) == {"anger": 20, "disgust": 20}


@pytest.mark.parametrize(
    "labels",
    [pd.Series(y), y.tolist(), np.unique(y, return_inverse=True)[1], y == "fear"],
    ids=lambda labels: type(labels).__name__,
)
def test_kinds_of_labels(labels):
    _, y_new = SequenceSampler(random_state=0).fit_resample(X, labels)
    assert type(y_new) is type(labels)
    assert len(set(Counter(y_new).values())) == 1
    assert set(y_new) == set(labels)


@pytest.mark.parametrize(
    "labels",
    [
        pd.Categorical(y),
        pd.DataFrame({"label": y})["label"].values,
        pd.array(y, dtype="string"),
        pd.array(np.unique(y, return_inverse=True)[1], dtype="Int64"),
        pd.array(y == "fear", dtype="boolean"),
        np.unique(y, return_inverse=True)[1].astype(object),
        tuple(y.tolist()),
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_labels_that_no_array_of_numpy_holds(labels):
    resampler = SequenceSampler(random_state=0)
    assert resampler.fit(X, labels) is resampler
    _, y_new = resampler.fit_resample(X, labels)
    assert isinstance(y_new, np.ndarray)
    assert len(set(Counter(y_new.tolist()).values())) == 1
    assert set(y_new.tolist()) == set(labels)


@pytest.mark.parametrize(
    ("bad_X", "bad_y", "error", "message"),
    [
        (X[..., None], y, ValueError, "expects X of shape"),
        (X, y[:-1], ValueError, "inconsistent numbers of samples"),
        (X, RNG.normal(size=40), ValueError, "continuous"),
        (X, [[]] * 40, ValueError, r"y must be one-dimensional.* shape \(40, 0\)"),
        (X, [None, *y[1:]], ValueError, "y holds None at row 0"),
        (X, [np.nan, *y[1:]], ValueError, "y holds nan at row 0"),
        (X, [1, *y[1:]], ValueError, "mixes labels of the types int, str"),
        (np.full_like(X, np.nan), y, ValueError, "NaN"),
    ],
)
def test_bad_input(bad_X, bad_y, error, message):
    with pytest.raises(error, match=message):
        SequenceSampler().fit_resample(bad_X, bad_y)


def test_what_is_no_sampler_is_refused():
    with pytest.raises(ValueError, match="'sampler' parameter"):
        SequenceSampler(LogisticRegression()).fit_resample(X, y)


def test_acts_in_fit_alone():
    pipeline = Pipeline(
        [
            ("balance", SequenceSampler(random_state=0)),
            ("flatten", FunctionTransformer(lambda X: X.reshape(len(X), -1))),
            ("classify", LogisticRegression()),
        ]
    ).fit(X, y)
    assert pipeline.predict(X).shape == (40,)


@pytest.mark.emodb
def test_the_posts_training_set(emodb, emodb_sequences):
    train, test, _ = balanced_holdout(emodb.target, 20, random_state=42)
    assert (len(train), len(test)) == (395, 140)
    X_new, y_new = SequenceSampler(random_state=0).fit_resample(
        emodb_sequences[train], emodb.target[train]
    )
    assert X_new.shape == (749, 157, 46)
    assert set(Counter(y_new.tolist()).values()) == {107}
