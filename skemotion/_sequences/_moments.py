"""Mean and variance of data that come in parts."""

from typing import Any

import numpy as np

Moments = tuple[Any, Any, Any]


def merge_moments(one: Moments, other: Moments) -> Moments:
    """Return the moments of what two parts hold together.

    Parameters
    ----------
    one, other : tuple of (int or ndarray, ndarray, ndarray)
        Number, mean and variance, in double precision, which broadcast. Without
        anything behind them, mean and variance can be any finite numbers.

    Returns
    -------
    tuple of (int or ndarray, ndarray, ndarray)

    Notes
    -----
    By T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise
    algorithm for computing sample variances", 1979: nothing is a difference of
    large numbers.
    """
    (count, mean, variance), (more, new_mean, new_variance) = one, other
    total = count + more
    part = more / np.maximum(total, 1)
    apart = new_mean - mean
    variance = variance + part * (new_variance - variance)
    return total, mean + part * apart, variance + part * (1 - part) * apart**2
