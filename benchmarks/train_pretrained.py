"""Train the model that comes with the package.

    python benchmarks/train_pretrained.py

fits the recommended recipe on all 535 recordings of the Berlin EMO-DB and
writes ``skemotion/pretrained/emodb.skemotion``. On one machine and with the same
versions of the packages, the bytes are the same each time. Nothing is scored
here, for nothing is left to score it on; ``benchmarks/emodb.py`` scores the
recipe on speakers left out.
"""

import argparse
import os
from pathlib import Path

# What a network computes depends on the number of threads in its last bits.
os.environ["TF_NUM_INTRAOP_THREADS"] = "1"

import skemotion
from skemotion import make_emotion_pipeline, save_model
from skemotion.datasets import load_emodb

SEED = 0
BUNDLE = Path(skemotion.__file__).parent / "pretrained" / "emodb.skemotion"
MAX_BYTES = 5_000_000


def main():
    args = _parse_arguments()
    corpus = load_emodb(args.emodb)
    pipeline = make_emotion_pipeline(memory=args.cache, random_state=SEED)
    pipeline.fit(corpus.paths, corpus.target, groups=corpus.speakers)
    save_model(pipeline, args.out)
    size = args.out.stat().st_size
    print(f"{args.out}: {size} bytes, fitted on {len(corpus.paths)} recordings")
    if size > MAX_BYTES:
        raise SystemExit(f"the bundle has more than {MAX_BYTES} bytes")


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    parser.add_argument("--cache", help="folder in which descriptors are kept")
    parser.add_argument(
        "--out", type=Path, default=BUNDLE, help="where to write it (%(default)s)"
    )
    args = parser.parse_args()
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    return args


if __name__ == "__main__":
    main()
