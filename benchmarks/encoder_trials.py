"""Try a head on the frames of an encoder, under many protocols.

    python benchmarks/encoder_trials.py linear svm-base3 --frames FOLDER
    python benchmarks/encoder_trials.py network 'NAME {"units": 16}' --frames FOLDER
    python benchmarks/encoder_trials.py nested svm-base2 svm-base3 --frames FOLDER
    python benchmarks/encoder_trials.py table

``encoder_trials.md`` says what is tried, and how it is compared. Every trial is
kept in ``benchmarks/results/encoder_trials.json``; what has a name there needs no
settings. ``nested`` chooses among linear heads by pairs of speakers left out,
``choice`` among networks by the folds of nine speakers. FOLDER holds a file of
frames for each condition (``_encoder_frames.py``).
"""

import argparse
import itertools
import json
import time

import numpy as np
from _encoder_frames import CONDITIONS, Recordings, copies_of
from _encoder_linear import LinearTrial
from _encoder_protocols import (
    calibration,
    loso_splits,
    summarise_shifts,
    text_splits,
    uar,
)
from _results import RESULTS, read, write
from _revisions import current_parts
from _runs import table
from _smoke import parse_options

PATH = RESULTS / "encoder_trials.json"


def load_trials():
    return read(PATH) or []


def record(entry):
    """Add a trial; scores of one by its name and seed, of today's parts, are kept."""
    key = entry["name"], entry["seed"]
    trials = {(t["name"], t["seed"]): t for t in load_trials()}
    entry["revision"] = current_parts("padding", "encoder frames", *_of_kind(entry))
    before = trials.get(key, {})
    if "scores" in before and before.get("revision") == entry["revision"]:
        entry = {**entry, "scores": {**before["scores"], **entry["scores"]}}
    write(PATH, list({**trials, key: entry}.values()))


def _of_kind(entry):
    return ["network"] if entry["kind"] in ("network", "choice") else []


def run_linear(data, name, settings, *, texts=True, y=None):
    """Score a linear head, the folds one after the other."""
    trial = LinearTrial(**settings)
    start = time.perf_counter()
    everyone = np.arange(len(data.y))
    conditions = data.at_hand()
    if settings["front"].startswith("tiny"):  # whose frames are kept of a few alone
        conditions = [
            c
            for c in data.at_hand()
            if c in ("telephone_band", "white_noise__10_dB", "small_room")
        ]
    X = {c: trial.read(data, c) for c in ["clean", *conditions]}
    proba = {c: np.zeros((2, len(data.y), len(data.classes))) for c in X}
    for test in loso_splits(data):
        train = np.setdiff1d(everyone, test)
        predict = trial.fit(data, train, y=y)
        for c in X:
            proba[c][0, test] = predict(X[c][test])
            proba[c][1, test] = predict(X[c][test], data.speakers[test])
    scores = {"loso": uar(data, proba["clean"][0], y=y)}
    scores["loso-adapted"] = uar(data, proba["clean"][1], y=y)
    if proba["clean"][0].max(axis=1).min() < 1:
        scores["ece"] = calibration(data, proba["clean"][0])
    for c in conditions:
        scores[c] = [uar(data, p) for p in proba[c]]
    for label, train, test in (
        ("women-men", ~data.is_man, data.is_man),
        ("men-women", data.is_man, ~data.is_man),
    ):
        train, test = np.flatnonzero(train), np.flatnonzero(test)
        predict, pair = trial.fit(data, train), []
        for names in (None, data.speakers[test]):
            p = np.zeros((len(data.y), 7))
            p[test] = predict(X["clean"][test], names)
            pair.append(uar(data, p, test))
        scores[label] = pair
    other = LinearTrial(**{**settings, "standardise": "speaker"})
    p = np.zeros((len(data.y), 7))
    for test in loso_splits(data):
        predict = other.fit(data, np.setdiff1d(everyone, test), y=y)
        p[test] = predict(X["clean"][test], data.speakers[test])
    scores["loso-speaker"] = uar(data, p, y=y)
    if texts:
        p = np.zeros((len(data.y), 7))
        for train, test in text_splits(data):
            p[test] = trial.fit(data, train)(X["clean"][test])
        scores["loso-text"] = uar(data, p)
        rows = np.concatenate([test for _, test in text_splits(data, whole=False)])
        scores["loso-text-20"] = uar(data, p, rows)
    np.savez(
        data.work / f"proba-{name}-0.npz",
        **{c: p.astype(np.float32) for c, p in proba.items()},
    )
    finish(name, "linear", settings, 0, scores, start)
    return proba


def run_network(data, name, settings, seed=0, *, texts=False, speaker=False):
    """Score networks, all folds at once."""
    from _encoder_network import DEFAULTS, Condition, Stack, prepare

    s = {**DEFAULTS, **settings}
    start = time.perf_counter()
    clean = Condition(data, "clean", s)
    parts = [clean, *(Condition(data, name, s) for name in copies_of(s["copies"]))]
    everyone, D = np.arange(len(data.y)), clean.frames.shape[1]
    C = len(data.classes)

    def train(splits, standardise):
        """Return networks, moments of their folds, and whom they are tested on."""
        stack = Stack(len(splits), D, C, seed, **s)
        kept = data.work / f"weights-{name}-{seed}-{len(splits)}-{standardise}.npz"
        folds, moments = [], []
        for rows, _ in splits:
            (X, lens, F), found = prepare(parts, rows, data.speakers, standardise)
            folds.append((X, lens, F, np.tile(data.codes[rows], len(parts))))
            moments.append(found)
        if kept.exists():
            with np.load(kept) as file:
                stack.put([file[key] for key in file.files])
        else:
            stack.fit(folds)
            np.savez(kept, *stack.get())
        return stack, moments

    def predict(stack, moments, splits, part, adapt):
        proba = np.zeros((len(data.y), C))
        if adapt and any(len(set(data.speakers[test])) > 1 for _, test in splits):
            sets = []
            for speaker in data.names:  # of which only those tested are kept
                rows = np.flatnonzero(data.speakers == speaker)
                sets.append((speaker, rows, part.take(rows, part.moments(rows))))
            for k, (_, test) in enumerate(splits):
                for _, rows, taken in sets:
                    if np.isin(rows, test).all():
                        proba[rows] = stack.predict([taken] * stack.K)[k]
            return proba
        taken = [
            part.take(test, part.moments(test) if adapt else of_fold)
            for of_fold, (_, test) in zip(moments, splits, strict=True)
        ]
        for (_, test), p in zip(splits, stack.predict(taken), strict=True):
            proba[test] = p
        return proba

    splits = [(np.setdiff1d(everyone, test), test) for test in loso_splits(data)]
    stack, moments = train(splits, s["standardise"])
    seconds = time.perf_counter() - start
    proba = {}
    for c in ["clean", *data.at_hand()]:
        part = clean if c == "clean" else Condition(data, c, s)
        pair = [predict(stack, moments, splits, part, adapt) for adapt in (False, True)]
        proba[c] = np.array(pair)
    scores = {
        "loso": uar(data, proba["clean"][0]),
        "loso-adapted": uar(data, proba["clean"][1]),
        "ece": calibration(data, proba["clean"][0]),
        "ece-adapted": calibration(data, proba["clean"][1]),
        "seconds-loso": seconds,
    }
    for c in data.at_hand():
        scores[c] = [uar(data, p) for p in proba[c]]
        if "10_dB" in c:
            scores[f"ece-{c}"] = [calibration(data, p) for p in proba[c]]
    men, women = np.flatnonzero(data.is_man), np.flatnonzero(~data.is_man)
    splits = [(women, men), (men, women)]
    stack, moments = train(splits, s["standardise"])
    pair = [predict(stack, moments, splits, clean, adapt) for adapt in (False, True)]
    scores["women-men"] = [uar(data, p, men) for p in pair]
    scores["men-women"] = [uar(data, p, women) for p in pair]
    proba["sex"] = np.array(pair)
    if speaker:
        splits = [(np.setdiff1d(everyone, test), test) for test in loso_splits(data)]
        stack, moments = train(splits, "speaker")
        proba["speaker"] = predict(stack, moments, splits, clean, True)
        scores["loso-speaker"] = uar(data, proba["speaker"])
    if texts:
        whole = text_splits(data, whole=texts == "whole")
        p = np.zeros((len(data.y), C))
        for first in range(0, len(whole), 20):
            some = whole[first : first + 20]
            stack = Stack(len(some), D, C, seed, **s)
            folds, moments = [], []
            for rows, _ in some:
                (X, lens, F), found = prepare(
                    parts, rows, data.speakers, s["standardise"]
                )
                folds.append((X, lens, F, np.tile(data.codes[rows], len(parts))))
                moments.append(found)
            stack.fit(folds)
            p += predict(stack, moments, some, clean, False)
        rows = np.concatenate([test for _, test in whole])
        scores["loso-text" if texts == "whole" else "loso-text-20"] = uar(data, p, rows)
        if texts == "whole":
            rows = np.concatenate([t for _, t in text_splits(data, whole=False)])
            scores["loso-text-20"] = uar(data, p, rows)
        proba["text"] = p
    np.savez(
        data.work / f"proba-{name}-{seed}.npz",
        **{c: p.astype(np.float32) for c, p in proba.items()},
    )
    finish(name, "network", settings, seed, scores, start)
    return proba


def finish(name, kind, settings, seed, scores, start):
    scores = {
        k: [round(float(x), 4) for x in v] if np.ndim(v) else round(float(v), 4)
        for k, v in scores.items()
    }
    scores |= summarise_shifts(scores)
    entry = {
        "name": name,
        "kind": kind,
        "seed": seed,
        "seconds": round(time.perf_counter() - start, 1),
        "settings": settings,
        "scores": scores,
    }
    record(entry)
    wanted = (
        "loso",
        "loso-adapted",
        "ece",
        "loso-speaker",
        "loso-text",
        "loso-text-20",
        "sex",
        "channel",
        "voice",
        "shifts",
        "shifts-adapted",
        "composite",
    )
    print(
        name,
        seed,
        f"{entry['seconds']} s",
        {k: scores[k] for k in wanted if k in scores},
        flush=True,
    )


def markdown_table():
    """Make a table of all trials that were scored under all shifts, best first."""
    trials = [t for t in load_trials() if set(CONDITIONS) <= set(t.get("scores", ()))]
    columns = (
        "loso", "loso-adapted", "loso-speaker", "loso-text", "loso-text-20", "sex",
        "channel", "voice", "shifts", "shifts-adapted", "composite", "ece",
    )  # fmt: skip
    rows = [
        [
            t["name"],
            t["seed"],
            *(_cell(t["scores"].get(column, "")) for column in columns),
            round(t["seconds"]),
        ]
        for t in sorted(trials, key=lambda t: -t["scores"]["composite"])
    ]
    return table(["trial", "seed", *columns, "seconds"], rows)


def _cell(value):
    if isinstance(value, list):
        return " / ".join(f"{v:.3f}" for v in value)
    return value if value == "" else f"{value:.3f}"


def nested(data, names):
    """Choose among linear trials on nine speakers, pairs left out; score the tenth."""
    known = {t["name"]: t["settings"] for t in load_trials() if t["kind"] == "linear"}
    trials = {name: LinearTrial(**known[name]) for name in names}
    X = {name: trial.read(data, "clean") for name, trial in trials.items()}
    everyone = np.arange(len(data.y))
    outer = {name: np.zeros((len(data.y), 7)) for name in names}
    inner = {}
    for name, trial in trials.items():
        for test in loso_splits(data):
            predict = trial.fit(data, np.setdiff1d(everyone, test))
            outer[name][test] = predict(X[name][test])
        for pair in itertools.combinations(data.names, 2):
            test = np.flatnonzero(np.isin(data.speakers, pair))
            predict = trial.fit(data, np.setdiff1d(everyone, test))
            inner[name, pair] = test, predict(X[name][test])
    chosen, p = {}, np.zeros((len(data.y), 7))
    for speaker in data.names:
        best = []
        for name in names:
            pooled = np.zeros((len(data.y), 7))
            for pair in itertools.combinations(data.names, 2):
                if speaker in pair:
                    test, proba = inner[name, pair]
                    pooled[test] = proba
            others = data.speakers != speaker
            best.append(uar(data, pooled, others))
        winner = names[int(np.argmax(best))]
        chosen[winner] = chosen.get(winner, 0) + 1
        rows = data.speakers == speaker
        p[rows] = outer[winner][rows]
    return {
        "of the choice": round(uar(data, p), 4),
        "chosen": chosen,
        "each": {name: round(uar(data, outer[name]), 4) for name in names},
    }


def choose_network(data):
    """Choose among networks on nine speakers' folds; score the tenth's."""
    trials = [t for t in load_trials() if t["kind"] == "network" and t["seed"] == 0]
    names = [t["name"] for t in trials]
    proba = {}
    for name in names:
        with np.load(data.work / f"proba-{name}-0.npz") as file:
            proba[name] = file["clean"][0]
    chosen, p = {}, np.zeros((len(data.y), len(data.classes)))
    for speaker in data.names:
        rows = data.speakers == speaker
        winner = max(names, key=lambda name: uar(data, proba[name], ~rows))
        chosen[winner] = chosen.get(winner, 0) + 1
        p[rows] = proba[winner][rows]
    return {
        "of the choice": round(uar(data, p), 4),
        "chosen": chosen,
        "each": {name: round(uar(data, proba[name]), 4) for name in names},
    }


def parse_trial(line):
    """Return name and settings of "NAME" or "NAME {JSON}"."""
    name, _, settings = line.partition(" ")
    if settings:
        return name, json.loads(settings)
    known = {t["name"]: t["settings"] for t in load_trials() if "settings" in t}
    if name not in known:
        raise SystemExit(f"there is no trial {name!r} yet: give its settings as JSON")
    return name, known[name]


def main():
    args = _parse_arguments()
    if args.kind == "table":
        print(markdown_table())
        return
    data = Recordings(args.frames, args.work)
    if args.kind in ("nested", "choice"):
        start = time.perf_counter()
        names = list(args.trials)
        found = nested(data, names) if names else choose_network(data)
        print(found)
        seconds = round(time.perf_counter() - start, 1)
        name = " ".join([args.kind, *names])
        record(
            {"name": name, "kind": args.kind, "seed": 0, "seconds": seconds, **found}
        )
        return
    for name, settings in map(parse_trial, args.trials):
        if args.kind == "network":
            texts = "whole" if args.texts else False
            run_network(
                data, name, settings, args.seed, texts=texts, speaker=args.speaker
            )
        elif args.kind == "shuffled":
            y = np.random.default_rng(args.seed).permutation(data.y)
            run_linear(data, f"{name}-shuffled", settings, texts=False, y=y)
        else:
            run_linear(data, name, settings, texts=args.texts)


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = ["linear", "network", "nested", "choice", "shuffled", "table"]
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("trials", nargs="*", help="names, or 'NAME {settings}'")
    parser.add_argument("--frames", default="frames", help="folder (%(default)s)")
    parser.add_argument(
        "--work", default="encoder_trials.partial", help="folder (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--texts", action="store_true", help="loso-text as well")
    parser.add_argument(
        "--speaker", action="store_true", help="loso-speaker, of networks, as well"
    )
    return parse_options(parser, "table")


if __name__ == "__main__":
    main()
