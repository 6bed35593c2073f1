"""Ask how far attention and occlusion agree on what counts in a recording.

    python benchmarks/occlusion.py --folds folds --seeds 0

takes models of the recommended recipe, each of which has not heard one speaker of the
Berlin EMO-DB, from a folder, or fits them (``_folds.py``). Each recording of the
speaker left out is divided in equal stretches of about 0.25 s, or what
``--stretch-seconds`` says. Of each stretch there is the attention that falls on it, by
how much the probability of the predicted class falls where it is silenced, and its
loudness. Per recording, these are compared by Spearman's rank correlation: 1 if they
rank the stretches alike, 0 if one says nothing of the other. The table holds means over
recordings, with an interval by bootstrap over speakers. Speakers that have been done
are kept in ``benchmarks/results/occlusion.json``, by seed and length.
"""

import argparse
import os
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from _folds import fitted_folds
from _results import RESULTS, made_by, read, write
from _revisions import find_outdated, footnote, made_with
from _runs import table
from _smoke import fewer, parse_options
from scipy.stats import spearmanr
from sklearn.utils import check_random_state

from skemotion.audio import decode
from skemotion.datasets import load_emodb
from skemotion.exceptions import TruncationWarning
from skemotion.inspection import attention_over_time, occlusion_over_time
from skemotion.inspection._attention_over_time import spread

PATH = RESULTS / "occlusion.json"
STRETCH_SECONDS = 0.25
PAIRS = {
    "attention and occlusion": ("attention", "occlusion"),
    "loudness and occlusion": ("loudness", "occlusion"),
    "loudness and attention": ("loudness", "attention"),
}
N_RESAMPLES = 2000


def main():
    args = parse_arguments()
    corpus = load_emodb(os.environ.get("SKEMOTION_EMODB"))
    for seed in args.seeds:
        key = f"{seed}, {args.stretch_seconds} s"
        for speaker, test, model in fitted_folds(corpus, args.folds, seed=seed):
            kept = load_results()
            if speaker in kept.get(key, {}).get("speakers", {}):
                continue
            print(f"seed {seed}, speaker {speaker}", flush=True)
            paths = corpus.paths[test][: fewer(len(test), 1)]
            found = [compare(model, path, args.stretch_seconds) for path in paths]
            run = kept.setdefault(key, describe(seed, args.stretch_seconds))
            run["speakers"][speaker] = found
            keep_results(kept)
    print(markdown_table())


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=Path, default=Path("folds"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--stretch-seconds", type=float, default=STRETCH_SECONDS)
    return parse_options(parser, "--folds {work}/folds")


def describe(seed, stretch_seconds):
    """Return what a run depends on, and room for what it finds."""
    return {
        **made_with("loso", "recommended", "attention"),
        "seed": seed,
        "stretch_seconds": stretch_seconds,
        **made_by(),
        "speakers": {},
    }


def compare(model, path, stretch_seconds):
    """Return rank correlations over the stretches of a recording."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        edges, falls = occlusion_over_time(model, path, stretch_seconds=stretch_seconds)
        attended = attention_over_time(model, path)
    courses = {
        "occlusion": falls,
        "attention": spread(*attended, edges),
        "loudness": loudness(path, edges),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of courses that are constant
        found = {
            name: float(spearmanr(courses[first], courses[second]).statistic)
            for name, (first, second) in PAIRS.items()
        }
    found = {
        name: None if np.isnan(rho) else round(rho, 4) for name, rho in found.items()
    }
    return {
        "recording": Path(path).stem,
        "n_stretches": len(falls),
        "largest fall": round(float(falls.max()), 4),
        **found,
    }


def loudness(path, edges):
    """Return the root mean square of each stretch."""
    signal, rate = decode(path, sampling_rate=16000, duration=None)
    bounds = np.round(edges * rate).astype(int)
    return np.array(
        [np.sqrt(np.mean(signal[low:high] ** 2)) for low, high in pairwise(bounds)]
    )


def load_results():
    """Return the runs, with a mapping for each recording."""
    runs = read(PATH) or {}
    for run in runs.values():
        columns = run.pop("columns")
        for speaker, rows in run["speakers"].items():
            found = [dict(zip(columns, row, strict=True)) for row in rows]
            run["speakers"][speaker] = found
    return runs


def keep_results(runs):
    """Write the runs, with a row for each recording."""
    columns = ["recording", "n_stretches", "largest fall", *PAIRS]
    kept = {
        key: {
            **run,
            "columns": columns,
            "speakers": {
                speaker: [[each[name] for name in columns] for each in found]
                for speaker, found in run["speakers"].items()
            },
        }
        for key, run in runs.items()
    }
    write(PATH, kept)


def summarise():
    """Map the length of stretches to mean and interval of each pair, over seeds."""
    runs = {}
    for run in load_results().values():
        runs.setdefault(run["stretch_seconds"], []).append(run)
    return {length: summarise_runs(found) for length, found in sorted(runs.items())}


def summarise_runs(runs):
    """Average over recordings and seeds, and bootstrap over speakers."""
    speakers = sorted(set.union(*(set(run["speakers"]) for run in runs)))
    rng = check_random_state(0)
    drawn = rng.randint(len(speakers), size=(N_RESAMPLES, len(speakers)))
    summary = {
        "seeds": sorted(run["seed"] for run in runs),
        "n_speakers": len(speakers),
        "n_recordings": sum(
            len(runs[0]["speakers"].get(speaker, [])) for speaker in speakers
        ),
        "outdated": find_outdated(*runs),
    }
    for name in PAIRS:
        values = [
            [
                each[name]
                for run in runs
                for each in run["speakers"].get(speaker, [])
                if each[name] is not None
            ]
            for speaker in speakers
        ]
        sums = np.array([np.sum(found) for found in values])
        counts = np.array([len(found) for found in values])
        means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        summary[name] = {
            "mean": float(sums.sum() / counts.sum()),
            "low": float(low),
            "high": float(high),
            "positive": float(np.mean(np.concatenate(values) > 0)),
        }
    return summary


def markdown_table():
    """Make a table with a row for each length of stretches and pair."""
    summaries = summarise()
    if not summaries:
        return None
    header = ["stretches", "seeds", "recordings", "compared", "mean rank correlation"]
    rows = [
        [f"{length} s", len(found["seeds"]), found["n_recordings"], name]
        + [f"{found[name]['mean']:.2f}"]
        + [f"{found[name]['low']:.2f} to {found[name]['high']:.2f}"]
        + [f"{found[name]['positive']:.0%}"]
        for length, found in summaries.items()
        for name in PAIRS
    ]
    outdated = {part for found in summaries.values() for part in found["outdated"]}
    return table([*header, "95 % interval", "above 0"], rows) + footnote(
        outdated, "occlusion.py"
    )


def sentence():
    """Say in words how far attention and occlusion agree."""
    found = summarise().get(STRETCH_SECONDS)
    if found is None:
        return None
    agreed = found["attention and occlusion"]
    seeds = len(found["seeds"])
    return (
        f"Over stretches of {STRETCH_SECONDS} s of {found['n_recordings']} recordings "
        f"of {found['n_speakers']} speakers of the EMO-DB,\nby models that have not "
        f"heard the speaker ({seeds} seed{'s' if seeds > 1 else ''}), the rank "
        f"correlation\nof attention and "
        f"occlusion is {agreed['mean']:.2f} on average (95 % interval "
        f"{agreed['low']:.2f} to\n{agreed['high']:.2f}), and above 0 in "
        f"{agreed['positive']:.0%} of recordings."
    )


if __name__ == "__main__":
    main()
