"""Graphs that come with the package, computed by NumPy where ONNX Runtime is not."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._blas import one_blas_thread

# Numbers of fields in messages of ONNX, and of types of numbers in tensors.
_GRAPH, _METADATA = 7, 14
_NODES, _CONSTANTS, _OUTPUTS = 1, 5, 12
_DTYPES = {1: "<f4", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8"}


class PlainSession:
    """A graph, asked as an ``onnxruntime.InferenceSession`` is.

    It computes the operators that :mod:`skemotion.export` writes in models of the
    package. Several threads may ask it at once.

    Parameters
    ----------
    path : str or path-like
        The file, beside which the one lies that its weights are linked to.

    Raises
    ------
    NotImplementedError
        If the graph has an operator that is not known here.
    """

    def __init__(self, path: str | os.PathLike):
        model = _read(Path(path).read_bytes())
        graph = _read(model[_GRAPH][0])
        entries = [_read(entry) for entry in model.get(_METADATA, [])]
        self.custom_metadata_map = {e[1][0].decode(): e[2][0].decode() for e in entries}
        self._outputs = [_Output(_name(each)) for each in graph.get(_OUTPUTS, [])]
        folder = Path(path).parent
        nothing: dict[str, Any] = {"": None}
        self._constants = nothing | dict(
            _read_tensor(each, folder) for each in graph.get(_CONSTANTS, [])
        )
        self._nodes = []
        for node in map(_read_node, graph[_NODES]):
            if self._constants.keys() >= set(node.inputs):
                self._constants |= node.run(self._constants)
            else:
                self._nodes.append(node)

    def get_modelmeta(self) -> "PlainSession":
        """Return what has a `custom_metadata_map`."""
        return self

    def get_outputs(self) -> list["_Output"]:
        """Return what can be asked for; each has a `name`."""
        return self._outputs

    def run(
        self, wanted: Sequence[str], inputs: Mapping[str, NDArray]
    ) -> list[NDArray]:
        """Compute outputs, by name."""
        values = {**self._constants, **inputs}
        # Products are too small for more threads, which would wait for each other.
        with one_blas_thread():
            for node in self._nodes:
                values |= node.run(values)
        return [values[name] for name in wanted]


class _Output(NamedTuple):
    name: str


class _Node(NamedTuple):
    compute: Callable
    inputs: list[str]
    outputs: list[str]
    settings: dict[str, Any]

    def run(self, values):
        results = self.compute(*map(values.get, self.inputs), **self.settings)
        if len(self.outputs) == 1:
            results = (results,)
        return dict(zip(self.outputs, results, strict=False))


def _read(message: bytes) -> dict[int, list]:
    """Return the values of each field of a message of Protocol Buffers."""
    fields: dict[int, list] = {}
    for number, value in _fields(message):
        fields.setdefault(number, []).append(value)
    return fields


def _fields(message) -> Iterator[tuple[int, Any]]:
    place = 0
    while place < len(message):
        tag, place = _read_varint(message, place)
        kind = tag & 7
        if kind == 0:
            value, place = _read_varint(message, place)
        else:
            length = {1: 8, 5: 4}.get(kind)
            if length is None:
                length, place = _read_varint(message, place)
            value = message[place : place + length]
            place += length
        yield tag >> 3, value


def _read_varint(message, place):
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value - 2**64 if value >= 2**63 else value, place


def _read_numbers(values):
    """Return integers of a repeated field, which may be packed."""
    numbers = []
    for value in values:
        packed = isinstance(value, bytes)
        place = 0
        while packed and place < len(value):
            number, place = _read_varint(value, place)
            numbers.append(number)
        if not packed:
            numbers.append(value)
    return numbers


def _name(message):
    return _read(message)[1][0].decode()


def _read_tensor(message, folder):
    fields = _read(message)
    if 13 in fields:
        link = {e[1][0].decode(): e[2][0].decode() for e in map(_read, fields[13])}
        with open(folder / link["location"], "rb") as file:
            file.seek(int(link["offset"]))
            content = file.read(int(link["length"]))
    else:
        content = fields.get(9, [b""])[0]
    array = np.frombuffer(content, _DTYPES[fields[2][0]])
    return fields[8][0].decode(), array.reshape(_read_numbers(fields.get(1, [])))


def _read_node(message):
    fields = _read(message)
    kind = fields[4][0].decode()
    if kind not in _OPERATORS:
        raise NotImplementedError(f"the operator {kind} is not computed by NumPy here")
    inputs, outputs = (
        [name.decode() for name in fields.get(number, [])] for number in (1, 2)
    )
    settings = dict(map(_read_setting, fields.get(5, [])))
    return _Node(_OPERATORS[kind], inputs, outputs, settings)


def _read_setting(message):
    fields = _read(message)
    name, kind = fields[1][0].decode(), fields[20][0]
    if kind == 1:
        return name, float(np.frombuffer(fields[2][0], "<f4")[0])
    if kind == 3:
        return name, fields[4][0].decode()
    return name, fields[3][0] if kind == 2 else _read_numbers(fields.get(8, []))


def _argmax(x, axis, keepdims=1, select_last_index=0):
    if not select_last_index:
        return x.argmax(axis, keepdims=bool(keepdims))
    last = np.flip(x, axis).argmax(axis, keepdims=bool(keepdims))
    return x.shape[axis] - 1 - last


def _convolve(x, kernel, bias, pads, strides):
    x = np.pad(x, [(0, 0), (0, 0), tuple(pads)])
    width = kernel.shape[2]
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=2)
    windows = windows[:, :, :: strides[0]].transpose(0, 2, 1, 3)
    columns = windows.reshape(*windows.shape[:2], -1)
    y = columns @ kernel.reshape(len(kernel), -1).T + bias
    return y.transpose(0, 2, 1)


def _divide(x, y):
    return x / y if x.dtype.kind == "f" else x // y


def _erf(x):
    from scipy.special import erf

    return erf(x)


def _gather_nd(x, index, batch_dims):
    if batch_dims != 1 or index.shape[-1] != 1:
        raise NotImplementedError("GatherND of other places than (batch, n, 1)")
    return x[np.arange(len(x))[:, np.newaxis], index[..., 0]]


def _normalise(x, scale, bias, axis, epsilon):
    x = x - x.mean(axis, keepdims=True)
    variance = np.square(x).mean(axis, keepdims=True)
    return x / np.sqrt(variance + np.float32(epsilon)) * scale + bias


def _pad(x, pads):
    return np.pad(x, list(zip(pads[: x.ndim], pads[x.ndim :], strict=True)))


def _reduce(function):
    def reduce(x, axes, keepdims=1):
        return function(x, axis=tuple(axes.tolist()), keepdims=bool(keepdims))

    return reduce


def _reshape(x, shape):
    # In ONNX, 0 keeps the length that is there.
    lengths = [n if n else x.shape[i] for i, n in enumerate(shape.tolist())]
    return x.reshape(lengths)


def _sigmoid(x):
    return 0.5 * np.tanh(0.5 * x) + 0.5


def _slice(x, starts, ends, axes):
    index = [slice(None)] * x.ndim
    for start, end, axis in zip(starts, ends, axes, strict=True):
        index[axis] = slice(start, end)
    return x[tuple(index)]


def _softmax(x, axis):
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def _top_k(x, k, axis, largest, sorted):
    order = np.argsort(-x if largest else x, axis, kind="stable")
    order = order.take(range(int(k[0])), axis)
    return np.take_along_axis(x, order, axis), order


def _lstm(x, kernels, recurrent, biases, lengths, direction, hidden_size):
    """Run an LSTM forwards, and from the last real step backwards."""
    n_steps, n_rows = x.shape[:2]
    if lengths is None:
        lengths = np.full(n_rows, n_steps)
    states = np.zeros((n_steps, 2, n_rows, hidden_size), x.dtype)
    last = np.zeros((2, n_rows, hidden_size), x.dtype)
    for way, steps in enumerate((range(n_steps), reversed(range(n_steps)))):
        bias = biases[way].reshape(2, -1).sum(0)
        given = x @ kernels[way].T + bias
        cell = np.zeros_like(last[way])
        for step in steps:
            real = (step < lengths)[:, np.newaxis]
            gates = given[step] + last[way] @ recurrent[way].T
            add, out, keep, new = np.split(gates, 4, axis=1)
            fresh = _sigmoid(keep) * cell + _sigmoid(add) * np.tanh(new)
            state = _sigmoid(out) * np.tanh(fresh)
            cell = np.where(real, fresh, cell)
            last[way] = np.where(real, state, last[way])
            states[step, way] = np.where(real, state, 0)
    return states, last


_OPERATORS: dict[str, Callable] = {
    "Abs": np.abs,
    "Add": np.add,
    "And": np.logical_and,
    "ArgMax": _argmax,
    "Cast": lambda x, to: x.astype(_DTYPES[to]),
    "Concat": lambda *parts, axis: np.concatenate(parts, axis),
    "Conv": _convolve,
    "Div": _divide,
    "Erf": _erf,
    "Expand": lambda x, shape: x * np.ones(shape, x.dtype),
    "Floor": np.floor,
    "Gather": lambda x, index, axis=0: np.take(x, index, axis),
    "GatherElements": lambda x, index, axis=0: np.take_along_axis(x, index, axis),
    "GatherND": _gather_nd,
    "Gemm": lambda x, y, z: x @ y + z,
    "Greater": np.greater,
    "Identity": lambda x: x,
    "LSTM": _lstm,
    "LayerNormalization": _normalise,
    "Less": np.less,
    "MatMul": np.matmul,
    "Max": np.maximum,
    "Mean": lambda *parts: sum(parts[1:], parts[0]) / np.float32(len(parts)),
    "Min": np.minimum,
    "Mod": np.mod,
    "Mul": np.multiply,
    "Not": np.logical_not,
    "Pad": _pad,
    "Range": np.arange,
    "ReduceMax": _reduce(np.max),
    "ReduceMean": _reduce(np.mean),
    "ReduceSum": _reduce(np.sum),
    "Relu": lambda x: np.maximum(x, x.dtype.type(0)),
    "Reshape": _reshape,
    "Shape": lambda x, start=0, end=None: np.array(x.shape[start:end], np.int64),
    "Slice": _slice,
    "Softmax": _softmax,
    "Sqrt": np.sqrt,
    "Squeeze": lambda x, axes=None: np.squeeze(
        x, axes if axes is None else tuple(axes)
    ),
    "Sub": np.subtract,
    "Tanh": np.tanh,
    "TopK": _top_k,
    "Transpose": lambda x, perm: x.transpose(perm),
    "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes.tolist())),
    "Where": np.where,
}
