"""What is drawn at random acts in training, anew each time, and never in prediction."""

from functools import partial

import joblib
import numpy as np
import pytest

from skemotion import AttentionBLSTMClassifier, BLSTMClassifier, SequenceClassifier
from skemotion.networks import BLSTM, import_keras
from skemotion.networks._batches import Batches

keras = import_keras()
RNG = np.random.default_rng(0)
N_ROWS, N_FRAMES, N_FEATURES, UNITS = 24, 12, 4, 5
X = RNG.normal(size=(N_ROWS, N_FRAMES, N_FEATURES)).astype(np.float32)
X[::3, :5] = X[1::3, 9:] = 0
y = np.array(["anger", "fear", "sadness"])[np.arange(N_ROWS) % 3]
ALL = {"ignore_padding": True, "functionals_units": 3}
SMALL_STEPS = 1e-30  # which change no weight, so that losses tell what was drawn


def settings(**options):
    return BLSTM(N_FRAMES, N_FEATURES, 3, units=UNITS, **options)


def read(model):
    batches = Batches(model, X, len(X))
    return X if batches.functionals is None else (X, batches.functionals)


def what_goes_into(model, layer):
    """Return what a layer reads, in training and in prediction."""
    tensor = model.get_layer(layer).input
    tensor = tensor[0] if isinstance(tensor, list) else tensor
    part = keras.Model(model.inputs, tensor)
    inputs = read(model)
    inputs = [inputs] if isinstance(inputs, np.ndarray) else list(inputs)
    return [np.asarray(part(inputs, training=training)) for training in (True, False)]


def assert_noisy(drawn, still, where, noise):
    """Noise of this deviation has been added where frames are real, and only there."""
    added = (drawn - still)[where]
    assert added.std() == pytest.approx(noise, rel=0.1)
    assert abs(added.mean()) < 0.1 * noise
    np.testing.assert_array_equal(drawn[~where], still[~where])


def assert_dropped(drawn, still, fraction):
    """So many values are missing, and the others larger, for the same mean."""
    seen = still != 0
    is_dropped = seen & (drawn == 0)
    assert is_dropped.sum() / seen.sum() == pytest.approx(fraction, abs=0.1)
    np.testing.assert_allclose(
        drawn[~is_dropped], still[~is_dropped] / (1 - fraction), rtol=1e-5
    )


MEMBERS = ("", "_2")


@pytest.mark.parametrize("noise", [0.1, 0.5])
@pytest.mark.parametrize("suffix", MEMBERS)
@pytest.mark.parametrize("frame_step", [1, 2])
def test_noise_is_added_to_frames_that_are_real(noise, suffix, frame_step):
    options = {**ALL, "n_members": 2, "frame_step": frame_step}
    model = settings(noise=noise, **options).build(0)
    drawn, still = what_goes_into(model, f"recurrent{suffix}")
    assert_noisy(drawn, still, np.any(still, axis=2), noise)
    model = settings(noise=0.0, dropout=0.5, **options).build(0)
    np.testing.assert_array_equal(*what_goes_into(model, f"recurrent{suffix}"))


@pytest.mark.parametrize("noise", [0.1, 0.5])
@pytest.mark.parametrize("suffix", MEMBERS)
def test_noise_is_added_to_functionals(noise, suffix):
    model = settings(noise=noise, n_members=2, **ALL).build(0)
    drawn, still = what_goes_into(model, f"functionals_hidden{suffix}")
    assert_noisy(drawn, still, np.ones(still.shape, dtype=bool), noise)


@pytest.mark.parametrize("dropout", [0.2, 0.5])
@pytest.mark.parametrize("suffix", MEMBERS)
def test_functionals_are_dropped(dropout, suffix):
    model = settings(dropout=dropout, n_members=2, **ALL).build(0)
    drawn, still = what_goes_into(model, f"functionals_hidden{suffix}")
    assert_dropped(drawn, still, dropout)


@pytest.mark.parametrize("dropout", [0.2, 0.5])
@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("suffix", MEMBERS)
def test_the_summary_is_dropped(dropout, attention, suffix):
    model = settings(dropout=dropout, attention=attention, n_members=2).build(0)
    drawn, still = what_goes_into(model, f"emotion{suffix}")
    assert still.shape == (N_ROWS, (4 if attention else 2) * UNITS)
    assert_dropped(drawn, still, dropout)


@pytest.mark.parametrize("options", [{"noise": 0.3}, {"dropout": 0.3}])
def test_members_draw_each_their_own(options):
    model = settings(n_members=2, **options, **ALL).build(0)
    for layer in ("recurrent", "functionals_hidden", "emotion"):
        if layer == "recurrent" and "dropout" in options:
            continue  # what a state is summed up to is dropped, not what it reads
        (one, alone), (other, _) = (
            what_goes_into(model, layer + suffix) for suffix in MEMBERS
        )
        assert not np.array_equal(one, alone)
        assert not np.array_equal(one, other)


@pytest.mark.parametrize("options", [{"noise": 0.5}, {"dropout": 0.5}])
@pytest.mark.parametrize("attention", [True, False])
def test_prediction_draws_nothing(options, attention):
    options = {**options, **ALL, "attention": attention}
    noisy, plain = settings(**options), settings(**ALL, attention=attention)
    noisy_model, plain_model = noisy.build(0), plain.build(1)
    for variable, value in zip(
        plain.weights_of(plain_model), noisy.weights_of(noisy_model), strict=True
    ):
        variable.assign(value)
    inputs = tuple(read(noisy_model))
    np.testing.assert_array_equal(
        np.asarray(noisy_model(inputs, training=False)),
        np.asarray(plain_model(inputs, training=False)),
    )


class KeepLosses(keras.callbacks.Callback):
    """Keeps the mean loss after each step, epoch by epoch."""

    epochs: list = []

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append([])

    def on_train_batch_end(self, batch, logs=None):
        self.epochs[-1].append(logs["loss"])


def losses_of(train, make=None, **parameters):
    """Return the losses of steps that change nothing, epoch by epoch."""
    make = make or partial(AttentionBLSTMClassifier, UNITS)
    parameters = {
        "epochs": 1,
        "optimizer": "sgd",
        "learning_rate": SMALL_STEPS,
        "random_state": 0,
        "callbacks": KeepLosses(),
        **parameters,
    }
    KeepLosses.epochs.clear()
    train(make(**parameters))
    return list(KeepLosses.epochs)


def in_one_go(classifier):
    classifier.set_params(epochs=3).fit(X, y)


def warmly(classifier):
    classifier.set_params(warm_start=True)
    for _ in range(3):
        classifier.fit(X, y)


def partially(classifier):
    for _ in range(3):
        classifier.partial_fit(X, y, classes=np.unique(y))


def by_way_of_a_file(classifier, path):
    classifier.set_params(warm_start=True).fit(X, y)
    callbacks = classifier.callbacks
    for _ in range(2):
        joblib.dump(classifier.set_params(callbacks=None), path)
        classifier = joblib.load(path).set_params(callbacks=callbacks)
        classifier.fit(X, y)


@pytest.fixture(params=["in one go", "warmly", "partially", "by way of a file"])
def three_epochs(request, tmp_path):
    """A function that trains a classifier for three epochs."""
    ways = {
        "in one go": in_one_go,
        "warmly": warmly,
        "partially": partially,
        "by way of a file": lambda one: by_way_of_a_file(one, tmp_path / "a.joblib"),
    }
    return ways[request.param]


def test_without_noise_all_epochs_are_alike(three_epochs):
    first, *others = losses_of(three_epochs, batch_size=N_ROWS)
    assert len(first) == 1
    assert len(others) == 2
    np.testing.assert_allclose(others, [first] * 2, rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"noise": 0.5},
        {"dropout": 0.5},
        {"noise": 0.5, "ignore_padding": True, "n_members": 2},
        {"dropout": 0.5, "functionals_units": 3},
    ],
)
def test_every_epoch_draws_anew(options, three_epochs):
    losses = losses_of(three_epochs, batch_size=N_ROWS, **options)
    # Far above what another order of rows changes by rounding.
    assert np.abs(np.diff(losses, axis=0)).min() > 1e-4
    assert abs(losses[0][0] - losses[2][0]) > 1e-4
    assert losses_of(three_epochs, batch_size=N_ROWS, **options) == losses


def build_noisy(kind, amount, n_frames, n_features, n_classes):
    """Build a user's network whose layer has no seed of its own."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((n_frames, n_features)),
            getattr(layers, kind)(amount),
            layers.Flatten(),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("train", [in_one_go, warmly, partially])
@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.parametrize(
    "kind", ["GaussianNoise", "GaussianDropout", "Dropout", "SpatialDropout1D"]
)
def test_every_epoch_of_a_users_network_draws_anew(train, n_members, kind):
    options = {"batch_size": N_ROWS, "n_members": n_members}
    noisy, still = (
        partial(SequenceClassifier, partial(build_noisy, kind, amount))
        for amount in (0.5, 0.0)
    )
    losses = losses_of(train, noisy, **options)
    assert np.abs(np.diff(losses, axis=0)).min() > 1e-4
    assert abs(losses[0][0] - losses[2][0]) > 1e-4
    assert losses_of(train, noisy, **options) == losses
    np.testing.assert_allclose(np.ptp(losses_of(train, still, **options)), 0, atol=1e-6)


def test_every_epoch_takes_rows_in_another_order(three_epochs):
    first, second, third = losses_of(three_epochs, batch_size=5)
    assert len(first) == 5
    for one, other in ((first, second), (second, third), (first, third)):
        assert np.abs(np.subtract(one, other)).max() > 1e-4
        assert one[-1] == pytest.approx(other[-1], rel=1e-5)  # of all rows
    assert losses_of(three_epochs, batch_size=5) == [first, second, third]


@pytest.mark.parametrize("Classifier", [AttentionBLSTMClassifier, BLSTMClassifier])
def test_predictions_of_what_was_trained_with_noise_stay_the_same(Classifier):
    classifier = Classifier(
        units=UNITS, epochs=1, noise=0.5, dropout=0.5, random_state=0, **ALL
    ).fit(X, y)
    first = classifier.predict_proba(X)
    np.testing.assert_array_equal(classifier.predict_proba(X), first)
    # Neither do they change what a training draws next.
    other = Classifier(
        units=UNITS, epochs=1, noise=0.5, dropout=0.5, random_state=0, **ALL
    ).fit(X, y)
    for one in (classifier, other):
        one.partial_fit(X, y)
    assert classifier.history_ == other.history_
