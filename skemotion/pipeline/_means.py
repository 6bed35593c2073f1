"""Means over the windows of recordings."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


class WeightedMeans:
    """Means of values that come one after the other.

    The mean of one value is that value, bit for bit.

    Attributes
    ----------
    dtype : dtype
        Of the values; means are of double precision.
    """

    def __init__(self) -> None:
        self.dtype: Any = np.float64
        self._means: dict[int, Any] = {}
        self._weights: dict[int, float] = {}

    def add(self, rows: NDArray, weights: NDArray, values: NDArray) -> None:
        """Add a value to the mean of each row."""
        self.dtype = values.dtype
        for row, weight, value in zip(
            rows.tolist(), weights.tolist(), values.astype(np.float64), strict=True
        ):
            mean = self._means.setdefault(row, value)
            total = self._weights[row] = self._weights.get(row, 0.0) + weight
            self._means[row] = mean + (value - mean) * (weight / total)

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return iter(self._means.items())
