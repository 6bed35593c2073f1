"""Time the encoder's graph against PyTorch and ONNX Runtime, on one core.

    python benchmarks/bench_encoder.py --models FOLDER

times, turn by turn in one run, the first blocks of Whisper encoders on the log-mel
frames of one recording, prints medians and ratios, and writes
``benchmarks/results/encoder.json``. The folder (or ``SKEMOTION_MODELS``) holds
``whisper-base-encoder.safetensors`` and ``whisper-tiny.en-encoder.safetensors``;
without it, weights of the same sizes are drawn, which take as long.

Ways
----
skemotion
    The graph that :class:`skemotion.SpeechEncoder` runs.
PyTorch
    The encoder of transformers with as many blocks, if both are installed.
ONNX Runtime
    The same, exported by PyTorch, if ``onnx`` and ``onnxruntime`` are installed.
log-mel
    What comes before, in NumPy.
transform
    All of it: ``SpeechEncoder.transform`` of one recording at 16 kHz.

Every way has one thread, and the process one core. A ratio is the median over rounds
of the ratio within a round. Processor time is what a way has used of the core
itself, which others on the machine disturb less.
"""

import argparse
import os
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

# Before they are loaded.
os.environ.update({"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
os.environ.update({"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"})

import numpy as np
from _results import RESULTS as FOLDER
from _smoke import parse_options
from _timing import ratio, write_json
from safetensors.numpy import save_file

from skemotion import SpeechEncoder
from skemotion.feature_extraction._log_mel import SAMPLING_RATE, log_mel_spectrogram
from skemotion.feature_extraction._weights import load_weights
from skemotion.networks import WhisperEncoder, find_encoder, hash_weights

RESULT = FOLDER / "encoder.json"
CUTS = [("tiny.en", 2), ("base", 2), ("base", 3)]
WIDTHS = {"tiny.en": 384, "base": 512}
OURS, BEFORE, WHOLE = "skemotion", "log-mel", "transform"
TARGET = 1.3


def main():
    args = parse_arguments()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rng = np.random.default_rng(0)
    signal = rng.uniform(-0.5, 0.5, int(args.seconds * SAMPLING_RATE))
    signal = signal.astype(np.float32)
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        for model, layer in CUTS:
            path = find_weights(args.models, model, layer, scratch)
            ways = make_ways(path, layer, signal, scratch)
            wall, cpu = time_ways(ways, args.repeats)
            results[f"{model} {layer}"] = summarise(wall, cpu)
            print_table(f"{model}, after block {layer}", wall, cpu)
    others = ("torch", "transformers", "onnxruntime")
    write_json(
        args.output,
        {
            "seconds": args.seconds,
            "repeats": args.repeats,
            "trained_weights": bool(args.models),
            "target": TARGET,
            "cuts": results,
            "compared_with": {package: find_version(package) for package in others},
        },
    )


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=os.environ.get("SKEMOTION_MODELS"))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--repeats", type=int, default=31)
    parser.add_argument("--output", default=RESULT, metavar="FILE")
    return parse_options(parser, "--repeats 1 --seconds 1")


def find_weights(folder, model, layer, scratch):
    if folder:
        return Path(folder, f"whisper-{model}-encoder.safetensors")
    width, rng = WIDTHS[model], np.random.default_rng(0)
    shapes = WhisperEncoder(80, width, 4 * width, (layer,)).weight_shapes()
    path = Path(scratch, f"{model}-{layer}.safetensors")
    arrays = {
        name: rng.normal(0, 0.02, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    save_file(arrays, path)
    return path


def make_ways(path, layer, signal, scratch):
    weights = load_weights(path, (layer,))
    encoder = find_encoder(*weights, hash_weights(weights.arrays))
    mel = log_mel_spectrogram(signal)
    batch, lengths = mel[np.newaxis], np.array([len(mel)], dtype=np.int32)
    transformer = SpeechEncoder(
        weights=path, layer=layer, duration=len(signal) / SAMPLING_RATE
    ).fit([signal])
    ways = {
        OURS: lambda: encoder(batch, lengths),
        **ways_of_others(weights, np.ascontiguousarray(mel.T[np.newaxis]), scratch),
        BEFORE: lambda: log_mel_spectrogram(signal),
        WHOLE: lambda: transformer.transform([signal]),
    }
    expected = ways[OURS]()
    for name, way in ways.items():
        found = way()
        if name not in (OURS, BEFORE, WHOLE):
            error = np.abs(found - expected).max() / expected.std()
            print(f"{name} differs by {error:.1e} of the spread")
    return ways


def ways_of_others(weights, mel, scratch):
    try:
        import torch
        from transformers import WhisperConfig
        from transformers.models.whisper.modeling_whisper import WhisperEncoder as There
    except ImportError as error:
        print(f"nothing to compare with: {error}")
        return {}
    torch.set_num_threads(1)
    sizes, n_frames = weights.architecture, mel.shape[2] // 2
    config = WhisperConfig(
        d_model=sizes.width,
        encoder_layers=sizes.n_blocks,
        encoder_attention_heads=sizes.width // 64,
        encoder_ffn_dim=sizes.hidden,
        num_mel_bins=sizes.n_mels,
        max_source_positions=n_frames,
    )
    model = There(config).eval()
    arrays = {
        name: torch.tensor(np.asarray(array, np.float32))
        for name, array in weights.arrays.items()
    }
    arrays["embed_positions.weight"] = arrays["embed_positions.weight"][:n_frames]
    model.load_state_dict(arrays, strict=False)
    model.layer_norm = torch.nn.Identity()
    sample = torch.tensor(mel)

    def by_torch():
        with torch.inference_mode():
            return model(sample).last_hidden_state.numpy()

    return {"PyTorch": by_torch, **way_of_onnx(model, sample, scratch)}


def way_of_onnx(model, sample, scratch):
    import torch

    try:
        import onnx  # noqa: F401  (the exporter needs it)
        import onnxruntime
    except ImportError as error:
        print(f"not compared with ONNX Runtime: {error}")
        return {}

    class Frames(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = model

        def forward(self, mel):
            return self.encoder(mel).last_hidden_state

    path = Path(scratch, "encoder.onnx")
    with torch.inference_mode():
        torch.onnx.export(
            Frames().eval(), (sample,), str(path), input_names=["mel"], dynamo=False
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
    inputs = {"mel": sample.numpy()}
    return {"ONNX Runtime": lambda: session.run(None, inputs)[0]}


def time_ways(ways, repeats):
    """Return seconds by the clock and of the processor, one each per round."""
    wall = {name: [] for name in ways}
    cpu = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start, used = time.perf_counter(), time.process_time()
            way()
            cpu[name].append(time.process_time() - used)
            wall[name].append(time.perf_counter() - start)
    return wall, cpu


def summarise(wall, cpu):
    others = [name for name in wall if name not in (OURS, BEFORE, WHOLE)]
    summary = {"median_ms": in_ms(wall), "median_processor_ms": in_ms(cpu)}
    if others:
        # By the clock, it may be the one that was disturbed least.
        fastest = min(others, key=lambda name: median(cpu[name]))
        summary["fastest_other"] = fastest
        summary["ratio_to_it"] = round(ratio(wall, OURS, fastest), 3)
        summary["processor_ratio_to_it"] = round(ratio(cpu, OURS, fastest), 3)
    return summary


def in_ms(times):
    return {name: round(1e3 * median(each), 2) for name, each in times.items()}


def print_table(title, wall, cpu):
    print(title)
    for name, seconds in wall.items():
        print(
            f"  {name:14} {1e3 * median(seconds):8.2f} ms, processor "
            f"{1e3 * median(cpu[name]):8.2f} ms, ratio {ratio(wall, OURS, name):6.3f}, "
            f"of the processor {ratio(cpu, OURS, name):6.3f}"
        )


def find_version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
