"""Trainings that are killed, and go on to the same bits."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_validate

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    EmotionPipeline,
    SequenceClassifier,
    SequenceScaler,
)
from skemotion.exceptions import CheckpointWarning
from skemotion.networks import _checkpoint, _keeping, import_keras

keras = import_keras()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 8, 3)).astype(np.float32)
X[:, :2] = 0
Y = np.array(["anger", "fear", "joy"])[np.arange(30) % 3]
ALL = {
    "dropout": 0.3,
    "noise": 0.2,
    "n_members": 2,
    "functionals_units": 3,
    "ignore_padding": True,
    "schedule": "one_cycle",
    "class_weight": "balanced",
    "label_smoothing": 0.1,
}


class Killed(BaseException):
    """What nobody catches."""


@pytest.fixture(autouse=True)
def kept_at_once(monkeypatch):
    monkeypatch.setattr(_keeping, "SECONDS", 0.0)
    monkeypatch.setattr(_keeping, "_MAX_SHARE", 1e9)


@pytest.fixture
def kill(monkeypatch):
    """A function that fits, until the training has been kept so many times."""
    keep = _keeping.Keeper.keep

    def fit(classifier, after, X=X, y=Y, **params):
        n_left = [after]

        def keep_and_die(self, *args):
            keep(self, *args)
            n_left[0] -= 1
            if not n_left[0]:
                raise Killed

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(_keeping.Keeper, "keep", keep_and_die)
            classifier.fit(X, y, **params)

    return fit


def make(folder=None, cls=AttentionBLSTMClassifier, **params):
    defaults = {"units": 3, "epochs": 4, "batch_size": 12, "random_state": 0}
    return cls(**{**defaults, **params}, checkpoint=folder)


def small_network(n_frames, n_features, n_classes):
    return keras.Sequential(
        [
            keras.Input((n_frames, n_features)),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


def everything(classifier):
    """Return all that a training leaves behind."""
    model = classifier.model_
    variables = [*model.variables, *model.optimizer.variables]
    return [
        *[variable.numpy().tobytes() for variable in variables],
        classifier.predict_proba(X).tobytes(),
        classifier.history_,
    ]


def only_file(folder):
    (path,) = Path(folder).iterdir()
    return path


def count_epochs(classifier, X=X, y=Y):
    """Fit, and count the epochs that begin."""
    began = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: began.append(epoch)
    )
    classifier.set_params(callbacks=watch).fit(X, y)
    return len(began)


@pytest.mark.parametrize("deaths", [[1], [4, 3], [8, 1], [12]])
@pytest.mark.parametrize(
    "params",
    [
        ALL,
        {"early_stopping": True, "patience": 0, "epochs": 9, "learning_rate": 0.3},
        {"optimizer": "sgd", "cls": BLSTMClassifier},
        {
            "optimizer": keras.optimizers.Adam(use_ema=True),
            "learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5),
        },
        {
            "callbacks": keras.callbacks.ReduceLROnPlateau(
                "loss", factor=0.5, patience=0, min_delta=1.0
            )
        },
    ],
    ids=["all", "early_stopping", "sgd", "schedule_of_keras", "plateau"],
)
def test_a_killed_training_ends_like_another(params, deaths, tmp_path, kill):
    expected = make(**params).fit(X, Y)
    n_kept = 4 * len(expected.history_["loss"])
    for after in deaths:
        kill(make(tmp_path, **params), min(after, n_kept - 4))
    found = make(tmp_path, **params).fit(X, Y)
    assert everything(found) == everything(expected)
    # What the optimizer and the layers that draw go on with is the same as well.
    for classifier in (found, expected):
        classifier.partial_fit(X, Y)
    assert everything(found) == everything(expected)
