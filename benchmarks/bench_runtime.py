"""What predictions cost with and without TensorFlow: starting, memory, rate, latency.

    python benchmarks/bench_runtime.py

The commands are started anew each time, one way after the other, and their processor
seconds and peak memory are those of the process; medians over repeats. Rates are of
made recordings of 5 s, by threads that share a model, and by processes.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import soundfile
from _results import RESULTS as FOLDER
from _smoke import fewer, parse_options
from _timing import write_json

RESULTS = FOLDER / "runtime.json"
RATE, SECONDS = 16_000, 5.0
WORKERS = (1, 2, 4, 8)[: fewer(4, 1)]
# The peak of a process begins with that of the one that starts it, so that a small one
# does, and tells the usage of what it has started.
STARTER = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""
COMMAND = """
import sys
import importlib.util
hidden = sys.argv.pop(1)
if hidden != "none":
    found = importlib.util.find_spec
    importlib.util.find_spec = (
        lambda name, *more: None if name == hidden else found(name, *more)
    )
from skemotion.cli import main
sys.exit(main(sys.argv[1:]))
"""
# What is hidden, and whether the model is a copy of its bundle, which TensorFlow runs.
WAYS = {
    "ONNX Runtime": ("none", False),
    "NumPy": ("onnxruntime", False),
    "TensorFlow": ("none", True),
}


def make_recordings(folder, n_recordings):
    """Write made speech that lasts 5 s each."""
    from skemotion.datasets import make_emotional_speech

    speech = make_emotional_speech(n_speakers=2, n_texts=3, random_state=0)
    n_samples = int(RATE * SECONDS)
    paths = []
    for number in range(n_recordings):
        signal = np.resize(speech.signals[number % len(speech.signals)], n_samples)
        paths.append(str(folder / f"{number}.wav"))
        soundfile.write(paths[-1], signal, RATE)
    return paths


def time_command(hidden, arguments):
    """Return seconds that passed, processor seconds and megabytes of one command."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", STARTER]
        + [sys.executable, "-W", "ignore", "-c", COMMAND, hidden, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    passed = time.perf_counter() - start
    code, cpu, kilobytes = json.loads(done.stdout)
    if code:
        raise SystemExit(done.stderr)
    return passed, cpu, kilobytes / 1e3


def time_commands(tasks, repeats, folder):
    """Return medians of each task, by each way, the ways in turn."""
    found = {(task, way): [] for task in tasks for way in WAYS}
    for _ in range(repeats):
        for task, arguments in tasks.items():
            for way, (hidden, is_copied) in WAYS.items():
                named = name_model(arguments, folder if is_copied else None)
                found[task, way].append(time_command(hidden, named))
    return [
        {
            "task": task,
            "way": way,
            "seconds": round(median(each[0] for each in times), 2),
            "cpu_seconds": round(median(each[1] for each in times), 2),
            "megabytes": round(median(each[2] for each in times)),
        }
        for (task, way), times in found.items()
    ]


def name_model(arguments, folder):
    """Put the model of a command before its recordings, or a copy of it in a folder."""
    from skemotion.pretrained._files import BUNDLES

    command, model, *recordings = arguments
    if folder is not None:
        model = shutil.copy(BUNDLES[model], folder)
    return [command, "-m", str(model), *recordings]


def measure_rate(pool, n_workers, paths):
    """Ask for all recordings; return how many a second, and latencies."""
    list(pool.map(_ask, paths[: 2 * n_workers]))
    start = time.perf_counter()
    latencies = sorted(pool.map(_ask, paths))
    passed = time.perf_counter() - start
    return {
        "workers": n_workers,
        "per_second": round(len(paths) / passed, 1),
        "latency_50": round(latencies[len(latencies) // 2], 4),
        "latency_99": round(latencies[int(0.99 * (len(latencies) - 1))], 4),
    }


def measure_rates(paths):
    """Measure threads that share a model of one thread each, and processes."""
    rows = []
    for kind, make in (("threads", ThreadPoolExecutor), ("processes", _processes)):
        for n_workers in WORKERS:
            _open()
            with make(n_workers) as pool:
                rows.append({"kind": kind} | measure_rate(pool, n_workers, paths))
                print(rows[-1], flush=True)
    return rows


def _processes(n_workers):
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n_workers, context, initializer=_open)


def _open():
    global _model
    from skemotion.pretrained._files import BUNDLES
    from skemotion.runtime._model import load_linked

    _model = load_linked(BUNDLES["emodb"], n_threads=1)


def _ask(path):
    start = time.perf_counter()
    _model.predict_proba([path])
    return time.perf_counter() - start


def main():
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200)
    options = parse_options(parser, "--repeats 1 --requests 2")
    with tempfile.TemporaryDirectory() as folder:
        paths = make_recordings(Path(folder), options.requests)
        tasks = {
            "predict one": ["predict", "emodb", paths[0]],
            "timeline of one": ["timeline", "emodb", paths[0]],
            "predict one, descriptors": ["predict", "emodb-descriptors", paths[0]],
            "predict a hundred": ["predict", "emodb", *paths[:100]],
        }
        tasks = dict(list(tasks.items())[: fewer(len(tasks), 1)])
        commands = time_commands(tasks, options.repeats, Path(folder))
        for row in commands:
            print(row, flush=True)
        rates = measure_rates(paths)
    result = {"commands": commands, "rates": rates}
    write_json(RESULTS, result | {"cores": os.cpu_count(), "repeats": options.repeats})


if __name__ == "__main__":
    main()
