"""Where a cold start goes: one recording predicted by a new process.

Stages are timed in the order in which ``skemotion predict`` meets them, each as
processor seconds of a new process, and as seconds that passed; the medians over
repeats are written down. The last rows are the command itself: with that model, which
TensorFlow runs, and with the one that comes with the package, by ONNX Runtime.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from _results import RESULTS as FOLDER
from _smoke import parse_options
from _timing import write_json

RESULTS = FOLDER / "start.json"

STAGES = """
import json, sys, time
laps, last = {}, (time.perf_counter(), time.process_time())
def lap(name):
    global last
    now = time.perf_counter(), time.process_time()
    laps[name] = [now[0] - last[0], now[1] - last[1]]
    last = now
import numpy
lap("import numpy")
import sklearn.base, sklearn.utils
lap("import scikit-learn")
import imblearn.pipeline
lap("import imbalanced-learn")
import skemotion.pipeline, skemotion.cli._predict
lap("import skemotion")
from skemotion.networks import import_keras
import_keras()
import scikeras.wrappers
lap("import Keras and TensorFlow")
import joblib
model = joblib.load(sys.argv[1])
lap("load the model")
X = model["extract"].transform(sys.argv[2:])
lap("extract, for the first time")
model.sequence_steps.predict_proba(X)
lap("predict, for the first time")
model.predict_proba(sys.argv[2:])
lap("both again")
print(json.dumps(laps))
"""

TRAIN = """
import sys
import joblib
from skemotion import make_emotion_pipeline
from skemotion.datasets import make_emotional_speech
speech = make_emotional_speech(n_speakers=2, n_texts=2, folder=sys.argv[1])
pipeline = make_emotion_pipeline(random_state=0)
pipeline.set_params(classify__epochs=1, augment="passthrough", balance="passthrough")
joblib.dump(pipeline.fit(speech.paths, speech.target), sys.argv[2])
print(speech.paths[0])
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parse_options(parser, "--repeats 1")
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model.joblib")
        recording = run("-c", TRAIN, folder, model).splitlines()[-1]
        rounds = [measure(model, recording) for _ in range(options.repeats)]
    stages = {
        name: {
            "seconds": round(median(laps[name][0] for laps in rounds), 3),
            "cpu_seconds": round(median(laps[name][1] for laps in rounds), 3),
        }
        for name in rounds[0]
    }
    for name, row in stages.items():
        print(f"{name:30} {row['seconds']:7.2f} s {row['cpu_seconds']:7.2f} s of CPU")
    write_json(options.output, {"stages": stages, "repeats": options.repeats})


def measure(model, recording):
    laps = json.loads(run("-c", STAGES, model, recording))
    laps["skemotion predict -m"] = measure_command("-m", model, recording)
    laps["skemotion predict"] = measure_command(recording)
    return laps


def measure_command(*arguments):
    before, start = _cpu_of_children(), time.perf_counter()
    run("-m", "skemotion", "predict", *arguments)
    return [time.perf_counter() - start, _cpu_of_children() - before]


def run(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
