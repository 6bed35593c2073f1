"""What a network reads: real frames and their functionals."""

import numpy as np
import pytest

from skemotion import SequenceFunctionals
from skemotion._sequences import common_frames, real_bounds
from skemotion.networks import BLSTM, import_keras
from skemotion.networks._batches import Batches
from skemotion.networks._inputs import standardise_functionals

keras = import_keras()
N_FRAMES, N_FEATURES = 11, 6
RNG = np.random.default_rng(0)


def build(ignore_padding=True):
    network = BLSTM(
        N_FRAMES,
        N_FEATURES,
        2,
        units=2,
        ignore_padding=ignore_padding,
        functionals_units=3,
    )
    return network.build(0)


def draw(n_samples):
    return RNG.normal(size=(n_samples, N_FRAMES, N_FEATURES)).astype("float32")


def functionals_of(model, X):
    trim = model.inputs[0].shape[1] is None
    return Batches(model, X, len(X), trim=trim).functionals


def read(model, X):
    """Return the functionals as the dense layer behind them gets them."""
    inner = keras.Model(model.input, model.get_layer("functionals").output)
    return inner.predict((X, functionals_of(model, X)), verbose=0)


def test_bounds_of_real_frames():
    sequences = np.zeros((4, 5, 2))
    sequences[0, 1, 0] = sequences[0, 3, 1] = sequences[1, 4] = sequences[2] = 1
    assert real_bounds(sequences).tolist() == [[1, 4], [4, 5], [0, 5], [4, 5]]
    assert common_frames(real_bounds(sequences)) == slice(0, 5)
    assert common_frames(real_bounds(sequences[:2])) == slice(1, 5)
    assert common_frames(real_bounds(sequences[3:])) == slice(4, 5)


@pytest.mark.parametrize("n_real", [1, 2, 7, N_FRAMES])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_left_out_as_the_transformer_does(n_real, side):
    X = draw(3)
    padding = slice(None, N_FRAMES - n_real) if side == "left" else slice(n_real, None)
    X[:, padding] = 0
    expected = SequenceFunctionals().fit_transform(X)
    np.testing.assert_array_equal(functionals_of(build(), X), expected)
    np.testing.assert_allclose(read(build(), X), expected, atol=1e-6)


def test_all_frames_count_where_padding_is_not_masked():
    X = draw(3)
    X[:, :4] = 0
    expected = SequenceFunctionals(ignore_padding=False).fit_transform(X)
    np.testing.assert_array_equal(functionals_of(build(False), X), expected)


def test_networks_without_functionals_read_sequences_alone():
    X = draw(3)
    model = BLSTM(N_FRAMES, N_FEATURES, 2, units=2).build(0)
    batches = Batches(model, X, 2)
    assert batches.functionals is None
    (first, rows), _ = batches.in_order()
    np.testing.assert_array_equal(first, X[:2])
    assert rows.tolist() == [0, 1]


@pytest.mark.parametrize("n_chunks", [1, 7])
def test_functionals_are_standardised(n_chunks):
    model, X = build(), draw(200)
    X[:, :, 2] = 1.5  # a constant, whose deviation and slope are 0
    chunks = np.array_split(functionals_of(model, X), n_chunks)
    standardise_functionals(model, chunks)
    values = read(model, X).reshape(200, N_FEATURES, -1)
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.delete(values.std(axis=0), 2, axis=0), 1, atol=1e-4)
    np.testing.assert_allclose(values[:, 2], 0, atol=1e-6)
