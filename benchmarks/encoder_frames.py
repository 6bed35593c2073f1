"""Encode EMO-DB under the conditions that ``encoder_trials.py`` asks for.

    python benchmarks/encoder_frames.py FOLDER

writes a file for each condition to FOLDER, unless it is there: mean and deviation
over time of what blocks 1 to 4 of Whisper base and, of some conditions, blocks 1 to
3 of tiny.en put out; and the frames after blocks 2 and 3 of base, 25 a second. The
first 5 s of recordings are taken, scaled to the same peak. The corpus is found by
``SKEMOTION_EMODB``, the encoders by ``SKEMOTION_MODELS``. It takes about 25 minutes
of one processor.
"""

import argparse
import os
from functools import partial
from pathlib import Path

import librosa
import numpy as np
import soxr
from _degradations import CONDITIONS, RATE
from _smoke import parse_options, skip
from robustness import degrade

from skemotion import SpeechAugmenter, SpeechEncoder
from skemotion.audio import load_audio
from skemotion.datasets import load_emodb

N_AT_ONCE = 64
ALSO_TINY = ("clean", "telephone band", "white noise, 10 dB", "small room")
ASKED = (
    *ALSO_TINY,
    "white noise, 20 dB",
    "babble, 20 dB",
    "babble, 10 dB",
    "MP3, 32 kbit/s",
    "first 2 s",
    "1 s of room tone first",
)


def main():
    args = _parse_arguments()
    args.folder.mkdir(parents=True, exist_ok=True)
    corpus = load_emodb(args.emodb)
    np.savez(
        args.folder / "meta.npz",
        y=corpus.target,
        speakers=corpus.speakers,
        paths=corpus.paths,
    )
    base = _make_encoder(args.models, "base", (1, 2, 3, 4))
    tiny = _make_encoder(args.models, "tiny.en", (1, 2, 3))
    for name, recordings in list_conditions(corpus, args.first):
        path = args.folder / f"{_slug(name)}.npz"
        if not path.exists():
            found = encode(recordings(), base, tiny if name in ALSO_TINY else None)
            temporary = path.with_suffix(".new.npz")
            np.savez(temporary, **found)
            temporary.replace(path)
            print(name, flush=True)


def list_conditions(corpus, first=None):
    """Yield names, and functions that return all recordings, or the first ones."""
    paths, y = corpus.paths[:first], corpus.target[:first]
    rows = range(len(paths))
    for name in ASKED:
        assert name in CONDITIONS
        yield name, partial(lambda n: [degrade(n, i, corpus) for i in rows], name)
    for number in range(2):
        yield f"copy{number}", partial(copy_all, paths, y, number)
    for number in range(4):
        yield f"scopy{number}", partial(copy_faster, paths, y, number)
    for speed in (0.85, 1.15):
        yield f"speed{speed}", partial(change_all, paths, play, speed)
    yield "rate11025", partial(change_all, paths, bring, 11_025)
    for steps in (3, -3):
        yield f"pitch{steps:+}", partial(change_all, paths, shift, steps)


def change_all(paths, change, amount):
    """Return all recordings, changed."""
    return [change(load_audio(path), amount) for path in paths]


def play(signal, speed):
    """Play faster, and higher by as much."""
    return soxr.resample(signal, RATE * speed, RATE).astype(np.float32), RATE


def bring(signal, rate):
    """Bring to another rate."""
    return soxr.resample(signal, RATE, rate).astype(np.float32), rate


def shift(signal, steps):
    """Shift the pitch by semitones."""
    return librosa.effects.pitch_shift(signal, sr=RATE, n_steps=steps), RATE


def copy_all(paths, y, number):
    """Return a copy of each recording, as the recipe "descriptors" trains on."""
    both, _ = SpeechAugmenter(random_state=0).fit_resample(list(paths), y)
    n = len(paths)
    return both[(1 + number) * n : (2 + number) * n]


def copy_faster(paths, y, number):
    """Return a copy of each recording, at another speed besides."""
    n = len(paths)
    rng = np.random.default_rng(100 + number)
    speeds = np.exp(rng.uniform(np.log(0.8), np.log(1.25), n))
    played = [
        play(load_audio(path), speed) for path, speed in zip(paths, speeds, strict=True)
    ]
    augmenter = SpeechAugmenter(n_copies=1, random_state=7 + number)
    both, _ = augmenter.fit_resample(played, y)
    return both[n:]


def encode(recordings, base, tiny):
    """Return what is kept of recordings."""
    found = {"mean": [], "std": [], "frames": [], "lens": [], "tmean": [], "tstd": []}
    for start in range(0, len(recordings), N_AT_ONCE):
        part = recordings[start : start + N_AT_ONCE]
        for frames in base.fit_transform(part):
            real = frames[np.any(frames != 0, axis=1)]
            found["mean"].append(real.mean(axis=0))
            found["std"].append(real.std(axis=0))
            joined = _join_pairs(real[:, 512:1536])
            found["frames"].append(joined)
            found["lens"].append(len(joined))
        for frames in [] if tiny is None else tiny.fit_transform(part):
            real = frames[np.any(frames != 0, axis=1)]
            found["tmean"].append(real.mean(axis=0))
            found["tstd"].append(real.std(axis=0))
    return {**found, "frames": np.concatenate(found["frames"])}


def _join_pairs(frames):
    odd = len(frames) % 2
    return (
        np.pad(frames, ((0, odd), (0, 0)), mode="edge")
        .reshape(-1, 2, frames.shape[1])
        .mean(axis=1)
    )


def _make_encoder(models, name, layers):
    weights = Path(models, f"whisper-{name}-encoder.safetensors")
    return SpeechEncoder(weights=weights, layer=layers, frame_step=1)


def _slug(text):
    return "".join(c if c.isalnum() or c in "+-." else "_" for c in text)


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to write the files")
    parser.add_argument("--emodb", default=os.environ.get("SKEMOTION_EMODB"))
    parser.add_argument("--models", default=os.environ.get("SKEMOTION_MODELS"))
    parser.add_argument("--first", type=int, help="encode so many, to try it")
    args = parse_options(parser, "{work}/frames --first 2")
    if args.models is None:
        skip("set SKEMOTION_MODELS, for it needs the encoders of Whisper")
    if args.emodb is None:
        parser.error("set SKEMOTION_EMODB")
    return args


if __name__ == "__main__":
    main()
