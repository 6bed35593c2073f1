"""Measure where emotions over time begin and end, and what they cost.

    python benchmarks/timeline.py --folder FOLDER --choose
    python benchmarks/timeline.py --folder FOLDER
    python benchmarks/timeline.py --cost

The first two join recordings of the Berlin EMO-DB of one speaker to streams of which
the truth is known, and ask the model that has not heard that speaker (``_folds.py``,
whose fitted models are kept in FOLDER). In "pauses", 0.5 to 2 s of room tone lie
between two recordings; in "hardly any", 0 to 0.3 s. Neighbours are of different
emotions.

``--choose`` compares windows, hops, smoothing and pauses on half of the speakers.
Without it, the defaults are scored on the other half. ``--cost`` times a recording of
30 minutes and a live stream, with the model that comes with the package. All write to
``benchmarks/results/timeline.json``.
"""

import argparse
import copy
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
from _folds import fitted_folds
from _results import RESULTS, made_by, read, write
from _revisions import made_with
from _runs import table
from _smoke import fewer, parse_options

from skemotion.audio import load_audio
from skemotion.datasets import load_emodb
from skemotion.timeline import _defaults, _listener, emotion_timeline, iter_timeline
from skemotion.timeline._listener import SpeechListener
from skemotion.timeline._merging import Merger

PATH = RESULTS / "timeline.json"
RATE = 16000
PAUSES = {"pauses": (0.5, 2.0), "hardly any": (0.0, 0.3)}
CHOSEN_ON = ("03", "09", "11", "13", "15")
PER_STREAM = 8
LIVE_SECONDS = fewer(120, 5)
ROOM_TONE = 1e-3  # deviation, where the peak of speech is 1
QUIET = 40  # dB below the loudest 10 ms: not speech
FRAME = RATE // 100
DEFAULTS = {
    "window": _defaults.WINDOW,
    "hop": _defaults.HOP,
    "smoothing": _defaults.SMOOTHING,
    "min_pause": _defaults.MIN_PAUSE,
    "max_utterance": _defaults.MAX_UTTERANCE,
}
COMPARED = [
    {},
    {"max_utterance": 0.0},
    {"window": 2.0},
    {"window": 2.0, "max_utterance": 0.0},
    {"window": 5.0},
    {"hop": 0.25},
    {"hop": 1.0},
    {"min_pause": 0.2, "max_utterance": 0.0},
    {"min_pause": 0.3},
    {"min_pause": 1.0},
    {"smoothing": 0.0},
    {"smoothing": 2.0},
    {"smoothing": 3.0},
    {"window": 2.0, "smoothing": 2.0},
]


def make_streams(corpus, rows, pauses, seed):
    """Yield signals, and the truth: start, end, emotion and frames of recordings."""
    rng = np.random.default_rng(seed)
    rows = alternate(rows, corpus.target, rng)
    for part in np.array_split(rows, -(-len(rows) // PER_STREAM)):
        pieces, truth, n = [], [], 0
        for row in part:
            for piece in (tone(rng, pauses), load_audio(corpus.paths[row])):
                pieces.append(piece)
                n += len(piece)
            truth.append((n - len(piece), str(corpus.target[row]), loud_frames(piece)))
        pieces.append(tone(rng, pauses))
        yield np.concatenate(pieces), [describe(*each) for each in truth]


def alternate(rows, labels, rng):
    """Put rows in an order in which neighbours differ, as far as that can be."""
    left, order = list(rng.permutation(rows)), []
    while left:
        last = labels[order[-1]] if order else None
        counts = {label: np.sum(labels[left] == label) for label in labels[left]}
        counts.pop(last, None)
        half = max(counts, key=counts.get) if counts else last
        likely = half if counts and counts[half] * 2 > len(left) else None
        row = next(
            (
                row
                for row in left
                if labels[row] != last and likely in (None, labels[row])
            ),
            left[0],
        )
        order.append(row)
        left.remove(row)
    return np.array(order)


def tone(rng, pauses):
    n_samples = int(rng.uniform(*pauses) * RATE)
    return rng.normal(0, ROOM_TONE, n_samples).astype(np.float32)


def loud_frames(signal):
    """Tell in which frames of 10 ms there is more than silence."""
    frames = signal[: len(signal) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.square(frames, dtype=float).mean(axis=1)
    return power > power.max() * 10 ** (-QUIET / 10)


def describe(start, emotion, loud):
    """Return start, end, emotion, and the middles of frames that are loud, in s."""
    places = (start + np.flatnonzero(loud) * FRAME) / RATE
    return places[0], places[-1] + 0.01, emotion, places + 0.005


def score(timeline, truth):
    """Return errors at borders, and the time that is labelled right, in all."""
    starts = np.array([segment.start for segment in timeline.segments])
    ends = np.array([segment.end for segment in timeline.segments])
    labels = np.array([segment.emotion for segment in timeline.segments])
    errors, right, total, missed = [], 0, 0, 0
    for start, end, emotion, places in truth:
        if len(starts):
            errors += [np.abs(starts - start).min(), np.abs(ends - end).min()]
            index = np.searchsorted(starts, places, side="right") - 1
            inside = (index >= 0) & (places < ends[index])
            right += np.sum(inside & (labels[index] == emotion))
            missed += np.sum(~inside)
        else:
            errors += [np.inf, np.inf]
            missed += len(places)
        total += len(places)
    return {
        "errors": errors,
        "right": int(right),
        "total": total,
        "missed": int(missed),
        "found": len(starts),
        "true": len(truth),
    }


class Memory:
    """Probabilities of windows, which many parameters have in common.

    Parameters
    ----------
    pipeline : estimator
        Fitted without the speaker.
    path : path
        Where they are kept.
    """

    def __init__(self, pipeline, path):
        self._pipeline = copy.copy(pipeline).set_params(detect_speech=False)
        self._path = path
        self._known = joblib.load(path) if path.exists() else {}

    def ask(self, key, windows):
        """Return the probabilities of windows of a stream."""
        places = [(*key, window.start, window.end) for window in windows]
        new = [i for i, place in enumerate(places) if place not in self._known]
        if new:
            pairs = [(windows[i].signal, RATE) for i in new]
            found = self._pipeline.predict_proba(pairs)
            for i, row in zip(new, found, strict=True):
                self._known[places[i]] = row
        return np.array([self._known[place] for place in places])

    def keep(self):
        """Write them to the file."""
        joblib.dump(self._known, self._path)


def remember(function):
    """Return a function of an array that keeps what it has answered."""
    known = {}

    def remembering(signal, rate):
        key = hashlib.sha256(signal.tobytes()).digest()
        if key not in known:
            known[key] = function(signal, rate)
        return known[key]

    return remembering


def tell(memory, key, signal, options, classes):
    """Return the timeline that `emotion_timeline` makes of a stream."""
    options = {**DEFAULTS, **options}
    smoothing = options.pop("smoothing")
    listener = SpeechListener(RATE, **options)
    windows = listener.feed(signal) + listener.close()
    merger = Merger(classes, RATE, smoothing)
    return merger.add(windows, memory.ask(key, windows), len(signal))


def measure(corpus, folder, ways, wanted):
    """Score ways to make timelines on some speakers, by models without them."""
    found = {name: {pauses: [] for pauses in PAUSES} for name in ways}
    right = []
    # Where there is speech does not depend on the parameters that are compared.
    _listener.speech_frames = remember(_listener.speech_frames)
    for speaker, test, pipeline in fitted_folds(corpus, folder):
        if not wanted(speaker):
            continue
        y_pred = pipeline.predict(corpus.paths[test])
        right += (y_pred == corpus.target[test]).tolist()
        memory = Memory(pipeline, Path(folder) / f"timeline-{speaker}.joblib")
        for pauses, lengths in PAUSES.items():
            streams = make_streams(corpus, test, lengths, int(speaker))
            for number, (signal, truth) in enumerate(streams):
                for name, options in ways.items():
                    key = (pauses, number)
                    timeline = tell(memory, key, signal, options, pipeline.classes_)
                    found[name][pauses].append(score(timeline, truth))
        memory.keep()
        print(f"{speaker}: done", flush=True)
    scores = {
        name: {pauses: summarise(group) for pauses, group in groups.items()}
        for name, groups in found.items()
    }
    return {"accuracy on single recordings": float(np.mean(right)), "ways": scores}


def summarise(streams):
    """Pool what `score` returns of streams."""
    errors = np.concatenate([stream["errors"] for stream in streams])
    sums = {
        name: sum(stream[name] for stream in streams)
        for name in ("right", "total", "missed", "found", "true")
    }
    return {
        "boundary error, median": round(float(np.median(errors)), 3),
        "boundary error, 95 %": round(float(np.percentile(errors, 95)), 3),
        "speech labelled right": round(sums["right"] / sums["total"], 4),
        "speech in no segment": round(sums["missed"] / sums["total"], 4),
        "segments per true one": round(sums["found"] / sums["true"], 3),
        "true segments": sums["true"],
    }


def name_way(options):
    """Name a way by what differs from the defaults."""
    named = [f"{name} {value:g} s" for name, value in options.items()]
    return ", ".join(named) or "defaults"


def cost(minutes):
    """Time a long recording and a live stream in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(minutes)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure_cost(corpus, minutes):
    """Return what a recording takes, and how long a live stream keeps waiting."""
    import soundfile

    from skemotion import load_pretrained

    pipeline = load_pretrained()
    rows = np.flatnonzero(np.isin(corpus.speakers, ["03", "08"]))
    streams = list(make_streams(corpus, rows, PAUSES["pauses"], 0))
    signal = np.concatenate([stream for stream, _ in streams])
    emotion_timeline(pipeline, signal[: 30 * RATE])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        with soundfile.SoundFile(path, "w", RATE, 1) as file:
            for start in range(0, minutes * 60 * RATE, len(signal)):
                file.write(signal[: minutes * 60 * RATE - start])
        before = resource.getrusage(resource.RUSAGE_SELF)
        start = time.perf_counter()
        timeline = emotion_timeline(pipeline, path)
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "minutes": minutes,
        "seconds": round(seconds, 1),
        "processor seconds": round(cpu, 1),
        "peak MB": round(after.ru_maxrss / 1024, 1),
        "peak MB, 30 s": round(before.ru_maxrss / 1024, 1),
        "windows": len(timeline.starts),
        "segments": len(timeline.segments),
        "live": measure_latency(pipeline, signal[: LIVE_SECONDS * RATE]),
    }


def measure_latency(pipeline, signal):
    """Feed 0.1 s at a time, and time how long each hop takes to be answered."""
    hop = RATE // 10
    blocks = (signal[start : start + hop] for start in range(0, len(signal), hop))
    clock = {"given": time.perf_counter(), "busy": 0.0}
    busy, waits = [], []

    def give():
        for block in blocks:
            clock["busy"] += time.perf_counter() - clock["given"]
            busy.append(clock["busy"])
            clock["busy"] = 0.0
            clock["given"] = time.perf_counter()
            yield block, RATE

    for piece in iter_timeline(pipeline, give()):
        waits += [piece.duration - segment.end for segment in piece.segments]
    per_hop = np.add.reduceat(busy, np.arange(0, len(busy), 5))
    return {
        "milliseconds of work a hop of 0.5 s": spread(1e3 * per_hop),
        "seconds from the end of a segment until it is told": spread(waits),
    }


def spread(values):
    """Return median and 95th percentile."""
    median, high = np.percentile(values, [50, 95])
    return {"median": round(float(median), 2), "95 %": round(float(high), 2)}


def markdown_table(measured):
    """Make a table with a row for each way and kind of pauses."""
    header = ["way", "pauses", "boundary error, median", "95 %", "labelled right"]
    rows = [
        [
            way,
            pauses,
            f"{found['boundary error, median']:.2f} s",
            f"{found['boundary error, 95 %']:.2f} s",
            f"{found['speech labelled right']:.1%}",
            f"{found['speech in no segment']:.1%}",
            f"{found['segments per true one']:.2f}",
        ]
        for way, groups in measured["ways"].items()
        for pauses, found in groups.items()
    ]
    accuracy = measured["accuracy on single recordings"]
    return (
        table([*header, "in no segment", "segments per true one"], rows)
        + f"\n\nAccuracy on the same recordings, one by one: {accuracy:.1%}."
    )


def cost_table(measured):
    """Make a table of what a long recording and a live stream take."""
    rows = [
        [f"a file of {measured['minutes']} minutes", f"{measured['seconds']} s"],
        ["processor time", f"{measured['processor seconds']} s"],
        ["peak memory", f"{measured['peak MB']:.0f} MB"],
        ["of which 30 s of speech take as much", f"{measured['peak MB, 30 s']:.0f} MB"],
    ]
    for name, found in measured["live"].items():
        rows.append([f"live: {name}", f"{found['median']} (95 %: {found['95 %']})"])
    return table(["what", "takes"], rows)


def main():
    args = parse_arguments()
    corpus = load_emodb(args.emodb)
    if args.measure:
        print(json.dumps(measure_cost(corpus, args.measure)))
        return
    new = {}
    if args.choose:
        ways = {name_way(options): options for options in COMPARED}
        new["chosen on"] = measure(
            corpus, args.folder, ways, lambda speaker: speaker in CHOSEN_ON
        )
        print(markdown_table(new["chosen on"]))
    elif args.cost:
        new["cost"] = cost(fewer(30, 1))
        print(json.dumps(new["cost"], indent=2))
    else:
        new["defaults"] = DEFAULTS
        new["tested on"] = measure(
            corpus,
            args.folder,
            {"defaults": {}},
            lambda speaker: speaker not in CHOSEN_ON,
        )
        print(markdown_table(new["tested on"]))
    write(PATH, _add(read(PATH) or {}, new))


def _add(known, new):
    """Return what is known with what is new, which says what made it."""
    made = made_with("loso", "recommended", "attention") | made_by()
    every = known.get("made with", {}) | dict.fromkeys(new, made)
    return {**known, **new, "made with": every}


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", help="where fitted models and answers are kept")
    parser.add_argument("--choose", action="store_true", help="compare parameters")
    parser.add_argument("--cost", action="store_true", help="time 30 minutes")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    args = parse_options(parser, "--cost")
    if args.emodb is None:
        parser.error("give --emodb PATH or set SKEMOTION_EMODB")
    if not args.folder and not args.cost and not args.measure:
        parser.error("give --folder, where fitted models are kept")
    return args


if __name__ == "__main__":
    main()
