"""Ask what confidence is worth on speakers left out.

    python benchmarks/calibration.py

reads the runs of ``emodb.py --protocol loso`` in ``benchmarks/results/``, and
trains no network. Where seeds were made by several revisions, it takes those of
the latest. For each speaker, scikit-learn's temperature scaling (sigmoid
before scikit-learn 1.8) is fitted to the predictions that were made for the
OTHER speakers when those were left out, and applied to the speaker's own.
Prints, and writes to ``benchmarks/results/calibration.json``, or to a file with the
recipe in its name if it is not the recommended one: the expected calibration error
(ECE) with 15 bins, before and after; and how accuracy rises where predictions of low
confidence are withheld.

It is not nested all the way down: the networks that made the predictions for
the other speakers were trained on the speaker who is calibrated for. Only the
temperature, one number, is chosen so, and not from that speaker's predictions.
Likewise, the thresholds of the table are read off the predictions that they are
tested on; they are the best for no purpose, but evenly spaced.
"""

import argparse
from pathlib import Path

import numpy as np
from _results import RESULTS, made_by, write
from _revisions import find_outdated, footnote, keep_latest, recorded_revision
from _runs import collect, read_run
from _smoke import parse_options
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from skemotion.metrics import expected_calibration_error, risk_coverage_curve

TARGETS = {"recommended": 0.04}
THRESHOLDS = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class StoredProbabilities(ClassifierMixin, BaseEstimator):
    """Return as probabilities what it is given."""

    def fit(self, X, y):
        """Learn the names of the columns."""
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        """Return X."""
        return X

    def predict(self, X):
        """Name the column of the highest probability."""
        return self.classes_[np.argmax(X, axis=1)]


def main():
    args = _parse_arguments()
    paths = sorted(
        args.results.glob(f"emodb-{args.protocol}-{args.recipe}-attention-*.json")
    )
    if not paths:
        raise SystemExit(f"no runs of {args.protocol} are in {args.results}")
    runs = keep_latest([(read_run(path),) for path in paths])
    report = {
        "protocol": args.protocol,
        "recipe": args.recipe,
        "model": "attention",
        "n_bins": 15,
        "revision": recorded_revision(*runs[0]),
        **{name: value for name, value in runs[0][0].items() if name == "parameters"},
        **made_by(),
        "runs": [measure(run) for (run,) in runs],
    }
    name = "calibration" + ("" if args.protocol == "loso" else f"-{args.protocol}")
    name += "" if args.recipe == "recommended" else f"-{args.recipe}"
    write(RESULTS / f"{name}.json", report)
    print(markdown_table(report))


def measure(run):
    """Measure one run, of one seed."""
    y, proba, speakers, classes = collect(run)
    calibrated, method = calibrate(y, proba, speakers, classes)
    return {
        "seed": run["seed"],
        "method": method,
        "accuracy": float(np.mean(classes[proba.argmax(axis=1)] == y)),
        "ECE before": expected_calibration_error(y, proba, labels=classes),
        "ECE after": expected_calibration_error(y, calibrated, labels=classes),
        "mean confidence before": float(proba.max(axis=1).mean()),
        "mean confidence after": float(calibrated.max(axis=1).mean()),
        "selective": _read_off(y, proba, classes),
    }


def calibrate(y, proba, speakers, classes):
    """Calibrate each speaker's predictions by those for the other speakers."""
    base = FrozenEstimator(StoredProbabilities().fit(proba, y))
    calibrated = np.empty_like(proba)
    method = "temperature" if _has_temperature() else "sigmoid"
    for speaker in np.unique(speakers):
        own = speakers == speaker
        # What is frozen is not fitted: any number of folds gives the same.
        calibrator = CalibratedClassifierCV(base, method=method, cv=2)
        calibrator.fit(proba[~own], y[~own])
        calibrated[own] = calibrator.predict_proba(proba[own])
    return calibrated, method


def _has_temperature():
    constraint = CalibratedClassifierCV._parameter_constraints["method"]
    return any("temperature" in getattr(kind, "options", ()) for kind in constraint)


def _read_off(y, proba, classes):
    """Return coverage and accuracy where confidence reaches each threshold."""
    coverage, risk, thresholds = risk_coverage_curve(y, proba, labels=classes)
    table = []
    for threshold in THRESHOLDS:
        reached = np.flatnonzero(thresholds >= threshold)[-1:]  # there may be none
        table += [
            [threshold, float(coverage[last]), 1 - float(risk[last])]
            for last in reached
        ]
    return table


def markdown_table(report):
    """Make tables of means, and ranges over the seeds."""
    runs = report["runs"]

    def spread(key):
        values = [run[key] for run in runs]
        return f"{np.mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"

    setting = f"{len(runs)} seeds, {report['protocol']}"
    target = TARGETS.get(report["recipe"], 0.05)
    lines = [
        f"| {setting} | as predicted | {runs[0]['method']} | at most |",
        "|---|---|---|---|",
        f"| ECE | {spread('ECE before')} | {spread('ECE after')} | {target} |",
        f"| mean confidence | {spread('mean confidence before')} "
        f"| {spread('mean confidence after')} | |",
        f"| accuracy | {spread('accuracy')} | | |",
        "",
        "| confidence at least | recordings predicted | accuracy on them |",
        "|---|---|---|",
    ]
    tables = np.array([run["selective"] for run in runs])
    for threshold, coverage, accuracy in tables.mean(axis=0):
        lines.append(f"| {threshold:.1f} | {coverage:.0%} | {accuracy:.3f} |")
    return "\n".join(lines) + footnote(
        find_outdated(report), "calibration.py", "Stale: these were"
    )


def _parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--protocol", default="loso")
    parser.add_argument("--recipe", default="recommended")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="where the runs are (%(default)s)"
    )
    return parse_options(parser, "--recipe descriptors")


if __name__ == "__main__":
    main()
