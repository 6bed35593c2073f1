"""Time prediction: one recording, many recordings, and a cold start.

    python benchmarks/bench_prediction.py

trains networks for one epoch, which predict as fast as good ones, times what
they make of recordings and prints milliseconds: for one row beside Keras' own
ways, for one recording from the file to the probabilities, and for many beside
what extraction and forward pass alone take. The ways take turns. Last comes
``skemotion predict`` in fresh processes, and the packages whose import takes
longest there. It writes ``benchmarks/results/prediction.json``. The recordings
are EMO-DB's where ``SKEMOTION_EMODB`` names a copy, and synthetic ones elsewhere.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import joblib
from _results import RESULTS as FOLDER
from _smoke import fewer, parse_options, shrink
from _timing import interleave, ratio, report, write_json

from skemotion import AttentionBLSTMClassifier, make_emotion_pipeline
from skemotion.datasets import load_emodb, make_emotional_speech

RESULTS = FOLDER / "prediction.json"
NETWORKS = {
    "256": AttentionBLSTMClassifier(256, epochs=1, random_state=0),
    "256-masked": AttentionBLSTMClassifier(
        256, ignore_padding=True, epochs=1, random_state=0
    ),
}


def main():
    args = _parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        recordings, labels = load_recordings(Path(folder))
        pipelines = train(recordings, labels, Path(folder))
        few = fewer(3, 1)
        result = {
            "one_recording_ms": time_one(pipelines, recordings, args.repeats),
            "many_recordings": time_many(pipelines["default"], recordings, few),
            "cold_start": time_cold_start(
                Path(folder) / "default.joblib", recordings[0], few
            ),
        }
    write_json(RESULTS, result)
    print(json.dumps(result, indent=2))


def load_recordings(folder):
    """Return paths of recordings of up to five seconds, and their labels."""
    if os.environ.get("SKEMOTION_EMODB"):
        corpus = load_emodb(os.environ["SKEMOTION_EMODB"])
    else:
        corpus = make_emotional_speech(folder=folder, random_state=0)
    first = fewer(len(corpus.paths), 28)
    return list(corpus.paths)[:first], corpus.target[:first]


def train(recordings, labels, folder):
    """Train the default recipe and the networks; return them as loaded again."""
    default = make_emotion_pipeline(random_state=0)
    pipelines = {
        "default": default,
        **{
            name: make_emotion_pipeline("post", random_state=0).set_params(
                classify=network
            )
            for name, network in NETWORKS.items()
        },
    }
    loaded = {}
    for name, pipeline in pipelines.items():
        for parameter in pipeline.get_params():
            if parameter.endswith("epochs"):
                pipeline.set_params(**{parameter: 1})
        shrink(pipeline)
        every = fewer(4, 1)
        pipeline.fit(recordings[::every], labels[::every])
        path = folder / f"{name}.joblib"
        joblib.dump(pipeline, path)
        loaded[name] = joblib.load(path)
    return loaded


def time_one(pipelines, recordings, repeats):
    """Time one recording, and one row of features by Keras' own ways."""
    ways = {
        f"pipeline {name}": lambda pipeline=pipeline: pipeline.predict(recordings[:1])
        for name, pipeline in pipelines.items()
    }
    for name in NETWORKS:
        row = pipelines[name][:-1][:2].transform(recordings[:1])
        model = pipelines[name]["classify"].model_
        ways |= {
            f"{name} predict_proba": lambda name=name, row=row: pipelines[name][
                "classify"
            ].predict_proba(row),
            f"{name} keras predict_on_batch": lambda m=model, r=row: m.predict_on_batch(
                r
            ),
            f"{name} keras predict": lambda m=model, r=row: m.predict(r, verbose=0),
        }
    interleave(ways, 2)  # traces
    times = interleave(ways, repeats)
    print(report("one recording", times, next(iter(ways))), flush=True)
    return {name: 1000 * median(seconds) for name, seconds in times.items()}


def time_many(pipeline, recordings, repeats):
    """Time many recordings, and the parts that they cannot do without."""
    X = pipeline[:-1][:2].transform(recordings)
    ways = {
        "predict_proba": lambda: pipeline.predict_proba(recordings),
        "extraction": lambda: pipeline["extract"].transform(recordings),
        "forward pass": lambda: pipeline["classify"].predict_proba(X),
    }
    interleave(ways, 1)
    times = interleave(ways, repeats)
    times["parts"] = [
        a + b for a, b in zip(times["extraction"], times["forward pass"], strict=True)
    ]
    print(report(f"{len(recordings)} recordings", times, "parts"), flush=True)
    return {
        "recordings": len(recordings),
        "seconds": {name: median(seconds) for name, seconds in times.items()},
        "throughput_by_parts": 1 / ratio(times, "predict_proba", "parts"),
    }


def time_cold_start(model, recording, repeats):
    """Time the command in fresh processes; name the imports that take longest."""
    command = ["-m", "skemotion", "predict", "-m", str(model), str(recording)]

    def run(*options):
        return subprocess.run(
            [sys.executable, *options, *command],
            check=True,
            capture_output=True,
            text=True,
        )

    times = interleave({"skemotion predict": run}, repeats)
    imports = {}
    for line in run("-X", "importtime").stderr.splitlines():
        found = re.fullmatch(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", line)
        if found:
            package = found[2].partition(".")[0]
            imports[package] = imports.get(package, 0) + int(found[1]) / 1e6
    longest = sorted(imports.items(), key=lambda item: -item[1])[:12]
    return {
        "seconds": median(times["skemotion predict"]),
        "import_seconds": {name: round(seconds, 2) for name, seconds in longest},
    }


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15)
    return parse_options(parser, "--repeats 1")


if __name__ == "__main__":
    main()
