"""Padding at either end, of another length in each row."""

import numpy as np

from skemotion.networks import import_keras
from skemotion.networks._frames import move_padding_behind

LEADING, TRAILING, N_FRAMES = [0, 2, 1, 0], [3, 0, 4, 0], 9


def test_padding_of_each_row_is_its_own():
    import_keras()
    X = np.random.default_rng(0).normal(size=(4, N_FRAMES, 3)).astype("f4")
    for row, (leading, trailing) in enumerate(zip(LEADING, TRAILING, strict=True)):
        X[row, :leading] = 0
        X[row, N_FRAMES - trailing :] = 0
    moved, mask, rolled = (np.asarray(each) for each in move_padding_behind(X))
    assert rolled.ravel().tolist() == LEADING
    for row, (leading, trailing) in enumerate(zip(LEADING, TRAILING, strict=True)):
        n_real = N_FRAMES - leading - trailing
        assert mask[row].tolist() == [True] * n_real + [False] * (N_FRAMES - n_real)
        real = X[row, leading : leading + n_real]
        np.testing.assert_array_equal(moved[row, :n_real], real)
