"""Unions: the transformers' own outputs, side by side, are the oracle."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skemotion import SequenceScaler, SpeechEncoder, SpeechFeatureExtractor
from skemotion.feature_extraction import SequenceFunctionals, SequenceUnion
from skemotion.feature_extraction._rates import average_over_time
from skemotion.preprocessing import padding_mask

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

    with pytest.raises(ValueError, match=r"as many.*'raw' \(12, 9\), .* \(11, 9\)"):
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


class TestRates:
    """Different numbers of frames over the same time."""

    @pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 5, 8, 9])
    def test_averages_are_weighted_by_the_time_that_is_shared(self, n_frames):
        # As if every frame were as many short ones.
        expected = X.repeat(n_frames, axis=1)
        expected = expected.reshape(len(X), n_frames, N_FRAMES, -1).mean(axis=2)
        averaged = average_over_time(X, n_frames)
        assert averaged.dtype == np.float32
        np.testing.assert_allclose(averaged, expected, rtol=1e-5)

    def test_equal_numbers_are_left_as_they_are(self):
        assert average_over_time(X, N_FRAMES) is X

    @pytest.mark.parametrize("n_frames", [4, 6, 8])
    def test_equal_frames_stay_equal(self, n_frames):
        frames = np.repeat(X[:, :1] * np.float32(0.1), N_FRAMES, axis=1)
        averaged = average_over_time(frames, n_frames)
        np.testing.assert_array_equal(averaged, frames[:, :n_frames])

    @pytest.mark.parametrize("loudness", [None, 2])
    def test_padding_counts_in_no_span_with_sound(self, loudness):
        frames = X[:1].copy()
        padding = [0, 1, 2, 7, 8]
        frames[:, padding] = 0 if loudness is None else -50
        frames[:, padding, 2] = 0
        averaged = average_over_time(frames, 4, loudness)[0]
        # Frames 3 to 6 are real; a span lasts 2.25 frames.
        np.testing.assert_array_equal(averaged[0], frames[0, 0])
        first = (frames[0, 3] + 0.5 * frames[0, 4]) / 1.5
        second = (0.5 * frames[0, 4] + frames[0, 5] + 0.75 * frames[0, 6]) / 2.25
        np.testing.assert_allclose(averaged[1], first, rtol=1e-5)
        np.testing.assert_allclose(averaged[2], second, rtol=1e-5)
        np.testing.assert_array_equal(averaged[3], frames[0, 6])
        np.testing.assert_array_equal(
            padding_mask(averaged[np.newaxis], loudness)[0], [True, False, False, False]
        )

    def test_nothing_but_padding(self):
        assert not average_over_time(np.zeros((2, 9, 3)), 4).any()

    def test_silence_within_a_recording_counts(self):
        frames = X[:1].copy()
        frames[:, 4] = 0
        averaged = average_over_time(frames, 3)
        np.testing.assert_allclose(averaged[0, 1], frames[0, 3:6].mean(0), rtol=1e-5)

    @pytest.mark.parametrize("padding_side", ["left", "right"])
    def test_an_encoder_and_descriptors(self, padding_side, encoder_file):
        rng = np.random.default_rng(0)
        signals = [rng.normal(size=n) for n in (16_000, 5_000, 9_000)]
        signals.append(np.pad(signals[1], (3_000, 2_000)))
        options = {"duration": 1.0, "padding_side": padding_side}
        encoder = SpeechEncoder(weights=encoder_file, **options)
        descriptors = SpeechFeatureExtractor(**options)
        union = SequenceUnion([("encoder", encoder), ("post", descriptors)])
        joined = union.fit_transform(signals)
        assert joined.shape == (4, 25, 64 + 46)
        assert joined.dtype == np.float32
        np.testing.assert_array_equal(joined[..., :64], encoder.transform(signals))
        names = [name.rpartition("__")[2] for name in union.get_feature_names_out()]
        rms = names.index("rms")
        assert rms > 64
        fine = descriptors.transform(signals)
        expected = average_over_time(fine, 25, descriptors_rms(descriptors))
        np.testing.assert_array_equal(joined[..., 64:], expected)

        padded = padding_mask(joined, rms)
        assert not padded[0].any()
        # Silence that a recording brings along is as that which it is filled with.
        for row, n_real in ((1, 8), (2, 14), (3, 8)):
            # Windows of descriptors reach 64 ms beyond the sound at either end.
            assert 0 <= (~padded[row]).sum() - n_real <= 5
            heard = ~padding_mask(joined[..., :64])[row]
            assert not padded[row][heard].any()
        # Where names are not handed on, it is found by itself, in either's way.
        found = padding_mask(joined, SequenceFunctionals().fit(joined).loudness_)
        assert (found | ~padded).all()
        assert (found <= padding_mask(joined[..., :64])).all()
        scaled = SequenceScaler(ignore_padding=True, loudness=rms).fit_transform(joined)
        np.testing.assert_array_equal(padding_mask(scaled), padded)

    def test_two_windows_of_descriptors(self):
        signals = [np.random.default_rng(0).normal(size=12_000)]
        coarse = SpeechFeatureExtractor(duration=1.0, hop_length=800)
        fine = SpeechFeatureExtractor(duration=1.0)
        union = SequenceUnion([("fine", fine), ("coarse", coarse)])
        joined = union.fit_transform(signals)
        np.testing.assert_array_equal(joined[..., 46:], coarse.transform(signals))
        assert joined.shape == (1, 21, 92)

    @pytest.mark.parametrize(
        ("name", "value"), [("duration", 2.0), ("padding_side", "right")]
    )
    def test_transformers_of_other_times(self, name, value):
        union = SequenceUnion(
            [
                ("one", SpeechFeatureExtractor(duration=1.0)),
                ("two", SpeechFeatureExtractor(**{"duration": 1.0, name: value})),
            ]
        )
        with pytest.raises(ValueError, match=f"agree in {name}, but have .* of 'two'"):
            union.fit_transform([np.ones(9000)])


def descriptors_rms(extractor):
    return extractor.get_feature_names_out().tolist().index("rms")
