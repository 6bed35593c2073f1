"""``skemotion predict``."""

import csv
import json
import sys

import joblib

from skemotion.cli._terminal import on_terminal


def run(options):
    """Print the emotion of every file."""
    pipeline = load_model(options.model)
    if on_terminal() and "extract__verbose" in pipeline.get_params():
        pipeline.set_params(extract__verbose=1)
    probabilities = pipeline.predict_proba(options.files)
    labels = [str(label) for label in pipeline.classes_]
    rows = [
        (path, labels[row.argmax()], row)
        for path, row in zip(options.files, probabilities, strict=True)
    ]
    _WRITERS[options.format](rows, labels)


def load_model(path):
    """Load a pipeline saved by joblib, or say what is wrong with the file."""
    try:
        model = joblib.load(path)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(
            f"{path} is not a model saved by skemotion train, or was saved under other "
            f"versions: {error}"
        ) from error
    if not hasattr(model, "predict_proba"):
        raise ValueError(f"{path} holds no model that predicts probabilities")
    return model


def _write_text(rows, labels):
    for path, label, row in rows:
        print(f"{path}\t{label}\t{row.max():.2f}")


def _write_csv(rows, labels):
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["path", "emotion", "confidence", *labels])
    for path, label, row in rows:
        numbers = [f"{value:.4f}" for value in (row.max(), *row)]
        writer.writerow([path, label, *numbers])


def _write_json(rows, labels):
    found = [
        {
            "path": path,
            "emotion": label,
            "confidence": round(float(row.max()), 4),
            "probabilities": dict(zip(labels, map(_rounded, row), strict=True)),
        }
        for path, label, row in rows
    ]
    print(json.dumps(found, indent=2, ensure_ascii=False))


def _rounded(value):
    return round(float(value), 4)


_WRITERS = {"text": _write_text, "csv": _write_csv, "json": _write_json}
