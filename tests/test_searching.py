"""Scikit-learn's model selection over the whole pipeline and its steps."""

import copy
import os
from itertools import combinations

import joblib
import numpy as np
import pytest
import sklearn
from imblearn.over_sampling import SMOTE, RandomOverSampler
from joblib.externals.loky import get_reusable_executor
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (it enables)
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    LeaveOneGroupOut,
    RandomizedSearchCV,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    EmotionPipeline,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    SpeechFeatureExtractor,
)
from skemotion.metrics import uar_scorer, unweighted_average_recall

RNG = np.random.default_rng(0)
y = RNG.permutation(["anger"] * 20 + ["fear"] * 16)
SPEAKERS = np.arange(36) % 4
X = RNG.normal(size=(36, 10, 3)).astype(np.float32)
X[y == "fear", :, 1] += 1.0

# One setting for all networks, since equal networks share a traced graph.
NETWORK = BLSTMClassifier(units=3, epochs=1, random_state=0)
FUNCTIONALS = SequenceFunctionals(["mean", "std"], ignore_padding=False)
# Networks take a second to train: one split is enough where scores do not matter.
ONE_SPLIT = StratifiedShuffleSplit(1, test_size=0.5, random_state=0)


def make(classify=NETWORK, validation_fraction=None, **steps):
    """Build a pipeline of scaler, sampler and classifier."""
    pipeline = EmotionPipeline(
        [
            ("scale", SequenceScaler()),
            ("balance", SequenceSampler(random_state=0)),
            ("classify", clone(classify)),
        ],
        validation_fraction=validation_fraction,
        random_state=0,
    )
    return pipeline.set_params(**steps)


def make_svc():
    """Build the classifier of flat vectors that networks compete with."""
    return make_pipeline(FUNCTIONALS, StandardScaler(), SVC())


# Scores and predictions


def test_cross_validation_scores_what_it_predicts():
    cv = StratifiedGroupKFold(2)
    results = cross_validate(
        make(),
        X,
        y,
        groups=SPEAKERS,
        cv=cv,
        scoring={"uar": uar_scorer, "loss": "neg_log_loss", "auc": "roc_auc"},
        return_estimator=True,
        return_indices=True,
    )
    probabilities = cross_val_predict(
        make(), X, y, groups=SPEAKERS, cv=cv, method="predict_proba"
    )
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    for fold, pipeline in enumerate(results["estimator"]):
        train, test = (results["indices"][part][fold] for part in ("train", "test"))
        assert not set(SPEAKERS[train]) & set(SPEAKERS[test])
        np.testing.assert_array_equal(
            probabilities[test], pipeline.predict_proba(X[test])
        )
        predicted = pipeline.classes_[probabilities[test].argmax(axis=1)]
        expected = unweighted_average_recall(y[test], predicted)
        assert results["test_uar"][fold] == expected
    assert np.isfinite(results["test_loss"]).all()
    assert np.isfinite(results["test_auc"]).all()


def test_learning_curve_of_a_network():
    sizes, train_scores, test_scores = learning_curve(
        make(balance="passthrough"),
        X,
        y,
        train_sizes=[0.5, 1.0],
        cv=ONE_SPLIT,
        scoring="neg_log_loss",
        error_score="raise",
        shuffle=True,
        random_state=0,
    )
    assert sizes.tolist() == [9, 18]
    assert train_scores.shape == test_scores.shape == (2, 1)
    assert test_scores[0] != test_scores[1]


def test_curves_and_permutations():
    options = {"cv": StratifiedGroupKFold(2), "groups": SPEAKERS, "scoring": uar_scorer}
    _, scores = validation_curve(
        make(make_svc()),
        X,
        y,
        param_name="classify__svc__gamma",
        param_range=[1e3, 0.1],
        error_score="raise",
        **options,
    )
    assert scores[1].mean() > scores[0].mean()
    score, permuted, p_value = permutation_test_score(
        make(make_svc()), X, y, n_permutations=10, random_state=0, **options
    )
    assert score > permuted.mean()
    assert p_value < 0.2


# Searches over parameters and steps


def test_grid_over_every_step_from_signals_on():
    rng = np.random.default_rng(1)
    time = np.arange(4800) / 16_000
    pitches = np.where(y == "fear", 400, 900) * rng.uniform(0.8, 1.2, size=36)
    signals = [
        np.sin(2 * np.pi * pitch * time) + 0.1 * rng.normal(size=time.size)
        for pitch in pitches
    ]
    classify = make_pipeline(SequenceFunctionals(["mean"]), StandardScaler(), SVC())
    pipeline = EmotionPipeline(
        [
            ("extract", SpeechFeatureExtractor(duration=0.3, n_mfcc=3, n_mels=16)),
            *make(classify).steps,
        ]
    )
    search = GridSearchCV(
        pipeline.set_params(scale__ignore_padding=True),
        {
            "extract__n_mfcc": [2, 3],
            "scale__scope": ["feature", "cell"],
            "balance__sampler": [SMOTE(k_neighbors=2), RandomOverSampler()],
            "classify__svc__gamma": [1e3, "scale"],
        },
        cv=2,
        scoring={
            "uar": uar_scorer,
            "features": lambda pipeline, X, y: len(
                pipeline[:-1].get_feature_names_out()
            ),
        },
        refit="uar",
        error_score="raise",
    ).fit(signals, y)
    results = search.cv_results_
    assert len(results["params"]) == 16
    expected = [6 + 2 * params["extract__n_mfcc"] for params in results["params"]]
    np.testing.assert_array_equal(results["mean_test_features"], expected)
    assert search.best_score_ > 0.9
    assert search.best_params_["classify__svc__gamma"] == "scale"
    assert search.predict(signals).shape == y.shape


def test_grid_over_whole_steps():
    svc = make_pipeline(FUNCTIONALS, CalibratedClassifierCV(SVC(), cv=2))
    search = GridSearchCV(
        make(),
        [
            {"classify": [AttentionBLSTMClassifier(units=3, epochs=1), clone(NETWORK)]},
            {"classify": [svc], "balance": ["passthrough", SequenceSampler()]},
        ],
        scoring="neg_log_loss",
        cv=ONE_SPLIT,
        error_score="raise",
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    # One epoch teaches the networks nothing.
    assert search.best_params_["classify"] is not NETWORK
    assert search.best_index_ >= 2
    assert search.predict_proba(X).shape == (36, 2)
    assert search.classes_.tolist() == ["anger", "fear"]


def test_randomized_search_over_a_network():
    search = RandomizedSearchCV(
        make(),
        {
            "scale__scope": ["feature", "cell"],
            "balance__sampler": [SMOTE(k_neighbors=2), RandomOverSampler()],
            "classify__learning_rate": loguniform(1e-3, 1e-1),
        },
        n_iter=2,
        cv=ONE_SPLIT,
        scoring=uar_scorer,
        error_score="raise",
        random_state=0,
    ).fit(X, y)
    rates = search.cv_results_["param_classify__learning_rate"]
    assert len(set(rates)) == 2
    network = search.best_estimator_["classify"].model_
    used = float(network.optimizer.learning_rate.numpy())
    assert used == pytest.approx(rates[search.best_index_])


def test_halving_search_gives_more_epochs_to_the_better():
    search = HalvingGridSearchCV(
        make(),
        {"classify__learning_rate": [1e-3, 1e-1]},
        resource="classify__epochs",
        min_resources=1,
        max_resources=2,
        factor=2,
        cv=ONE_SPLIT,
        scoring="neg_log_loss",
        error_score="raise",
        random_state=0,
        refit=False,
    ).fit(X, y)
    assert search.n_resources_ == [1, 2]
    assert search.n_candidates_ == [2, 1]
    epochs = [params["classify__epochs"] for params in search.cv_results_["params"]]
    assert epochs == [1, 1, 2]


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.ResamplingWarning")
def test_halving_search_over_recordings():
    search = HalvingRandomSearchCV(
        make(make_svc()),
        {"classify__svc__C": loguniform(1e-2, 10)},
        n_candidates=4,
        min_resources=16,
        factor=2,
        cv=2,
        scoring=uar_scorer,
        error_score="raise",
        random_state=0,
    ).fit(X, y)
    assert search.n_resources_ == [16, 32]
    assert search.score(X, y) > 0.8


def test_refit_chooses_by_its_own_rule():
    def smallest_within_one_deviation(results):
        mean, deviation = results["mean_test_uar"], results["std_test_uar"]
        good = mean >= (mean - deviation)[mean.argmax()]
        penalty = results["param_classify__svc__C"].data.astype(float)
        return np.where(good, penalty, np.inf).argmin()

    search = GridSearchCV(
        make(make_svc()),
        {"classify__svc__C": [10.0, 1.0, 1e-3]},
        cv=StratifiedKFold(3),
        scoring={"uar": uar_scorer, "accuracy": "accuracy"},
        refit=smallest_within_one_deviation,
        error_score="raise",
    ).fit(X, y)
    results = search.cv_results_
    assert search.best_index_ == smallest_within_one_deviation(results)
    assert (
        search.best_params_["classify__svc__C"]
        == search.best_estimator_["classify"]["svc"].C
    )
    assert np.isfinite(results["mean_test_accuracy"]).all()


def test_candidate_that_fails_gets_the_error_score():
    search = GridSearchCV(
        make(), {"classify__dropout": [1.5, 0.0]}, cv=2, error_score=-1.0, refit=False
    )
    with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"):
        search.fit(X, y)
    failed, good = search.cv_results_["mean_test_score"]
    assert failed == -1
    assert good >= 0
    with pytest.raises(ValueError, match="'dropout' parameter"):
        search.set_params(error_score="raise").fit(X, y)


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.ResamplingWarning")
def test_fold_that_cannot_be_balanced_gets_the_error_score():
    rare = np.where(np.arange(36) < 3, "joy", y)
    with pytest.warns(FitFailedWarning, match="class 'joy' has one recording"):
        scores = cross_val_score(make(make_svc()), X, rare, cv=2)
    assert np.isnan(scores).tolist() == [True, False]


CHOSEN_THREADS = {f"TF_NUM_{which}_THREADS" for which in ("INTRAOP", "INTEROP")}
CHOSEN_THREADS |= {"OMP_NUM_THREADS"}


def test_workers_change_nothing_and_share_the_processors():
    def count_threads(*_):  # which workers could not import from here
        import tensorflow as tf

        return tf.config.threading.get_inter_op_parallelism_threads()

    def search(n_jobs):
        search = GridSearchCV(
            make(),
            {"classify__learning_rate": [1e-3, 1e-2, 1e-1]},
            cv=ONE_SPLIT,
            scoring={"loss": "neg_log_loss", "threads": count_threads},
            n_jobs=n_jobs,
            error_score="raise",
            refit=False,
        ).fit(X, y)
        return search.cv_results_

    # Those that are there may have loaded TensorFlow in other ways.
    get_reusable_executor().shutdown()
    # Three candidates for two workers: one of them trains twice.
    alone, shared = search(1), search(2)
    np.testing.assert_array_equal(shared["mean_test_loss"], alone["mean_test_loss"])
    if not os.environ.keys() & CHOSEN_THREADS:
        share = max(joblib.cpu_count() // 2, 1)
        np.testing.assert_array_equal(shared["mean_test_threads"], share)


# Speakers and weights


class Witness(ClassifierMixin, BaseEstimator):
    """Is given early stopping like a network, and remembers whom and what."""

    def __init__(self, bias=0.0):
        self.bias = bias

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        self.classes_ = np.unique(y)
        self.trained_ = speakers_of(X)
        self.held_out_ = speakers_of(X_val)
        self.weights_ = X[:, 0, 1], sample_weight
        return self

    def predict(self, X):
        return self.classes_[(X[:, :, 1].mean(axis=1) > self.bias).astype(int)]


TAGGED = X.copy()
TAGGED[:, 0, 0] = SPEAKERS


def speakers_of(X):
    return set(X[:, 0, 0].tolist())


def make_witness():
    return make(Witness(), 0.2, scale="passthrough", balance="passthrough")


def count_shared_speakers(pipeline, X, y):
    """Count who is in two of training, early stopping and test."""
    classifier = pipeline["classify"]
    parts = [classifier.trained_, classifier.held_out_, speakers_of(X)]
    return sum(len(a & b) for a, b in combinations(parts, 2))


GRID = {"classify__bias": [0.0, 0.5]}
SEARCHES = [
    GridSearchCV(make_witness(), GRID, refit=False),
    RandomizedSearchCV(make_witness(), GRID, n_iter=2, refit=False),
    HalvingGridSearchCV(make_witness(), GRID, refit=False, min_resources="exhaust"),
]


@pytest.mark.parametrize("cv", [LeaveOneGroupOut(), StratifiedGroupKFold(3)])
@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: type(search).__name__)
def test_speakers_are_kept_apart_in_searches(search, cv):
    search = clone(search).set_params(
        cv=cv, scoring=count_shared_speakers, error_score="raise"
    )
    with sklearn.config_context(enable_metadata_routing=True):
        search.fit(TAGGED, y, groups=SPEAKERS)
    assert (search.cv_results_["mean_test_score"] == 0).all()
    # Without routing, they reach the splitter, and the pipeline holds out any rows.
    search.fit(TAGGED, y, groups=SPEAKERS)
    assert (search.cv_results_["mean_test_score"] > 0).all()


def test_speakers_are_kept_apart_in_nested_cross_validation():
    search = GridSearchCV(
        make_witness(),
        GRID,
        cv=LeaveOneGroupOut(),
        scoring=count_shared_speakers,
        error_score="raise",
    )
    with sklearn.config_context(enable_metadata_routing=True):
        outer = cross_validate(
            search,
            TAGGED,
            y,
            params={"groups": SPEAKERS},
            cv=LeaveOneGroupOut(),
            scoring=lambda search, X, y: count_shared_speakers(
                search.best_estimator_, X, y
            ),
            return_estimator=True,
            error_score="raise",
        )
    assert (outer["test_score"] == 0).all()
    for search in outer["estimator"]:
        assert search.n_splits_ == 3
        assert (search.cv_results_["mean_test_score"] == 0).all()


def test_speakers_are_kept_apart_in_learning_curves_and_predictions():
    with sklearn.config_context(enable_metadata_routing=True):
        options = {"params": {"groups": SPEAKERS}, "cv": LeaveOneGroupOut()}
        _, _, scores = learning_curve(
            make_witness(),
            TAGGED,
            y,
            train_sizes=[1.0],
            scoring=count_shared_speakers,
            error_score="raise",
            **options,
        )
        predicted = cross_val_predict(make_witness(), TAGGED, y, **options)
    assert (scores == 0).all()
    np.testing.assert_array_equal(predicted == "fear", X[:, :, 1].mean(axis=1) > 0)


def test_weights_reach_classifier_and_scorer_in_cross_validation():
    weights = np.linspace(1, 2, 36).astype(np.float32)
    marked = X.copy()
    marked[:, 0, 1] = weights
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_witness()
        pipeline["classify"].set_fit_request(sample_weight=True)
        scorer = copy.deepcopy(uar_scorer).set_score_request(sample_weight=True)
        results = cross_validate(
            pipeline,
            marked,
            y,
            params={"sample_weight": weights},
            cv=2,
            scoring=scorer,
            return_estimator=True,
            return_indices=True,
            error_score="raise",
        )
    folds = zip(results["estimator"], results["indices"]["test"], strict=True)
    for fold, (fitted, test) in enumerate(folds):
        np.testing.assert_array_equal(*fitted["classify"].weights_)
        expected = unweighted_average_recall(
            y[test], fitted.predict(marked[test]), sample_weight=weights[test]
        )
        assert results["test_score"][fold] == pytest.approx(expected)
