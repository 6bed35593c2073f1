"""Batches of similar length, which are drawn from arrays as they lie."""

from types import SimpleNamespace

import numpy as np
import pytest

from skemotion._sequences import common_frames, real_bounds
from skemotion.networks import _batches, build_blstm, fed_by_batches
from skemotion.networks._inputs import inputs_of

N_ROWS, N_FRAMES = 70, 20
RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(1, N_FRAMES + 1, size=N_ROWS)
X = RNG.normal(size=(N_ROWS, N_FRAMES, 2)).astype(np.float32)
X[np.arange(N_FRAMES) < (N_FRAMES - LENGTHS)[:, np.newaxis]] = 0
y = np.arange(N_ROWS)


class Model:
    """Notes what its `fit` is given."""

    def __init__(self, masks_padding=True):
        length = None if masks_padding else N_FRAMES
        self.inputs = [SimpleNamespace(shape=(None, length, 2))]

    def fit(self, **options):
        self.options = options
        if not isinstance(options["x"], np.ndarray):
            self.n_batches = int(options["x"].cardinality())
            self.epochs = [read(options["x"]) for _ in range(2)]
        return "history"


def feed(X, *columns, seed=0, masks_padding=True):
    model = Model(masks_padding)
    with fed_by_batches(model, seed=seed):
        weights = columns[0] if columns else None
        history = model.fit(
            x=X, y=y, sample_weight=weights, batch_size=4, validation_batch_size=None
        )
    assert history == "history"
    assert "fit" not in vars(model)
    return model


def read(dataset):
    return [tuple(np.asarray(part) for part in batch) for batch in dataset]


def order(epoch):
    return [rows.tolist() for _, rows in epoch]


def test_every_row_is_drawn_once_an_epoch_in_another_order():
    model = feed(X)
    first, second = model.epochs
    assert len(first) == model.n_batches == 18
    for epoch in (first, second):
        rows = np.concatenate([rows for _, rows in epoch])
        np.testing.assert_array_equal(np.sort(rows), y)
    assert order(first) != order(second)
    assert order(feed(X).epochs[0]) == order(first)
    assert order(feed(X, seed=1).epochs[0]) != order(first)


def test_batches_hold_what_is_real_and_its_own_weights():
    weights = np.arange(N_ROWS, dtype=np.float32) / 2
    n_frames = 0
    for sequences, rows, row_weights in feed(X, weights).epochs[0]:
        np.testing.assert_array_equal(row_weights, weights[rows])
        n_frames += sequences.shape[1]
        assert sequences.shape[1] == LENGTHS[rows].max()
        np.testing.assert_array_equal(
            sequences, X[rows, N_FRAMES - len(sequences[0]) :]
        )
    # Batches of chance would hold their longest, which is near to all frames.
    assert n_frames / 18 < LENGTHS.mean() + 2


def test_small_arrays_go_to_keras_as_they_are():
    options = feed(X, masks_padding=False).options
    assert options["x"] is X
    assert options["batch_size"] == 4


@pytest.mark.parametrize("masks", [True, False])
def test_large_arrays_are_not_copied(tmp_path, monkeypatch, masks):
    monkeypatch.setattr(_batches, "_MAX_COPIED_BYTES", X.nbytes - 1)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = feed(mapped, masks_padding=masks)
    assert model.options["validation_batch_size"] == 4
    lengths = {sequences.shape[1] for sequences, _ in model.epochs[0]}
    assert (lengths == {N_FRAMES}) == (not masks)


def test_fit_is_put_back_after_an_error():
    class Failing(Model):
        def fit(self, **options):
            raise RuntimeError("no")

    model = Failing()
    with pytest.raises(RuntimeError), fed_by_batches(model, seed=0):
        model.fit(x=X, y=y, sample_weight=None, batch_size=4)
    assert "fit" not in vars(model)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"attention": False},
        {"frame_step": 3, "functionals_units": 4, "n_members": 2},
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_networks_that_mask_padding_take_no_notice_of_trimming(options, side):
    network = build_blstm(N_FRAMES, 2, 3, units=4, mask_padding=True, **options)
    batch = X[LENGTHS < 12][:5, ::side]
    trimmed = batch[:, common_frames(real_bounds(batch))]
    assert trimmed.shape[1] < 12
    np.testing.assert_allclose(
        network.predict(inputs_of(network, trimmed), verbose=0),
        network.predict(inputs_of(network, batch), verbose=0),
        atol=1e-6,
    )
