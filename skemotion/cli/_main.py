"""Arguments of every command, and their dispatch."""

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence

from skemotion._version import __version__

_CORPUS_HELP = (
    "a folder with one sub-folder per class, a CSV table with columns path, label "
    "and optionally speaker, emodb:PATH for a copy of the Berlin EMO-DB, or emodb "
    "for the fetched one"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Without the program's name. None takes those of the process.

    Returns
    -------
    int
        0 if all went well, 1 if the work failed. Wrong usage exits with 2.
    """
    options = _make_parser().parse_args(arguments)
    command = importlib.import_module(f"skemotion.cli._{options.command}")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return command.run(options) or 0
    except BrokenPipeError:  # the reader of a pipe, such as head, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("skemotion: interrupted", file=sys.stderr)
        return 1
    except (OSError, ValueError, TypeError) as error:
        print(f"skemotion: error: {error}", file=sys.stderr)
        return 1


def _show_warning(message, category, filename, lineno, file=None, line=None):
    print(f"skemotion: warning: {message}", file=sys.stderr)


def _make_parser():
    parser = argparse.ArgumentParser(
        prog="skemotion", description="Recognise emotions in speech."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    _add_quickstart(commands)
    _add_fetch(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_predict(commands)
    _add_cache(commands)
    return parser


def _add_quickstart(commands):
    text = (
        "Train, test on speakers that were not trained on, and save a model with "
        "figures: on synthetic speech, or on a corpus of yours."
    )
    parser = commands.add_parser("quickstart", help=text, description=text)
    parser.add_argument("--data", metavar="CORPUS", help=_CORPUS_HELP)
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        default="skemotion-quickstart",
        help="where model and figures go (default: %(default)s)",
    )
    _add_training_options(parser)


def _add_fetch(commands):
    text = "Download the Berlin EMO-DB (about 40 MB), verified file by file."
    parser = commands.add_parser("fetch", help=text, description=text)
    parser.add_argument(
        "--data-home",
        metavar="FOLDER",
        help="where it goes (default: $SKEMOTION_DATA or ~/skemotion_data)",
    )


def _add_train(commands):
    text = "Train a pipeline on a corpus and save it."
    parser = commands.add_parser("train", help=text, description=text)
    parser.add_argument("corpus", metavar="CORPUS", help=_CORPUS_HELP)
    parser.add_argument(
        "-o",
        "--output",
        metavar="MODEL",
        default="model.joblib",
        help="file of the trained pipeline (default: %(default)s)",
    )
    _add_training_options(parser)


def _add_evaluate(commands):
    text = (
        "Cross-validate a recipe on a corpus, by default leaving out one speaker at "
        "a time, or score a trained model on recordings that are new to it."
    )
    parser = commands.add_parser("evaluate", help=text, description=text)
    parser.add_argument("corpus", metavar="CORPUS", help=_CORPUS_HELP)
    parser.add_argument(
        "--model",
        help="score this trained pipeline instead; nothing in CORPUS may have been "
        "trained on",
    )
    parser.add_argument(
        "--protocol",
        choices=["speaker", "holdout"],
        default="speaker",
        help="speaker: leave one speaker out; holdout: one test set of a fixed "
        "number of recordings per class, of speakers that are also trained on "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--n-per-class",
        type=_positive_int,
        default=20,
        metavar="N",
        help="recordings per class in the test set of holdout (default: %(default)s)",
    )
    parser.add_argument(
        "--predictions", metavar="FILE", help="write every prediction to a CSV file"
    )
    parser.add_argument(
        "--figures", metavar="FOLDER", help="draw the confusion matrix there"
    )
    _add_training_options(parser)


def _add_predict(commands):
    text = "Predict the emotion of recordings by a trained pipeline."
    parser = commands.add_parser("predict", help=text, description=text)
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="file written by train or quickstart; loading one runs code from it, so "
        "take it only from a source that you trust",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="a recording")
    parser.add_argument(
        "--format",
        choices=["text", "csv", "json"],
        default="text",
        help="text: path, emotion, confidence; csv, json: also the probability of "
        "every emotion (default: %(default)s)",
    )


def _add_cache(commands):
    text = "Look at, or delete, the features that --cache has kept."
    parser = commands.add_parser("cache", help=text, description=text)
    parser.add_argument(
        "action",
        choices=["info", "clear"],
        help="info: count the entries; clear: delete them, and nothing else",
    )
    parser.add_argument("folder", metavar="FOLDER", help="what was given as --cache")


def _add_training_options(parser):
    group = parser.add_argument_group("training")
    group.add_argument(
        "--recipe",
        choices=["recommended", "post"],
        default="recommended",
        help="the recommended settings, or the post's: 256 units, cells scaled, "
        "padding seen (default: %(default)s)",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STEP__NAME=VALUE",
        dest="settings",
        type=_setting,
        help="set any parameter of a step, as in --set classify__epochs=10; may be "
        "repeated",
    )
    group.add_argument(
        "--seed", type=int, default=0, help="random state (default: %(default)s)"
    )
    group.add_argument(
        "--n-jobs",
        type=int,
        default=1,
        metavar="N",
        help="recordings extracted at the same time (default: %(default)s)",
    )
    group.add_argument(
        "--cache", metavar="FOLDER", help="keep extracted features there for next time"
    )


def _setting(text):
    """Parse STEP__NAME=VALUE, the value being a Python literal or a word."""
    import ast

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not STEP__NAME=VALUE")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def _positive_int(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number
