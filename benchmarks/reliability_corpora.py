"""Make corpora with faults of every kind, and see what is said and what goes on.

``python benchmarks/reliability_corpora.py`` writes
``results/reliability/corpora.json``. EMO-DB is looked at if SKEMOTION_EMODB names it.
"""

import argparse
import os
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile
from _reliability import write_rows
from _results import RESULTS as FOLDER
from _smoke import parse_options
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.preprocessing import StandardScaler

from skemotion import EmotionPipeline, SequenceFunctionals, SpeechFeatureExtractor
from skemotion.datasets import check_corpus, load_emodb, make_emotional_speech
from skemotion.exceptions import AudioError, UnreadableWarning

RATE = 16000
# What was wrong before, and is mended.
MENDED = {
    "skemotion check: too short": "a recording of one sample was called silent",
    'cross_validate, one bad recording of 28, on_error="raise"': (
        "nothing said how to go on without it"
    ),
}
OUT = FOLDER / "reliability" / "corpora.json"


def make_faults(folder, voice):
    """Yield the kind of a fault, and a recording that has it."""
    rng = np.random.default_rng(0)
    for number, content in enumerate([b"", b"hello", b"\0" * 4000, b"RIFF\x24"]):
        path = Path(folder, f"bad-{number}.wav")
        path.write_bytes(content)
        yield "unreadable", str(path)
    whole = Path(folder, "whole.flac")
    soundfile.write(whole, np.tile(voice, 8), RATE)
    content = whole.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path = Path(folder, f"broken-{share}.flac")
        path.write_bytes(content[: int(share * len(content))])
        yield "unreadable", str(path)
    yield "unreadable", str(Path(folder, "gone.wav"))
    yield "unreadable", np.full(RATE, np.nan)
    for offset in (0.0, 0.3):
        yield "silent", np.full(RATE, offset)
    for scale in (1e-3, 0.1):
        yield "no speech", scale * rng.normal(size=2 * RATE)
    for n_samples in (1, 1000, 4000):
        yield "too short", voice[:n_samples]
    yield "too long", np.tile(voice, 8)
    for gain in (3.0, 10.0):
        yield "clipped", np.clip(gain * voice / np.abs(voice).max(), -1, 1)
    for rate, step in ((8000, 2), (4000, 4)):
        yield "low rate", (voice[::step], rate)
    yield "other rate", (np.repeat(voice, 3), 3 * RATE)
    path = Path(folder, "copy.flac")
    soundfile.write(path, voice, RATE, subtype="PCM_16")
    yield "duplicate", str(path)


def try_kinds(folder):
    """Return a row for each kind of fault: whether it is found, and nothing else."""
    speech = make_emotional_speech(n_speakers=2, n_texts=2, random_state=0)
    path = Path(folder, "voice.wav")
    soundfile.write(path, speech.signals[0], RATE, subtype="PCM_16")
    voice = soundfile.read(path, dtype="float32")[0]
    others = [str(path), *speech.signals[1:6]]
    found: dict[str, list] = {}
    for kind, recording in make_faults(folder, voice):
        check = check_corpus([*others, recording])
        right = kind in [each.kind for each in check.findings if each.row == 6]
        right &= {each.row for each in check.findings} == {6}
        right &= check.stops == (kind == "unreadable")
        found.setdefault(kind, []).append(right)
    return [
        describe(f"skemotion check: {kind}", found[kind], "named with its file")
        for kind in found
    ]


def describe(what, right, happened):
    defects = len(right) - sum(right)
    return {
        "what": what,
        "tried": len(right),
        "happened": happened if not defects else f"{defects} times not {happened}",
        "defects": defects + (what in MENDED),
        "mended": MENDED.get(what, ""),
    }


def make(on_error):
    steps = [
        ("extract", SpeechFeatureExtractor(on_error=on_error)),
        ("functionals", SequenceFunctionals()),
        ("standardise", StandardScaler()),
        ("classify", LogisticRegression(max_iter=1000)),
    ]
    return EmotionPipeline(steps)


def try_folds(folder):
    """Return rows about cross-validations of which one recording is bad."""
    speech = make_emotional_speech(n_speakers=2, n_texts=2, random_state=0)
    told, finite, named = [], [], []
    faults = [
        each
        for kind, each in make_faults(folder, speech.signals[0])
        # What breaks off behind 5 s is not bad for who looks at these alone.
        if kind == "unreadable" and not str(each).endswith(("0.5.flac", "0.9.flac"))
    ]
    for fault in faults:
        X = list(speech.signals)
        X[3] = fault
        for on_error in ("raise", "warn"):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                folds = cross_validate(make(on_error), X, speech.target, cv=2)
            scores = folds["test_score"]
            texts = [str(each.message) for each in caught]
            if on_error == "warn":
                rows = [
                    each.message.rows
                    for each in caught
                    if each.category is UnreadableWarning
                ]
                finite.append(bool(np.isfinite(scores).all()))
                named.append(len(rows) >= 2 and all(len(row) == 1 for row in rows))
            else:
                told.append(any('on_error="warn"' in text for text in texts))
                told[-1] &= bool(np.isnan(scores).all())
    return [
        describe(
            'cross_validate, one bad recording of 28, on_error="raise"',
            told,
            "NaN in every fold, and the warning says how to go on",
        ),
        describe(
            'cross_validate, one bad recording of 28, on_error="warn"',
            [a and b for a, b in zip(finite, named, strict=True)],
            "finite scores, and a warning with the row and the reason",
        ),
    ]


def try_all_bad(folder):
    bad = [str(Path(folder, f"none-{number}.wav")) for number in range(20)]
    try:
        SpeechFeatureExtractor().transform(bad)
        right = False
    except AudioError as error:
        right = len(error.failures) == len(bad)
    what = "20 bad recordings of 20"
    return [describe(what, [right], "one AudioError with all of them")]


def try_emodb():
    path = os.environ.get("SKEMOTION_EMODB")
    if not path:
        return []
    corpus = load_emodb(path)
    check = check_corpus(corpus.paths, corpus.target, corpus.speakers)
    kinds = [each.kind for each in check.findings]
    listed = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    return [
        {
            "what": "skemotion check: EMO-DB, file by file",
            "tried": len(corpus.paths),
            "happened": f"nothing stops training; {listed or 'nothing'} found",
            "defects": int(check.stops),
            "mended": "",
        }
    ]


def main():
    parse_options(argparse.ArgumentParser(description=__doc__))
    with tempfile.TemporaryDirectory() as folder:
        rows = [*try_kinds(folder), *try_folds(folder), *try_all_bad(folder)]
    rows += try_emodb()
    write_rows(
        OUT,
        "Corpora with faults",
        "python benchmarks/reliability_corpora.py",
        rows,
        versions={
            name: version(name) for name in ("numpy", "scikit-learn", "soundfile")
        },
    )
    for row in rows:
        print(f"{row['what']}: {row['tried']} tried, {row['defects']} defects")


if __name__ == "__main__":
    main()
