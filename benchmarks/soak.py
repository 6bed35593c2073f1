"""Ten thousand predictions by one process: what grows, and whether the bits stay.

Short recordings of several kinds, some that cannot be read among them, go one by one
through the model that ships, and through a small network of the post's recipe. Memory,
threads and open files are noted as it goes, and their slopes after the first fifth.

    python benchmarks/soak.py                     # both, half an hour or more
    python benchmarks/soak.py --predictions 500 --model post
"""

import argparse
import gc
import io
import json
import os
import sys
import tempfile
import time
import warnings
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from _reliability import write_rows
from _results import RESULTS as FOLDER
from _smoke import parse_options

RESULTS = FOLDER / "reliability" / "soak.json"
_N_SAMPLES = 100  # how often memory is looked at
_WARM_UP = 0.2  # the part of a run in which it may grow
# What counts as level, over a run after its warm-up.
_LEVEL = {"memory": 30.0, "threads": 0.5, "handles": 0.5}
_UNITS = {"memory": "MB", "threads": "threads", "handles": "open files"}
COMMAND = "python benchmarks/soak.py"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--predictions", type=int, default=10_000)
    parser.add_argument("--model", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parse_options(parser, "--predictions 3 --model post")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        recordings = make_recordings(Path(folder))
        for name in options.model:
            model = MODELS[name]()
            found = soak(model, recordings, options.predictions)
            print(name, json.dumps(found), flush=True)
            rows.append(describe(name, found))
            write_rows(options.output, "Soak", COMMAND, rows)


def load_shipped():
    from skemotion import load_pretrained

    return load_pretrained()


def train_small():
    """Train a network as the post has it, of few units, on synthetic speech."""
    from skemotion import make_emotion_pipeline
    from skemotion.datasets import make_emotional_speech

    speech = make_emotional_speech(n_speakers=2, n_texts=4, random_state=0)
    pipeline = make_emotion_pipeline("post", random_state=0)
    pipeline.set_params(classify__units=16, classify__epochs=2)
    rate = speech.sampling_rate
    return pipeline.fit([(signal, rate) for signal in speech.signals], speech.target)


MODELS = {"post": train_small, "shipped": load_shipped}


def make_recordings(folder):
    """Make recordings of all kinds that are taken, and some that are not."""
    import soundfile

    from skemotion.datasets import make_emotional_speech

    speech = make_emotional_speech(n_speakers=2, n_texts=2, random_state=1)
    rate = speech.sampling_rate
    made = []
    kinds = ("wav", "flac", "ogg", "mp3", "file", "pair", "dict", "segment", "bad")
    for number, (signal, kind) in enumerate(
        zip(speech.signals, cycle(kinds), strict=False)
    ):
        signal = signal[: rate * (1 + number % 3)]
        path = folder / f"{number}.{kind if len(kind) < 5 else 'wav'}"
        if kind in ("wav", "flac", "ogg", "mp3"):
            soundfile.write(path, signal, rate)
            made.append(str(path))
        elif kind == "bad":
            path.write_bytes(b"no audio" * 100)
            made.append(str(path))
        else:
            content = io.BytesIO()
            soundfile.write(content, signal, rate, format="WAV")
            made.append(
                {
                    "file": content,
                    "pair": (signal, rate),
                    "dict": {"bytes": content.getvalue(), "path": None},
                    "segment": ((signal, rate), 0.1, 0.9),
                }[kind]
            )
    return made


def soak(model, recordings, n_predictions):
    """Return what was noted, and whether the last answers equal the first."""
    first = [predict(model, recording) for recording in recordings]
    every = max(n_predictions // _N_SAMPLES, 1)
    noted, n_refused, start = [], 0, time.perf_counter()
    for number, recording in enumerate(islice(cycle(recordings), n_predictions)):
        answer = predict(model, recording)
        n_refused += answer is None
        if number % every == 0:
            noted.append((number, *look()))
            print(*noted[-1], file=sys.stderr, flush=True)
    last = [predict(model, recording) for recording in recordings]
    number, *columns = map(np.array, zip(*noted, strict=True))
    late = number >= _WARM_UP * n_predictions
    measured = dict(zip(_LEVEL, columns, strict=True))
    return {
        "n_predictions": n_predictions,
        "n_refused": n_refused,
        "seconds": round(time.perf_counter() - start, 1),
        "equal": first == last,
        "slopes": {
            name: float(np.polyfit(number[late] / 1000, values[late], 1)[0])
            for name, values in measured.items()
        },
        "begins": {name: float(values[late][0]) for name, values in measured.items()},
        "ends": {name: float(values[-1]) for name, values in measured.items()},
    }


def predict(model, recording):
    """Return the bytes of probabilities, or None for what cannot be read."""
    from skemotion.exceptions import AudioError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return model.predict_proba([recording]).tobytes()
        except AudioError:
            return None


def look():
    """Return megabytes of memory, threads and open files of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return (
        megabytes,
        len(os.listdir("/proc/self/task")),
        len(os.listdir("/proc/self/fd")),
    )


def describe(name, found):
    """Return what became of one model, as a row of the page."""
    n_thousands = (1 - _WARM_UP) * found["n_predictions"] / 1000
    told, n_defects = [], int(not found["equal"])
    for measure, most in _LEVEL.items():
        slope, unit = found["slopes"][measure], _UNITS[measure]
        begins, ends = found["begins"][measure], found["ends"][measure]
        told.append(
            f"{begins:.0f} {unit} after the first fifth, {ends:.0f} in the end (slope "
            f"{slope:.2f} a thousand predictions)"
        )
        n_defects += int(slope * n_thousands > most)
    told.append(f"{'equal' if found['equal'] else 'other'} bits first and last")
    return {
        "what": f"predictions of one process, model {name}",
        "tried": found["n_predictions"],
        "happened": "; ".join(told),
        "defects": n_defects,
        "mended": "",
    }


if __name__ == "__main__":
    main()
