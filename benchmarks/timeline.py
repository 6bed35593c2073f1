"""Measure where emotions over time begin and end, and what they cost.

    python benchmarks/timeline.py --folder FOLDER --choose
    python benchmarks/timeline.py --folder FOLDER

join recordings of the Berlin EMO-DB of one speaker to streams of which the truth is
known, and ask the model that has not heard that speaker (``_folds.py``, whose fitted
models are kept in FOLDER). In "pauses", 0.5 to 2 s of room tone lie between two
recordings; in "hardly any", 0 to 0.3 s. Neighbours are of different emotions.

``--choose`` compares windows, hops, smoothing and pauses on half of the speakers.
Without it, the defaults are scored on the other half, and 30 minutes and a live
stream are timed. Both write to ``benchmarks/results/timeline.json``.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
from _folds import fitted_folds
from _runs import RESULTS, table, write

from skemotion.audio import load_audio
from skemotion.datasets import load_emodb
from skemotion.timeline import emotion_timeline, iter_timeline
from skemotion.timeline._listener import SpeechListener
from skemotion.timeline._merging import Merger

PATH = RESULTS / "timeline.json"
RATE = 16000
PAUSES = {"pauses": (0.5, 2.0), "hardly any": (0.0, 0.3)}
CHOSEN_ON = ("03", "09", "11", "13", "15")
PER_STREAM = 8
ROOM_TONE = 1e-3  # deviation, where the peak of speech is 1
QUIET = 40  # dB below the loudest 10 ms: not speech
FRAME = RATE // 100
DEFAULTS = {"window": 3.0, "hop": 0.5, "smoothing": 1.0, "min_pause": 0.3}


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
    errors, right, total = [], 0, 0
    for start, end, emotion, places in truth:
        if len(starts):
            errors += [np.abs(starts - start).min(), np.abs(ends - end).min()]
            index = np.searchsorted(starts, places, side="right") - 1
            inside = (index >= 0) & (places < ends[index])
            right += np.sum(inside & (labels[index] == emotion))
        else:
            errors += [np.inf, np.inf]
        total += len(places)
    return {
        "errors": errors,
        "right": int(right),
        "total": total,
        "found": len(starts),
        "true": len(truth),
    }


def hear(pipeline, signal, options):
    """Return windows without samples, and their probabilities."""
    listener = SpeechListener(RATE, **options)
    windows = listener.feed(signal) + listener.close()
    pairs = [(window.signal, RATE) for window in windows]
    probabilities = pipeline.predict_proba(pairs) if pairs else np.empty((0, 7))
    return [window.without_signal() for window in windows], probabilities
