"""Batches of similar length, which are taken from arrays as they lie."""

from types import SimpleNamespace

import numpy as np
import pytest

from skemotion._sequences import common_frames, real_bounds
from skemotion.networks import BLSTM
from skemotion.networks._batches import Batches

N_ROWS, N_FRAMES = 70, 20
RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(1, N_FRAMES + 1, size=N_ROWS)
X = RNG.normal(size=(N_ROWS, N_FRAMES, 2)).astype(np.float32)
X[np.arange(N_FRAMES) < (N_FRAMES - LENGTHS)[:, np.newaxis]] = 0


def make(X=X, trim=True):
    model = SimpleNamespace(inputs=["sequences alone"])
    return Batches(model, X, 4, trim=trim)


def order(epoch):
    return [rows.tolist() for _, rows in epoch]


def read(model, X):
    batches = Batches(model, X, len(X), trim=True)
    return X if batches.functionals is None else (X, batches.functionals)


@pytest.mark.parametrize("trim", [True, False])
def test_every_row_is_drawn_once_an_epoch_in_another_order(trim):
    batches, rng = make(trim=trim), np.random.default_rng(0)
    first, second = (list(batches.shuffled(rng)) for _ in range(2))
    assert len(first) == len(batches) == 18
    for epoch in (first, second):
        rows = np.concatenate([rows for _, rows in epoch])
        np.testing.assert_array_equal(np.sort(rows), np.arange(N_ROWS))
    assert order(first) != order(second)
    assert order(batches.shuffled(np.random.default_rng(0))) == order(first)
    assert order(batches.shuffled(np.random.default_rng(1))) != order(first)


def test_batches_hold_what_is_real():
    n_frames = 0
    for sequences, rows in make().shuffled(np.random.default_rng(0)):
        n_frames += sequences.shape[1]
        assert sequences.shape[1] == LENGTHS[rows].max()
        np.testing.assert_array_equal(
            sequences, X[rows, N_FRAMES - len(sequences[0]) :]
        )
    # Batches of chance would hold their longest, which is near to all frames.
    assert n_frames / 18 < LENGTHS.mean() + 2


def test_in_order_nothing_is_moved():
    batches = list(make().in_order())
    rows = np.concatenate([rows for _, rows in batches])
    np.testing.assert_array_equal(rows, np.arange(N_ROWS))
    for sequences, rows in batches:
        assert sequences.shape[1] == LENGTHS[rows].max()


def test_padding_is_kept_where_the_network_sees_it():
    for sequences, rows in make(trim=False).shuffled(np.random.default_rng(0)):
        np.testing.assert_array_equal(sequences, X[rows])


@pytest.mark.parametrize("trim", [True, False])
def test_mapped_arrays_are_read_batch_by_batch(tmp_path, trim):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    batches = make(mapped, trim=trim)
    assert batches.sequences is mapped
    expected = make(trim=trim).shuffled(np.random.default_rng(0))
    for batch, other in zip(
        batches.shuffled(np.random.default_rng(0)), expected, strict=True
    ):
        np.testing.assert_array_equal(batch[0], other[0])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"attention": False},
        {"frame_step": 3, "functionals_units": 4, "n_members": 2},
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_networks_that_ignore_padding_take_no_notice_of_trimming(options, side):
    network = BLSTM(N_FRAMES, 2, 3, units=4, ignore_padding=True, **options).build(0)
    batch = X[LENGTHS < 12][:5, ::side]
    trimmed = batch[:, common_frames(real_bounds(batch))]
    assert trimmed.shape[1] < 12
    np.testing.assert_allclose(
        network.predict(read(network, trimmed), verbose=0),
        network.predict(read(network, batch), verbose=0),
        atol=1e-6,
    )
