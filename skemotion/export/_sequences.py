"""Sequences in a graph: which frames are real, and functionals of these."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skemotion._sequences import percentile_level
from skemotion.export._graph import Graph


class Bounds(NamedTuple):
    """Where the real frames of sequences are.

    Attributes
    ----------
    first, end : str
        Tensors of shape (batch, 1), int64.
    found : str
        Tensor of shape (batch, 1), bool: whether there are any.
    """

    first: str
    end: str
    found: str


def count_frames(graph: Graph, sequence: str) -> str:
    """Return how many frames (batch, n_frames, ...) has, a tensor of shape (1,)."""
    return graph.call("Shape", sequence, start=1, end=2)


def number_frames(graph: Graph, n_frames: str) -> str:
    """Return the numbers from 0 on, of a tensor of shape (1,): (1, n_frames)."""
    zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    scalar = graph.call("Squeeze", n_frames)
    numbers = graph.call("Range", zero, scalar, one)
    return graph.call("Unsqueeze", numbers, graph.constant([0], np.int64))


def find_bounds(graph: Graph, sequence: str, loudness: int | None = None) -> Bounds:
    """Find the real frames as :func:`skemotion._sequences.real_bounds` does."""
    op = graph.call
    values = sequence
    if loudness is not None:
        column = graph.constant([loudness], np.int64)
        values = op("Gather", sequence, column, axis=2)
    axis = graph.constant([2], np.int64)
    largest = op("ReduceMax", op("Abs", values), axis, keepdims=0)
    flags = graph.cast(op("Greater", largest, _zero(graph)), np.int32)
    first = op("ArgMax", flags, axis=1, keepdims=1)
    last = op("ArgMax", flags, axis=1, keepdims=1, select_last_index=1)
    found = graph.cast(op("GatherElements", flags, first, axis=1), bool)
    one = graph.constant(1, np.int64)
    n_frames = count_frames(graph, sequence)
    first = op("Where", found, first, op("Sub", n_frames, one))
    return Bounds(first, op("Add", last, one), found)


def mark_real(graph: Graph, sequence: str, bounds: Bounds) -> str:
    """Return a mask of shape (batch, n_frames), bool."""
    op = graph.call
    numbers = number_frames(graph, count_frames(graph, sequence))
    behind = op("Not", op("Less", numbers, bounds.first))
    return op("And", behind, op("Less", numbers, bounds.end))


def mark_all(graph: Graph, sequence: str) -> str:
    """Return a mask of shape (batch, n_frames) that is True everywhere."""
    shape = graph.call("Shape", sequence, start=0, end=2)
    true = graph.constant(True, bool)
    return graph.call("Expand", true, shape)


def summarise(
    graph: Graph, sequence: str, real: str, functionals: Sequence[str]
) -> str:
    """Compute what :func:`skemotion._sequences.summarise` does, in float32.

    Parameters
    ----------
    graph : Graph
        What is added to.
    sequence : str
        Tensor of shape (batch, n_frames, n_features), float32.
    real : str
        Tensor of shape (batch, n_frames), bool.
    functionals : sequence of str
        Names of the statistics.

    Returns
    -------
    str
        Tensor of shape (batch, n_features * n_functionals), float32.
    """
    op = graph.call
    values = op("Transpose", graph.cast(sequence, np.float64), perm=[0, 2, 1])
    frames = _RealFrames(graph, values, real)
    columns = [frames.compute(name) for name in functionals]
    joined = op("Concat", *columns, axis=2)
    joined = op("Reshape", joined, graph.constant([0, -1], np.int64))
    return graph.cast(joined, np.float32)


class _RealFrames:
    """Values (batch, n_features, n_frames), measured from the first real frame."""

    def __init__(self, graph, values, real):
        self._graph = graph
        op = graph.call
        axis = graph.constant([1], np.int64)
        # Of wider integers ONNX Runtime 1.19 finds no greatest.
        flags = graph.cast(real, np.int32)
        self._real = op("Unsqueeze", graph.cast(real, np.float64), axis)
        self._is_real = op("Unsqueeze", real, axis)
        self._last_axis = graph.constant([2], np.int64)
        self._first = op("ArgMax", flags, axis=1, keepdims=1)
        self._count = op("ReduceSum", self._real, self._last_axis, keepdims=1)
        # By rows, then features: GatherND takes (batch, 1) of (batch, frames, ...).
        by_frame = op("Transpose", values, perm=[0, 2, 1])
        origin = op(
            "GatherND",
            by_frame,
            op("Unsqueeze", self._first, self._last_axis),
            batch_dims=1,
        )
        self._origin = op("Transpose", origin, perm=[0, 2, 1])
        self._values = op("Sub", values, self._origin)

    def compute(self, name):
        """Return one statistic, (batch, n_features, 1)."""
        level = percentile_level(name)
        if level is not None:
            return self._percentile(level)
        return getattr(self, f"_{name}")()

    def _mean_of(self, values):
        op = self._graph.call
        total = op("ReduceSum", op("Mul", values, self._real), self._last_axis)
        return op("Div", total, self._count)

    def _mean(self):
        return self._graph.call("Add", self._origin, self._mean_of(self._values))

    def _std(self):
        op = self._graph.call
        apart = op("Sub", self._values, self._mean_of(self._values))
        return op("Sqrt", self._mean_of(op("Mul", apart, apart)))

    def _slope(self):
        graph, op = self._graph, self._graph.call
        numbers = number_frames(graph, op("Shape", self._real, start=2, end=3))
        time = op("Sub", numbers, self._first)
        time = op("Unsqueeze", graph.cast(time, np.float64), graph.constant([1], "i8"))
        one, half = graph.constant(1.0, np.float64), graph.constant(0.5, np.float64)
        middle = op("Mul", op("Sub", self._count, one), half)
        weights = op("Mul", op("Sub", time, middle), self._real)
        norm = op("ReduceSum", op("Mul", weights, weights), self._last_axis)
        norm = op("Max", norm, graph.constant(np.finfo(float).tiny, np.float64))
        total = op("ReduceSum", op("Mul", self._values, weights), self._last_axis)
        return op("Div", total, norm)

    def _mean_abs_diff(self):
        graph, op = self._graph, self._graph.call
        steps = op("Abs", op("Sub", *self._neighbours(self._values)))
        pairs = op("Mul", *self._neighbours(self._real))
        total = op("ReduceSum", op("Mul", steps, pairs), self._last_axis)
        count = op("ReduceSum", pairs, self._last_axis)
        return op("Div", total, op("Max", count, graph.constant(1.0, np.float64)))

    def _neighbours(self, values):
        """Return all frames but the first, and all but the last."""
        graph, op = self._graph, self._graph.call
        zero, one, last, end = (
            graph.constant([number], np.int64)
            for number in (0, 1, -1, np.iinfo(np.int64).max)
        )
        axis = self._last_axis
        return op("Slice", values, one, end, axis), op(
            "Slice", values, zero, last, axis
        )

    def _percentile(self, level):
        graph, op = self._graph, self._graph.call
        last = op("Sub", self._count, graph.constant(1.0, np.float64))
        position = op("Mul", last, graph.constant(level / 100, np.float64))
        below = op("Floor", position)
        above = op("Min", op("Add", below, graph.constant(1.0, np.float64)), last)
        low, high = self._ordered_at(below), self._ordered_at(above)
        between = op("Mul", op("Sub", high, low), op("Sub", position, below))
        return op("Add", self._origin, op("Add", low, between))

    def _ordered_at(self, position):
        """Return the values at some places in ascending order."""
        graph, op = self._graph, self._graph.call
        if not hasattr(self, "_ordered"):
            infinity = graph.constant(np.inf, np.float64)
            values = op("Where", self._is_real, self._values, infinity)
            n_frames = op("Shape", values, start=2, end=3)
            self._ordered = graph.call_for(
                2, "TopK", values, n_frames, axis=2, largest=0, sorted=1
            )[0]
        shape = op("Shape", self._origin)
        index = op("Expand", graph.cast(position, np.int64), shape)
        return op("GatherElements", self._ordered, index, axis=2)


def _zero(graph):
    return graph.constant(0, np.float32)
