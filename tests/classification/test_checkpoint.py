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
    "class_weight": {"joy": 2.0},
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

        with monkeypatch.context() as patch:
            patch.setattr(_keeping.Keeper, "keep", keep_and_die)
            with pytest.raises(Killed):
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


@pytest.mark.parametrize("deaths", [[1], [4, 3, 1], [12]])
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


def test_a_network_of_ones_own_and_its_callbacks(tmp_path, kill):
    class Noting(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = {"losses": [], 2: (np.zeros(2), np.float32(0))}

        def on_train_batch_end(self, batch, logs=None):
            losses, total = self.seen["losses"], self.seen[2][1]
            self.seen = {"losses": [*losses, batch], 2: (np.ones(2), total + 1)}

        def on_epoch_end(self, epoch, logs=None):
            logs["seen"] = len(self.seen["losses"]) + self.seen[2][0].sum()
            logs["total"] = float(self.seen[2][1])

    class Drawing(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.rng = np.random.default_rng(0)

        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate = self.rng.uniform(0.0, 0.1)

        def get_state(self):
            return self.rng.bit_generator.state

        def set_state(self, state):
            self.rng.bit_generator.state = state

    params = {"n_members": 2, "epochs": 4, "batch_size": 12, "random_state": 0}
    params["callbacks"] = [Noting(), Drawing()]
    expected = SequenceClassifier(small_network, **params).fit(X, Y)
    found = SequenceClassifier(small_network, **params, checkpoint=tmp_path)
    kill(clone(found), 6)
    kill(clone(found), 3)
    found.fit(X, Y)
    assert everything(found) == everything(expected)
    assert found.history_["total"] == [3, 6, 9, 12]


def test_callbacks_that_a_checkpoint_cannot_hold(tmp_path):
    class Drawing(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.rng = np.random.default_rng(0)

    classifier = make(tmp_path / "new", callbacks=Drawing())
    with pytest.raises(TypeError, match="hold rng, of type Generator, of the callback"):
        classifier.fit(X, Y)
    assert not list(tmp_path.iterdir())


def test_callbacks_that_fail_later_do_not_stop_a_training(tmp_path):
    class Late(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.rng = np.random.default_rng(0)

    with pytest.warns(CheckpointWarning, match="goes on, but is not kept.*hold rng"):
        found = make(tmp_path, callbacks=Late()).fit(X, Y)
    assert everything(found) == everything(make().fit(X, Y))


def test_trainings_that_have_ended_are_not_done_again(tmp_path):
    first, again = make(tmp_path), make(tmp_path)
    assert count_epochs(first) == 4
    assert count_epochs(again) == 0
    assert everything(again) == everything(first)
    assert count_epochs(make(tmp_path, epochs=3)) == 3
    again.forget_checkpoint()
    assert count_epochs(make(tmp_path)) == 4


def test_each_fit_of_a_warm_start_is_kept(tmp_path, kill):
    expected = make(warm_start=True).fit(X, Y).fit(X, Y)
    killed = make(tmp_path, warm_start=True).fit(X, Y)
    kill(killed, 6)
    found = make(tmp_path, warm_start=True)
    assert count_epochs(found) == 0
    assert count_epochs(found) == 3
    assert everything(found) == everything(expected)


def test_folds_share_a_folder(tmp_path):
    steps = [("scale", SequenceScaler()), ("classify", make(tmp_path))]
    pipeline = EmotionPipeline(steps, random_state=0)
    first = cross_validate(pipeline, X, Y, cv=3)
    n_files = len(list(tmp_path.iterdir()))
    again = cross_validate(pipeline, X, Y, cv=3)
    assert n_files == len(list(tmp_path.iterdir())) == 3
    np.testing.assert_array_equal(first["test_score"], again["test_score"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"X": X + 1}, "sequences, labels or weights"),
        ({"y": Y[::-1]}, "sequences, labels or weights"),
        ({"sample_weight": np.arange(30) + 1.0}, "sequences, labels or weights"),
        ({"X_val": X, "y_val": Y}, "validation set, parameters"),
        ({"epochs": 5}, "parameters"),
        ({"batch_size": 10}, "parameters"),
        ({"label_smoothing": 0.1}, "parameters"),
        ({"schedule": "cosine"}, "parameters"),
        ({"optimizer": "sgd"}, "parameters, weights to begin with"),
        ({"learning_rate": 0.1}, "parameters, weights to begin with"),
        ({"dropout": 0.5}, "parameters, weights to begin with"),
        ({"random_state": 1}, "parameters, weights to begin with"),
    ],
)
def test_what_belongs_to_another_training_is_not_taken(change, told, tmp_path, kill):
    kill(make(tmp_path), 6)
    before = only_file(tmp_path).read_bytes(), only_file(tmp_path)
    data = {"X": X, "y": Y}
    for name in change.keys() & {"X", "y", "sample_weight", "X_val", "y_val"}:
        data[name] = change[name]
    params = {name: change[name] for name in change.keys() - data.keys()}
    classifier = make(tmp_path, **params)
    with pytest.warns(CheckpointWarning, match=f"a training with other {told}. To go"):
        classifier.fit(**data)
    assert everything(classifier) == everything(make(**params).fit(**data))
    assert before[1].read_bytes() == before[0]


def test_another_version_is_not_gone_on_with(tmp_path, kill, monkeypatch):
    kill(make(tmp_path), 6)
    monkeypatch.setattr("skemotion.__version__", "99.0")
    with pytest.warns(CheckpointWarning, match="other versions of packages. To go"):
        make(tmp_path).fit(X, Y)


def test_what_is_watched_does_not_matter(tmp_path, kill):
    kill(make(tmp_path, verbose=2), 6)
    assert count_epochs(make(tmp_path)) == 3


def seal(path, arrays=None, **changes):
    """Change a checkpoint, and seal it as if it were whole."""
    kept = _checkpoint._read(path, 2**30)
    checkpoint = _checkpoint.Checkpoint(path.parent, kept.state["parts"], 0)
    assert checkpoint.path == path
    state = {**kept.state, "place": {**kept.state["place"], **changes}}
    if "callbacks" in changes:
        state = {**kept.state, **changes}
    checkpoint.save(_checkpoint.Kept(state, kept.arrays | (arrays or {})))


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def flip(path):
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def make_fifo(path):
    path.unlink()
    os.mkfifo(path)


def make_huge(path):
    with open(path, "wb") as file:
        file.truncate(10**12)


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        flip,
        make_huge,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x80\x04\x95" * 99),
        lambda path: seal(path, {"variable-0": np.zeros((2, 2), np.float32)}),
        lambda path: seal(path, {"variable-6": np.full((6, 3), np.nan, np.float32)}),
        lambda path: seal(path, epoch=-1),
        lambda path: seal(path, epoch=None),
        lambda path: seal(path, score=[0.0]),
        lambda path: seal(path, order={"bit_generator": "PCG64"}),
        lambda path: seal(path, unknown=1),
        lambda path: seal(path, callbacks=[]),
        lambda path: seal(path, callbacks=[{"keras.ops": "zzz"}]),
        lambda path: seal(path, callbacks=[{"keras.ops": "__name__"}]),
        lambda path: seal(path, callbacks=[{"list": [{"array": "none"}]}]),
    ],
)
def test_a_damaged_checkpoint_never_changes_the_result(damage, tmp_path, kill):
    kill(make(tmp_path), 6)
    damage(only_file(tmp_path))
    with pytest.warns(CheckpointWarning, match="cannot be used .* starts anew"):
        found = make(tmp_path).fit(X, Y)
    assert everything(found) == everything(make().fit(X, Y))


def make_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "replace",
    [
        make_folder,
        pytest.param(
            make_fifo,
            marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs"),
        ),
    ],
)
def test_something_else_in_the_place_of_a_checkpoint(replace, tmp_path, kill):
    kill(make(tmp_path), 6)
    replace(only_file(tmp_path))
    with pytest.warns(CheckpointWarning) as told:
        found = make(tmp_path).fit(X, Y)
    messages = [str(each.message) for each in told]
    assert len(messages) == 2
    assert "(it is no file): training starts anew" in messages[0]
    assert "goes on, but is not kept" in messages[1]
    assert everything(found) == everything(make().fit(X, Y))


def test_a_checkpoint_copied_to_the_place_of_another(tmp_path, kill):
    kill(make(tmp_path / "a"), 6)
    kill(make(tmp_path / "b", random_state=1), 6)
    content = only_file(tmp_path / "a").read_bytes()
    only_file(tmp_path / "b").write_bytes(content)
    with pytest.warns(CheckpointWarning, match="it is damaged"):
        found = make(tmp_path / "b", random_state=1).fit(X, Y)
    assert everything(found) == everything(make(random_state=1).fit(X, Y))


def test_disks_that_take_nothing(tmp_path, monkeypatch):
    expected = everything(make().fit(X, Y))
    taken = tmp_path / "file"
    taken.write_text("mine")
    with pytest.warns(CheckpointWarning, match="goes on, but is not kept in"):
        assert everything(make(taken).fit(X, Y)) == expected
    assert taken.read_text() == "mine"

    def refuse(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_checkpoint, "write_file", refuse)
    with pytest.warns(CheckpointWarning, match="No space left on device") as told:
        assert everything(make(tmp_path / "new").fit(X, Y)) == expected
    assert len(told) == 1


def test_networks_with_more_than_plausible_memories(tmp_path, monkeypatch):
    monkeypatch.setattr(_checkpoint, "_MAX_BYTES", 100)
    monkeypatch.setattr(_checkpoint, "_MAX_COPIES", 1)
    with pytest.warns(CheckpointWarning, match="it would take 0 MB, more than"):
        make(tmp_path).fit(X, Y)


def test_a_seed_is_needed(tmp_path):
    with pytest.raises(ValueError, match="checkpoint needs a random_state"):
        make(tmp_path, random_state=None).fit(X, Y)
    assert not list(tmp_path.iterdir())


KILLED = """
import os, signal, sys
import numpy as np
import test_checkpoint as tests
from skemotion import _files
from skemotion.networks import _keeping

_keeping.SECONDS, _keeping._MAX_SHARE = 0.0, 1e9
n_left, replace = [int(sys.argv[2])], os.replace

def replace_and_die(*paths):
    n_left[0] -= 1
    if not n_left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)

_files.os.replace = replace_and_die
found = tests.make(sys.argv[1], **tests.ALL).fit(tests.X, tests.Y)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
def test_killed_in_the_middle_of_a_write_by_the_system(tmp_path):
    folder = tmp_path / "kept"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), "7"],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )
    assert done.returncode == -signal.SIGKILL
    assert len(list(folder.iterdir())) == 2  # one of them is what was being written
    found = make(folder, **ALL)
    assert count_epochs(found) == 3
    assert everything(found) == everything(make(**ALL).fit(X, Y))
    assert len(list(folder.iterdir())) == 1
