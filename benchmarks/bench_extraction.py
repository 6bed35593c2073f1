"""Time extraction against librosa, against its floor, and from the cache.

    python benchmarks/bench_extraction.py

times, turn by turn in one run, the ways below over the Berlin EMO-DB, prints
medians and ratios, and writes ``benchmarks/results/extraction.json``. Without the
corpus (``--emodb`` or ``SKEMOTION_EMODB``) synthetic speech is used.

Ways
----
post
    One librosa call per descriptor, each with a transform of its own, as the
    post does it, over ``--n-post`` of the recordings.
n_jobs=1
    ``SpeechFeatureExtractor``.
extended
    The same with the extended set.
floor
    Decoding, padding, and one Fourier transform per frame; nothing else.
cached
    ``SpeechFeatureExtractor(memory=...)`` that has seen the recordings.
openSMILE
    Functionals of eGeMAPSv02, if ``opensmile`` is installed, over ``--n-post``
    recordings. Fewer numbers than ours: for orientation.

All times are processor time per recording. A ratio is the median over rounds of
the ratio within a round, so that a slow spell of the machine hits both sides.

Two workers, as processes, are timed by the clock: how long they take to start, and
from how many recordings on they are done earlier than one worker, of either set.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median

import numpy as np
from _results import RESULTS as FOLDER
from _smoke import fewer, parse_options
from _timing import interleave, ratio, report, write_json
from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor
from threadpoolctl import threadpool_limits

from skemotion import SpeechFeatureExtractor
from skemotion.audio import fix_length, load_audio
from skemotion.datasets import load_emodb, make_emotional_speech

RATE, DURATION, FRAME_LENGTH, HOP_LENGTH = 16000, 5, 2048, 512
TARGETS = {
    "n_jobs=1 / floor": 1.7,
    "extended_ms_per_recording": 8,
    "two_processes_earn_back_from": 200,
}
RESULT = FOLDER / "extraction.json"


def main():
    args = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        corpus, paths = find_recordings(args.emodb, scratch)
        few = paths[:: max(len(paths) // args.n_post, 1)][: args.n_post]
        cached = SpeechFeatureExtractor(memory=Path(scratch, "cache"))
        cached.transform(paths)
        ways = {
            "n_jobs=1": (SpeechFeatureExtractor(n_jobs=1).transform, paths),
            "extended": (
                SpeechFeatureExtractor(descriptors="extended").transform,
                paths,
            ),
            "floor": (floor, paths),
            "cached": (cached.transform, paths),
            "post": (describe_as_the_post, few),
            "n_jobs=1, few": (SpeechFeatureExtractor(n_jobs=1).transform, few),
            **opensmile_way(few),
        }
        for way, _ in ways.values():
            way(few)
        times = interleave(
            {name: partial(way, inputs) for name, (way, inputs) in ways.items()},
            args.repeats,
            time.process_time,
        )
    for name, (_, inputs) in ways.items():
        times[name] = [seconds / len(inputs) for seconds in times[name]]
    print(report(f"{len(paths)} recordings of {corpus}", times, "n_jobs=1"))
    ratios = {
        "post / n_jobs=1": ratio(times, "post", "n_jobs=1, few"),
        "n_jobs=1 / floor": ratio(times, "n_jobs=1", "floor"),
        "extended / floor": ratio(times, "extended", "floor"),
        "n_jobs=1 / cached": ratio(times, "n_jobs=1", "cached"),
    }
    for name, value in ratios.items():
        print(f"  {name:20} {value:6.2f}")
    processes = {name: start_and_gain(name, paths) for name in ("post", "extended")}
    for name, found in processes.items():
        print(f"  two processes, {name}: {found}")
    cold = [cold_start(paths[0]) for _ in range(fewer(3, 1))]
    print(f"  first recording of a process, beyond the import: {median(cold):.2f} s")
    write_json(
        args.output,
        {
            "corpus": corpus,
            "n_recordings": len(paths),
            "n_recordings_of_post": len(few),
            "repeats": args.repeats,
            "median_processor_ms_per_recording": {
                name: round(1e3 * median(seconds), 3) for name, seconds in times.items()
            },
            "ratios": {name: round(value, 2) for name, value in ratios.items()},
            "targets": TARGETS,
            "two_processes": processes,
            "cold_start_s": round(median(cold), 2),
        },
    )


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--n-post", type=int, default=40, metavar="N")
    parser.add_argument("--output", default=RESULT, metavar="FILE")
    return parse_options(parser, "--repeats 1 --n-post 2")


def find_recordings(emodb, scratch):
    if emodb:
        return "the Berlin EMO-DB", list(load_emodb(emodb).paths)
    speech = make_emotional_speech(n_speakers=5, n_texts=5, folder=Path(scratch, "wav"))
    return "synthetic speech", list(speech.paths)


@threadpool_limits.wrap(limits=1)  # other threads' time is counted, too
def describe_as_the_post(paths):
    import librosa

    f = librosa.feature
    for path in paths:
        y = librosa.load(path, sr=RATE, duration=DURATION)[0]
        y = fix_length(y, RATE * DURATION)
        spectral = {"y": y, "sr": RATE, "hop_length": HOP_LENGTH}
        mfcc = f.mfcc(n_mfcc=20, **spectral)
        columns = [
            f.spectral_centroid(**spectral),
            f.spectral_contrast(**spectral)[:1],
            f.spectral_bandwidth(**spectral),
            f.spectral_rolloff(**spectral),
            f.zero_crossing_rate(y, hop_length=HOP_LENGTH),
            f.rms(y=y, hop_length=HOP_LENGTH),
            mfcc,
            f.delta(mfcc),
        ]
        np.concatenate(columns)


@threadpool_limits.wrap(limits=1)
def floor(paths):
    from scipy.fft import rfft
    from scipy.signal import get_window

    window = get_window("hann", FRAME_LENGTH)
    for path in paths:
        signal = fix_length(load_audio(path, duration=DURATION), RATE * DURATION)
        padded = np.pad(signal, FRAME_LENGTH // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_LENGTH)
        rfft(frames[::HOP_LENGTH] * window, axis=1, overwrite_x=True)


def start_and_gain(descriptors, paths):
    """Time one worker and two processes, and tell when the second pays.

    Returns
    -------
    dict
        Seconds that the processes take to start, with a recording each; seconds of
        all recordings by one worker, and by two that run; and how many recordings
        it takes until two are done earlier, None if they never are.
    """
    one, two = (
        SpeechFeatureExtractor(descriptors=descriptors, n_jobs=n_jobs).transform
        for n_jobs in (1, 2)
    )
    with parallel_config(backend="loky"):
        get_reusable_executor().shutdown(wait=True)
        start = interleave({"start": lambda: two(paths[:2])}, 1)["start"][0]
        ways = {"one": lambda: one(paths), "two": lambda: two(paths)}
        times = interleave(ways, fewer(3, 1))
    alone, together = (median(times[name]) for name in ways)
    gain = (alone - together) / len(paths)
    return {
        "start_s": round(start, 2),
        "one_worker_s": round(alone, 2),
        "two_processes_s": round(together, 2),
        "earned_back_from": ceil(start / gain) if gain > 0 else None,
    }


def opensmile_way(paths):
    try:
        import opensmile
    except ImportError:
        return {}
    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.Functionals,
    )
    return {"openSMILE": (smile.process_files, paths)}


def cold_start(path):
    """Return the seconds that the first recording takes in a new process."""
    code = (
        "import sys, time; from skemotion import SpeechFeatureExtractor\n"
        "start = time.perf_counter(); SpeechFeatureExtractor().transform(sys.argv[1:])"
        "\nprint(time.perf_counter() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


if __name__ == "__main__":
    main()
