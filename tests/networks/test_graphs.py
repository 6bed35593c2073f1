"""Traced graphs are shared by networks that compute the same, and by no others."""

from dataclasses import fields, replace

import numpy as np
import pytest

from skemotion.networks import BLSTM, Network, _graphs, import_keras

keras = import_keras()
optimizers = keras.optimizers
BASE = BLSTM(6, 4, 3, units=3, dropout=0.1, noise=0.1, functionals_units=2)
# Another value of each field; with any of them, another graph is needed.
CHANGED = {
    "n_frames": 7,
    "n_features": 5,
    "n_classes": 4,
    "units": 4,
    "dropout": 0.2,
    "attention": False,
    "ignore_padding": True,
    "frame_step": 2,
    "noise": 0.2,
    "functionals_units": 3,
    "n_members": 2,
    "functionals": ("mean",),
}


@pytest.fixture
def keys(monkeypatch):
    """Function that returns by what a network looks for its graphs."""
    seen = []

    class Store(_graphs.RecentlyUsed):
        def pop(self, key):
            seen.append(key)

        def get_or_make(self, key, make):
            seen.append(key)
            raise LookupError

    monkeypatch.setattr(_graphs, "_graphs", Store(9))

    def keys_of(architecture=BASE, optimizer="adam", label_smoothing=0.0, seed=0):
        seen.clear()
        settings = optimizers.serialize(optimizers.get(optimizer))
        network = Network(architecture, settings, label_smoothing, seed=seed)
        with network._trainer():
            pass
        with pytest.raises(LookupError):
            network.run(sequences_for(architecture), batch_size=2)
        return list(seen)

    return keys_of


def sequences_for(architecture):
    return np.ones((2, architecture.n_frames, architecture.n_features), np.float32)


def test_all_fields_are_tried():
    assert CHANGED.keys() == {field.name for field in fields(BLSTM)}


@pytest.mark.parametrize("name", CHANGED)
def test_every_field_of_a_network_is_part_of_the_key(name, keys):
    training, prediction = keys()
    others = keys(replace(BASE, **{name: CHANGED[name]}))
    assert others[0] != training
    assert others[1] != prediction
    assert others[0] == keys(replace(BASE, **{name: CHANGED[name]}))[0]


def test_seeds_and_step_sizes_are_not(keys):
    expected = keys()
    assert keys(seed=1) == expected
    assert keys(optimizer=optimizers.Adam(0.5)) == expected


@pytest.mark.parametrize(
    "optimizer",
    [
        "sgd",
        optimizers.Adam(beta_1=0.8),
        optimizers.Adam(epsilon=1e-3),
        optimizers.Adam(weight_decay=0.1),
        optimizers.Adam(clipnorm=1.0),
        optimizers.Adam(use_ema=True),
        optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_the_optimizer_is_part_of_the_key_of_training(optimizer, keys):
    training, prediction = keys()
    others = keys(optimizer=optimizer)
    assert others[0] != training
    assert others[1] == prediction


def test_label_smoothing_is_part_of_the_key_of_training(keys):
    training, prediction = keys()
    others = keys(label_smoothing=0.1)
    assert others[0] != training
    assert others[1] == prediction
