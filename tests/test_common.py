"""The common checks of scikit-learn and imbalanced-learn, over every estimator."""

import pytest
import sklearn
from imblearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils import estimator_checks as checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    SpeechAugmenter,
    SpeechFeatureExtractor,
)

_BATCHES = "rows are trained on in random mini-batches, so repeating is not weighting"
EXPECTED_FAILURES = {
    "check_samplers_pandas_sparse": "sequences are dense",
    "check_sample_weight_equivalence_on_dense_data": _BATCHES,
}
# Before, the check took any TypeError for an answer.
if parse_version(sklearn.__version__) >= parse_version("1.7"):
    EXPECTED_FAILURES["check_sample_weight_equivalence_on_sparse_data"] = _BATCHES

# Checks that need no data: the extractor's X is a list of recordings.
CHECKS_WITHOUT_DATA = [
    checks.check_no_attributes_set_in_init,
    checks.check_parameters_default_constructible,
    checks.check_get_params_invariance,
    checks.check_set_params,
    checks.check_estimator_repr,
    checks.check_estimator_cloneable,
    checks.check_mixin_order,
    checks.check_valid_tag_types,
]

# The two classifiers differ in one layer, so one of them takes all checks.
CHECKS_OF_THE_OTHER_CLASSIFIER = [
    checks.check_classifiers_one_label,
    checks.check_classifiers_regression_target,
    checks.check_estimators_nan_inf,
    checks.check_estimators_pickle,
    checks.check_estimators_unfitted,
    checks.check_fit1d,
    checks.check_fit_idempotent,
    checks.check_n_features_in,
    checks.check_n_features_in_after_fitting,
    checks.check_sample_weights_not_overwritten,
    checks.check_sample_weights_shape,
    checks.check_supervised_y_2d,
    checks.check_supervised_y_no_nan,
]


def expected_failures(estimator):
    return EXPECTED_FAILURES


@parametrize_with_checks(
    [
        SequenceScaler(),
        SequenceScaler(scope="cell", ignore_padding=True),
        SequenceFunctionals(),
        BLSTMClassifier(units=4, epochs=8, learning_rate=0.05, batch_size=8),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    list(
        estimator_checks_generator(
            SequenceSampler(random_state=0),
            expected_failed_checks=EXPECTED_FAILURES,
            mark="xfail",
        )
    ),
)
def test_imbalanced_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", CHECKS_WITHOUT_DATA, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "estimator",
    [
        SpeechAugmenter(),
        SpeechFeatureExtractor(),
        SequenceSampler(),
        AttentionBLSTMClassifier(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_checks_without_data(estimator, check):
    check(type(estimator).__name__, estimator)


@pytest.mark.parametrize(
    "check", CHECKS_OF_THE_OTHER_CLASSIFIER, ids=lambda check: check.__name__
)
def test_checks_of_the_other_classifier(check):
    classifier = AttentionBLSTMClassifier(units=2, epochs=1, random_state=0)
    check(type(classifier).__name__, classifier)
