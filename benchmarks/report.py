"""Fill the tables of README, docs and model card from ``benchmarks/results/``.

    python benchmarks/report.py

Blocks between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``, or ``.. begin NAME``
and ``.. end NAME``, are replaced; one whose results are missing stays as it is, and is
named. Run the scripts that make
results before; ``docs/evaluation.md`` names them. Rows and tables of stale results are
marked. A row holds the seeds of one revision alone, the latest that there is: its
number of seeds falls where some are made again, and comes back with the others.
"""

import re
import textwrap
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import _encoder_tables
import _prose
import _speed_targets
import ablations
import adaptation
import nested
import novelty
import numpy as np
import occlusion
import robustness
import timeline
from _results import RESULTS, read
from _revisions import find_outdated, find_outdated_parts, footnote, keep_latest, mark
from _runs import (
    collect,
    footnote_rows,
    interval,
    mark_row,
    markdown_table,
    read_run,
    spread,
    summarise,
    table,
)
from _smoke import elsewhere
from calibration import markdown_table as calibration_table

import skemotion
from skemotion.metrics import speaker_report

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "docs" / "evaluation.md",
    ROOT / "docs" / "deployment.rst",
    ROOT / "docs" / "scale.rst",
    *sorted((ROOT / "docs" / "guide").glob("*.rst")),
    Path(skemotion.__file__).parent / "pretrained" / "MODEL_CARD.md",
)
POST_46 = "with-post-descriptors"
PLAIN_46 = "with-post-descriptors+without-copies-longer"
# Beside one another, by what conditions cost them.
COMPARED = (
    ("recommended", "attention"),
    ("recommended", "svm"),
    ("descriptors", "attention"),
)


class Target(NamedTuple):
    """A mean UAR that was set, and the run that is to reach it."""

    protocol: str
    recipe: str
    model: str
    value: float
    origin: str


LISTENERS = "listeners, and wav2vec 2.0 large"
PUBLISHED = 0.934
NOISE = "white noise, 10 dB"
CHEN = "Chen et al. 2018"
COMPARE = "SVM on openSMILE's ComParE"
SVM_OF_46 = "SVM on functionals of the same 46 descriptors"
TARGETS = (
    Target("loso", PLAIN_46, "attention", 0.683, SVM_OF_46),
    Target("loso", PLAIN_46, "attention", 0.75, "a step on the way"),
    Target("loso", PLAIN_46, "vote", 0.75, "a step on the way"),
    Target("loso", PLAIN_46, "attention", 0.79, COMPARE),
    Target("loso", "descriptors", "attention", 0.83, CHEN),
    Target("loso", "descriptors", "blstm", 0.83, CHEN),
    Target("loso", "descriptors", "vote", 0.83, CHEN),
    Target("loso-speaker", POST_46, "attention", 0.830, SVM_OF_46),
    Target("loso-speaker", POST_46, "vote", 0.830, SVM_OF_46),
    Target("loso-speaker", POST_46, "attention", 0.858, COMPARE),
    Target("loso-speaker", POST_46, "vote", 0.858, COMPARE),
    Target("loso-speaker", "descriptors", "attention", 0.88, "set ahead of the above"),
    Target("holdout", "descriptors", "attention", 0.90, "the post, by leaks"),
    Target("loso", "recommended", "svm", 0.924, "SVM, tried before"),
    Target("loso", "recommended", "attention", 0.924, "SVM on the same layer"),
    Target("loso", "recommended", "attention", 0.935, LISTENERS),
    Target("loso", "recommended", "attention", 0.945, "set ahead of the above"),
    Target("loso-text", "recommended", "attention", 0.91, "set ahead of 0.894"),
    Target("loso-speaker", "recommended", "attention", 0.965, "set ahead of 0.954"),
    Target("loso-adapted", "recommended", "attention", 0.965, "set for loso-speaker"),
    Target("holdout", "recommended", "attention", 0.96, "set ahead of 0.936"),
)


def main():
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for name in re.findall(r"^(?:<!--|\.\.) begin ([\w-]+)", text, re.MULTILINE):
            content = BLOCKS[name]()
            print(f"{document.name}, {name}: {'filled' if content else 'no results'}")
            if content:
                text = _replace(text, name, content)
        elsewhere(document).write_text(text, encoding="utf-8")


def _replace(text, name, content):
    in_markdown = rf"(<!-- begin {name}\b[^>]*-->\n).*?(<!-- end {name} -->)"
    in_rst = rf"(\.\. begin {name}:[^\n]*\n).*?(\.\. end {name}\n)"
    for block, filled in ((in_markdown, f"{content}\n"), (in_rst, f"\n{content}\n\n")):
        text = re.sub(
            block,
            lambda found, filled=filled: found[1] + filled + found[2],
            text,
            flags=re.DOTALL,
        )
    return text


def make_targets():
    """Put results beside what was aimed at."""
    runs = summarise()
    rows, shown = [], []
    for target in TARGETS:
        key = target.protocol, target.recipe, target.model
        found = runs.get(key)
        if found is None:
            continue
        shown.append(found)
        reached = np.mean([summary["UAR"] for summary in found]) > target.value
        rows.append(
            [*mark_row(key, found), f"{target.value:.3f}"]
            + [target.origin, spread(found, "UAR"), "yes" if reached else "no"]
        )
    header = ["protocol", "recipe", "model", "target", "what it is", "UAR", "reached"]
    return table(header, rows) + footnote_rows(shown) if rows else None


def make_summary():
    """Answer in five rows how good the recommended recipe is."""
    runs = summarise()
    new, known, svm = (
        runs.get((protocol, "recommended", model))
        for protocol, model in (
            ("loso", "attention"),
            ("holdout", "attention"),
            ("loso", "svm"),
        )
    )
    noise = _load_run("robustness-recommended-attention-0")
    if not (new and known and svm and noise):
        return None
    in_noise = robustness.score_conditions(noise)[NOISE] / 100

    def row(what, found):
        return [mark(what, found[0]["outdated"]), spread(found, "UAR")]

    rows = [
        row("**new voices**: speakers left out of training", new),
        row("known voices: other recordings of the speakers trained on", known),
        [
            mark(f"new voices in noise ({NOISE})", find_outdated(noise)),
            f"{in_noise:.3f}",
        ],
        row("new voices, by a support vector machine on the same frames", svm),
        ["new voices, published: SVM on frozen wav2vec 2.0 large", f"{PUBLISHED:.3f}"],
    ]
    note = footnote_rows([new, known, svm])
    return table(["recordings of", "UAR (range over the seeds)"], rows) + note


def make_minutes():
    """Say how long the pipeline of README takes."""
    found = _load("readme")
    if not (found and found["laps"]):
        return None
    laps = {lap["statement"]: lap["seconds"] / 60 for lap in found["laps"]}
    validate, search = (
        next(minutes for code, minutes in laps.items() if name in code)
        for name in ("cross_val_score", "search.fit")
    )
    text = (
        "On two cores without a GPU, the cross-validation of 10 folds takes about "
        f"{validate:.0f} min, and the search of 7 trainings {search:.0f} min. Both are "
        "silent meanwhile, unless `verbose` says otherwise."
    )
    return "\n".join(textwrap.wrap(text, 92)) + footnote(
        find_outdated_parts(found), "bench_readme.py", "Stale: this was"
    )


def make_accuracy(recipe="recommended"):
    """Pick the rows of a model that comes with the package."""
    runs = {
        protocol: found
        for (protocol, *variant), found in summarise().items()
        if protocol.startswith("loso") and variant == [recipe, "attention"]
    }
    rows = [
        [mark(protocol, found[0]["outdated"]), len(found), spread(found, "UAR")]
        + [interval(found), spread(found, "accuracy")]
        for protocol, found in runs.items()
    ]
    header = ["protocol", "seeds", "UAR", "95 % interval of UAR", "accuracy"]
    return table(header, rows) + footnote_rows(runs.values()) if rows else None


def make_recall():
    """Average each emotion's recall over the seeds."""
    values = defaultdict(list)
    runs = _loso_runs()
    for y, predicted, _ in map(_pool, runs):
        for emotion in np.unique(y):
            values[emotion].append(np.mean(predicted[y == emotion] == emotion))
    return _spread_table("emotion", "recall", values, runs)


def make_speakers():
    """Average each speaker's UAR over the seeds."""
    values = defaultdict(list)
    runs = _loso_runs()
    for y, predicted, speakers in map(_pool, runs):
        report = speaker_report(y, predicted, speakers, output_dict=True)
        for speaker in np.unique(speakers):
            values[speaker].append(report[speaker]["uar"])
    return _spread_table("speaker", "UAR", values, runs)


def make_confidence(recipe="recommended"):
    """Take over the table of ``calibration.py``."""
    suffix = "" if recipe == "recommended" else f"-{recipe}"
    report = _load(f"calibration{suffix}")
    return calibration_table(report) if report else None


def make_robustness(variant="recommended-attention"):
    """Take over the table of ``robustness.py``."""
    run = _load_run(f"robustness-{variant}-0")
    return robustness.markdown_table(run) if run else None


def make_gain_of_copies():
    """Say what copies in training give the recipe "descriptors"."""
    runs = [
        _load_run(f"robustness-{recipe}-attention-0")
        for recipe in ("without-copies-longer", "descriptors")
    ]
    return robustness.sentence(*runs) if all(runs) else None


def make_losses():
    """Put what each condition costs one model beside what it costs others."""
    runs = {
        " ".join(variant): _load_run(f"robustness-{'-'.join(variant)}-0")
        for variant in COMPARED
    }
    runs = {name: run for name, run in runs.items() if run}
    if not runs:
        return None
    scores = {name: robustness.score_conditions(run) for name, run in runs.items()}
    conditions = dict.fromkeys(name for found in scores.values() for name in found)
    rows = [
        [condition, *(_losses(found, condition) for found in scores.values())]
        for condition in conditions
    ]
    outdated = {name: find_outdated(run) for name, run in runs.items()}
    header = [mark(name, outdated[name]) for name in runs]
    note = footnote(
        set().union(*outdated.values()), "robustness.py", "Columns marked (stale) were"
    )
    return table(["condition", *header], rows) + note


def _losses(scores, condition):
    """Write recall on clean recordings, and what is lost or won on others."""
    if condition not in scores:
        return ""
    if condition == "clean":
        return f"{scores[condition]:.1f}"
    return f"{scores[condition] - scores['clean']:+.1f}"


def make_speech():
    """Say in how many recordings and sounds speech is found."""
    found = _load("speech_detection")
    if found is None:
        return None
    kinds = {"speech": "speech", "sounds": "other sounds"}
    rows = [
        [f"{kind}: {name}", f"{100 * share:.1f}"]
        for key, kind in kinds.items()
        for name, share in found[key].items()
        if share > 0
    ]
    never = [name for name, share in found["sounds"].items() if share == 0]
    return (
        table(["what", "called speech, in %"], rows)
        + (f"\n\nNever called speech: {', '.join(never)}." if never else "")
        + footnote(
            find_outdated_parts(found), "speech_detection.py", "Stale: these were"
        )
    )


def make_novelty():
    """Take over the table of ``novelty.py``."""
    result = _load("novelty")
    return novelty.markdown_table(result) if result else None


def make_timeline(part):
    """Take over a table of ``timeline.py``."""
    result = _load("timeline")
    if not result or part not in result:
        return None
    show = timeline.cost_table if part == "cost" else timeline.markdown_table
    outdated = find_outdated(result["made with"][part])
    note = footnote(outdated, "timeline.py", "Stale: these were")
    return show(result[part]) + note


def _load(stem):
    """Return what a file of results holds, or None."""
    return read(RESULTS / f"{stem}.json")


def _load_run(stem):
    """Return a run with predictions for recordings, or None."""
    path = RESULTS / f"{stem}.json"
    return read_run(path) if path.exists() else None


BLOCKS = {
    "occlusion": occlusion.markdown_table,
    "occlusion-sentence": occlusion.sentence,
    "targets": make_targets,
    "speed-targets": _speed_targets.markdown_table,
    "results": markdown_table,
    "ablations": ablations.markdown_table,
    "nested": nested.markdown_table,
    "accuracy": make_accuracy,
    "accuracy-descriptors": lambda: make_accuracy("descriptors"),
    "recall": make_recall,
    "speakers": make_speakers,
    "confidence": make_confidence,
    "confidence-descriptors": lambda: make_confidence("descriptors"),
    "encoder-cost": _encoder_tables.make_cost,
    "encoder-trials": _encoder_tables.make_trials,
    "encoder-nested": _encoder_tables.make_nested,
    "losses": make_losses,
    "minutes": make_minutes,
    "summary": make_summary,
    "encoder-speed": _prose.encoder_speed,
    "extraction-speed": _prose.extraction_speed,
    "training-speed": _prose.training_speed,
    "prediction-speed": _prose.prediction_speed,
    "scale": _prose.scale,
    "start": _prose.start,
    "runtime": _prose.runtime,
    "network-and-svm": ablations.sentence,
    "novelty": make_novelty,
    "speech": make_speech,
    "timeline-chosen": lambda: make_timeline("chosen on"),
    "timeline-tested": lambda: make_timeline("tested on"),
    "timeline-cost": lambda: make_timeline("cost"),
    "adaptation": adaptation.markdown_table,
    "adaptation-sentence": adaptation.sentence,
    "copies-sentence": make_gain_of_copies,
    "robustness": make_robustness,
    "robustness-without-copies": lambda: make_robustness(
        "without-copies-longer-attention"
    ),
    "robustness-descriptors": lambda: make_robustness("descriptors-attention"),
    "robustness-vote": lambda: make_robustness("descriptors-vote"),
}


def _loso_runs():
    paths = sorted(RESULTS.glob("emodb-loso-recommended-attention-*.json"))
    runs = keep_latest([(read_run(path),) for path in paths])
    return [run for (run,) in runs]


def _pool(run):
    y, proba, speakers, classes = collect(run)
    return y, classes[proba.argmax(axis=1)], speakers


def _spread_table(first, second, values, runs):
    rows = [
        [name, f"{np.mean(found):.3f} ({min(found):.3f}-{max(found):.3f})"]
        for name, found in sorted(values.items())
    ]
    note = footnote(find_outdated(*runs), "emodb.py", "Stale: these were")
    return table([first, second], rows) + note if rows else None


if __name__ == "__main__":
    main()
