"""Scaling: scikit-learn's StandardScaler on rearranged axes is the oracle."""

import tracemalloc

import numpy as np
import pandas as pd
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


def with_padding(X, lengths):
    """Pad in front: other features are constants, as in extracted sequences."""
    X = X.copy()
    for row, length in zip(X, lengths, strict=True):
        row[: len(row) - length] = 8.0
        row[: len(row) - length, 5] = 0.0
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
    scaler = SequenceScaler(scope=scope, ignore_padding=True, loudness=5)
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


def test_padding_behind_and_on_both_sides():
    behind = with_padding(X, [3] * 12)[:, ::-1]
    scaled = SequenceScaler(ignore_padding=True, loudness=5).fit_transform(behind)
    assert (scaled[:, 3:] == 0).all()
    assert (scaled[:, :3] != 0).all()
    both = with_padding(behind, [5] * 12)
    scaled = SequenceScaler(ignore_padding=True, loudness=5).fit_transform(both)
    assert (scaled[:, [0, 1, 3, 4, 5, 6]] == 0).all()
    assert (scaled[:, 2] != 0).all()


@given(hnp.arrays(np.float32, (3, 5, 1), elements=st.sampled_from([0.0, 0.5])))
def test_padding_is_a_run_at_either_end_that_leaves_a_frame(energy):
    mask = padding_mask(energy)
    for row, values in zip(mask, energy[:, :, 0], strict=True):
        found = np.flatnonzero(values)
        first, last = (found[0], found[-1]) if found.size else (4, 4)
        np.testing.assert_array_equal(
            row, (np.arange(5) < first) | (np.arange(5) > last)
        )


def test_silence_within_a_recording_is_not_padding():
    energy = np.array([[[0.0], [0.3], [0.0], [0.3]]])
    np.testing.assert_array_equal(padding_mask(energy), [[True, False, False, False]])
    wide = np.concatenate([energy, np.ones_like(energy)], axis=2)
    assert not padding_mask(wide).any()
    np.testing.assert_array_equal(padding_mask(wide, loudness=0), padding_mask(energy))


NAMES = ["a", "b", "c", "d", "e", "rms"]


@pytest.mark.parametrize(
    ("loudness", "names"),
    [
        (5, None),
        (np.int64(5), NAMES),
        ("rms", NAMES),
        (None, NAMES),
        (None, np.array([f"one__{name}" for name in NAMES])),
        ("rms", [f"two__one__{name}" for name in NAMES]),
        ("one__rms", [f"one__{name}" for name in NAMES]),
        ("energy", [*NAMES[:5], "energy"]),
    ],
)
def test_loudness_is_found_by_name_or_column(loudness, names):
    padded = with_padding(X, RNG.integers(1, 8, size=12))
    scaler = SequenceScaler(ignore_padding=True, loudness=loudness)
    scaled = scaler.fit_transform(padded, feature_names=names)
    assert scaler.loudness_ == 5
    mask = padding_mask(padded, loudness=5)
    assert mask.any()
    np.testing.assert_array_equal((scaled == 0).all(axis=2), mask)
    if names is not None:
        np.testing.assert_array_equal(scaler.get_feature_names_out(), names)
    standardized = speaker_standardize(
        padded, SPEAKERS, loudness=loudness, feature_names=names
    )
    np.testing.assert_array_equal((standardized == 0).all(axis=2), mask)


def test_padding_of_zeros_needs_no_loudness():
    padded = X.copy()
    padded[:, 5:] = padded[:3, 0] = 0
    scaler = SequenceScaler(ignore_padding=True)
    scaled = scaler.fit_transform(padded)
    assert scaler.loudness_ is None
    np.testing.assert_array_equal((scaled == 0).all(axis=2), padding_mask(padded))


@pytest.mark.parametrize("side", [1, -1])
def test_padding_that_cannot_be_recognised_is_an_error(side):
    padded = with_padding(X, [5] * 12)[:, ::side]
    message = "12 of 12 sequences begin or end with repeated frames.*loudness.*ignore"
    shifted = SequenceScaler().fit_transform(padded)
    with pytest.raises(ValueError, match=message):
        SequenceScaler(ignore_padding=True).fit(shifted)
    with pytest.raises(ValueError, match=message):
        speaker_standardize(shifted, SPEAKERS)
    with pytest.raises(ValueError, match=message):
        SequenceScaler(ignore_padding=True).fit(shifted, feature_names=NAMES)
    SequenceScaler().fit(padded)
    SequenceScaler(ignore_padding=True).fit(np.ones_like(X))  # constant, not padded
    SequenceScaler(ignore_padding=True).fit(X[:, :1])


def test_what_was_fitted_decides_and_not_the_parameters():
    padded = with_padding(X, [3] * 12)
    scaler = SequenceScaler(ignore_padding=True, loudness=5).fit(padded)
    expected = scaler.transform(padded)
    scaler.set_params(ignore_padding=False, loudness=0, scope="cell")
    np.testing.assert_array_equal(scaler.transform(padded), expected)


def test_a_second_fit_forgets_names_and_dimensions():
    frame = pd.DataFrame(X[:, :6, 0], columns=list("abcdef"))
    scaler = SequenceScaler().fit(frame)
    assert scaler.feature_names_in_.tolist() == list("abcdef")
    scaler.fit(X)
    assert not hasattr(scaler, "feature_names_in_")
    scaler.fit(X, feature_names=NAMES).fit(X)
    assert not hasattr(scaler, "feature_names_in_")
    square = X[:, :6]
    with pytest.raises(
        ValueError, match=r"2 dimensions, \(n_samples, n_frames\), but SequenceScaler"
    ):
        scaler.fit(square).transform(square[:, :, 0])
    with pytest.raises(ValueError, match=r"3 dimensions, .* was fitted on 2, \("):
        scaler.fit(square[:, :, 0]).transform(square)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"scope": "frame"}, "scope"),
        ({"ignore_padding": "yes"}, "ignore_padding"),
        ({"ignore_padding": True, "loudness": 6}, "loudness=6 is no column of X"),
        ({"ignore_padding": True, "loudness": "rms"}, "names .* are not known"),
        ({"loudness": -1}, "'loudness' parameter"),
        ({"loudness": 1.5}, "'loudness' parameter"),
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


def test_feature_names_that_do_not_fit():
    with pytest.raises(ValueError, match="each of the 6 features of X, got 2"):
        SequenceScaler().fit(X, feature_names=["a", "b"])
    with pytest.raises(ValueError, match="each of the 6 features of X, got 2"):
        speaker_standardize(X, SPEAKERS, feature_names=["a", "rms"])
    with pytest.raises(ValueError, match="'loud' is none of the 6 features: a, b"):
        SequenceScaler(ignore_padding=True, loudness="loud").fit(X, feature_names=NAMES)


def test_feature_names_pass_through():
    names = SpeechFeatureExtractor().get_feature_names_out()
    scaler = SequenceScaler().fit(np.zeros((2, 3, 46)))
    np.testing.assert_array_equal(scaler.get_feature_names_out(names), names)


SPEAKERS = np.array(["03", "08", "09"] * 4)


def test_each_speaker_is_standardised_alone():
    lengths = RNG.integers(1, 8, size=12)
    padded = with_padding(X, lengths)
    standardized = speaker_standardize(padded, SPEAKERS, loudness=5)
    assert standardized.dtype == np.float32
    mask = padding_mask(padded, loudness=5)
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


def test_speakers_standardised_with_padding_behind():
    padded = with_padding(X, [3] * 12)
    np.testing.assert_array_equal(
        speaker_standardize(padded[:, ::-1], SPEAKERS, loudness=5),
        speaker_standardize(padded, SPEAKERS, loudness=5)[:, ::-1],
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
        ({"speakers": SPEAKERS[:, None]}, "speakers must be one-dimensional"),
        ({"speakers": [None, *SPEAKERS[1:]]}, "speakers holds None at row 0"),
        ({"loudness": 6}, "no column of X"),
        ({"ignore_padding": "yes"}, "'ignore_padding' parameter"),
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
    mask = padding_mask(emodb_sequences, loudness=5)
    assert 0.4 < mask.mean() < 0.48  # 56 % of the frames are real
    scaled = SequenceScaler(ignore_padding=True, loudness=5).fit_transform(
        emodb_sequences
    )
    assert (scaled[mask] == 0).all()
    assert (scaled[~mask] == 0).all(axis=-1).sum() == 0
    np.testing.assert_allclose(scaled[~mask].std(axis=0), 1, atol=1e-3)


def in_parts(scaler, X, n_parts, **params):
    for part in np.array_split(X, n_parts):
        scaler.partial_fit(part, **params)
    return scaler


@settings(deadline=None, max_examples=30)
@given(
    lengths=st.lists(st.integers(1, 7), min_size=12, max_size=12),
    scope=st.sampled_from(["feature", "cell"]),
    ignore_padding=st.booleans(),
    n_parts=st.integers(1, 12),
)
def test_parts_give_what_the_whole_gives(lengths, scope, ignore_padding, n_parts):
    padded = with_padding(X, lengths)
    options = {"scope": scope, "ignore_padding": ignore_padding}
    whole = SequenceScaler(**options).fit(padded, feature_names=NAMES)
    parts = in_parts(SequenceScaler(**options), padded, n_parts, feature_names=NAMES)
    for name in ("mean_", "var_", "scale_"):
        expected = getattr(whole, name)
        np.testing.assert_allclose(getattr(parts, name), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(parts.n_samples_seen_, whole.n_samples_seen_)
    if scope == "feature":
        seen = sum(lengths) if ignore_padding else X.shape[0] * X.shape[1]
        assert parts.n_samples_seen_ == seen


def test_parts_far_from_zero_keep_their_deviation():
    far = (np.float32(1e4) + X).astype(np.float32)
    parts = in_parts(SequenceScaler(), far, 12)
    np.testing.assert_allclose(
        parts.scale_, SequenceScaler().fit(far).scale_, rtol=1e-6
    )
    constant = in_parts(SequenceScaler(), np.full_like(X, 1e4 + 0.1), 12)
    assert (constant.scale_ == 1).all()


def test_padding_that_a_later_part_shows_first():
    padded = with_padding(np.abs(X) + 1, [7] * 6 + [3] * 6)
    scaler = in_parts(SequenceScaler(ignore_padding=True), padded, 2)
    whole = SequenceScaler(ignore_padding=True).fit(padded)
    assert scaler.loudness_ == whole.loudness_ == 5
    np.testing.assert_allclose(scaler.mean_, whole.mean_, rtol=1e-6)


def test_parts_of_other_shapes_are_refused():
    scaler = SequenceScaler(scope="cell").partial_fit(X)
    with pytest.raises(ValueError, match="X has 6 frames"):
        scaler.partial_fit(X[:, :6])
    with pytest.raises(ValueError, match="X has 5 features"):
        scaler.partial_fit(X[:, :, :5])
    flat = SequenceScaler().partial_fit(X[:, 0])
    assert flat.partial_fit(X[:, 1]).n_samples_seen_ == 24
    del scaler.n_samples_seen_
    with pytest.raises(ValueError, match="from a bundle or an earlier version"):
        scaler.partial_fit(X)
    assert scaler.fit(X).partial_fit(X).n_samples_seen_[0] == 24
