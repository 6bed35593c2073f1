"""Options that several commands share, and the types of their values."""

import argparse
import ast
import math
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from skemotion.datasets._known import CORPORA
from skemotion.pipeline._recipe_table import DEFAULT_RECIPE, RECIPES

KNOWN_HELP = (
    f"NAME:PATH for a copy of a known corpus ({', '.join(CORPORA)}), or NAME for the "
    "fetched one"
)

CORPUS_HELP = (
    "a folder with one sub-folder per class, a CSV table with columns path, label "
    f"and optionally speaker, {KNOWN_HELP}"
)
RESUME_HELP = (
    "It appears once all is done; until then the work stands in a folder with the "
    "suffix .partial, and the same command resumes it"
)
MAX_SPEAKERS = 10
N_PER_CLASS = 20


class CommandParser(argparse.ArgumentParser):
    """Parser that takes no abbreviations, and hands on how to complain."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            **{"formatter_class": _Formatter, "allow_abbrev": False, **kwargs}
        )
        self.set_defaults(usage_error=self.error, refuse_unknown=self.refuse_unknown)

    def refuse_unknown(self, words: Sequence[str]) -> NoReturn:
        """Complain about words that no argument takes, and say which come near."""
        known = list(self._option_string_actions)
        said = []
        for word in words:
            near = get_close_matches(word.partition("=")[0], known, 2, 0.6)
            hint = f" (near it: {', '.join(near)})" if near and word[:1] == "-" else ""
            said.append(f"{word}{hint}")
        self.error(f"unrecognized arguments: {' '.join(said)}")


class _Formatter(argparse.HelpFormatter):
    """Shows arguments that may be left out in brackets."""

    def _format_args(self, action, default_metavar):
        text = super()._format_args(action, default_metavar)
        if action.nargs == argparse.ONE_OR_MORE and not action.required:
            return f"[{text.split()[0]} ...]"
        return text


def add_corpus(group, **how):
    """Add the argument that names labelled recordings."""
    group.add_argument("corpus", metavar="CORPUS", help=CORPUS_HELP, **how)


def add_talk_options(parser, *, with_progress):
    """Add what decides how much is said, the same for every command."""
    group = parser.add_argument_group("messages")
    amount = group.add_mutually_exclusive_group()
    amount.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="results and errors alone: no progress, no warnings, no notes",
    )
    amount.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="say more: every epoch of a training, and where in the code an error "
        "arose",
    )
    if with_progress:
        group.add_argument(
            "--progress",
            action="store_true",
            help="show progress and the time that is left even if standard error is "
            "no terminal, then as lines",
        )


def add_map(group):
    """Add the option that renames labels."""
    group.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="LABEL=EMOTION",
        dest="label_map",
        type=label_pair,
        help="call what CORPUS labels LABEL by another name, as in --map angry=anger; "
        "with nothing behind the = such recordings are left out; may be repeated",
    )


def add_by_speaker(group, help_text):
    """Add the option that standardises features by speaker."""
    group.add_argument("--by-speaker", action="store_true", help=help_text)


def add_evaluation_options(parser):
    """Add what says which model is evaluated, and how."""
    parser.add_argument(
        "-m",
        "--model",
        metavar="MODEL",
        help="score this trained pipeline instead of training; nothing in CORPUS may "
        "have been trained on. It is a file, or the name of a model that comes with "
        "the package: pretrained, emodb-descriptors",
    )
    parser.add_argument(
        "--protocol",
        choices=["speaker", "holdout"],
        help="speaker: train on some speakers and test on the others, until each has "
        "been tested once; holdout: one test set with the same number of recordings "
        "of every class, of speakers that are also trained on (default: speaker)",
    )
    parser.add_argument(
        "--folds",
        type=fold_count,
        metavar="N",
        help="put the speakers into N groups, and leave out one group at a time; all "
        "leaves out one speaker at a time, however many there are (default: all, if "
        f"there are up to {MAX_SPEAKERS} speakers, otherwise {MAX_SPEAKERS})",
    )
    parser.add_argument(
        "--n-per-class",
        type=positive_int,
        metavar="N",
        help="recordings per class in the test set of --protocol holdout (default: "
        f"{N_PER_CLASS})",
    )
    add_by_speaker(
        parser,
        "standardise each recording's features by those of its speaker, over all "
        "recordings of that speaker and without labels (transductive)",
    )
    add_map(parser)
    parser.add_argument(
        "--keep",
        metavar="FOLDER",
        help="keep each fold there once it is done, and take those that are there: so "
        "the same command resumes where it was killed. Without it they are kept "
        "beside --out until all is done, and not at all without either",
    )
    add_training_options(
        parser,
        n_jobs=None,
        parallel="folds trained at the same time, in processes of their own that share "
        "the processors; of one fold, or with --model, recordings extracted at the "
        "same time",
        usual="for folds, 1 where they are small, else as many as there are "
        "processors, and as memory allows",
    )


def add_training_options(
    parser, parallel="recordings extracted at the same time", **how
):
    """Add what says how a pipeline is made."""
    group = parser.add_argument_group("training")
    group.add_argument(
        "--recipe",
        choices=list(RECIPES),
        default=DEFAULT_RECIPE,
        help="the recommended settings, which hear through a speech encoder; those "
        "for acoustic descriptors; or the post's: 256 units, cells scaled, padding "
        "seen (default: %(default)s)",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STEP__NAME=VALUE",
        dest="settings",
        type=setting,
        help="set any parameter of a step, as in --set classify__epochs=10; may be "
        "repeated",
    )
    group.add_argument(
        "--on-error",
        choices=["raise", "warn"],
        default="raise",
        help="where recordings cannot be read: raise names them all and stops, before "
        "any work as far as that is seen; warn decodes all first, leaves out those "
        "that cannot be read, and says which (default: %(default)s)",
    )
    group.add_argument(
        "--seed", type=int, default=0, help="random state (default: %(default)s)"
    )
    add_extraction_options(group, parallel, **how)


def add_extraction_options(
    group, parallel="recordings extracted at the same time", **how
):
    """Add what says how features are extracted."""
    add_jobs(group, parallel, **how)
    group.add_argument(
        "--cache", metavar="FOLDER", help="keep extracted features there for next time"
    )


def add_jobs(group, what, n_jobs=1, usual="%(default)s"):
    """Add the option that says how many workers there are."""
    group.add_argument(
        "--n-jobs",
        type=job_count,
        default=n_jobs,
        metavar="N",
        help=f"{what}; -1 for as many as there are processors (default: {usual})",
    )


def add_streaming_options(parser):
    """Add what says how long lists are worked through."""
    parser.add_argument(
        "--chunk-size",
        type=positive_int,
        default=256,
        metavar="N",
        help="recordings held in memory, and lost by a kill (default: %(default)s)",
    )


def add_model(parser):
    """Add the option that names a trained model, or none."""
    parser.add_argument(
        "-m",
        "--model",
        metavar="MODEL",
        help="file written by train or quickstart, a bundle of skemotion.save_model, "
        "or the name of a model that comes with the package: pretrained, "
        "emodb-descriptors. A bundle, which ends in .skemotion, runs no code. "
        "Loading a file of joblib, which must end in .joblib, .pkl or .pickle, does: "
        "take it only from a source that you trust. Without it, pretrained predicts, "
        "which learnt from acted German speech of ten voices: of other speech it knows "
        "little, however confident",
    )


def setting(text):
    """Parse STEP__NAME=VALUE, the value being a Python literal or a word."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not STEP__NAME=VALUE")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def label_pair(text):
    """Parse LABEL=EMOTION, where EMOTION may be empty."""
    label, equals, emotion = text.rpartition("=")
    if not equals or not label.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not LABEL=EMOTION")
    return label.strip(), emotion.strip()


def fold_count(text):
    """Parse a number of folds, or "all"."""
    if text == "all":
        return text
    try:
        return fold_number(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(
            f"{text} is neither a number of folds, from 2 on, nor all"
        ) from error


def fold_number(text):
    """Parse a number of folds."""
    number = _whole(text)
    if number is None or number < 2:
        raise argparse.ArgumentTypeError(f"{text} is not a number of folds, from 2 on")
    return number


def job_count(text):
    """Parse a number of workers, which counts from the end where it is negative."""
    number = _whole(text)
    if not number:
        raise argparse.ArgumentTypeError(
            f"{text} is not a number of jobs: 1 or more, or -1 for all processors"
        )
    return number


def positive_int(text):
    """Parse a number from 1 on."""
    number = _whole(text)
    if number is None or number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive whole number")
    return number


def probability(text):
    """Parse a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def seconds(text):
    """Parse a time of 0 s or more."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a time of 0 s or more")
    return number


def positive_time(text):
    """Parse a time of more than 0 s."""
    number = seconds(text)
    if not number:
        raise argparse.ArgumentTypeError(f"{text} is not a positive time")
    return number


def npy_file(text):
    """Parse the name of a file in NumPy's format."""
    if not text.endswith(".npy"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .npy")
    return text


def _whole(text):
    try:
        return int(text)
    except ValueError:
        return None
