"""Time training: bare Keras, and this package on the same graph.

    python benchmarks/bench_training.py

trains every way in a process of its own, since thread settings are a process's,
and lets the processes take turns, one fit each, so that a slow spell of the
machine hits all. It prints milliseconds per recording and epoch, what a fit costs
beside its epochs, and memory, and writes them with ratios of elapsed time, which other
work on the machine moves, and of processor time to
``benchmarks/results/training.json``. The sequences are EMO-DB's, balanced by
SMOTE as in the post, where ``SKEMOTION_EMODB`` names a copy, and random ones of
the same lengths elsewhere. PyTorch and JAX take part where they are installed.

Ways
----
keras
    ``keras.Model.fit`` with TensorFlow's own thread settings.
keras-one-thread
    The same with one thread for each product (``TF_NUM_INTRAOP_THREADS=1``).
keras-xla
    ``keras`` compiled by XLA. Only with ``--all``: it takes minutes to compile.
skemotion
    ``AttentionBLSTMClassifier.fit`` as it comes, on the same graph.
keras-masked, skemotion-masked
    The same two where padding is masked.
torch, keras-jax
    ``torch.nn.LSTM`` with the same attention; Keras on JAX.
"""

import argparse
import gc
import importlib.util
import json
import multiprocessing
import os
import resource
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from _results import RESULTS as FOLDER
from _smoke import fewer, parse_options
from _timing import write_json

RESULTS = FOLDER / "training.json"
SEED = 0
N_REFITS = fewer(150, 2)


def main():
    args = _parse_arguments()
    X, y = load_training_set(args.recordings)
    names = [name for name in WAYS if _is_available(name, args)]
    workers = {name: Worker(name, X, y, args) for name in names}
    fits = {name: [worker.fit()] for name, worker in workers.items()}  # traces
    for _ in range(args.repeats):
        for name, worker in workers.items():
            fits[name].append(worker.fit())
            print(name, _per_recording(fits[name][-1], X), flush=True)
    refits = {name: workers[name].grow() for name in names if name in GROWING}
    result = {
        "recordings": len(X),
        "units": args.units,
        "epochs": args.epochs,
        "repeats": args.repeats,
        "ways": {name: summarise(name, fits, X) for name in names},
        "refits": refits,
    }
    write_json(RESULTS, result, trains=True)
    print(json.dumps(result, indent=2))


def summarise(name, fits, X):
    """Reduce the fits of a way, of which the first traced the graph."""
    first, *timed = fits[name]
    baseline = "keras-masked" if name.endswith("masked") else "keras"
    pairs = list(zip(timed, fits[baseline][1:], strict=True))
    return {
        "ms_per_recording_and_epoch": median(_per_recording(fit, X) for fit in timed),
        **{
            f"{name}ratio_to_{baseline}": median(
                median(fit[times]) / median(other[times]) for fit, other in pairs
            )
            for name, times in (("", "epochs"), ("processor_", "processor"))
        },
        "seconds_beside_epochs": median(fit["beside"] for fit in timed),
        "seconds_beside_epochs_first": first["beside"] + first["epochs"][0],
        "peak_megabytes": timed[-1]["peak_megabytes"],
    }


def _per_recording(fit, X):
    return 1000 * median(fit["epochs"]) / len(X)


def load_training_set(n_recordings):
    """Return sequences, and codes of their classes."""
    folder = os.environ.get("SKEMOTION_EMODB")
    if not folder:
        rng = np.random.default_rng(SEED)
        X = rng.normal(size=(n_recordings, 157, 46)).astype(np.float32)
        lengths = rng.integers(38, 158, size=n_recordings)
        X[np.arange(157) < (157 - lengths)[:, np.newaxis]] = 0
        return X, np.arange(n_recordings) % 7
    from skemotion import SequenceSampler, SequenceScaler, SpeechFeatureExtractor
    from skemotion.datasets import load_emodb

    corpus = load_emodb(folder)
    X = SpeechFeatureExtractor().transform(corpus.paths)
    X = SequenceScaler(ignore_padding=True, loudness=5).fit_transform(X)
    X, y = SequenceSampler(random_state=SEED).fit_resample(X, corpus.target)
    rows = np.random.default_rng(SEED).permutation(len(X))[:n_recordings]
    return X[rows], np.unique(y, return_inverse=True)[1][rows]


class Worker:
    """A process that trains one way whenever it is told to."""

    def __init__(self, name, X, y, args):
        context = multiprocessing.get_context("spawn")
        self.connection, child = context.Pipe()
        environment = WAYS[name]["environment"]
        os.environ.update(environment)
        context.Process(
            target=_serve, args=(child, name, X, y, args), daemon=True
        ).start()
        assert self.connection.recv() == "ready"
        for variable in environment:
            del os.environ[variable]

    def fit(self):
        """Return the times of a fit."""
        self.connection.send("fit")
        return self.connection.recv()

    def grow(self, n_refits=N_REFITS):
        """Return seconds and megabytes that a small refit costs."""
        self.connection.send(n_refits)
        return self.connection.recv()


def _serve(connection, name, X, y, args):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    train = WAYS[name]["make"](X, y, args)
    connection.send("ready")
    while True:
        order = connection.recv()
        connection.send(train() if order == "fit" else _grow(name, X, y, args, order))


def _grow(name, X, y, args, n_refits):
    train = WAYS[name]["make"](X[:32], y[:32], args)
    for _ in range(fewer(15, 1)):  # until the heap has found its size
        train()
    before = _resident_megabytes()
    seconds = [train()["beside"] for _ in range(n_refits)]
    grown = _resident_megabytes() - before
    return {
        "seconds_beside_epochs": median(seconds),
        "megabytes_per_refit": grown / n_refits,
    }


def _resident_megabytes():
    gc.collect()  # networks are rings of references
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _timed(fit, callback):
    """Run a fit whose callback notes the ends of epochs."""
    start = time.perf_counter()
    fit()
    seconds = time.perf_counter() - start
    epochs, processor = callback.take()
    return {
        "epochs": epochs,
        "processor": processor,
        "beside": seconds - sum(epochs),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _make_stopwatch():
    import keras

    clocks = time.perf_counter, time.process_time

    class Stopwatch(keras.callbacks.Callback):
        epochs: list[list[float]] = []

        def __deepcopy__(self, memo):
            return self

        def on_epoch_begin(self, epoch, logs=None):
            self.start = [clock() for clock in clocks]

        def on_epoch_end(self, epoch, logs=None):
            pairs = zip(clocks, self.start, strict=True)
            self.epochs.append([clock() - start for clock, start in pairs])

        def take(self):
            taken = list(map(list, zip(*self.epochs, strict=True)))
            self.epochs.clear()
            return taken

    return Stopwatch()


def make_keras(X, y, args, ignore_padding=False, jit_compile=False):
    """Train one bare model again and again, from the same weights."""
    from skemotion._validation._parameters import draw_seed
    from skemotion.networks import BLSTM

    network = BLSTM(*X.shape[1:], 7, units=args.units, ignore_padding=ignore_padding)
    model = network.build(draw_seed(SEED))  # as the classifier does
    model.compile(
        "adam",
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=jit_compile,
    )
    stopwatch = _make_stopwatch()

    def fit():
        model.fit(
            X, y, batch_size=32, epochs=args.epochs, callbacks=[stopwatch], verbose=0
        )

    return lambda: _timed(fit, stopwatch)


def make_skemotion(X, y, args, ignore_padding=False):
    from skemotion import AttentionBLSTMClassifier
    from skemotion.networks import import_keras

    import_keras()
    stopwatch = _make_stopwatch()
    classifier = AttentionBLSTMClassifier(
        args.units,
        ignore_padding=ignore_padding,
        epochs=args.epochs,
        callbacks=stopwatch,
        random_state=SEED,
    )
    return lambda: _timed(lambda: classifier.fit(X, y), stopwatch)


def make_torch(X, y, args):
    import torch

    torch.manual_seed(SEED)
    lstm = torch.nn.LSTM(X.shape[2], args.units, batch_first=True, bidirectional=True)
    hidden = torch.nn.Linear(2 * args.units, args.units, bias=False)
    energy = torch.nn.Linear(args.units, 1, bias=False)
    output = torch.nn.Linear(4 * args.units, 7)
    parts = torch.nn.ModuleList([lstm, hidden, energy, output])
    optimizer = torch.optim.Adam(parts.parameters())
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(y))

    def step(sequences, codes):
        states, (last, _) = lstm(sequences)
        weights = torch.softmax(energy(torch.tanh(hidden(states))) / args.units**0.5, 1)
        context = (states * weights).sum(1)
        logits = output(torch.cat([context, last[0], last[1]], 1))
        loss = torch.nn.functional.cross_entropy(logits, codes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def train():
        seconds, processor = [], []
        for _ in range(args.epochs):
            start, spent = time.perf_counter(), time.process_time()
            batches = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)
            for batch in batches:
                step(*batch)
            seconds.append(time.perf_counter() - start)
            processor.append(time.process_time() - spent)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {
            "epochs": seconds,
            "processor": processor,
            "beside": 0.0,
            "peak_megabytes": peak,
        }

    return train


def _way(make, environment=None, needs="tensorflow", **options):
    return {
        "make": lambda X, y, args: make(X, y, args, **options),
        "environment": environment or {},
        "needs": needs,
    }


WAYS = {
    "keras": _way(make_keras),
    "keras-one-thread": _way(make_keras, {"TF_NUM_INTRAOP_THREADS": "1"}),
    "skemotion": _way(make_skemotion),
    "keras-masked": _way(make_keras, ignore_padding=True),
    "skemotion-masked": _way(make_skemotion, ignore_padding=True),
    "keras-xla": _way(make_keras, jit_compile=True),
    "keras-jax": _way(make_keras, {"KERAS_BACKEND": "jax"}, needs="jax"),
    "torch": _way(make_torch, needs="torch"),
}
GROWING = ("skemotion", "skemotion-masked")
SLOW = ("keras-xla",)


def _is_available(name, args):
    if args.ways:
        return name in args.ways
    found = importlib.util.find_spec(WAYS[name]["needs"]) is not None
    return found and (args.all or name not in SLOW)


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, default=256)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=2, help="per fit")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=sorted(WAYS))
    parser.add_argument("--all", action="store_true", help="the slow ways, too")
    return parse_options(
        parser,
        "--recordings 14 --units 2 --epochs 1 --repeats 1 --ways keras skemotion",
    )


if __name__ == "__main__":
    main()
