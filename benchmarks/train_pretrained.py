"""Train the models that come with the package.

    python benchmarks/train_pretrained.py
    python benchmarks/train_pretrained.py --recipe descriptors

fits the recommended recipe on all 535 recordings of the Berlin EMO-DB and writes
``skemotion/pretrained/emodb.skemotion``; or the recipe "descriptors", and
``emodb-descriptors.skemotion``. The first holds the encoder as well: that of Whisper
base, which is found by ``SKEMOTION_MODELS``, up to the last layer that is read, in
half precision, of whose ten bits behind the point seven are kept, so that it packs
to four fifths of its size. On one machine and with the same versions of the
packages, the bytes are the same each time. Nothing is scored here, for nothing is
left to score it on; ``benchmarks/emodb.py`` scores the recipe on speakers left out.
The graph beside the bundle, which has its weights from there, is made with it.
"""

import argparse
import os
import tempfile
import zlib
from pathlib import Path

# What a network computes depends on the number of threads in its last bits.
os.environ["TF_NUM_INTRAOP_THREADS"] = "1"

import numpy as np
from _smoke import parse_options, shrink
from export_pretrained import export

import skemotion
from skemotion import make_emotion_pipeline, save_model
from skemotion.datasets import load_emodb
from skemotion.feature_extraction._weights import load_weights, write_weights

SEED = 0
FOLDER = Path(skemotion.__file__).parent / "pretrained"
BUNDLES = {
    "recommended": FOLDER / "emodb.skemotion",
    "descriptors": FOLDER / "emodb-descriptors.skemotion",
}
ENCODER = "whisper-base-encoder.safetensors"
N_BITS_DROPPED = 3
MAX_BYTES = 21_000_000  # deflated


def main():
    args = _parse_arguments()
    corpus = load_emodb(args.emodb)
    pipeline = make_emotion_pipeline(
        args.recipe, memory=args.cache, random_state=SEED, n_jobs=2
    )
    shrink(pipeline)
    with tempfile.TemporaryDirectory() as folder:
        if args.recipe == "recommended":
            cut = Path(folder, ENCODER)
            cut_encoder(args.models / ENCODER, pipeline["extract"].layer, cut)
            pipeline.set_params(extract__weights=cut)
        pipeline.fit(corpus.paths, corpus.target, groups=corpus.speakers)
    if args.recipe == "recommended":
        pipeline.set_params(extract__weights="whisper-base")
    save_model(pipeline, args.out)
    export(args.out)
    size, packed = (
        len(content)
        for content in (
            args.out.read_bytes(),
            zlib.compress(args.out.read_bytes()),
        )
    )
    print(
        f"{args.out}: {size} bytes, {packed} deflated, fitted on "
        f"{len(corpus.paths)} recordings"
    )
    if packed > MAX_BYTES:
        raise SystemExit(f"the bundle has more than {MAX_BYTES} bytes, deflated")


def cut_encoder(source, layers, target):
    """Write what is needed of an encoder, rounded."""
    arrays = load_weights(source, layers).arrays
    content = write_weights({name: shorten(array) for name, array in arrays.items()})
    target.write_bytes(content)


def shorten(array):
    """Round matrices to fewer bits, so that they are compressed better."""
    array = array.astype(np.float16)
    # Positions are not stored, if they are as computed.
    if array.ndim == 1 or array.shape[0] == 1500:
        return array
    bits = array.view(np.uint16).astype(np.uint32) + (1 << (N_BITS_DROPPED - 1))
    bits &= ~np.uint32((1 << N_BITS_DROPPED) - 1)
    return bits.astype(np.uint16).view(np.float16)


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", choices=sorted(BUNDLES), default="recommended")
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    parser.add_argument(
        "--models", type=Path, default=os.environ.get("SKEMOTION_MODELS")
    )
    parser.add_argument("--cache", help="folder in which frames are kept")
    parser.add_argument("--out", type=Path, help="where to write it")
    args = parse_options(
        parser,
        "--recipe descriptors --out {work}/emodb.skemotion",
    )
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    if args.models is None and args.recipe == "recommended":
        parser.error("give --models PATH or set SKEMOTION_MODELS")
    args.out = args.out or BUNDLES[args.recipe]
    return args


if __name__ == "__main__":
    main()
