"""Size of the page about EMO-DB, and how long it takes to write and to open.

Each speaker is predicted by a model that was trained on the others. The page is
opened from disk in chromium, in a new context each time; medians are written down.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from _folds import fitted_folds
from _results import RESULTS as FOLDER
from _smoke import parse_options, skip
from _timing import write_json

from skemotion.datasets import load_emodb
from skemotion.report import Evaluation, write_report

RESULTS = FOLDER / "report.json"
# Milliseconds since the navigation began.
TIMES = """() => {
  const {domContentLoadedEventEnd, loadEventEnd} =
    performance.getEntriesByType("navigation")[0];
  return {parsed: domContentLoadedEventEnd, loaded: loadEventEnd};
}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", help="folder of EMO-DB")
    parser.add_argument("folds", help="folder in which fitted models are kept")
    parser.add_argument("--page", help="folder to keep the page in")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parse_options(parser, "{corpus} {work}/folds --repeats 1")
    evaluation = evaluate(load_emodb(options.corpus), options.folds)
    with tempfile.TemporaryDirectory() as folder:
        start, busy = time.perf_counter(), time.process_time()
        page = write_report(
            evaluation,
            options.page or folder,
            title="Berlin EMO-DB, speakers left out",
            verbose=1,
        )
        content = {
            "n_recordings": len(evaluation),
            "n_shown": page.read_bytes().count(b"<audio"),
            "megabytes": round(page.stat().st_size / 1e6, 2),
            "seconds_to_write": round(time.perf_counter() - start, 1),
            "cpu_seconds_to_write": round(time.process_time() - busy, 1),
            "milliseconds_to_open": open_page(page, options.repeats),
            "repeats": options.repeats,
        }
    print(content)
    write_json(options.output, content)


def evaluate(corpus, folder):
    """Predict each speaker by the model that has not heard them."""
    tested, probabilities, folds, histories = [], [], [], []
    for number, (_, test, pipeline) in enumerate(fitted_folds(corpus, folder)):
        tested.append(test)
        probabilities.append(pipeline.predict_proba(corpus.paths[test]))
        folds.append(np.full(len(test), number))
        histories.append(pipeline[-1].history_)
    rows = np.concatenate(tested)
    return Evaluation(
        paths=corpus.paths[rows],
        y_true=corpus.target[rows],
        probabilities=np.concatenate(probabilities).astype(np.float64),
        classes=pipeline.classes_,
        protocol=f"Speaker-independent: each of {len(tested)} speakers left out once.",
        speakers=corpus.speakers[rows],
        folds=np.concatenate(folds),
        histories=histories,
    )


def open_page(page, repeats):
    """Return how long chromium takes until the page is parsed, and loaded."""
    from playwright.sync_api import sync_playwright

    if shutil.which("chromium") is None:
        skip("it needs chromium")

    times = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for _ in range(repeats):
            context = browser.new_context()
            tab = context.new_page()
            tab.goto(page.as_uri())
            times.append(tab.evaluate(TIMES))
            context.close()
        browser.close()
    return {name: round(median(each[name] for each in times)) for name in times[0]}


if __name__ == "__main__":
    main()
