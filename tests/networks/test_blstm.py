"""The graphs: what masking and attention compute."""

import numpy as np
import pytest

from skemotion.networks import ATTENTION_LAYER, build_blstm, import_keras

keras = import_keras()
RNG = np.random.default_rng(0)
N_FRAMES, N_FEATURES = 12, 4


def build(n_frames=N_FRAMES, **options):
    return build_blstm(n_frames, N_FEATURES, 3, units=5, **options)


def attention_of(model, X):
    layer = model.get_layer(ATTENTION_LAYER)
    return keras.Model(model.input, layer.output).predict(X, verbose=0)


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_masked_padding_changes_nothing(attention, side):
    model = build(attention=attention, mask_padding=True)
    real = RNG.normal(size=(2, 7, N_FEATURES)).astype("float32")
    padding = np.zeros((2, N_FRAMES - 7, N_FEATURES), dtype="float32")
    parts = [padding, real] if side == "left" else [real, padding]
    X = np.concatenate(parts, axis=1)
    alone = build(n_frames=7, attention=attention)
    alone.set_weights(model.get_weights())
    np.testing.assert_allclose(
        model.predict(X, verbose=0), alone.predict(real, verbose=0), atol=1e-6
    )
    if attention:
        weights = attention_of(model, X)
        where = slice(N_FRAMES - 7, None) if side == "left" else slice(0, 7)
        np.testing.assert_allclose(
            weights[:, where], attention_of(alone, real), atol=1e-6
        )
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_silent_frames_within_a_recording_are_not_masked():
    X = RNG.normal(size=(1, N_FRAMES, N_FEATURES)).astype("float32")
    X[:, :3] = X[:, 6] = 0
    weights = attention_of(build(mask_padding=True), X)
    np.testing.assert_array_equal(weights[0, :3], 0)
    assert (weights[0, 3:] > 0).all()


@pytest.mark.parametrize("mask_padding", [True, False])
def test_nothing_but_padding_has_attention_that_sums_to_one(mask_padding):
    X = np.zeros((2, N_FRAMES, N_FEATURES), dtype="float32")
    weights = attention_of(build(mask_padding=mask_padding), X)
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_attention_is_what_the_formula_says():
    model = build()
    X = RNG.normal(size=(3, N_FRAMES, N_FEATURES)).astype("float32")
    recurrent, hidden, energy = (
        layer
        for layer in model.layers
        if isinstance(layer, (keras.layers.Bidirectional, keras.layers.Dense))
        and layer.name != "emotion"
    )
    states, forward, _, backward, _ = map(np.asarray, recurrent(X))
    (U,), (v,) = hidden.get_weights(), energy.get_weights()
    energies = (np.tanh(states @ U) @ v)[..., 0] / np.sqrt(5)
    expected = np.exp(energies - energies.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(attention_of(model, X), expected, atol=1e-5)

    context = (states * expected[..., None]).sum(axis=1)
    W, b = model.get_layer("emotion").get_weights()
    logits = np.concatenate([context, forward, backward], axis=1) @ W + b
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        model.predict(X, verbose=0), odds / odds.sum(axis=1, keepdims=True), atol=1e-5
    )


def test_size_of_the_posts_network():
    n_lstm = 2 * 4 * 256 * (46 + 256 + 1)
    attention = build_blstm(157, 46, 7)
    assert attention.count_params() == n_lstm + 512 * 256 + 256 + (1024 + 1) * 7
    plain = build_blstm(157, 46, 7, attention=False)
    assert plain.count_params() == n_lstm + (512 + 1) * 7


@pytest.mark.parametrize("attention", [True, False])
def test_saved_model_loads_by_keras_alone(tmp_path, attention):
    model = build(attention=attention, mask_padding=True, dropout=0.2)
    X = RNG.normal(size=(3, N_FRAMES, N_FEATURES)).astype("float32")
    X[0, :4] = 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(
        loaded.predict(X, verbose=0), model.predict(X, verbose=0)
    )
