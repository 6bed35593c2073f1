"""What stands between the encoder and the network, as a graph of ONNX."""

from typing import Any

import numpy as np

from skemotion.export._graph import Graph
from skemotion.export._sequences import (
    count_frames,
    find_bounds,
    mark_all,
    mark_real,
    summarise,
)
from skemotion.novelty import FUNCTIONALS as DISTANCE_OF


def place_frames(
    graph: Graph, encoded: str, n_real: str, first: str, *, step: int, n_frames: int
) -> str:
    """Join frames of an encoder, and put them where they belong among zeros.

    Parameters
    ----------
    graph : Graph
        What is added to.
    encoded : str
        Tensor of shape (batch, n_encoded, n_dims).
    n_real : str
        How many of these are real, (batch, 1), int64.
    first : str
        Where the first joined frame belongs, (batch, 1), int64.
    step : int
        How many are joined to one.
    n_frames : int
        How many frames come out.

    Returns
    -------
    str
        Tensor of shape (batch, n_frames, n_dims).
    """
    op = graph.call
    one, axis = graph.constant(1, np.int64), graph.constant([2], np.int64)
    # What stands in place i is the mean of frames i * step and those behind it.
    places = op("Sub", graph.constant(np.arange(n_frames)[np.newaxis], "i8"), first)
    starts = op("Mul", places, graph.constant(step, np.int64))
    last = op("Sub", count_frames(graph, encoded), one)
    zero = graph.constant(0, np.int64)
    total, count = "", ""
    for offset in range(step):
        number = op("Add", starts, graph.constant(offset, np.int64))
        inside = op(
            "And", op("Less", number, n_real), op("Not", op("Less", number, zero))
        )
        index = op("Min", op("Max", number, zero), last)
        frames = op("GatherND", encoded, op("Unsqueeze", index, axis), batch_dims=1)
        inside = op("Unsqueeze", inside, axis)
        frames = op("Where", inside, frames, graph.constant(0, np.float32))
        inside = graph.cast(inside, np.float32)
        total = op("Add", total, frames) if total else frames
        count = op("Add", count, inside) if count else inside
    return op("Div", total, op("Max", count, graph.constant(1, np.float32)))


def scale(graph: Graph, sequence: str, scaler: Any) -> str:
    """Standardise sequences as a fitted :class:`skemotion.SequenceScaler` does."""
    op = graph.call
    mean, deviation = (
        graph.constant(a, np.float64) for a in (scaler.mean_, scaler.scale_)
    )
    centred = op("Sub", graph.cast(sequence, np.float64), mean)
    scaled = graph.cast(op("Div", centred, deviation), np.float32)
    if not scaler.ignores_padding_:
        return scaled
    real = mark_real(graph, sequence, find_bounds(graph, sequence, scaler.loudness_))
    real = op("Unsqueeze", real, graph.constant([2], np.int64))
    return op("Where", real, scaled, graph.constant(0, np.float32))


def measure_distance(graph: Graph, sequence: str, detector: Any) -> str:
    """Return the distance that a fitted :class:`skemotion.NoveltyDetector` measures.

    Returns
    -------
    str
        Tensor of shape (batch,), float64.
    """
    op, double = graph.call, np.float64
    real = mark_all(graph, sequence)
    if detector.ignores_padding_:
        bounds = find_bounds(graph, sequence, detector.loudness_)
        real = mark_real(graph, sequence, bounds)
    statistics = summarise(graph, sequence, real, DISTANCE_OF)
    centred = op(
        "Sub", graph.cast(statistics, double), graph.constant(detector.mean_, double)
    )
    scaled = op("Div", centred, graph.constant(detector.scale_, double))
    components = graph.cast(graph.constant(detector.components_, np.float32), double)
    along = op("MatMul", scaled, op("Transpose", components, perm=[1, 0]))
    across = op("Sub", scaled, op("MatMul", along, components))
    axis = graph.constant([1], np.int64)
    squares = op(
        "Div", op("Mul", along, along), graph.constant(detector.variances_, double)
    )
    squares = op("ReduceMean", squares, axis, keepdims=0)
    if detector.residual_:
        left = op("ReduceSum", op("Mul", across, across), axis, keepdims=0)
        left = op("Div", left, graph.constant(detector.residual_, double))
        squares = op("Add", squares, left)
    return op("Sqrt", squares)
