"""Training and prediction by one model."""

import numpy as np
import pytest

from skemotion import SequenceFunctionals
from skemotion.networks import BLSTM, CustomNetwork, Network, import_keras
from skemotion.networks._identity import Identity

keras = import_keras()
RNG = np.random.default_rng(0)
N_FRAMES, N_FEATURES = 6, 4
X = RNG.normal(size=(12, N_FRAMES, N_FEATURES)).astype(np.float32)
CODES = np.arange(12) % 3


def make(optimizer="sgd", label_smoothing=0.0, seed=0, **options):
    if isinstance(optimizer, str):
        optimizer = keras.optimizers.get(optimizer)
    return Network(
        BLSTM(N_FRAMES, N_FEATURES, 3, units=3, **options),
        keras.optimizers.serialize(optimizer),
        label_smoothing,
        seed=seed,
    )


def train(network, X=X, codes=CODES, weights=None, epochs=1, **options):
    options = {"batch_size": 12, "seed": 0, **options}
    return network.train(X, codes, weights, epochs=epochs, **options)


def sharpen(logits):
    return keras.ops.softmax(3 * logits)


def loss_of(probabilities, label_smoothing=0.0):
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    return float(loss(np.eye(3)[CODES], probabilities))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
@pytest.mark.parametrize("n_members", [1, 2])
def test_loss_is_the_mean_of_what_keras_says_of_each_member(n_members, label_smoothing):
    network = make(n_members=n_members, label_smoothing=label_smoothing)
    outputs = network.architecture.member_outputs(network.model)
    members = [
        keras.Model(network.model.inputs[0], output).predict(X, verbose=0)
        for output in outputs
    ]
    expected = np.mean([loss_of(member, label_smoothing) for member in members])
    history = train(network, validation=(X, CODES))
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-5)
    mean = np.mean(members, axis=0)
    np.testing.assert_allclose(
        history["accuracy"], np.mean(mean.argmax(axis=1) == CODES), rtol=1e-5
    )
    after = network.run(X, batch_size=5)
    accuracy = np.mean(after.argmax(axis=1) == CODES)
    np.testing.assert_allclose(history["val_accuracy"], accuracy, rtol=1e-5)


def test_members_take_the_steps_that_they_would_take_alone():
    both, alone = make(n_members=3), make()
    names = list(both.architecture.weight_shapes())
    before = [v.numpy() for v in both.architecture.weights_of(both.model)]
    own = dict(zip(names, before, strict=True))
    alone.set_weights([own[name] for name in alone.architecture.weight_shapes()])
    train(both, epochs=2)
    train(alone, epochs=2)
    after = dict(zip(names, both.architecture.weights_of(both.model), strict=True))
    for name, variable in zip(
        alone.architecture.weight_shapes(),
        alone.architecture.weights_of(alone.model),
        strict=True,
    ):
        assert not np.allclose(own[name], variable.numpy()) or own[name].ndim == 1
        np.testing.assert_allclose(after[name].numpy(), variable.numpy(), atol=1e-6)


def test_a_step_is_that_of_keras_own_training():
    network = make(keras.optimizers.SGD(0.5))
    model = keras.models.clone_model(network.model)
    model.set_weights(network.model.get_weights())
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
    weights = RNG.uniform(size=12).astype(np.float32)
    model.train_on_batch(X, CODES, sample_weight=weights)
    train(network, weights=weights)
    np.testing.assert_allclose(
        network.run(X, batch_size=12), model.predict(X, verbose=0), atol=1e-6
    )


def test_regularisation_counts_once_for_each_member():
    def build(n_frames, n_features, n_classes):
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input((n_frames, n_features)),
                layers.Flatten(),
                layers.Dense(
                    n_classes,
                    "softmax",
                    kernel_initializer="ones",
                    kernel_regularizer=keras.regularizers.L2(0.5),
                ),
            ]
        )

    optimizer = keras.optimizers.serialize(keras.optimizers.SGD(0.0))
    penalty = 0.5 * N_FRAMES * N_FEATURES * 3
    for n_members in (1, 2):
        architecture = CustomNetwork(build, N_FRAMES, N_FEATURES, 3, n_members)
        network = Network(architecture, optimizer)
        loss = loss_of(network.run(X, batch_size=12))
        np.testing.assert_allclose(train(network)["loss"], loss + penalty, rtol=1e-5)


@pytest.mark.parametrize("n_members", [1, 2, 3])
def test_attention_is_the_mean_of_the_members(n_members):
    network = make(n_members=n_members, attention=True)
    outputs = network.architecture.attention_outputs(network.model)
    members = [
        keras.Model(network.model.inputs[0], output).predict(X, verbose=0)
        for output in outputs
    ]
    assert len({member.tobytes() for member in members}) == n_members
    attention = network.run(X, batch_size=5, output="attention")
    np.testing.assert_allclose(attention, np.mean(members, axis=0), atol=1e-6)


@pytest.mark.parametrize("n_members", [1, 2])
def test_members_of_a_users_network_are_told_apart(n_members):
    def build(n_frames, n_features, n_classes):
        inputs = keras.Input((n_frames, n_features))
        outputs = keras.layers.Dense(n_classes, activation="softmax")(
            keras.layers.Flatten()(inputs)
        )
        return keras.Model(inputs, outputs)

    architecture = CustomNetwork(build, N_FRAMES, N_FEATURES, 3, n_members)
    model = architecture.build(seed=0)
    members = architecture.member_outputs(model)
    assert len(members) == n_members
    outputs = keras.Model(model.input, members).predict(X, verbose=0)
    outputs = np.reshape(outputs, (n_members, len(X), 3))
    np.testing.assert_allclose(
        outputs.mean(axis=0), model.predict(X, verbose=0), atol=1e-6
    )
    assert len({member.tobytes() for member in outputs}) == n_members


@pytest.mark.parametrize("options", [{}, {"n_members": 2, "ignore_padding": True}])
def test_a_step_is_traced_once(options, monkeypatch):
    network = make(dropout=0.25, **options)
    calls = []
    called = keras.layers.Dropout.call

    def call(self, inputs, training=False):
        calls.append(self)
        return called(self, inputs, training)

    monkeypatch.setattr(keras.layers.Dropout, "call", call)
    padded = X.copy()
    padded[::2, :3] = 0
    train(network, padded, batch_size=5, epochs=2)
    train(network, padded, weights=np.ones(12), batch_size=5)
    assert len(calls) == options.get("n_members", 1)


def test_alike_networks_share_a_graph_and_nothing_else(monkeypatch):
    expected = train(make(dropout=0.125), epochs=2), train(make(dropout=0.125, seed=1))
    calls = []
    called = keras.layers.Dropout.call
    first = make(dropout=0.125)

    def call(self, inputs, training=False):
        calls.append(self)
        return called(self, inputs, training)

    monkeypatch.setattr(keras.layers.Dropout, "call", call)
    assert train(first, epochs=2) == expected[0]
    monkeypatch.undo()
    assert calls == []
    assert train(make(dropout=0.125, seed=1)) == expected[1]


def test_a_changed_model_is_trained_and_run_as_it_is():
    one, other = make(), make()
    np.testing.assert_array_equal(
        one.run(X, batch_size=12), other.run(X, batch_size=12)
    )
    before = other.run(X, batch_size=12)
    one.model.get_layer("emotion").activation = sharpen
    np.testing.assert_array_equal(other.run(X, batch_size=12), before)
    np.testing.assert_allclose(
        one.run(X, batch_size=12), one.model.predict(X, verbose=0), atol=1e-6
    )
    assert not np.allclose(one.run(X, batch_size=12), before)
    expected = loss_of(one.run(X, batch_size=12))
    np.testing.assert_allclose(train(one)["loss"], expected, rtol=1e-4)


@pytest.mark.parametrize("n_members", [1, 2])
def test_frozen_layers_leave_the_objective_as_it_is(n_members):
    options = {"n_members": n_members, "label_smoothing": 0.3}
    free, frozen = make(**options), make(**options)
    frozen.model.get_layer("recurrent").trainable = False
    kernel = frozen.model.get_layer("recurrent").get_weights()[0]
    assert train(frozen)["loss"] == train(free)["loss"]
    after = frozen.model.get_layer("recurrent").get_weights()[0]
    np.testing.assert_array_equal(after, kernel)
    assert not np.array_equal(
        free.model.get_layer("recurrent").get_weights()[0], kernel
    )


def test_functionals_are_standardised_by_the_first_training_alone():
    network = make(functionals_units=2)
    expected = SequenceFunctionals(ignore_padding=False).fit_transform(X).mean(axis=0)
    for rows in (X, 5 * X):
        train(network, rows, validation=(3 * X, CODES))
        mean = network.model.get_layer("functionals").moving_mean.numpy()
        np.testing.assert_allclose(mean, expected, atol=1e-6)


def test_training_that_diverges_is_an_error():
    network = make(keras.optimizers.SGD(1e38))
    before = network.run(X, batch_size=12)
    with pytest.raises(ValueError, match=r"diverged.*epoch \d.*learning_rate"):
        train(network, 1e3 * X, epochs=3)
    np.testing.assert_array_equal(network.run(X, batch_size=12), before)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model.layers[-1], "activation", keras.activations.relu),
        lambda model: setattr(model.layers[-1], "trainable", False),
        lambda model: setattr(model.get_layer("noise"), "stddev", 0.7),
    ],
)
def test_identity_sees_changes(change):
    def build():
        return keras.Sequential(
            [
                keras.Input((3, 2)),
                keras.layers.GaussianNoise(0.1, name="noise"),
                keras.layers.LSTM(2),
                keras.layers.Dense(2, activation="softmax"),
            ]
        )

    model, other = build(), build()
    identity = Identity(model)
    assert identity.key() == Identity(other).key()
    change(model)
    assert identity.key() != Identity(other).key()
    change(other)
    assert identity.key() == Identity(other).key()


def test_identity_sees_how_layers_are_joined():
    def build(is_swapped):
        inputs = keras.Input((3,))
        first, second = (
            keras.layers.Dense(3, activation=name)(inputs) for name in ("tanh", "relu")
        )
        parts = [second, first] if is_swapped else [first, second]
        return keras.Model(inputs, keras.layers.Subtract()(parts))

    assert Identity(build(False)).key() == Identity(build(False)).key()
    assert Identity(build(False)).key() != Identity(build(True)).key()


def test_identity_sees_which_function_is_meant():
    def build(function):
        inputs = keras.Input((3,))
        return keras.Model(inputs, keras.layers.Dense(3, activation=function)(inputs))

    def scale(factor):
        def activation(x):
            return factor * x

        return activation

    assert Identity(build(scale(2))).key() == Identity(build(scale(2))).key()
    assert Identity(build(scale(2))).key() != Identity(build(scale(3))).key()


def test_refits_use_names_again_and_leave_those_of_the_process_alone():
    before = keras.layers.Dense(1).name
    names = [
        [variable.path for variable in [*model.variables, *model.optimizer.variables]]
        for model in (make("adam", dropout=0.1).model for _ in range(2))
    ]
    assert names[0] == names[1]
    first, second = (
        int(name.split("_")[-1]) for name in (before, keras.layers.Dense(1).name)
    )
    assert second == first + 1
