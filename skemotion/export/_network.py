"""The bidirectional LSTM as a graph of ONNX."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skemotion.export._graph import Graph
from skemotion.export._sequences import (
    Bounds,
    count_frames,
    find_bounds,
    mark_all,
    mark_real,
    number_frames,
    summarise,
)
from skemotion.networks import BLSTM, name_of_member

_KERAS_GATES, _ONNX_GATES = "ifco", "iofc"


class NetworkGraph:
    """Adds to a graph what :class:`skemotion.networks.BLSTM` builds.

    Parameters
    ----------
    graph : Graph
        What is added to.
    architecture : BLSTM
        Settings of the network.
    weights : mapping of str to ndarray
        What it learnt, by the names of its `weight_shapes`.
    """

    def __init__(
        self, graph: Graph, architecture: BLSTM, weights: Mapping[str, NDArray]
    ):
        self._graph = graph
        self._architecture = architecture
        self._weights = weights

    def classify(self, sequence: str) -> tuple[str, str | None]:
        """Return probabilities and, where there is one, the attention.

        Parameters
        ----------
        sequence : str
            Tensor of shape (batch, n_frames, n_features), float32.

        Returns
        -------
        probabilities : str
            Tensor of shape (batch, n_classes): the mean over members.
        attention : str or None
            Tensor of shape (batch, n_frames): the mean over members.
        """
        frames = _Frames(self._graph, sequence, self._architecture)
        functionals = self._standardise(sequence, frames.real)
        members = [
            self._run_member(frames, functionals, member)
            for member in range(self._architecture.n_members)
        ]
        probabilities, attention = zip(*members, strict=True)
        if not self._architecture.attention:
            return self._mean(probabilities), None
        return self._mean(probabilities), frames.spread(self._mean(attention))

    def _mean(self, tensors):
        graph = self._graph
        if len(tensors) == 1:
            return tensors[0]
        return graph.call("Mean", *tensors)

    def _standardise(self, sequence, real):
        names = self._architecture.functionals
        if self._architecture.functionals_units is None:
            return None
        graph, op = self._graph, self._graph.call
        raw = summarise(graph, sequence, real, names)
        deviation = np.sqrt(self._weights["functionals_variance"])
        centred = op("Sub", raw, self._load("functionals_mean"))
        return op("Div", centred, graph.constant(deviation, np.float32))

    def _run_member(self, frames, functionals, member):
        op = self._graph.call
        summary, attention = self._recur(frames, member)
        if functionals is not None:
            hidden = self._dense(functionals, "functionals_hidden", member)
            summary = op("Concat", summary, op("Relu", hidden), axis=1)
        return op("Softmax", self._dense(summary, "output", member), axis=1), attention

    def _recur(self, frames, member):
        """Summarise joined frames by an LSTM in each direction, and attention."""
        graph, op = self._graph, self._graph.call
        x = op("Transpose", frames.joined, perm=[1, 0, 2])
        inputs = [x, *self._lstm_weights(member), frames.lengths or ""]
        states, last = graph.call_for(
            2,
            "LSTM",
            *inputs,
            direction="bidirectional",
            hidden_size=self._architecture.units,
        )
        last = op("Transpose", last, perm=[1, 0, 2])
        last = op("Reshape", last, graph.constant([0, -1], np.int64))
        if not self._architecture.attention:
            return last, None
        states = op("Transpose", states, perm=[2, 0, 1, 3])
        states = op("Reshape", states, graph.constant([0, 0, -1], np.int64))
        weights = self._attend(states, frames.mask, member)
        row = op("Unsqueeze", weights, graph.constant([1], np.int64))
        context = op("Squeeze", op("MatMul", row, states), graph.constant([1], "i8"))
        return op("Concat", context, last, axis=1), weights

    def _attend(self, states, mask, member):
        """Return a weight for each joined frame, (batch, n_joined)."""
        graph, op = self._graph, self._graph.call
        hidden = op("MatMul", states, self._load("attention_hidden_kernel", member))
        energy = self._load("attention_energy_kernel", member)
        energy = op("MatMul", op("Tanh", hidden), energy)
        energy = op("Squeeze", energy, graph.constant([2], np.int64))
        scale = 1 / math.sqrt(self._architecture.units)
        energy = op("Mul", energy, graph.constant(scale, np.float32))
        if mask is not None:
            never = graph.constant(-1e30, np.float32)
            energy = op("Where", mask, energy, never)
        return op("Softmax", energy, axis=1)

    def _lstm_weights(self, member):
        """Return kernels, recurrent kernels and biases, as they stand in ONNX."""
        graph, op = self._graph, self._graph.call
        first = graph.constant([0], np.int64)
        nothing = graph.constant(np.zeros(4 * self._architecture.units), np.float32)
        kernels: list[str] = []
        recurrent: list[str] = []
        biases: list[str] = []
        for direction in ("forward", "backward"):
            for parts, name in ((kernels, "kernel"), (recurrent, "recurrent_kernel")):
                array = self._load_gates(f"{direction}_{name}", member)
                turned = op("Transpose", array, perm=[1, 0])
                parts.append(op("Unsqueeze", turned, first))
            bias = self._load_gates(f"{direction}_bias", member)
            bias = op("Concat", bias, nothing, axis=0)
            biases.append(op("Unsqueeze", bias, first))
        return [op("Concat", *parts, axis=0) for parts in (kernels, recurrent, biases)]

    def _load_gates(self, name, member):
        """Load an array, and bring the gates of Keras, on its last axis, into order."""
        units = np.arange(self._architecture.units)
        places = [_KERAS_GATES.index(gate) for gate in _ONNX_GATES]
        numbers = np.concatenate([place * len(units) + units for place in places])
        array = self._load(name, member)
        axis = self._weights[name_of_member(name, member)].ndim - 1
        index = self._graph.constant(numbers, np.int64)
        return self._graph.call("Gather", array, index, axis=axis)

    def _dense(self, x, name, member):
        op = self._graph.call
        kernel = self._load(f"{name}_kernel", member)
        return op("Gemm", x, kernel, self._load(f"{name}_bias", member))

    def _load(self, name, member=0):
        array = self._weights[name_of_member(name, member)]
        return self._graph.constant(array, np.float32)


class _Frames:
    """Frames as the LSTM reads them: padding behind, neighbours joined.

    Attributes
    ----------
    real : str
        Mask of the frames that come in, (batch, n_frames), bool.
    joined : str
        Means of neighbours, (batch, n_joined, n_features).
    mask, lengths : str or None
        Which of these are real, and how many. None where padding is read.
    """

    def __init__(self, graph, sequence, architecture):
        self._graph, self._step = graph, architecture.frame_step
        self._n_frames = count_frames(graph, sequence)
        self._first = self.mask = self.lengths = None
        rolled, inside = sequence, mark_all(graph, sequence)
        self.real = inside
        if architecture.ignore_padding:
            bounds = find_bounds(graph, sequence)
            self.real = mark_real(graph, sequence, bounds)
            rolled, inside = self._move_padding_behind(sequence, bounds)
        self._inside = graph.cast(inside, np.float32)
        self.joined, counts = rolled, self._inside
        if self._step > 1:
            counts = self._add_up(self._inside)
            self.joined = self._join(rolled, counts)
        self._counts = counts
        if architecture.ignore_padding:
            self.mask = graph.call("Greater", counts, graph.constant(0, np.float32))
            self.lengths = graph.call(
                "ReduceSum",
                graph.cast(self.mask, np.int32),
                graph.constant([1], np.int64),
                keepdims=0,
            )

    def spread(self, weights):
        """Return weights of joined frames as weights of the frames that came in."""
        graph, op = self._graph, self._graph.call
        if self._step > 1:
            one = graph.constant(1, np.float32)
            each = op("Div", weights, op("Max", self._counts, one))
            numbers = number_frames(graph, self._n_frames)
            step = graph.constant(self._step, np.int64)
            index = op("Div", numbers, step)
            index = op("Expand", index, op("Shape", self._inside))
            weights = op("Mul", op("GatherElements", each, index, axis=1), self._inside)
        if self._first is None:
            return weights
        return op("GatherElements", weights, self._rolled(back=True), axis=1)

    def _move_padding_behind(self, sequence, bounds: Bounds):
        graph, op = self._graph, self._graph.call
        zero = graph.constant(0, np.int64)
        # Where nothing is real, everything is read, as Keras' graph does.
        self._first = op("Where", bounds.found, bounds.first, zero)
        end = op("Where", bounds.found, bounds.end, self._n_frames)
        numbers = number_frames(graph, self._n_frames)
        inside = op("Less", numbers, op("Sub", end, self._first))
        index = op("Unsqueeze", self._rolled(), graph.constant([2], np.int64))
        return op("GatherND", sequence, index, batch_dims=1), inside

    def _rolled(self, back=False):
        """Return which frame stands where, (batch, n_frames)."""
        graph, op = self._graph, self._graph.call
        numbers = number_frames(graph, self._n_frames)
        moved = op("Sub" if back else "Add", numbers, self._first)
        return op("Mod", op("Add", moved, self._n_frames), self._n_frames)

    def _join(self, rolled, counts):
        graph, op = self._graph, self._graph.call
        axis = graph.constant([2], np.int64)
        real = op("Mul", rolled, op("Unsqueeze", self._inside, axis))
        divisor = op("Max", counts, graph.constant(1, np.float32))
        return op("Div", self._add_up(real), op("Unsqueeze", divisor, axis))

    def _add_up(self, values):
        """Add up the frames that are joined; the last may be fewer."""
        graph, op = self._graph, self._graph.call
        step = graph.constant([self._step], np.int64)
        missing = op(
            "Mod", op("Sub", op("Mul", self._n_frames, step), self._n_frames), step
        )
        is_flat = values == self._inside
        if is_flat:
            values = op("Unsqueeze", values, graph.constant([2], np.int64))
        nothing = graph.constant([0] * 4, np.int64)
        pads = op("Concat", nothing, missing, graph.constant([0], np.int64), axis=0)
        padded = op("Pad", values, pads)
        shape = graph.constant([0, -1, self._step], np.int64)
        width = op("Shape", values, start=2, end=3)
        grouped = op("Reshape", padded, op("Concat", shape, width, axis=0))
        total = op("ReduceSum", grouped, graph.constant([2], np.int64), keepdims=0)
        if not is_flat:
            return total
        return op("Squeeze", total, graph.constant([2], np.int64))
