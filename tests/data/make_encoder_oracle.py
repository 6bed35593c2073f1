"""Freeze what another implementation makes of Whisper's encoders.

It needs torch, transformers, and the encoders that ``SKEMOTION_MODELS`` names:

    python tests/data/make_encoder_oracle.py

Two made recordings, their log-mel spectrograms, and the outputs of the blocks, of
which every few features are kept.
"""

import os
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from small_encoder import small_encoder
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder, sinusoids

from skemotion.datasets import make_emotional_speech

FOLDER = Path(__file__).parent
# An even number of mel frames each: an odd one is padded there.
N_SAMPLES = (12_800, 19_200)
N_LAYERS = 4
EVERY = {"small": 1, "base": 8, "tiny.en": 8}


def main():
    speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    signals = [
        (32767 * signal[4000 : 4000 + n]).astype(np.int16)
        for signal, n in zip(speech.signals, N_SAMPLES, strict=False)
    ]
    extract = WhisperFeatureExtractor()
    mels = [
        extract(
            signal / np.float32(32768),
            sampling_rate=16_000,
            padding=False,
            return_tensors="np",
        ).input_features[0]
        for signal in signals
    ]
    frozen = {"positions": sinusoids(1500, 384)[[0, 1, 700, 1499]].numpy()}
    for row, (signal, mel) in enumerate(zip(signals, mels, strict=True)):
        frozen |= {f"signal_{row}": signal, f"mel_{row}": mel.T}
    for model, every in EVERY.items():
        arrays = load(model)
        for row, mel in enumerate(mels):
            for layer, frames in enumerate(encode(arrays, mel), 1):
                frozen[f"{model}_{row}_{layer}"] = frames[:, ::every]
    np.savez_compressed(FOLDER / "encoder-oracle.npz", **frozen)


def load(model):
    if model == "small":
        return small_encoder()
    path = Path(os.environ["SKEMOTION_MODELS"], f"whisper-{model}-encoder.safetensors")
    return {
        name.removeprefix("model.encoder."): array.astype(np.float32)
        for name, array in load_file(path).items()
    }


def encode(arrays, mel):
    """Return what each of the first blocks puts out, for a mel of (n_mels, n)."""
    width, n_mels = arrays["conv1.weight"].shape[:2]
    n_blocks = min(N_LAYERS, sum(name.endswith("fc1.bias") for name in arrays))
    encoder = WhisperEncoder(
        WhisperConfig(
            d_model=width,
            encoder_layers=n_blocks,
            encoder_attention_heads=width // 64,
            encoder_ffn_dim=4 * width,
            num_mel_bins=n_mels,
            max_source_positions=mel.shape[1] // 2,
        )
    ).eval()
    wanted = encoder.state_dict()
    no_norm = {"weight": np.ones(width, "f4"), "bias": np.zeros(width, "f4")}
    arrays = {**arrays, **{f"layer_norm.{n}": each for n, each in no_norm.items()}}
    positions = arrays["embed_positions.weight"]
    arrays["embed_positions.weight"] = positions[: mel.shape[1] // 2]
    encoder.load_state_dict({name: torch.tensor(arrays[name]) for name in wanted})
    outputs = []
    for layer in encoder.layers:
        layer.register_forward_hook(
            lambda module, inputs, output: outputs.append(
                output[0] if isinstance(output, tuple) else output
            )
        )
    with torch.no_grad():
        encoder(torch.tensor(mel[np.newaxis]))
    return [output.reshape(-1, width).numpy() for output in outputs]


if __name__ == "__main__":
    main()
