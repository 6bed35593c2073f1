"""The first blocks of a Whisper encoder as a graph of ONNX."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skemotion.export._graph import Graph
from skemotion.export._sequences import count_frames, number_frames
from skemotion.networks import HEAD_WIDTH, WhisperEncoder

_EPSILON = 1e-5
_POSITIONS = "embed_positions.weight"
_NEVER = -1e30  # added to what is not to be heard


class EncoderGraph:
    """Adds to a graph what :class:`skemotion.networks.WhisperEncoder` builds.

    Parameters
    ----------
    graph : Graph
        What is added to.
    architecture : WhisperEncoder
        Sizes of the encoder.
    weights : mapping of str to ndarray
        What it learnt. Half precision stays so in the file.
    n_frames : int
        The most frames that it puts out, for which it has to know their places.
    folded : bool, default=False
        Whether weights are written in single precision, as they are multiplied.
    """

    def __init__(
        self,
        graph: Graph,
        architecture: WhisperEncoder,
        weights: Mapping[str, NDArray],
        n_frames: int,
        folded: bool = False,
    ):
        self._graph = graph
        self._architecture = architecture
        self._weights = dict(weights)
        self._weights[_POSITIONS] = weights[_POSITIONS][:n_frames]
        self._folded = folded

    def encode(self, mel: str, lengths: str) -> str:
        """Encode log-mel frames.

        Parameters
        ----------
        mel : str
            Tensor of shape (batch, n, n_mels), float32.
        lengths : str
            How many of these are real, (batch, 1), int64.

        Returns
        -------
        str
            Tensor of shape (batch, ceil(n / 2), len(layers) * width).
        """
        graph, op = self._graph, self._graph.call
        x = op("Transpose", mel, perm=[0, 2, 1])
        x = self._convolve(self._silence(x, lengths), 1)
        x = self._convolve(self._silence(x, lengths), 2)
        x = op("Transpose", x, perm=[0, 2, 1])
        one, two = graph.constant(1, np.int64), graph.constant(2, np.int64)
        n_frames = count_frames(graph, x)
        positions = op(
            "Slice",
            self._load(_POSITIONS),
            graph.constant([0], np.int64),
            n_frames,
            graph.constant([0], np.int64),
        )
        x = op("Add", x, positions)
        numbers = number_frames(graph, n_frames)
        real = op("Less", numbers, op("Div", op("Add", lengths, one), two))
        real = op("Unsqueeze", real, graph.constant([1, 2], np.int64))
        zero, never = graph.constant(0, np.float32), graph.constant(_NEVER, np.float32)
        mask = op("Where", real, zero, never)
        outputs = []
        for number in range(self._architecture.n_blocks):
            x = self._block(x, mask, f"layers.{number}.")
            outputs.append(x)
        chosen = [outputs[layer - 1] for layer in self._architecture.layers]
        return chosen[0] if len(chosen) == 1 else op("Concat", *chosen, axis=2)

    def _silence(self, x, lengths):
        """Set to 0 what stands behind the real frames of (batch, channels, n)."""
        graph, op = self._graph, self._graph.call
        numbers = number_frames(graph, op("Shape", x, start=2, end=3))
        real = op("Unsqueeze", op("Less", numbers, lengths), graph.constant([1], "i8"))
        return op("Where", real, x, graph.constant(0, np.float32))

    def _convolve(self, x, stride):
        name = f"conv{stride}"
        kernel, bias = self._load(f"{name}.weight"), self._load(f"{name}.bias")
        op = self._graph.call
        return self._gelu(op("Conv", x, kernel, bias, pads=[1, 1], strides=[stride]))

    def _block(self, x, mask, name):
        op = self._graph.call
        x = op(
            "Add",
            x,
            self._attend(
                self._norm(x, f"{name}self_attn_layer_norm"), mask, f"{name}self_attn."
            ),
        )
        read = self._norm(x, f"{name}final_layer_norm")
        read = self._gelu(self._dense(read, f"{name}fc1"))
        return op("Add", x, self._dense(read, f"{name}fc2"))

    def _attend(self, x, mask, name):
        graph, op = self._graph, self._graph.call
        width = self._architecture.width
        n_heads = width // HEAD_WIDTH
        scale = graph.constant(HEAD_WIDTH**-0.5, np.float32)
        query = op("Mul", self._dense(x, f"{name}q_proj"), scale)
        key = self._dense(x, f"{name}k_proj")
        value = self._dense(x, f"{name}v_proj")
        shape = graph.constant([0, 0, n_heads, HEAD_WIDTH], np.int64)
        query, value = (
            op("Transpose", op("Reshape", part, shape), perm=[0, 2, 1, 3])
            for part in (query, value)
        )
        key = op("Transpose", op("Reshape", key, shape), perm=[0, 2, 3, 1])
        weights = op("Softmax", op("Add", op("MatMul", query, key), mask), axis=-1)
        heard = op("Transpose", op("MatMul", weights, value), perm=[0, 2, 1, 3])
        heard = op("Reshape", heard, graph.constant([0, 0, width], np.int64))
        return self._dense(heard, f"{name}out_proj")

    def _dense(self, x, name):
        op = self._graph.call
        product = op("MatMul", x, self._kernel(f"{name}.weight"))
        if f"{name}.bias" not in self._weights:
            return product
        return op("Add", product, self._load(f"{name}.bias"))

    def _norm(self, x, name):
        scale, bias = self._load(f"{name}.weight"), self._load(f"{name}.bias")
        return self._graph.call(
            "LayerNormalization", x, scale, bias, axis=-1, epsilon=_EPSILON
        )

    def _gelu(self, x):
        graph, op = self._graph, self._graph.call
        one, half = graph.constant(1, np.float32), graph.constant(0.5, np.float32)
        root = graph.constant(0.5**0.5, np.float32)
        part = op("Add", op("Erf", op("Mul", x, root)), one)
        return op("Mul", op("Mul", x, half), part)

    def _kernel(self, name):
        """Load a kernel (out, in) as (in, out)."""
        if self._folded:
            return self._graph.constant(self._weights[name].T, np.float32)
        return self._graph.call("Transpose", self._load(name), perm=[1, 0])

    def _load(self, name):
        array = self._weights[name]
        if self._folded:
            return self._graph.constant(array, np.float32)
        tensor = self._graph.constant(array, array.dtype)
        if array.dtype == np.float32:
            return tensor
        return self._graph.cast(tensor, np.float32)
