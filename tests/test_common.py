"""The common checks of scikit-learn and imbalanced-learn, over every estimator."""

import pytest
import sklearn
from imblearn.utils.estimator_checks import estimator_checks_generator
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_checks as checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    NoveltyDetector,
    SequenceClassifier,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    SpeechAugmenter,
    SpeechEncoder,
    SpeechFeatureExtractor,
)

_BATCHES = "rows are trained on in random mini-batches, so repeating is not weighting"
EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": _BATCHES,
}
# Before, the check took any TypeError for an answer.
if parse_version(sklearn.__version__) >= parse_version("1.7"):
    EXPECTED_FAILURES["check_sample_weight_equivalence_on_sparse_data"] = _BATCHES

# Checks that need no data: for some, X is a list of recordings.
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


class DenseNetwork(BaseEstimator):
    """The smallest network that learns what the checks ask for."""

    def __call__(self, n_frames, n_features, n_classes):
        import keras
        from keras import layers

        return keras.Sequential(
            [
                keras.Input((n_frames, n_features)),
                layers.Flatten(),
                layers.Dense(n_classes, activation="softmax"),
            ]
        )


def expected_failures(estimator):
    return EXPECTED_FAILURES


@parametrize_with_checks(
    [
        SequenceScaler(),
        SequenceScaler(scope="cell", ignore_padding=True),
        SequenceFunctionals(),
        NoveltyDetector(),
        BLSTMClassifier(units=4, epochs=8, learning_rate=0.05, batch_size=8),
        AttentionBLSTMClassifier(units=2, epochs=6, learning_rate=0.1, batch_size=16),
        SequenceClassifier(DenseNetwork(), epochs=8, learning_rate=0.05, batch_size=8),
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
        SpeechEncoder(),
        SpeechFeatureExtractor(),
        SequenceSampler(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_checks_without_data(estimator, check):
    check(type(estimator).__name__, estimator)
