"""The graphs: what masking and attention compute."""

import importlib
import random

import numpy as np
import pytest

from skemotion.networks import ATTENTION_LAYER, BLSTM, import_keras
from skemotion.networks._batches import Batches

keras = import_keras()
RNG = np.random.default_rng(0)
N_FRAMES, N_FEATURES = 12, 4


def settings(n_frames=N_FRAMES, **options):
    return BLSTM(n_frames, N_FEATURES, 3, units=5, **options)


def build(n_frames=N_FRAMES, seed=0, **options):
    return settings(n_frames, **options).build(seed)


def read(model, X, ignore_padding=True):
    """Return what a network reads of sequences."""
    batches = Batches(model, X, len(X), trim=ignore_padding)
    if batches.functionals is None:
        return X
    return X, batches.functionals


def attention_of(model, X):
    layer = model.get_layer(ATTENTION_LAYER)
    return keras.Model(model.input, layer.output).predict(X, verbose=0)


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_masked_padding_changes_nothing(attention, side):
    model = build(attention=attention, ignore_padding=True)
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


@pytest.mark.parametrize("attention", [True, False])
def test_padding_of_one_row_is_nothing_to_another(attention):
    model = build(attention=attention, ignore_padding=True)
    X = RNG.normal(size=(4, N_FRAMES, N_FEATURES)).astype("float32")
    X[0, 7:] = X[1, :5] = X[2, 10:] = X[2, :1] = 0
    alone = [model.predict(row[np.newaxis], verbose=0)[0] for row in X]
    np.testing.assert_allclose(model.predict(X, verbose=0), alone, atol=1e-6)


def test_silent_frames_within_a_recording_are_not_masked():
    X = RNG.normal(size=(1, N_FRAMES, N_FEATURES)).astype("float32")
    X[:, :3] = X[:, 6] = 0
    weights = attention_of(build(ignore_padding=True), X)
    np.testing.assert_array_equal(weights[0, :3], 0)
    assert (weights[0, 3:] > 0).all()


@pytest.mark.parametrize("ignore_padding", [True, False])
def test_nothing_but_padding_has_attention_that_sums_to_one(ignore_padding):
    X = np.zeros((2, N_FRAMES, N_FEATURES), dtype="float32")
    weights = attention_of(build(ignore_padding=ignore_padding), X)
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
    attention = BLSTM(157, 46, 7).build(0)
    assert attention.count_params() == n_lstm + 512 * 256 + 256 + (1024 + 1) * 7
    plain = BLSTM(157, 46, 7, attention=False).build(0)
    assert plain.count_params() == n_lstm + (512 + 1) * 7


@pytest.mark.parametrize("attention", [True, False])
def test_saved_model_loads_by_keras_alone(tmp_path, attention):
    model = build(attention=attention, ignore_padding=True, dropout=0.2)
    X = RNG.normal(size=(3, N_FRAMES, N_FEATURES)).astype("float32")
    X[0, :4] = 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(
        loaded.predict(X, verbose=0), model.predict(X, verbose=0)
    )


@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize("ignore_padding", [True, False])
def test_attention_to_joined_frames_stands_for_those_that_came_in(
    n_members, ignore_padding
):
    options = {"ignore_padding": ignore_padding, "n_members": n_members}
    network = settings(frame_step=5, **options)
    model = network.build(0)
    X = RNG.normal(size=(3, N_FRAMES, N_FEATURES)).astype("float32")
    X[0, :4] = X[1, :11] = 0
    outputs = network.attention_outputs(model)
    assert len(outputs) == n_members
    for output in outputs:
        weights = keras.Model(model.input, output).predict(X, verbose=0)
        assert weights.shape == (3, N_FRAMES)
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
        if ignore_padding:
            np.testing.assert_array_equal(weights[0, :4], 0)
            np.testing.assert_allclose(weights[0, 4:9], weights[0, 4], rtol=1e-4)
            np.testing.assert_allclose(weights[1, 11], 1, atol=1e-5)


@pytest.mark.parametrize("attention", [True, False])
def test_joined_frames_are_means_of_what_is_real(attention):
    coarse = build(n_frames=2, attention=attention)
    fine = build(n_frames=6, attention=attention, ignore_padding=True, frame_step=3)
    fine.set_weights(coarse.get_weights())
    X = RNG.normal(size=(2, 6, N_FEATURES)).astype("float32")
    X[0, :2] = 0
    joined = np.stack(
        [[X[0, 2:5].mean(axis=0), X[0, 5]], X[1].reshape(2, 3, -1).mean(axis=1)]
    )
    np.testing.assert_allclose(
        fine.predict(X, verbose=0), coarse.predict(joined, verbose=0), atol=1e-5
    )


@pytest.mark.parametrize("attention", [True, False])
def test_members_are_averaged(attention):
    options = {"attention": attention, "functionals_units": 3, "ignore_padding": True}
    joint, single = settings(n_members=2, **options), settings(**options)
    both, alone = joint.build(0), single.build(0)
    X = RNG.normal(size=(3, N_FRAMES, N_FEATURES)).astype("float32")
    own = dict(zip(joint.weight_shapes(), joint.weights_of(both), strict=True))
    probabilities = []
    for suffix in ("", "_2"):
        names = zip(single.weight_shapes(), single.weights_of(alone), strict=True)
        for name, variable in names:
            variable.assign(own.get(name + suffix, own[name]))
        probabilities.append(alone.predict(read(alone, X), verbose=0))
    assert np.abs(probabilities[0] - probabilities[1]).max() > 1e-3
    np.testing.assert_allclose(
        both.predict(read(both, X), verbose=0),
        np.mean(probabilities, axis=0),
        atol=1e-6,
    )


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("functionals_units", [None, 3])
def test_shapes_are_those_of_the_graph(attention, n_members, functionals_units):
    network = settings(
        attention=attention,
        n_members=n_members,
        functionals_units=functionals_units,
        noise=0.1,
        dropout=0.1,
    )
    model = network.build(0)
    variables = network.weights_of(model)
    shapes = [tuple(variable.shape) for variable in variables]
    assert shapes == list(network.weight_shapes().values())
    # Apart from the states of seeds, there are no others.
    learnt = {id(variable) for variable in model.variables if variable.ndim}
    seeds = {id(v) for v in model.variables if "seed" in v.path}
    assert {id(variable) for variable in variables} == learnt - seeds


def test_weights_are_those_of_the_seed_alone():
    options = {"n_members": 2, "functionals_units": 3, "dropout": 0.1, "noise": 0.1}

    def draw(seed):
        return [value.tolist() for value in build(seed=seed, **options).get_weights()]

    random.seed(1)
    state = random.getstate()
    first = draw(3)
    assert random.getstate() == state
    random.seed(2)
    assert draw(3) == first
    assert draw(4) != first
    # The same seed does not give two parts the same weights.
    kernels = [np.ravel(value) for value in first if np.ndim(value) > 1]
    for index, kernel in enumerate(kernels):
        for other in kernels[:index]:
            assert kernel.size != other.size or not np.allclose(kernel, other)


def test_members_with_all_options_are_saved_and_loaded_by_keras_alone(tmp_path):
    model = build(
        ignore_padding=True,
        frame_step=2,
        noise=0.1,
        dropout=0.2,
        functionals_units=3,
        n_members=2,
    )
    X = RNG.normal(size=(3, N_FRAMES, N_FEATURES)).astype("float32")
    X[0, :4] = 0
    inputs = read(model, X)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(
        # A file of Keras knows lists only, and not all versions predict those.
        np.asarray(loaded(list(inputs))),
        np.asarray(model(inputs)),
    )


@pytest.mark.parametrize("frame_step", [1, 3])
@pytest.mark.parametrize("ignore_padding", [False, True])
def test_lstm_meets_the_conditions_of_cudnn(ignore_padding, frame_step, monkeypatch):
    """Without a GPU: what Keras asks of layer and mask before it takes cuDNN."""
    rnn = importlib.import_module("keras.src.backend.tensorflow.rnn")
    masks = []
    called = keras.layers.LSTM.call

    def call(self, sequences, initial_state=None, mask=None, training=False):
        masks.append(mask)
        return called(self, sequences, initial_state, mask, training)

    model = build(ignore_padding=ignore_padding, frame_step=frame_step)
    lstm = model.get_layer("recurrent").forward_layer
    monkeypatch.setattr(rnn, "_is_gpu_available", lambda: True)
    assert lstm.use_cudnn == "auto"
    assert lstm.recurrent_dropout == 0
    assert rnn.cudnn_ok(
        lstm.activation, lstm.recurrent_activation, lstm.unroll, lstm.use_bias
    )
    monkeypatch.undo()

    monkeypatch.setattr(keras.layers.LSTM, "call", call)
    X = RNG.normal(size=(4, N_FRAMES, N_FEATURES)).astype("float32")
    X[1, :5] = X[2, 9:] = X[3] = 0
    model.run_eagerly = True
    model(X)
    assert len(masks) == 2
    for mask in masks:
        if ignore_padding:
            assert rnn._is_sequence_right_padded(mask)
            assert not rnn._has_fully_masked_sequence(mask)
        else:
            assert mask is None
