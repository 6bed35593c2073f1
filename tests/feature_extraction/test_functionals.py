"""Functionals: NumPy, on the real frames of one recording at a time, is the oracle."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skemotion import SequenceScaler, SpeechFeatureExtractor
from skemotion.feature_extraction import SequenceFunctionals
from skemotion.metrics import unweighted_average_recall
from skemotion.preprocessing import padding_mask

FUNCTIONALS = SequenceFunctionals().functionals
N_FRAMES, N_FEATURES = 9, 6
X = (
    np.random.default_rng(0)
    .normal(3, 2, size=(70, N_FRAMES, N_FEATURES))
    .astype(np.float32)
)


def describe(frames, names=FUNCTIONALS):
    """Compute the functionals of one recording, feature by feature."""
    frames = frames.astype(float)
    time = np.arange(len(frames))
    functions = {
        "mean": np.mean,
        "std": np.std,
        "slope": lambda x: np.polyfit(time, x, 1)[0] if len(x) > 1 else 0.0,
        "mean_abs_diff": lambda x: np.abs(np.diff(x)).mean() if len(x) > 1 else 0.0,
    }
    return [
        functions[name](x) if name in functions else np.percentile(x, float(name[1:]))
        for x in frames.T
        for name in names
    ]


def pad(X, lengths, side="left"):
    """Pad: energy becomes 0, the other features constants, as when extracted."""
    X = X.copy()
    for row, length in zip(X, lengths, strict=True):
        padding = row[:-length] if side == "left" else row[length:]
        if length < len(row):
            padding[:] = 8.0
            padding[:, 5] = 0.0
    return X


@settings(deadline=None, max_examples=50)
@given(
    lengths=st.lists(st.integers(1, N_FRAMES), min_size=6, max_size=6),
    side=st.sampled_from(["left", "right"]),
)
def test_equal_to_numpy_on_the_real_frames(lengths, side):
    padded = pad(X[:6], lengths, side)
    result = SequenceFunctionals(loudness=5).fit_transform(padded)
    rows = zip(padded, lengths, strict=True)
    expected = [
        describe(row[-length:] if side == "left" else row[:length])
        for row, length in rows
    ]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_it_takes_three_dimensions_by_its_tags():
    assert get_tags(SequenceFunctionals()).input_tags.three_d_array


def test_all_frames_count_if_padding_is_not_ignored():
    padded = pad(X, [3] * len(X))
    result = SequenceFunctionals(ignore_padding=False).fit_transform(padded)
    expected = [describe(row) for row in padded]
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_choice_and_order():
    names = ["p97.5", "slope", "p0", "mean", "p100"]
    functionals = SequenceFunctionals(names)
    result = functionals.fit_transform(X)
    expected = [describe(row, names) for row in X]
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
    features = [f"mfcc_{i}" for i in range(N_FEATURES)]
    named = functionals.get_feature_names_out(features)
    assert named[:6].tolist() == [
        *(f"mfcc_0_{name}" for name in names),
        "mfcc_1_p97.5",
    ]
    np.testing.assert_allclose(
        result[:, named == "mfcc_4_p0"][:, 0], X[:, :, 4].min(axis=1)
    )


def test_padding_is_recognised_behind_a_scaler_that_keeps_it():
    padded = pad(X, np.arange(len(X)) % N_FRAMES + 1)
    scaler = SequenceScaler(ignore_padding=True, loudness=5).fit(padded)
    functionals = SequenceFunctionals(["mean", "std"])
    names = ["a", "b", "c", "d", "e", "extracted__rms"]
    raw = functionals.fit_transform(padded, feature_names=names)
    assert functionals.loudness_ == 5
    assert functionals.get_feature_names_out()[-1] == "extracted__rms_std"
    raw = raw.reshape(len(X), N_FEATURES, 2)
    scaled = functionals.fit_transform(scaler.transform(padded))
    mean, std = np.moveaxis(scaled.reshape(len(X), N_FEATURES, 2), 2, 0)
    np.testing.assert_allclose(
        mean, (raw[..., 0] - scaler.mean_) / scaler.scale_, atol=1e-5
    )
    np.testing.assert_allclose(std, raw[..., 1] / scaler.scale_, atol=1e-5)


def test_constants_have_no_spread_at_all():
    constant = np.full((2, 157, N_FEATURES), 1e4 + 0.1)
    names = ["std", "slope", "mean_abs_diff"]
    assert (SequenceFunctionals(names).fit_transform(constant) == 0).all()


def test_offset_does_not_spoil_small_variation():
    shifted = X.astype(float) / 10 + 1e5
    as_stored = shifted.astype(np.float32).astype(float)
    result = SequenceFunctionals().fit_transform(shifted)
    np.testing.assert_allclose(
        result, [describe(row) for row in as_stored], rtol=1e-4, atol=1e-6
    )


def test_rows_do_not_depend_on_each_other():
    functionals = SequenceFunctionals().fit(X)
    rows = [functionals.transform(row[np.newaxis]) for row in X]
    np.testing.assert_allclose(
        functionals.transform(X), np.concatenate(rows), rtol=1e-6, atol=1e-7
    )


def test_number_of_frames_may_change():
    functionals = SequenceFunctionals().fit(X)
    np.testing.assert_allclose(
        functionals.transform(X[:, :4]),
        [describe(row[:4]) for row in X],
        rtol=1e-5,
        atol=1e-6,
    )


def test_two_dimensions_are_one_feature():
    functionals = SequenceFunctionals()
    flat = functionals.fit_transform(X[:, :, 0])
    np.testing.assert_allclose(
        flat, [describe(row[:, :1]) for row in X], rtol=1e-5, atol=1e-6
    )
    assert functionals.get_feature_names_out().tolist() == list(FUNCTIONALS)
    with pytest.raises(ValueError, match="X has 3 dimensions, .* fitted on 2"):
        functionals.transform(X[:, :, [0] * N_FRAMES])
    with pytest.raises(ValueError, match="X has 2 dimensions, .* fitted on 3"):
        functionals.fit(X).transform(X[:, :N_FEATURES, 0])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"functionals": "mean"}, "'functionals' parameter"),
        ({"functionals": ()}, "functionals is empty"),
        ({"functionals": ("median",)}, "'median', which is not known.*'p50' is the"),
        ({"functionals": ("p101",)}, "'p101', which is not known"),
        ({"functionals": ("p-1",)}, "'p-1', which is not known"),
        ({"functionals": (["p5"],)}, "which is not known"),
        ({"functionals": ("mean", "mean")}, "holds a name twice: mean, mean"),
        ({"ignore_padding": "yes"}, "'ignore_padding' parameter"),
        ({"loudness": 6}, "no column of X with 6 features.*ignore_padding=False"),
        ({"loudness": "rms"}, "names of the features are not known"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        SequenceFunctionals(**parameters).fit(X)


def test_energy_column_is_not_needed_if_padding_is_not_ignored():
    narrow = SequenceFunctionals(["mean"], ignore_padding=False).fit_transform(
        X[..., :2]
    )
    np.testing.assert_allclose(narrow, X[..., :2].mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (X[..., np.newaxis], "expects X of shape"),
        (X[:0], "minimum of 1 is required|none of them 0"),
        (np.full_like(X, np.nan), "NaN"),
    ],
)
def test_bad_sequences(bad, message):
    with pytest.raises(ValueError, match=message):
        SequenceFunctionals().fit(bad)


def test_before_fit_and_with_other_features():
    with pytest.raises(NotFittedError):
        SequenceFunctionals().transform(X)
    with pytest.raises(ValueError, match="5 features, but SequenceFunctionals is"):
        SequenceFunctionals(loudness=0).fit(X).transform(X[..., :5])


def test_padding_that_cannot_be_recognised_is_an_error():
    padded = pad(X, [4] * len(X))
    message = "70 of 70 sequences begin or end with repeated frames"
    with pytest.raises(ValueError, match=message):
        SequenceFunctionals().fit(SequenceScaler().fit_transform(padded))
    SequenceFunctionals(ignore_padding=False).fit(padded)


def test_what_was_fitted_decides_and_not_the_parameters():
    padded = pad(X, [4] * len(X))
    functionals = SequenceFunctionals(["mean"], loudness=5).fit(padded)
    expected = functionals.transform(padded)
    functionals.set_params(functionals=["std"], loudness=0, ignore_padding=False)
    np.testing.assert_array_equal(functionals.transform(padded), expected)
    assert functionals.get_feature_names_out()[0] == "x0_mean"


def test_data_frames_of_named_functionals():
    functionals = SequenceFunctionals(["mean", "p50"]).set_output(transform="pandas")
    frame = functionals.fit_transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns[:3].tolist() == ["x0_mean", "x0_p50", "x1_mean"]


def test_classifiers_of_flat_vectors_in_a_pipeline():
    rng = np.random.default_rng(0)
    signals = [scale * rng.normal(size=8000) for scale in [0.01] * 6 + [0.3] * 6]
    y = np.array(["calm"] * 6 + ["angry"] * 6)
    pipeline = make_pipeline(
        SpeechFeatureExtractor(duration=1.0),
        SequenceFunctionals(loudness=5),
        StandardScaler(),
        SVC(),
    ).fit(signals, y)
    assert pipeline.score(signals, y) == 1
    names = pipeline[:-1].get_feature_names_out()
    assert len(names) == 46 * 9
    assert names[5 * 9] == "rms_mean"
    assert names[-1] == "delta_mfcc_19_mean_abs_diff"


def test_search_over_functionals_and_classifiers():
    y = np.arange(len(X)) % 2
    separable = X + 3 * y[:, np.newaxis, np.newaxis]
    boosting = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3)
    search = GridSearchCV(
        make_pipeline(SequenceFunctionals(), StandardScaler(), SVC()),
        [
            {"sequencefunctionals__functionals": [("mean",), ("p50", "slope")]},
            {"svc": [boosting]},
        ],
        cv=2,
    ).fit(separable, y)
    assert (search.cv_results_["mean_test_score"] > 0.9).all()


@parametrize_with_checks(
    [
        SequenceFunctionals(),
        SequenceFunctionals(("slope", "p50"), ignore_padding=False),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.emodb
def test_emodb_equals_numpy(emodb_sequences):
    rows = emodb_sequences[::40]
    real = ~padding_mask(rows, loudness=5)
    expected = np.array(
        [describe(row[frames]) for row, frames in zip(rows, real, strict=True)]
    )
    result = SequenceFunctionals(loudness=5).fit_transform(rows)
    spread = expected.std(axis=0)
    np.testing.assert_allclose(result / spread, expected / spread, atol=1e-4)


@pytest.mark.emodb
def test_emotions_of_speakers_held_out(emodb, emodb_sequences):
    classifier = make_pipeline(
        SequenceFunctionals(loudness=5),
        StandardScaler(),
        SVC(C=10, class_weight="balanced"),
    )
    predicted = cross_val_predict(
        classifier,
        emodb_sequences,
        emodb.target,
        groups=emodb.speakers,
        cv=LeaveOneGroupOut(),
    )
    assert 0.65 < unweighted_average_recall(emodb.target, predicted) < 0.75
