"""The first blocks of a Whisper encoder: their graph, and what it learnt.

Only built-in layers and ``keras.ops`` are used.
"""

from dataclasses import dataclass
from typing import Any

HEAD_WIDTH = 64  # of every Whisper model
_EPSILON = 1e-5  # of the layer norms
N_POSITIONS = 1500  # frames, which last 30 s


@dataclass(frozen=True)
class WhisperEncoder:
    """Sizes of an encoder [1]_ that is cut after a block, and its graph.

    Parameters
    ----------
    n_mels : int
        Mel bands that it reads.
    width : int
        Features of a frame between blocks, a multiple of 64.
    hidden : int
        Units within a block.
    layers : tuple of int
        Numbers of the blocks whose outputs are put side by side, from 1.

    References
    ----------
    .. [1] A. Radford et al., "Robust Speech Recognition via Large-Scale Weak
       Supervision", Proc. ICML 2023.
    """

    n_mels: int
    width: int
    hidden: int
    layers: tuple[int, ...]

    @property
    def n_blocks(self) -> int:
        """How many blocks are computed."""
        return max(self.layers)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name the arrays that are needed, as in files of Hugging Face's layout.

        Returns
        -------
        dict of str to tuple of int
            Dense kernels are (out, in), those of convolutions (out, in, 3).
        """
        width, hidden = self.width, self.hidden
        block: dict[str, tuple[int, ...]] = {}
        for norm in ("self_attn_layer_norm", "final_layer_norm"):
            block |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            block[f"self_attn.{part}.weight"] = (width, width)
            if part != "k_proj":
                block[f"self_attn.{part}.bias"] = (width,)
        block |= {"fc1.weight": (hidden, width), "fc1.bias": (hidden,)}
        block |= {"fc2.weight": (width, hidden), "fc2.bias": (width,)}
        shapes: dict[str, tuple[int, ...]] = {
            "conv1.weight": (width, self.n_mels, 3),
            "conv1.bias": (width,),
            "conv2.weight": (width, width, 3),
            "conv2.bias": (width,),
            "embed_positions.weight": (N_POSITIONS, width),
        }
        return shapes | {
            f"layers.{number}.{name}": shape
            for number in range(self.n_blocks)
            for name, shape in block.items()
        }

    def build(self) -> Any:
        """Build the graph.

        Returns
        -------
        keras.Model
            It reads log-mel frames, (batch, n, n_mels), and how many of each
            recording are real, (batch,). It puts out frames of shape
            (batch, ceil(n / 2), len(layers) * width). What stands behind the
            real ones is not heard, and what comes out there means nothing.
            Layers are called as the arrays of :meth:`weight_shapes` begin.
        """
        from keras import Input, Model, layers, ops

        mel = Input((None, self.n_mels), name="log_mel")
        lengths = Input((), dtype="int32", name="lengths")
        # What stands behind, and what it becomes, would be heard by convolutions.
        real = ops.expand_dims(_real(mel, lengths), -1)
        x = self._convolve(ops.where(real, mel, 0.0), 1)
        x = self._convolve(ops.where(real, x, 0.0), 2)
        positions = layers.Embedding(N_POSITIONS, self.width, name="embed_positions")
        x = x + positions(_numbers(x[:1, :, 0]))
        real = ops.expand_dims(_real(x, (lengths + 1) // 2), 1)
        outputs = []
        for number in range(self.n_blocks):
            x = self._block(x, real, f"layers.{number}.")
            outputs.append(x)
        chosen = [outputs[layer - 1] for layer in self.layers]
        joined = chosen[0] if len(chosen) == 1 else ops.concatenate(chosen, axis=-1)
        return Model([mel, lengths], joined)

    def _convolve(self, x, stride):
        """Pad by a frame at either end; Keras' "same" pads otherwise at step 2."""
        from keras import layers, ops

        x = layers.ZeroPadding1D(1)(x)
        x = layers.Conv1D(self.width, 3, strides=stride, name=f"conv{stride}")(x)
        return ops.gelu(x, approximate=False)

    def _block(self, x, real, name):
        from keras import layers, ops

        def normed(x, which):
            layer = layers.LayerNormalization(epsilon=_EPSILON, name=name + which)
            return layer(x)

        read = normed(x, "self_attn_layer_norm")
        n_heads = self.width // HEAD_WIDTH
        x = x + layers.MultiHeadAttention(n_heads, HEAD_WIDTH, name=f"{name}self_attn")(
            read, read, attention_mask=real
        )
        read = normed(x, "final_layer_norm")
        read = layers.Dense(self.hidden, name=f"{name}fc1")(read)
        read = ops.gelu(read, approximate=False)
        return x + layers.Dense(self.width, name=f"{name}fc2")(read)


def _numbers(x):
    """Return the number of each column of x, (batch, n_frames), from 0."""
    from keras import ops

    return ops.cumsum(ops.ones_like(x, dtype="int32"), axis=1) - 1


def _real(x, lengths):
    """Return a mask of shape (batch, n_frames) that is True for real frames."""
    from keras import ops

    return ops.less(_numbers(x[:, :, 0]), ops.expand_dims(lengths, -1))
