"""Unions: the transformers' own outputs, side by side, are the oracle."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skemotion import SequenceScaler, SpeechFeatureExtractor
from skemotion.feature_extraction import SequenceFunctionals, SequenceUnion

N_FRAMES, N_FEATURES = 9, 6
X = (
    np.random.default_rng(0)
    .normal(3, 2, size=(12, N_FRAMES, N_FEATURES))
    .astype(np.float32)
)


class Skip(TransformerMixin, BaseEstimator):
    """Leaves out the first frames, or recordings."""

    def __init__(self, n_frames=0, n_samples=0):
        self.n_frames = n_frames
        self.n_samples = n_samples

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[self.n_samples :, self.n_frames :]

    def __sklearn_is_fitted__(self):
        return True


def make_union(**options):
    return SequenceUnion(
        [("raw", "passthrough"), ("cell", SequenceScaler(scope="cell"))], **options
    )


def test_features_stand_side_by_side():
    union = make_union()
    joined = union.fit_transform(X)
    assert joined.shape == (12, N_FRAMES, 2 * N_FEATURES)
    assert joined.dtype == np.float32
    np.testing.assert_array_equal(joined[..., :N_FEATURES], X)
    np.testing.assert_array_equal(
        joined[..., N_FEATURES:], SequenceScaler(scope="cell").fit_transform(X)
    )
    np.testing.assert_array_equal(union.transform(X[:5]), joined[:5])
    np.testing.assert_array_equal(make_union().fit(X).transform(X), joined)
    assert union.n_features_in_ == N_FEATURES


def test_workers_change_nothing():
    np.testing.assert_array_equal(
        make_union(n_jobs=2).fit_transform(X), make_union().fit_transform(X)
    )


def test_names_have_the_transformers_name_in_front():
    features = [f"mfcc_{i}" for i in range(N_FEATURES)]
    names = make_union().fit(X).get_feature_names_out(features)
    assert names.tolist() == [
        *(f"raw__mfcc_{i}" for i in range(N_FEATURES)),
        *(f"cell__mfcc_{i}" for i in range(N_FEATURES)),
    ]
    union = make_union(verbose_feature_names_out=False).fit(X)
    with pytest.raises(ValueError, match="not unique"):
        union.get_feature_names_out(features)


def test_weights_and_dropped_transformers():
    union = SequenceUnion(
        [("none", "drop"), ("raw", "passthrough"), ("twice", "passthrough")],
        transformer_weights={"twice": 2.0},
    )
    np.testing.assert_array_equal(
        union.fit_transform(X), np.concatenate([X, 2 * X], axis=2)
    )
    assert len(union.get_feature_names_out()) == 2 * N_FEATURES


def test_parameters_of_nested_steps():
    union = make_union()
    assert union.get_params()["cell__scope"] == "cell"
    union.set_params(cell__scope="feature", raw=SequenceScaler(scope="cell"))
    copy = clone(union.fit(X))
    assert copy.get_params()["cell__scope"] == "feature"
    with pytest.raises(NotFittedError):
        copy.transform(X)
    joined = copy.fit_transform(X)
    np.testing.assert_array_equal(
        joined[..., N_FEATURES:], SequenceScaler().fit_transform(X)
    )
    np.testing.assert_array_equal(
        joined[..., :N_FEATURES], SequenceScaler(scope="cell").fit_transform(X)
    )
    assert "SequenceUnion" in repr(union)
    assert "SequenceScaler" in union._repr_html_()


def test_extractors_in_a_search():
    rng = np.random.default_rng(0)
    signals = [scale * rng.normal(size=8000) for scale in [0.01] * 6 + [0.3] * 6]
    y = ["calm"] * 6 + ["angry"] * 6
    extractors = [
        ("wide", SpeechFeatureExtractor(duration=0.5, n_mfcc=2)),
        ("fine", SpeechFeatureExtractor(duration=0.5, n_mfcc=3, frame_length=512)),
    ]
    pipeline = make_pipeline(
        SequenceUnion(extractors), SequenceFunctionals(["mean"]), SVC()
    )
    grid = {"sequenceunion__fine__n_mfcc": [1, 3], "sequenceunion__wide": ["drop"]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(signals, y)
    assert (search.cv_results_["mean_test_score"] > 0.9).all()

    pipeline.fit(signals, y)
    names = pipeline[:-1].get_feature_names_out()
    assert len(names) == 10 + 12
    assert names[0] == "wide__spectral_centroid_mean"
    assert names[-1] == "fine__delta_mfcc_2_mean"


@pytest.mark.parametrize("fit", ["fit_transform", "transform"])
def test_shapes_that_do_not_fit(fit):
    def apply(transformer):
        union = SequenceUnion([("raw", "passthrough"), ("other", transformer)])
        return union.fit_transform(X) if fit else union.fit(X).transform(X)

    with pytest.raises(ValueError, match=r"agree.*'raw' \(12, 9\), 'other' \(12, 7\)"):
        apply(Skip(n_frames=2))
    with pytest.raises(ValueError, match=r"agree.*'raw' \(12, 9\), 'other' \(11, 9\)"):
        apply(Skip(n_samples=1))
    with pytest.raises(
        ValueError, match=r"'other' returned .*\(12, 54\).*FeatureUnion"
    ):
        apply(SequenceFunctionals())


def test_passthrough_checks_its_sequences():
    with pytest.raises(ValueError, match="NaN"):
        make_union().fit(np.full_like(X, np.nan))
    with pytest.raises(ValueError, match="5 features"):
        make_union().fit(X).transform(X[..., :5])


def test_sequences_stay_arrays_where_data_frames_are_asked_for():
    union = SequenceUnion([("a", "passthrough"), ("b", "passthrough")])
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(union.fit_transform(X), np.ndarray)
        assert isinstance(union.transform(X), np.ndarray)
    pipeline = make_pipeline(make_union(), SequenceFunctionals(["mean"]))
    frame = pipeline.set_output(transform="pandas").fit_transform(X)
    assert frame.columns[:2].tolist() == ["x0_mean", "x1_mean"]
