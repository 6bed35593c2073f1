"""Functionals in the graph are those of the transformer."""

import numpy as np
import pytest

from skemotion import SequenceFunctionals
from skemotion.networks import N_FUNCTIONALS, build_blstm, import_keras
from skemotion.networks._functionals import SLOPE_FRAMES

keras = import_keras()
N_FRAMES, N_FEATURES = 11, 6
SLOPE = 7


def functionals_of(X, mask_padding):
    model = build_blstm(
        N_FRAMES,
        N_FEATURES,
        2,
        units=2,
        mask_padding=mask_padding,
        functionals_units=3,
    )
    layer = model.get_layer("functionals")
    # Fresh batch normalisation divides by the root of 1 + epsilon.
    values = keras.Model(model.input, layer.output).predict(X, verbose=0)
    values = values * np.sqrt(1 + layer.epsilon)
    slopes = values.reshape(len(X), N_FEATURES, N_FUNCTIONALS)[:, :, SLOPE]
    slopes /= SLOPE_FRAMES
    return values


@pytest.mark.parametrize("n_real", [1, 2, 7, N_FRAMES])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_left_out_as_the_transformer_does(n_real, side):
    X = np.random.default_rng(n_real).normal(size=(3, N_FRAMES, N_FEATURES))
    X = X.astype("float32")
    padding = slice(None, N_FRAMES - n_real) if side == "left" else slice(n_real, None)
    X[:, padding] = 0
    expected = SequenceFunctionals(padding_side=side).fit_transform(X)
    found = functionals_of(X, mask_padding=True)
    assert found.shape == (3, N_FEATURES * N_FUNCTIONALS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_all_frames_count_where_padding_is_not_masked():
    X = np.random.default_rng(0).normal(size=(3, N_FRAMES, N_FEATURES))
    X[:, :4] = 0
    expected = SequenceFunctionals(ignore_padding=False).fit_transform(X)
    found = functionals_of(X.astype("float32"), mask_padding=False)
    np.testing.assert_allclose(found, expected, atol=1e-5)
