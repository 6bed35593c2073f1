import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline as SamplingPipeline
from matplotlib import pyplot as plt
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from skemotion.inspection import AttentionDisplay, attention_heatmap


class FakeNetwork(ClassifierMixin, BaseEstimator):
    """Attends as its input says; predicts the class of the first frame."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def attention(self, X):
        return np.asarray(X) / np.sum(X, axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[np.asarray(X)[:, 0].astype(int)]


class FakeExtractor(TransformerMixin, BaseEstimator):
    def __init__(self, frame_seconds=0.032):
        self.frame_seconds = frame_seconds
        self.n_calls = 0

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        self.n_calls += 1
        return np.asarray(X) + 0.0

    def __sklearn_is_fitted__(self):
        return True


def make_weights(n=30, n_frames=23, seed=0):
    rng = np.random.RandomState(seed)
    weights = rng.dirichlet(np.ones(n_frames), n)
    return weights, rng.choice(["fear", "joy", "rage"], n)


# attention_heatmap


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 1000))
@settings(deadline=None)
def test_heatmap_equals_sums_frame_by_frame(n_bins, extra, seed):
    n_frames = n_bins + extra
    weights, y_pred = make_weights(n_frames=n_frames, seed=seed)
    heatmap = attention_heatmap(weights, y_pred, n_bins=n_bins)
    length, n_dropped = divmod(n_frames, n_bins)
    for row, label in zip(heatmap, np.unique(y_pred), strict=True):
        own = [
            w
            for w, predicted in zip(weights, y_pred, strict=True)
            if predicted == label
        ]
        for b, value in enumerate(row):
            first = n_dropped + b * length
            expected = sum(w[first : first + length].sum() for w in own) / len(own)
            assert value == pytest.approx(expected)
    if n_dropped == 0:
        np.testing.assert_allclose(heatmap.sum(axis=1), 1)


def test_class_that_nothing_is_predicted_as_is_nan():
    heatmap = attention_heatmap(
        [[0.5, 0.5], [0.0, 1.0]], ["joy", "joy"], labels=["fear", "joy"], n_bins=2
    )
    np.testing.assert_array_equal(heatmap, [[np.nan, np.nan], [0.25, 0.75]])


def test_malformed_attention_is_refused():
    with pytest.raises(ValueError, match="n_bins=10 is more than the 4 frames"):
        attention_heatmap(np.ones((2, 4)), [0, 1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        attention_heatmap(np.ones((2, 40)), [0, 1, 1])
    with pytest.raises(ValueError, match="attention must have 2 dimensions"):
        attention_heatmap(np.ones(40), [0])
    with pytest.raises(ValueError, match="attention must have 2 dimensions"):
        attention_heatmap(np.ones((2, 40, 3)), [0, 1])


# AttentionDisplay


def test_published_picture_has_ten_bins_of_half_a_second():
    weights, y_pred = make_weights(n_frames=157)
    display = AttentionDisplay.from_predictions(weights, y_pred, frame_seconds=0.032)
    assert display.heatmap.shape == (3, 10)
    assert display.bin_seconds == pytest.approx(0.48)
    np.testing.assert_allclose(display.im_.get_extent()[:2], [0.224, 5.024])
    assert display.ax_.get_xlabel() == "Time (s)"


def test_bins_are_numbered_where_time_is_unknown():
    display = AttentionDisplay.from_predictions(*make_weights(), n_bins=4)
    assert display.bin_seconds is None
    assert display.ax_.get_xlabel() == "Bin"
    assert list(display.ax_.get_xticks()) == [1, 2, 3, 4]
    assert display.im_.get_extent()[:2] == [0.5, 4.5]


def test_rows_are_counted_and_grey_where_nothing_was_predicted():
    weights, y_pred = make_weights()
    display = AttentionDisplay.from_predictions(
        weights,
        y_pred,
        labels=["joy", "calm", "fear"],
        class_names=["Freude", "Ruhe", "Angst"],
    )
    ticks = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    counts = [sum(y_pred == label) for label in ("joy", "calm", "fear")]
    assert counts[1] == 0
    assert ticks == [
        f"{name} ({n})"
        for name, n in zip(["Freude", "Ruhe", "Angst"], counts, strict=True)
    ]
    assert [(text.get_text(), text.get_position()[1]) for text in display.texts_] == [
        ("no recordings", 1)
    ]
    drawn = display.im_.get_array()
    np.testing.assert_array_equal(drawn.mask.all(axis=1), [False, True, False])
    np.testing.assert_allclose(
        drawn[[0, 2]], attention_heatmap(weights, y_pred)[[1, 0]]
    )


def test_given_axes_and_style_are_used():
    figure, ax = plt.subplots()
    display = AttentionDisplay.from_predictions(
        *make_weights(), ax=ax, cmap="magma", colorbar=False, im_kw={"vmax": 0.5}
    )
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.colorbar_ is None
    assert figure.axes == [ax]
    assert display.im_.get_cmap().name == "magma"
    assert display.im_.get_clim() == (0, 0.5)


def test_classifier_draws_all_classes_it_knows():
    X = np.array([[0.0, 1, 1, 2], [2.0, 1, 1, 0]])
    network = FakeNetwork().fit(None, ["fear", "joy", "rage"])
    display = AttentionDisplay.from_estimator(network, X, n_bins=2)
    assert display.class_names == ["fear", "joy", "rage"]
    np.testing.assert_allclose(
        display.heatmap, [[0.25, 0.75], [np.nan, np.nan], [0.75, 0.25]]
    )
    assert display.colorbar_ is not None


@pytest.mark.parametrize(
    ("pipeline_class", "balance"),
    [(Pipeline, "passthrough"), (SamplingPipeline, RandomOverSampler())],
)
def test_pipeline_transforms_once_and_tells_the_time(pipeline_class, balance):
    X = np.array([[0.0, 1, 1, 2], [1.0, 1, 1, 1]])
    extractor = FakeExtractor(frame_seconds=0.05)
    network = FakeNetwork().fit(None, ["fear", "joy"])
    pipeline = pipeline_class(
        [("extract", extractor), ("balance", balance), ("classify", network)]
    )
    display = AttentionDisplay.from_estimator(pipeline, X, n_bins=2)
    np.testing.assert_allclose(display.heatmap, [[0.25, 0.75], [0.5, 0.5]])
    assert display.bin_seconds == pytest.approx(0.1)
    assert extractor.n_calls == 1
    display = AttentionDisplay.from_estimator(pipeline, X, n_bins=2, frame_seconds=1)
    assert display.bin_seconds == 2


def test_classifier_without_attention_or_fit_is_refused():
    class Plain(ClassifierMixin, BaseEstimator):
        pass

    with pytest.raises(TypeError, match="Plain has no method attention"):
        AttentionDisplay.from_estimator(Plain(), [[1.0]])
    with pytest.raises(NotFittedError):
        AttentionDisplay.from_estimator(FakeNetwork(), [[1.0]])
