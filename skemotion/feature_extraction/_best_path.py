"""The best way through states, in many stretches of time at once."""

from math import isqrt

import numpy as np
from numpy.typing import NDArray


def find_best_path(
    first: NDArray[np.float64], steps: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the states whose gains sum to the most.

    NumPy would be called for every step. Here, stretches of as many steps as there
    are stretches are gone through side by side: once for every state that a stretch
    may begin with, and once more when it is known what these are worth.

    Parameters
    ----------
    first : ndarray of shape (n_states,)
        Gain of each state at the beginning.
    steps : ndarray of shape (n_steps, n_states, n_states)
        Gain of each step, from a state (second axis) to a state (third axis).

    Returns
    -------
    ndarray of shape (1 + n_steps,), dtype int
    """
    stretches = _divide(steps)
    across = stretches[0]
    for step in stretches[1:]:
        across = (across.swapaxes(0, 1)[:, :, np.newaxis] + step[:, np.newaxis]).max(0)
    begins = [first]
    for gains in np.moveaxis(across, -1, 0)[:-1]:
        begins.append((begins[-1][:, np.newaxis] + gains).max(axis=0))
    totals = [np.transpose(begins)]
    for step in stretches:
        totals.append((totals[-1][:, np.newaxis] + step).max(axis=0))
    ways = np.stack(totals[:-1])[:, :, np.newaxis] + stretches
    came_from = np.concatenate(np.moveaxis(ways.argmax(axis=1), -1, 0))
    path = [int(totals[-1][:, -1].argmax())]
    for origins in reversed(came_from[: len(steps)].tolist()):
        path.append(origins[path[-1]])
    return np.array(path[::-1])


def _divide(steps):
    """Return steps of the shape (length, n_states, n_states, n_stretches).

    NumPy's inner loops run over stretches. Steps that are too many lead from each
    state to itself, and gain nothing.
    """
    n_steps, n_states, _ = steps.shape
    length = isqrt(n_steps) + 1
    n_stretches = max(-(-n_steps // length), 1)
    divided = np.full((n_stretches * length, n_states, n_states), -np.inf)
    divided[:, np.arange(n_states), np.arange(n_states)] = 0
    divided[:n_steps] = steps
    divided = divided.reshape(n_stretches, length, n_states, n_states)
    return np.ascontiguousarray(divided.transpose(1, 2, 3, 0))
