"""``skemotion evaluate``."""

import os
from functools import partial

from skemotion._files import atomic_path
from skemotion._text import csv_text, json_text
from skemotion.cli._checks import check_folder, check_new_file
from skemotion.cli._evaluating import evaluate_corpus, forget_evaluation, load_for_new
from skemotion.cli._formats import NO_SPEECH
from skemotion.cli._labels import load_labelled
from skemotion.cli._report import check_folder_of_page, write_page
from skemotion.cli._scores import (
    answers,
    describe,
    print_report,
    save_confusion_matrix,
)
from skemotion.cli._terminal import note, say, shows_progress, write_out


def run(options):
    """Print how well emotions are recognised, and under which protocol."""
    corpus = load_for_new(options, partial(_check_new, options), load_labelled)
    as_text = options.format == "text"
    evaluation = evaluate_corpus(options, corpus, tell=say if as_text else _tell)
    if as_text:
        _print_text(evaluation)
    else:
        write_out(json_text(describe(evaluation), indent=2) + "\n")
    tell = say if as_text else note
    if options.figures:
        found = evaluation.y_true, answers(evaluation)
        tell(f"saved {save_confusion_matrix(options.figures, *found)}")
    if options.report:
        tell(f"saved {write_page(evaluation, options.report, options)}")
    if options.out:
        if not os.path.exists(options.out):  # as where a kill came after it
            _write_predictions(options.out, evaluation)
        tell(f"saved {options.out}")
    forget_evaluation(options, corpus)


def _check_new(options):
    if options.out:
        check_new_file(options.out, "predictions.csv")
    if options.figures:
        check_folder(options.figures)
    if options.report:
        check_folder_of_page(options.report)


def _tell(text):
    """Tell of a fold where standard output is for something else."""
    if shows_progress():
        note(text)


def _print_text(evaluation):
    print(evaluation.protocol, *evaluation.caveats, sep="\n")
    if evaluation.silent is not None and evaluation.silent.any():
        print(
            f"{evaluation.silent.sum()} of {len(evaluation)} recordings hold no "
            "speech, and count as not recognised."
        )
    print()
    print_report(evaluation.y_true, answers(evaluation), evaluation.speakers)


def _write_predictions(path, evaluation):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    labels = evaluation.classes.tolist()
    extra = ["speaker"] * (evaluation.speakers is not None)
    extra += ["fold"] * (evaluation.folds is not None)
    header = ["path", "truth", "emotion", "confidence", *labels, *extra, "error"]
    text = csv_text([header, *_rows(evaluation)])
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode(errors="surrogateescape"))


def _rows(evaluation):
    speakers, folds, silent = evaluation.speakers, evaluation.folds, evaluation.silent
    confidence, y_pred = evaluation.confidence, evaluation.y_pred
    for row in range(len(evaluation)):
        is_silent = silent is not None and silent[row]
        numbers = [confidence[row], *evaluation.probabilities[row]]
        yield [
            evaluation.paths[row],
            evaluation.y_true[row],
            "" if is_silent else y_pred[row],
            *("" if is_silent else f"{number:.4f}" for number in numbers),
            *([] if speakers is None else [speakers[row]]),
            *([] if folds is None else [folds[row] + 1]),
            NO_SPEECH if is_silent else "",
        ]
