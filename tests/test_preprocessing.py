"""Scaling: scikit-learn's StandardScaler on rearranged axes is the oracle."""

import tracemalloc

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import StandardScaler

from skemotion import SequenceScaler, SpeechFeatureExtractor
from skemotion.preprocessing import padding_mask, speaker_standardize

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, size=(12, 7, 6)).astype(np.float32)


def with_padding(X, lengths, energy_feature=5):
    """Pad in front: other features are constants, as in extracted sequences."""
    X = X.copy()
    for row, length in zip(X, lengths, strict=True):
        row[: len(row) - length] = 8.0
        row[: len(row) - length, energy_feature] = 0.0
    return X


def test_feature_scope_equals_standard_scaler_over_frames():
    expected = StandardScaler().fit_transform(X.reshape(-1, 6).astype(float))
    scaled = SequenceScaler().fit_transform(X)
    np.testing.assert_allclose(scaled.reshape(-1, 6), expected, atol=1e-5)


def test_cell_scope_equals_standard_scaler_on_flat_sequences():
    expected = StandardScaler().fit_transform(X.reshape(12, -1).astype(float))
    scaled = SequenceScaler(scope="cell").fit_transform(X)
    np.testing.assert_allclose(scaled.reshape(12, -1), expected, atol=1e-5)


@pytest.mark.parametrize("scope", ["feature", "cell"])
def test_statistics_are_those_of_fit(scope):
    scaler = SequenceScaler(scope=scope).fit(X[:6])
    np.testing.assert_array_equal(
        scaler.transform(X[6:]), scaler.transform(X)[6:], strict=True
    )


@pytest.mark.parametrize("scope", ["feature", "cell"])
def test_constants_become_zero(scope):
    constant = np.full((4, 3, 6), 1e4 + 0.1)
    scaled = SequenceScaler(scope=scope).fit_transform(constant)
    np.testing.assert_allclose(scaled, 0, atol=1e-2)
    assert np.isfinite(scaled).all()


@settings(deadline=None, max_examples=50)
@given(
    lengths=st.lists(st.integers(1, 7), min_size=12, max_size=12),
    scope=st.sampled_from(["feature", "cell"]),
)
def test_padding_stays_zero_and_out_of_the_statistics(lengths, scope):
    padded = with_padding(X, lengths)
    scaler = SequenceScaler(scope=scope, ignore_padding=True)
    scaled = scaler.fit_transform(padded)
    mask = np.arange(7) < 7 - np.asarray(lengths)[:, None]
    assert (scaled[mask] == 0).all()
    if scope == "feature":
        expected = StandardScaler().fit_transform(padded[~mask].astype(float))
        np.testing.assert_allclose(scaled[~mask], expected, atol=1e-4)
    else:
        for frame in range(7):
            real = padded[~mask[:, frame], frame]
            if len(real):
                np.testing.assert_allclose(
                    scaler.mean_[frame], real.mean(axis=0), rtol=1e-5
                )


def test_padding_on_the_right():
    padded = with_padding(X, [3] * 12)[:, ::-1]
    scaled = SequenceScaler(ignore_padding=True, padding_side="right").fit_transform(
        padded
    )
    assert (scaled[:, 3:] == 0).all()
    assert (scaled[:, :3] != 0).all()


@given(
    hnp.arrays(np.float32, (3, 5, 1), elements=st.sampled_from([0.0, 0.5])),
    st.sampled_from(["left", "right"]),
)
def test_padding_is_one_run_at_one_side_that_leaves_a_frame(energy, side):
    mask = padding_mask(energy, energy_feature=0, padding_side=side)
    assert not mask.all(axis=1).any()
    assert (energy[mask] == 0).all()
    ordered = mask if side == "left" else mask[:, ::-1]
    for row, values in zip(ordered, energy, strict=True):
        n_padded = row.sum()
        assert row[:n_padded].all()
        values = values if side == "left" else values[::-1]
        assert n_padded == len(row) - 1 or values[n_padded] != 0


def test_silence_within_a_recording_is_not_padding():
    energy = np.array([[[0.0], [0.3], [0.0], [0.3]]])
    np.testing.assert_array_equal(
        padding_mask(energy, energy_feature=0), [[True, False, False, False]]
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scope": "frame"}, "scope"),
        ({"ignore_padding": "yes"}, "ignore_padding"),
        ({"ignore_padding": True, "energy_feature": 6}, "no column of X"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        SequenceScaler(**parameters).fit(X)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (X[..., None], "expects X of shape"),
        (np.full_like(X, np.nan), "NaN"),
        (np.full_like(X, np.inf), "infinity"),
        (X[:0], "minimum of 1 is required|none of them 0"),
        (X[:, :0], "none of them 0"),
    ],
)
def test_bad_sequences(bad, message):
    with pytest.raises(ValueError, match=message):
        SequenceScaler().fit(bad)


def test_other_shapes_at_transform():
    with pytest.raises(ValueError, match="5 features, but SequenceScaler is expecting"):
        SequenceScaler().fit(X).transform(X[..., :5])
    with pytest.raises(ValueError, match="6 frames, but .*fitted on 7"):
        SequenceScaler(scope="cell").fit(X).transform(X[:, :6])
    assert SequenceScaler().fit(X).transform(X[:, :6]).shape == (12, 6, 6)


def test_input_is_left_alone_whatever_its_kind():
    for given_X in (X.copy(), np.asfortranarray(X), X.astype(float), X.tolist()):
        before = np.array(given_X)
        scaled = SequenceScaler(ignore_padding=True).fit_transform(given_X)
        np.testing.assert_array_equal(np.array(given_X), before)
        np.testing.assert_allclose(scaled, SequenceScaler().fit_transform(X), atol=1e-6)
    X.setflags(write=False)
    SequenceScaler(ignore_padding=True).fit_transform(X)
    X.setflags(write=True)


def test_feature_names_pass_through():
    names = SpeechFeatureExtractor().get_feature_names_out()
    scaler = SequenceScaler().fit(np.zeros((2, 3, 46)))
    np.testing.assert_array_equal(scaler.get_feature_names_out(names), names)


SPEAKERS = np.array(["03", "08", "09"] * 4)


def test_each_speaker_is_standardised_alone():
    lengths = RNG.integers(1, 8, size=12)
    padded = with_padding(X, lengths)
    standardized = speaker_standardize(padded, SPEAKERS)
    assert standardized.dtype == np.float32
    mask = padding_mask(padded)
    assert (standardized[mask] == 0).all()
    for speaker in np.unique(SPEAKERS):
        rows = speaker == SPEAKERS
        real = ~mask[rows]
        expected = StandardScaler().fit_transform(padded[rows][real].astype(float))
        np.testing.assert_allclose(standardized[rows][real], expected, atol=1e-4)


def test_a_speaker_left_out_depends_on_no_other():
    rows = SPEAKERS == "08"
    np.testing.assert_array_equal(
        speaker_standardize(X, SPEAKERS)[rows],
        speaker_standardize(X[rows], SPEAKERS[rows]),
    )


def test_gain_of_a_speaker_does_not_matter():
    louder = X * np.where(SPEAKERS == "08", 8, 1)[:, None, None]
    np.testing.assert_allclose(
        speaker_standardize(louder, SPEAKERS),
        speaker_standardize(X, SPEAKERS),
        atol=1e-5,
    )


def test_speakers_standardised_with_padding_like_the_rest():
    padded = with_padding(X, [3] * 12)
    expected = StandardScaler().fit_transform(padded.reshape(-1, 6).astype(float))
    standardized = speaker_standardize(padded, np.zeros(12), ignore_padding=False)
    np.testing.assert_allclose(standardized.reshape(-1, 6), expected, atol=1e-5)


def test_speakers_standardised_with_padding_on_the_right():
    padded = with_padding(X, [3] * 12)
    np.testing.assert_array_equal(
        speaker_standardize(padded[:, ::-1], SPEAKERS, padding_side="right"),
        speaker_standardize(padded, SPEAKERS)[:, ::-1],
    )


def test_a_feature_that_is_constant_for_a_speaker_becomes_zero():
    constant = X.copy()
    constant[SPEAKERS == "09", :, 2] = 1e4 + 0.1
    standardized = speaker_standardize(constant, SPEAKERS)
    np.testing.assert_allclose(standardized[SPEAKERS == "09", :, 2], 0, atol=1e-2)
    assert standardized[SPEAKERS == "08", :, 2].std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": X[0]}, "expects X of shape"),
        ({"X": np.full_like(X, np.nan)}, "NaN"),
        ({"speakers": SPEAKERS[:5]}, "inconsistent numbers of samples"),
        ({"energy_feature": 6}, "no column of X"),
        ({"padding_side": "both"}, "padding_side"),
    ],
)
def test_speakers_and_sequences_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        speaker_standardize(**{"X": X, "speakers": SPEAKERS} | arguments)


def test_large_mapped_arrays_are_never_held_whole(tmp_path):
    rows = RNG.normal(size=(8192, 20, 46)).astype(np.float32)
    np.save(tmp_path / "X.npy", rows)
    expected = SequenceScaler().fit_transform(rows)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    with sklearn.config_context(working_memory=1):
        tracemalloc.start()
        scaled = SequenceScaler().fit_transform(mapped)
        by_speaker = speaker_standardize(mapped, np.arange(8192) % 2)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < mapped.nbytes / 3
    assert isinstance(scaled, np.memmap)
    assert isinstance(by_speaker, np.memmap)
    np.testing.assert_array_equal(scaled, expected)


def test_small_mapped_arrays_are_scaled_in_memory(tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert type(SequenceScaler().fit_transform(mapped)) is np.ndarray


@pytest.mark.emodb
def test_padding_of_emodb(emodb_sequences):
    mask = padding_mask(emodb_sequences)
    assert 0.4 < mask.mean() < 0.48  # 56 % of the frames are real
    scaled = SequenceScaler(ignore_padding=True).fit_transform(emodb_sequences)
    assert (scaled[mask] == 0).all()
    assert (scaled[~mask] == 0).all(axis=-1).sum() == 0
    np.testing.assert_allclose(scaled[~mask].std(axis=0), 1, atol=1e-3)
