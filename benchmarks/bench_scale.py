"""Memory and time of extraction and prediction as recordings grow in number.

Every figure is taken in a process of its own, and written to the results at once,
so that an interrupted run goes on where it was, if it is of the same versions
(``_revisions.py``). Recordings are repeated up to the
number asked for: after the first pass they come from the system's cache of files.

    python benchmarks/bench_scale.py                       # all, about ten minutes
    python benchmarks/bench_scale.py --sizes 500 --predict-sizes 500 --output s.json
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from _results import RESULTS as FOLDER
from _smoke import parse_options
from _timing import write_json

RESULTS = FOLDER / "scale.json"
# What a process costs before memory can depend on the number of recordings.
BASE_SIZE = 512
ROW_BYTES = 157 * 46 * 4


def main():
    options = parse()
    if options.measure:
        print(json.dumps(measure(options.measure, options.folder, options.size)))
        return
    # Here, for what is measured shall not import it.
    from _revisions import CURRENT

    done = json.loads(options.output.read_text()) if options.output.exists() else {}
    rows = done["rows"] if done.get("revision") == CURRENT else {}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for way, sizes in plan(options):
            for size in sizes:
                name = f"{way} {size}"
                if name not in rows:
                    prepare(Path(folder), way, size)
                    rows[name] = in_new_process(way, folder, size)
                    write_json(options.output, {"rows": rows, **summary(rows)})
                print_row(name, rows[name])
    print(json.dumps(summary(rows), indent=2))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[5000, 20000])
    parser.add_argument("--predict-sizes", type=int, nargs="+", default=[2000, 5000])
    parser.add_argument("--folder", help="where temporary files go")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    return parse_options(parser, "--sizes 20 --predict-sizes 10")


def plan(options):
    yield "transform", [BASE_SIZE, *options.sizes]
    yield "extract", [BASE_SIZE, *options.sizes]
    yield "predict", [BASE_SIZE, *options.predict_sizes]


def prepare(folder, way, size):
    """Write the list of recordings, and what else a way starts from."""
    listed = folder / "list.txt"
    recordings = find_recordings(folder)
    listed.write_text("\n".join(islice(cycle(recordings), size)) + "\n")
    for name in ("X.npy", "X.csv", "out.csv"):
        (folder / name).unlink(missing_ok=True)
    if way == "predict" and not (folder / "model.joblib").exists():
        in_new_process("train", folder, size)


def find_recordings(folder):
    """Take the recordings of EMO-DB, or synthetic ones."""
    if "SKEMOTION_EMODB" in os.environ:
        emodb = Path(os.environ["SKEMOTION_EMODB"])
        return sorted(map(str, emodb.rglob("*.wav")))
    if not (folder / "speech").exists():
        in_new_process("speech", folder, 0)
    return sorted(map(str, (folder / "speech").rglob("*.wav")))


def in_new_process(way, folder, size):
    """Measure in a process that starts from this small one: peaks are inherited."""
    command = [sys.executable, __file__, "--measure", way, "--folder", str(folder)]
    done = subprocess.run(
        [*command, "--size", str(size)], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(way, folder, size):
    WAYS[way](Path(folder), 0)  # imports, and what is done once
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    WAYS[way](Path(folder), size)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "peak_mb": round(after.ru_maxrss * unit / 1e6, 1),
    }


def transform(folder, size):
    from skemotion import SpeechFeatureExtractor

    paths = (folder / "list.txt").read_text().splitlines()
    SpeechFeatureExtractor().transform(paths[: size or 1])


def extract(folder, size):
    from skemotion.cli import main

    if size:
        source = ["--files-from", str(folder / "list.txt")]
        main(["extract", *source, "--out", str(folder / "X.npy")])
    else:
        transform(folder, 1)


def train(folder, size):
    import joblib

    from skemotion import make_emotion_pipeline
    from skemotion.datasets import make_emotional_speech

    if size:
        speech = make_emotional_speech(n_speakers=2, n_texts=2, random_state=0)
        pipeline = make_emotion_pipeline(random_state=0)
        pipeline.set_params(classify__epochs=1, balance="passthrough")
        pipeline.fit(speech.signals, speech.target)
        joblib.dump(pipeline, folder / "model.joblib")


def make_speech(folder, size):
    from skemotion.datasets import make_emotional_speech

    make_emotional_speech(random_state=0, folder=folder / "speech")


def predict(folder, size):
    from skemotion.cli import main

    model = str(folder / "model.joblib")
    if size:
        source = ["--files-from", str(folder / "list.txt")]
        main(["predict", "-m", model, *source, "--out", str(folder / "out.csv")])
    else:
        paths = (folder / "list.txt").read_text().splitlines()
        main(["predict", "-m", model, paths[0]])


WAYS = {
    "transform": transform,
    "extract": extract,
    "train": train,
    "speech": make_speech,
    "predict": predict,
}


def print_row(name, row):
    print(
        f"{name:20} {row['seconds']:8.1f} s  {row['cpu_seconds']:8.1f} s of CPU  "
        f"peak {row['peak_mb']:8.1f} MB",
        flush=True,
    )


def summary(rows):
    """Work out growth over the smallest number, and the cost of a million."""
    found = {}
    for name, row in rows.items():
        way, _, size = name.partition(" ")
        base, size = rows.get(f"{way} {BASE_SIZE}"), int(size)
        if base is None or size == BASE_SIZE:
            continue
        n_more = size - BASE_SIZE
        found[name] = {
            "more_peak_mb": round(row["peak_mb"] - base["peak_mb"], 1),
            "more_array_mb": round(n_more * ROW_BYTES / 1e6, 1),
            "ms_per_recording": round(1e3 * row["seconds"] / size, 3),
            "cpu_ms_per_recording": round(1e3 * row["cpu_seconds"] / size, 3),
            "recordings_per_second": round(size / row["seconds"], 1),
        }
    return {"summary": found, "bytes_per_recording": ROW_BYTES}


if __name__ == "__main__":
    main()
