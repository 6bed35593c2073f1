"""The quick recurrence computes what Keras' own does."""

from contextlib import suppress

import numpy as np
import pytest

from skemotion.networks import BLSTM, import_keras
from skemotion.networks._lstm import quick_recurrence


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("ignore_padding", [True, False])
def test_states_and_gradients_are_those_of_keras(attention, ignore_padding):
    model = BLSTM(7, 3, 4, 5, attention=attention, ignore_padding=ignore_padding)
    model = model.build(0)
    rng = np.random.default_rng(0)
    for variable in model.variables:  # biases, too, that are nearly all 0 at first
        variable.assign(variable + rng.normal(scale=0.3, size=variable.shape))
    X = rng.normal(size=(4, 7, 3)).astype(np.float32)
    X[0, 2:] = X[1, :3] = X[2, 6:] = 0
    expected, found = (_differentiate(model, X, quickly) for quickly in (False, True))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def _differentiate(model, X, quickly):
    """Return outputs and gradients, and check whether they came in the asked way."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def run():
        with tf.GradientTape() as tape:
            outputs = model(X, training=True)
            loss = tf.reduce_sum(outputs**2)
        return outputs, *tape.gradient(loss, model.trainable_variables)

    if quickly:
        with quick_recurrence(model):
            results = run()
    else:
        results = run()
    names = {
        operation.type
        for operation in run.get_concrete_function().graph.get_operations()
    }
    assert ("IdentityN" in names) == quickly
    return [tensor.numpy() for tensor in results]


@pytest.mark.parametrize(
    "settings",
    [{"recurrent_dropout": 0.1}, {"activation": "relu"}, {"use_bias": False}],
)
def test_other_layers_stay_as_they_are(settings):
    keras = import_keras()
    inputs = keras.Input((5, 2))
    layer = keras.layers.Bidirectional(keras.layers.LSTM(3, **settings))
    model = keras.Model(inputs, layer(inputs))
    with quick_recurrence(model):
        assert "call" not in vars(layer)


def test_layers_are_as_before_behind_an_error():
    model = BLSTM(7, 3, 4, 5).build(0)
    layer = model.get_layer("recurrent")
    with suppress(KeyError), quick_recurrence(model):
        raise KeyError(vars(layer)["call"])
    assert "call" not in vars(layer)
