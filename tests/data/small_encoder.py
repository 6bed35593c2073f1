"""A small Whisper encoder of random weights, the same wherever it is made."""

import math

import numpy as np


def small_encoder(width=64, n_blocks=3, n_mels=80, seed=0):
    """Return arrays by their names in Hugging Face's layout.

    Bits of the generator are the same in all versions of NumPy, unlike what its
    distributions make of them.
    """
    bits = np.random.PCG64(seed)

    def draw(*shape, around=0.0, spread=None):
        spread = math.sqrt(3 / math.prod(shape[1:])) if spread is None else spread
        raw = bits.random_raw(math.prod(shape)) / 2.0**63 - 1
        # Half precision holds every value.
        values = (around + spread * raw).astype(np.float16)
        return values.reshape(shape).astype(np.float32)

    arrays = {"embed_positions.weight": draw(1500, width, spread=1.0)}
    for number, n_inputs in ((1, n_mels), (2, width)):
        arrays[f"conv{number}.weight"] = draw(width, n_inputs, 3)
        arrays[f"conv{number}.bias"] = draw(width, spread=0.1)
    for number in range(n_blocks):
        block = f"layers.{number}."
        for norm in ("self_attn_layer_norm", "final_layer_norm"):
            arrays[f"{block}{norm}.weight"] = draw(width, around=1.0, spread=0.3)
            arrays[f"{block}{norm}.bias"] = draw(width, spread=0.3)
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            # Frames differ in what they listen to.
            kernel = draw(width, width)
            sharper = 2 if part in ("q_proj", "k_proj") else 1
            arrays[f"{block}self_attn.{part}.weight"] = sharper * kernel
            if part != "k_proj":
                arrays[f"{block}self_attn.{part}.bias"] = draw(width, spread=0.3)
        arrays[f"{block}fc1.weight"] = draw(4 * width, width)
        arrays[f"{block}fc1.bias"] = draw(4 * width, spread=0.3)
        arrays[f"{block}fc2.weight"] = draw(width, 4 * width)
        arrays[f"{block}fc2.bias"] = draw(width, spread=0.3)
    return arrays
