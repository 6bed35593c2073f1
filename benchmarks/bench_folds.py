"""Time an evaluation whose folds are trained one after the other, and side by side.

    python benchmarks/bench_folds.py

runs ``skemotion evaluate`` with ``--n-jobs 1`` and with more, in turns, each in a
process of its own, on synthetic speech and, where ``SKEMOTION_EMODB`` names a copy, on
some speakers of EMO-DB. Features are cached by a run before, so that training is what
is timed. It checks that the predictions are the same, byte for byte, prints elapsed
and processor seconds, and writes ``benchmarks/results/folds.json``. Elapsed times tell
something on an idle machine alone; processor times tell what the processes cost.
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
from _smoke import SMOKE, fewer, parse_options
from _timing import write_json

RESULTS = FOLDER / "folds.json"
SEED = 0


def main():
    args = _parse_arguments()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, table in make_tables(Path(folder), args).items():
            found[name] = time_table(table, args)
            print(name, json.dumps(found[name]), flush=True)
    settings = {key: getattr(args, key) for key in ("recipe", "epochs", "repeats")}
    write_json(RESULTS, {**settings, "corpora": found}, trains=True)


def make_tables(folder, args):
    """Write a table of recordings for each corpus that there is."""
    from skemotion.datasets import load_emodb, make_emotional_speech

    speech = make_emotional_speech(
        args.speakers, fewer(4, 1), folder=folder / "speech", random_state=SEED
    )
    tables = {"synthetic": _write_table(folder / "synthetic.csv", speech, args)}
    if os.environ.get("SKEMOTION_EMODB") and not SMOKE:
        corpus = load_emodb(os.environ["SKEMOTION_EMODB"])
        tables["emodb"] = _write_table(folder / "emodb.csv", corpus, args)
    return tables


def _write_table(path, corpus, args):
    rows = zip(corpus.paths, corpus.target, corpus.speakers, strict=True)
    chosen = sorted(set(corpus.speakers))[: args.speakers]
    lines = [",".join(row) for row in rows if row[2] in chosen]
    path.write_text("\n".join(["path,label,speaker", *lines]) + "\n")
    return path


def time_table(table, args):
    """Return medians over rounds for each number of processes."""
    evaluate(table, args, 1)  # fills the cache
    rounds = [
        {n_jobs: evaluate(table, args, n_jobs) for n_jobs in args.n_jobs}
        for _ in range(args.repeats)
    ]
    for runs in rounds:
        predictions = [run.pop("predictions") for run in runs.values()]
        assert len(set(predictions)) == 1, "the predictions differ"
    first = args.n_jobs[0]
    result = {
        n_jobs: {
            name: round(median(runs[n_jobs][name] for runs in rounds), 2)
            for name in rounds[0][first]
        }
        for n_jobs in args.n_jobs
    }
    for n_jobs in args.n_jobs[1:]:
        ratios = [runs[n_jobs]["elapsed"] / runs[first]["elapsed"] for runs in rounds]
        result[n_jobs]["elapsed_ratio"] = round(median(ratios), 3)
    return result


def evaluate(table, args, n_jobs):
    """Return the seconds of a run, of all its processes, and what it predicts."""
    out = table.with_suffix(f".{n_jobs}.out.csv")
    command = [sys.executable, "-m", "skemotion", "evaluate", str(table), "-q"]
    command += ["--recipe", args.recipe, "--set", f"classify__epochs={args.epochs}"]
    command += ["--cache", str(table.parent / "cache"), "--n-jobs", str(n_jobs)]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--out", str(out)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # workers that it waited for, too
    elapsed = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    predictions = out.read_bytes()
    out.unlink()
    return {
        "elapsed": elapsed,
        "processor": usage.ru_utime + usage.ru_stime,
        "predictions": predictions,
    }


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="descriptors")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--speakers", type=int, default=4, help="each a fold")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, nargs="+", default=[1, 2])
    return parse_options(parser, "--speakers 2 --epochs 1 --repeats 1 --n-jobs 1")


if __name__ == "__main__":
    main()
