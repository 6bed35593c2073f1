"""Time one fold of the recommended recipe, its features and copies cached.

    python benchmarks/bench_fold.py
    python benchmarks/bench_fold.py --before PATH/TO/ANOTHER/CHECKOUT

fits on all speakers but one and predicts that one, where ``SKEMOTION_EMODB`` names a
copy of EMO-DB, each time in a process of its own, and writes processor and elapsed
seconds to ``benchmarks/results/fold.json``. A first run fills the cache and is not
counted, unless ``--cache`` names a folder that is there. With ``--before``, the package
of another checkout takes turns, and its times, the ratio and the largest difference of
the probabilities are written as well. BLAS has as many threads as it takes, as for
users.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from _results import RESULTS as FOLDER
from _smoke import parse_options, skip
from _timing import ratio, write_json

RESULTS = FOLDER / "fold.json"
ROOT = Path(__file__).parent.parent
SEED = 1


def main():
    options = parse()
    if options.measure:
        print(json.dumps(measure(options.cache)))
        return
    if not os.environ.get("SKEMOTION_EMODB"):
        skip("SKEMOTION_EMODB names no copy of EMO-DB")
    ways = {"now": ROOT}
    if options.before:
        ways = {"before": options.before, **ways}
    with tempfile.TemporaryDirectory() as folder:
        found = {name: [] for name in ways}
        to_fill = not (options.cache and options.cache.exists())
        for number in range(options.repeats + to_fill):
            for name, root in ways.items():
                run = in_new_process(root, options.cache or Path(folder) / name)
                print(name, run["seconds"], flush=True)
                if number >= to_fill:
                    found[name].append(run)
    write_json(RESULTS, {"repeats": options.repeats, **summarise(found)}, trains=True)


def summarise(found):
    """Return medians over rounds and, of two ways, how they compare."""
    result = {
        name: {
            what: round(median(run["seconds"][what] for run in runs), 2)
            for what in runs[0]["seconds"]
        }
        for name, runs in found.items()
    }
    if "before" in found:
        times = {
            name: [run["seconds"]["processor"] for run in runs]
            for name, runs in found.items()
        }
        result["processor_ratio"] = round(ratio(times, "now", "before"), 3)
        result["largest_difference"] = max(
            abs(one - other)
            for rows in zip(*(found[n][0]["probabilities"] for n in found), strict=True)
            for one, other in zip(*rows, strict=True)
        )
    return result


def in_new_process(root, cache):
    """Return what :func:`measure` does with the package of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-W", "ignore", __file__, "--measure"]
    done = subprocess.run(
        [*command, "--cache", str(cache)],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(cache):
    """Return seconds of a process that fits and predicts, and what it predicts."""
    start = time.perf_counter()
    from _smoke import shrink

    from skemotion import make_emotion_pipeline
    from skemotion.datasets import load_emodb

    corpus = load_emodb(os.environ["SKEMOTION_EMODB"])
    test = corpus.speakers == "03"
    train = ~test
    pipeline = shrink(make_emotion_pipeline(random_state=SEED, memory=str(cache)))
    groups = corpus.speakers[train]
    pipeline.fit(corpus.paths[train], corpus.target[train], groups=groups)
    fitted = time.process_time()
    probabilities = pipeline.predict_proba(corpus.paths[test])
    return {
        "seconds": {
            "processor": time.process_time(),
            "processor_of_predictions": time.process_time() - fitted,
            "elapsed": time.perf_counter() - start,
        },
        "probabilities": probabilities.tolist(),
    }


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="root of another checkout")
    parser.add_argument("--cache", type=Path, help="a folder that is kept")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    return parse_options(parser, "--repeats 1")


if __name__ == "__main__":
    main()
