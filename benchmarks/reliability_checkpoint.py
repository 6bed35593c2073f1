"""Kill trainings at random moments, go on with them, and compare bits.

    python benchmarks/reliability_checkpoint.py

kills trainings of ``AttentionBLSTMClassifier(checkpoint=...)`` and of
``skemotion train --checkpoint`` by SIGKILL, several times each: at random times, in
the middle of a write, and right before and after the file gets its name. It goes on
with each until it ends, and compares it with one that nobody has disturbed: weights,
what the optimizer keeps, what layers draw from, history and probabilities; for the
command, the model's file. Then it measures what keeping costs. It writes
``benchmarks/results/reliability/checkpoint.json``. All is on synthetic data.
"""

import argparse
import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from _results import RESULTS as FOLDER
from _smoke import fewer, parse_options, shrink
from _timing import write_json

RESULTS = FOLDER / "reliability" / "checkpoint.json"
PACKAGES = "numpy", "keras", "tensorflow", "safetensors"
MOMENTS = "anywhere", "write", "before the rename", "after the rename"
MOMENTS = MOMENTS[: fewer(4, 1)]
READY = "ready"
_N_EPOCHS = fewer(12, 4)


def main():
    args = _parse_arguments()
    if args.role:
        ROLES[args.role](args)
        return
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for row in make_rows(Path(folder), args, rng):
            rows.append(row)
            print(row, flush=True)
            _write(rows)


def make_rows(folder, args, rng):
    """Yield rows as they are found out."""
    expected = _run("fit", folder / "none")[0]
    for moment in MOMENTS:
        yield kill_fits(folder, moment, expected, args, rng)
    yield measure_cost(folder, args)
    yield kill_commands(folder, args, rng)


def _write(rows):
    result = {
        "title": "Trainings that are killed",
        "command": f"python benchmarks/{Path(__file__).name}",
        "date": date.today().isoformat(),
        "versions": {name: version(name) for name in PACKAGES},
        "rows": rows,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    write_json(RESULTS, result, trains=True)


def kill_fits(folder, moment, expected, args, rng):
    """Return a row for fits that are killed at such a moment."""
    n_kills = n_equal = n_resumed = 0
    for trial in range(args.trials):
        kept = folder / f"{moment}-{trial}".replace(" ", "-")
        for _ in range(args.kills):
            n_kills += _kill("fit", kept, moment, rng)
        digest, n_epochs = _run("fit", kept, "--kept")
        n_equal += digest == expected
        n_resumed += int(n_epochs) < _N_EPOCHS
    return {
        "what": f"SIGKILL of a fit, {_WORDS[moment]}",
        "tried": n_kills,
        "happened": f"{n_equal} of {args.trials} trainings ended with the same bits, "
        f"{n_resumed} of them without beginning anew",
        "defects": args.trials - n_equal,
        "mended": "",
    }


_WORDS = {
    "anywhere": "at a random time",
    "write": "with a part of the file written",
    "before the rename": "before the file has its name",
    "after the rename": "after the file has its name",
}


def kill_commands(folder, args, rng):
    """Return a row on ``skemotion train --checkpoint``."""
    from skemotion.datasets import make_emotional_speech

    corpus = folder / "speech"
    make_emotional_speech(3, fewer(4, 1), folder=corpus, random_state=0)
    whole = folder / "whole.skemotion"
    start = time.monotonic()
    subprocess.run(_command(corpus, whole), check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    n_kills = n_equal = 0
    for trial in range(args.trials):
        out = folder / f"{trial}.skemotion"
        command = _command(corpus, out, folder / f"command-{trial}")
        for _ in range(args.kills):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.3, 0.9) * seconds)
            if process.poll() is None:
                process.kill()
                n_kills += 1
            process.wait()
        if not out.exists():
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        n_equal += out.read_bytes() == whole.read_bytes()
    return {
        "what": "SIGKILL of skemotion train --checkpoint, at a random time",
        "tried": n_kills,
        "happened": f"{n_equal} of {args.trials} models are equal, byte for byte, to "
        "one that was trained undisturbed",
        "defects": args.trials - n_equal,
        "mended": "",
    }


def _command(corpus, out, kept=None):
    words = [sys.executable, "-m", "skemotion", "train", str(corpus), "-o", str(out)]
    words += [
        "--recipe",
        "descriptors",
        "--set",
        f"classify__epochs={fewer(10, 2)}",
        "-q",
    ]
    words += ["--set", "augment__n_copies=1", "--set", "classify__n_members=2"]
    return words + (["--checkpoint", str(kept)] if kept else [])


def measure_cost(folder, args):
    """Return a row on the processor time of a training that is kept."""
    plain, kept = [], []
    for number in range(args.repeats):  # in turns, for the machine has other work
        plain.append(_run("cost", folder / "none"))
        kept.append(_run("cost", folder / f"cost-{number}", "--kept"))
    plain_s, kept_s = (min(float(each[0]) for each in many) for many in (plain, kept))
    _, wall, n_writes, write_ms, n_bytes = kept[0]
    return {
        "what": "Processor time of a training of the recommended network on 400 "
        f"sequences of 63 frames, for {float(wall):.0f} s",
        "tried": args.repeats,
        "happened": f"{plain_s:.1f} s, and {kept_s:.1f} s kept every ten seconds: "
        f"{n_writes} writes of {int(n_bytes) / 1e6:.1f} MB, {float(write_ms):.0f} ms "
        "each",
        "defects": 0,
        "mended": "",
    }


def _start(role, folder, *options):
    command = [sys.executable, __file__, "--role", role, "--folder", str(folder)]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)


def _run(role, folder, *options):
    """Return the words of the last line that a process of this script prints."""
    process = _start(role, folder, *options)
    out, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{role} ended with {process.returncode}")
    return out.splitlines()[-1].split()


def _kill(role, folder, moment, rng):
    """Begin a training, and kill it; return whether it was killed before its end."""
    if moment != "anywhere":
        number = str(rng.randrange(1, 12))
        process = _start(role, folder, "--kept", "--moment", moment, "--at", number)
    else:
        process = _start(role, folder, "--kept")
        for line in process.stdout:
            if line.strip() == READY:
                break
        time.sleep(rng.uniform(0.0, 1.5))
        process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def fit(args):
    """Train, perhaps be killed, and print a digest and the number of epochs."""
    from skemotion import AttentionBLSTMClassifier
    from skemotion.networks import _keeping, import_keras

    keras = import_keras()
    _keeping.SECONDS, _keeping._MAX_SHARE = 0.0, 1e9  # so that there is much to kill
    _die_at(args.moment, args.at)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 20, 6)).astype(np.float32), np.arange(90) % 3
    began = []
    classifier = AttentionBLSTMClassifier(
        units=8,
        dropout=0.3,
        noise=0.2,
        n_members=2,
        schedule="one_cycle",
        early_stopping=True,
        patience=_N_EPOCHS,
        epochs=_N_EPOCHS,
        batch_size=16,
        random_state=0,
        checkpoint=args.folder if args.kept else None,
        callbacks=keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: began.append(epoch)
        ),
    ).fit(X, y)
    digest = hashlib.sha256(classifier.predict_proba(X).tobytes())
    model = classifier.model_
    for variable in [*model.variables, *model.optimizer.variables]:
        digest.update(variable.numpy().tobytes())
    digest.update(repr(sorted(classifier.history_.items())).encode())
    print(digest.hexdigest(), len(began))


def _die_at(moment, number):
    """Let the process tell that it has written, or kill itself in a later write."""
    from skemotion import _files
    from skemotion.networks import _checkpoint

    n_left, replace, write = [number], os.replace, _checkpoint.write_file

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def replace_and_die(*paths):
        n_left[0] -= 1
        if n_left[0] == 0 and moment == "before the rename":
            die()
        replace(*paths)
        print(READY, flush=True)
        if n_left[0] == 0:
            die()

    def write_and_die(path, content):
        if n_left[0] > 1 or moment != "write":
            write(path, content)
            return
        part = random.randrange(len(content))
        with (
            _files.atomic_path(path) as temporary,
            open(temporary, "wb", buffering=0) as file,
        ):
            file.write(content[:part])
            die()

    _files.os.replace = replace_and_die
    _checkpoint.write_file = write_and_die


def cost(args):
    """Print processor time, wall time, and number, time and size of writes."""
    from skemotion import make_emotion_pipeline
    from skemotion.networks import _checkpoint

    write, seconds, sizes = _checkpoint.Checkpoint._write, [], [0]

    def note(self, kept):
        start = time.perf_counter()
        write(self, kept)
        seconds.append(time.perf_counter() - start)
        sizes.append(self.path.stat().st_size)

    _checkpoint.Checkpoint._write = note
    rng = np.random.default_rng(0)
    n = fewer(400, 14)
    X, y = rng.normal(size=(n, 63, 512)).astype(np.float32), np.arange(n) % 7
    classifier = shrink(make_emotion_pipeline(random_state=0))["classify"]
    classifier.set_params(
        checkpoint=args.folder if args.kept else None, epochs=fewer(8, 1)
    )
    before, start = _processor_time(), time.perf_counter()
    classifier.fit(X, y)
    took = time.perf_counter() - start
    mean = 1000 * sum(seconds) / max(len(seconds), 1)
    print(_processor_time() - before, took, len(seconds), mean, max(sizes))


def _processor_time():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


ROLES = {"fit": fit, "cost": cost}


def _parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=1, help="trainings of each kind")
    parser.add_argument("--kills", type=int, default=3, help="kills of each training")
    parser.add_argument("--repeats", type=int, default=1, help="of timed trainings")
    parser.add_argument("--seed", type=int, default=0)
    for name in ("--role", "--folder", "--moment"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--at", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--kept", action="store_true", help=argparse.SUPPRESS)
    return parse_options(parser, "--kills 1")


if __name__ == "__main__":
    main()
