"""Memory and time of extraction and prediction as recordings grow in number.

Every figure is taken in a process of its own, and written to the results at once,
so that an interrupted run goes on where it was, if it is of the same versions
(``_revisions.py``). Recordings are repeated up to the
number asked for: after the first pass they come from the system's cache of files.

    python benchmarks/bench_scale.py                # 10,000 of each, about two hours
    python benchmarks/bench_scale.py --sizes 1000 --ways predict --output s.json

"predict" is by the model that comes with the package, of the recommended recipe, which
ONNX Runtime runs; "predict by TensorFlow" is by a copy of it, as by any bundle of a
user; "encode" is the encoder of the recommended recipe, chunk by chunk. "extract" and
"transform" are of the descriptors. Then `python benchmarks/report.py` fills the page.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from itertools import cycle, islice
from pathlib import Path

from _results import RESULTS as FOLDER
from _smoke import fewer, parse_options
from _timing import write_json

RESULTS = FOLDER / "scale.json"
# What a process costs before memory can depend on the number of recordings.
BASE_SIZE = fewer(512, 2)
ROW_BYTES = 157 * 46 * 4  # of the array that "extract" and "transform" make
CHUNK_SIZE = 512
MODEL = "own.skemotion"
SHOWN = ("transform", "extract", "encode", "predict", "predict by TensorFlow")


def main():
    options = parse()
    if options.measure:
        print(json.dumps(measure(options.measure, options.folder, options.size)))
        return
    # Here, for what is measured shall not import it.
    from _revisions import parts_of_predictions

    done = json.loads(options.output.read_text()) if options.output.exists() else {}
    rows = done["rows"] if done.get("revision") == parts_of_predictions() else {}
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
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000])
    parser.add_argument("--ways", nargs="+", choices=SHOWN, default=SHOWN)
    parser.add_argument("--folder", help="where temporary files go")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    return parse_options(parser, "--sizes 3 --ways transform predict")


def plan(options):
    for way in options.ways:
        yield way, [BASE_SIZE, *options.sizes]


def prepare(folder, way, size):
    """Write the list of recordings, and what else a way starts from."""
    listed = folder / "list.txt"
    recordings = find_recordings(folder)
    listed.write_text("\n".join(islice(cycle(recordings), size)) + "\n")
    for name in ("X.npy", "X.csv", "out.csv"):
        (folder / name).unlink(missing_ok=True)
    if way == "predict by TensorFlow":
        from skemotion.pretrained._files import BUNDLES

        shutil.copy(BUNDLES["emodb"], folder / MODEL)


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


def make_speech(folder, size):
    from skemotion.datasets import make_emotional_speech

    make_emotional_speech(random_state=0, folder=folder / "speech")


def encode(folder, size):
    from skemotion import SpeechEncoder

    paths = (folder / "list.txt").read_text().splitlines()[: size or 1]
    encoder = SpeechEncoder().fit(paths)
    for start in range(0, len(paths), CHUNK_SIZE):
        encoder.transform(paths[start : start + CHUNK_SIZE])


def predict(folder, size, model=()):
    from skemotion.cli import main

    listed = folder / "list.txt"
    if size:
        source = ["--files-from", str(listed), "--out", str(folder / "out.csv")]
    else:
        source = [listed.read_text().splitlines()[0]]
    with redirect_stdout(sys.stderr):  # where figures are not
        code = main(["predict", *model, *source])
    if code:
        raise SystemExit(code)


def predict_by_pipeline(folder, size):
    predict(folder, size, ["-m", str(folder / MODEL)])


WAYS = {
    "transform": transform,
    "extract": extract,
    "encode": encode,
    "speech": make_speech,
    "predict": predict,
    "predict by TensorFlow": predict_by_pipeline,
}


def print_row(name, row):
    print(
        f"{name:28} {row['seconds']:8.1f} s  {row['cpu_seconds']:8.1f} s of CPU  "
        f"peak {row['peak_mb']:8.1f} MB",
        flush=True,
    )


def summary(rows):
    """Work out growth over the smallest number, and the cost of a million."""
    found = {}
    for name, row in rows.items():
        way, _, size = name.rpartition(" ")
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
