"""The best way through states."""

import numpy as np
import pytest

from skemotion.feature_extraction._best_path import find_best_path


def find_step_by_step(first, steps):
    total, origins = first, []
    for step in steps:
        ways = total[:, np.newaxis] + step
        origins.append(ways.argmax(axis=0))
        total = ways.max(axis=0)
    path = [total.argmax()]
    for origin in reversed(origins):
        path.append(origin[path[-1]])
    return path[::-1]


@pytest.mark.parametrize("n_steps", [0, 1, 2, 3, 8, 9, 10, 99, 100, 101])
def test_stretches_side_by_side_find_what_steps_in_turn_do(n_steps):
    rng = np.random.default_rng(n_steps)
    first, steps = rng.normal(size=4), rng.normal(size=(n_steps, 4, 4))
    np.testing.assert_array_equal(
        find_best_path(first, steps), find_step_by_step(first, steps)
    )
