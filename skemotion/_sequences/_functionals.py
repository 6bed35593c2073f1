"""Statistics of sequences over time, by name."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skemotion._sequences._bounds import true_bounds

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
    out = np.empty((len(X), X.shape[2], len(functionals)), dtype=np.float32)
    # One by one, what is worked at stays in the processor's cache.
    for row, (first, end) in enumerate(true_bounds(real)):
        out[row] = _summarise(X[row, first:end], functionals)
    return out.reshape(len(X), -1)


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


def _summarise(frames, functionals):
    """Return the functionals of frames, of shape (n_features, n_functionals)."""
    values = frames.astype(np.float64)
    # Measured from a frame of their own, constants have a deviation of exactly 0.
    origin = values[0].copy()
    values -= origin
    levels = {name: percentile_level(name) for name in functionals}
    levels = {name: level for name, level in levels.items() if level is not None}
    statistics = {
        name: function(values)
        for name, function in _SHIFT_INVARIANT.items()
        if name in functionals
    }
    if "mean" in functionals:
        statistics["mean"] = origin + values.mean(axis=0)
    if levels:
        percentiles = origin + _percentiles(values, list(levels.values()))
        statistics.update(zip(levels, percentiles, strict=True))
    return np.stack([statistics[name] for name in functionals], axis=1)


def percentile_level(name):
    """Return 25.0 for "p25", None for what is no percentile."""
    match = _PERCENTILE.fullmatch(str(name))
    return float(match[1]) if match and float(match[1]) <= 100 else None


def _std(values):
    return values.std(axis=0)


def _slope(values):
    time = np.arange(len(values)) - (len(values) - 1) / 2
    return time @ values / max(np.square(time).sum(), np.finfo(float).tiny)


def _mean_abs_diff(values):
    return np.abs(np.diff(values, axis=0)).sum(axis=0) / max(len(values) - 1, 1)


def _percentiles(values, levels):
    """Interpolate between order statistics; the levels are the first axis."""
    ordered = np.sort(values.T, axis=1).T
    last = len(values) - 1
    position = last * np.divide(levels, 100)
    below = np.floor(position).astype(np.intp)
    low, high = ordered[below], ordered[np.minimum(below + 1, last)]
    return low + (high - low) * (position - below)[:, np.newaxis]


# A constant added to all frames leaves these as they are.
_SHIFT_INVARIANT = {"std": _std, "slope": _slope, "mean_abs_diff": _mean_abs_diff}
