"""Statistics of sequences over time, by name."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FUNCTIONALS = (
    "mean",
    "std",
    "p5",
    "p25",
    "p50",
    "p75",
    "p95",
    "slope",
    "mean_abs_diff",
)
_BATCH_SIZE = 64  # bounds the memory that is needed beside X
_PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)")


def summarise(
    X: NDArray, real: NDArray[np.bool_], functionals: Sequence[str] = FUNCTIONALS
) -> NDArray[np.float32]:
    """Compute functionals over the frames marked as real.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences.
    real : ndarray of shape (n_samples, n_frames), dtype bool
        Frames that count, side by side, at least one in every sequence.
    functionals : sequence of str
        Their names.

    Returns
    -------
    ndarray of shape (n_samples, n_features * n_functionals), dtype float32
        All functionals of the first feature, then all of the second.
    """
    size = _BATCH_SIZE
    parts = [
        _summarise(X[start : start + size], real[start : start + size], functionals)
        for start in range(0, len(X), size)
    ]
    return np.concatenate(parts)


def check_functionals(names: Sequence[str]) -> None:
    """Raise ValueError for names that are unknown, or stand there twice."""
    if not names:
        raise ValueError("functionals is empty; name at least one.")
    by_name = ["mean", *_SHIFT_INVARIANT]
    for name in names:
        if name not in by_name and percentile_level(name) is None:
            raise ValueError(
                f"functionals holds {name!r}, which is not known. Known are "
                f"{', '.join(map(repr, by_name))} and the percentiles 'p0' to 'p100', "
                "of which 'p50' is the median."
            )
    if len(set(names)) < len(names):
        raise ValueError(f"functionals holds a name twice: {', '.join(names)}.")


def _summarise(X, real, functionals):
    values = X.transpose(0, 2, 1).astype(np.float64, order="C")
    first = real.argmax(axis=1)[:, np.newaxis, np.newaxis]
    # Measured from a frame of their own, constants have a deviation of exactly 0.
    origin = np.take_along_axis(values, first, axis=2)
    values -= origin
    real = real[:, np.newaxis, :]

    statistics = {"mean": origin[..., 0] + np.mean(values, axis=2, where=real)}
    for name, function in _SHIFT_INVARIANT.items():
        if name in functionals:
            statistics[name] = function(values, real)
    levels = {name: percentile_level(name) for name in functionals}
    levels = {name: level for name, level in levels.items() if level is not None}
    if levels:
        percentiles = origin + _percentiles(values, real, list(levels.values()))
        statistics.update(zip(levels, np.moveaxis(percentiles, 2, 0), strict=True))

    stacked = np.stack([statistics[name] for name in functionals], axis=2)
    return stacked.reshape(len(X), -1).astype(np.float32)


def percentile_level(name):
    """Return 25.0 for "p25", None for what is no percentile."""
    match = _PERCENTILE.fullmatch(str(name))
    return float(match[1]) if match and float(match[1]) <= 100 else None


def _std(values, real):
    return np.std(values, axis=2, where=real)


def _slope(values, real):
    n_frames = real.sum(axis=2, keepdims=True)
    time = np.arange(values.shape[2]) - np.argmax(real, axis=2, keepdims=True)
    weights = np.where(real, time - (n_frames - 1) / 2, 0.0)
    norm = np.maximum(np.square(weights).sum(axis=2), np.finfo(float).tiny)
    return np.matmul(values, weights.swapaxes(1, 2))[..., 0] / norm


def _mean_abs_diff(values, real):
    steps = np.abs(np.diff(values, axis=2))
    pairs = real[..., 1:] & real[..., :-1]
    return steps.sum(axis=2, where=pairs) / np.maximum(pairs.sum(axis=2), 1)


def _percentiles(values, real, levels):
    """Interpolate between order statistics; the levels are the last axis."""
    ordered = np.sort(np.where(real, values, np.inf), axis=2)
    last = real.sum(axis=2, keepdims=True) - 1
    position = last * np.divide(levels, 100)
    below = np.floor(position).astype(np.intp)
    low = np.take_along_axis(ordered, below, axis=2)
    high = np.take_along_axis(ordered, np.minimum(below + 1, last), axis=2)
    return low + (high - low) * (position - below)


# A constant added to all frames leaves these as they are.
_SHIFT_INVARIANT = {"std": _std, "slope": _slope, "mean_abs_diff": _mean_abs_diff}
