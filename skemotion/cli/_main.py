"""Arguments of every command, and their dispatch."""

import argparse
import importlib
import math
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


_RESUME_HELP = (
    "It appears once all is done; until then the work stands in a folder with the "
    "suffix .partial, and the same command resumes it"
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
    except (OSError, ValueError, TypeError, ImportError) as error:
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
    _add_extract(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_predict(commands)
    _add_timeline(commands)
    _add_adapt(commands)
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


def _add_extract(commands):
    text = (
        "Extract the features of many recordings to an array of NumPy that can be "
        "mapped into memory, and the list of its rows to a CSV table beside it."
    )
    parser = commands.add_parser("extract", help=text, description=text)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("corpus", metavar="CORPUS", nargs="?", help=_CORPUS_HELP)
    _add_list(source)
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE.npy",
        type=_npy_file,
        required=True,
        help="float32 array of shape (recordings, frames, features); row i is line i "
        "of FILE.csv, with the columns path and, of a corpus, label and speaker; "
        "recordings that cannot be read are left out of both and listed in "
        "FILE.failed.csv. " + _RESUME_HELP,
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        type=_setting,
        help="set any parameter of SpeechFeatureExtractor, as in --set duration=3; "
        "may be repeated",
    )
    _add_extraction_options(parser)
    _add_streaming_options(parser)


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
    parser.add_argument(
        "--by-speaker",
        action="store_true",
        help="standardise each recording's features by those of its speaker; the "
        "model is then only for predict --one-speaker",
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
        "-m",
        "--model",
        metavar="MODEL",
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
        "--by-speaker",
        action="store_true",
        help="standardise each recording's features by those of its speaker, over "
        "all recordings of that speaker and without labels (transductive)",
    )
    parser.add_argument(
        "--predictions", metavar="FILE", help="write every prediction to a CSV file"
    )
    parser.add_argument(
        "--figures", metavar="FOLDER", help="draw the confusion matrix there"
    )
    _add_training_options(parser)


def _add_predict(commands):
    text = (
        "Predict the emotion of recordings by a trained pipeline, or by the one that "
        "comes with the package. Recordings that cannot be read do not stop the "
        "others: all are named in the end, and the exit code is 1. So it is with those "
        "without speech, whose emotion is empty."
    )
    parser = commands.add_parser("predict", help=text, description=text)
    _add_model(parser)
    _add_files(parser)
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--format",
        choices=["text", "csv", "json"],
        default="text",
        help="text: path, emotion, confidence; csv, json: also the probability of "
        "every emotion, and the error of a recording that cannot be read or holds "
        "no speech (default: %(default)s)",
    )
    output.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="write csv to a file instead. " + _RESUME_HELP,
    )
    parser.add_argument(
        "--min-confidence",
        type=_probability,
        default=0.0,
        metavar="P",
        help="call the emotion uncertain where the confidence, which is the highest "
        "probability, is below P",
    )
    setting = parser.add_mutually_exclusive_group()
    setting.add_argument(
        "--adapt",
        action="store_true",
        help="all recordings given are of one setting, such as one microphone, "
        "language or call centre: adapt the model to how they sound on the whole, "
        "without labels, and then predict them (transductive). It wants 50 "
        "recordings or more, of all kinds of emotions. All are read several times: "
        "--cache saves most of that",
    )
    _add_one_speaker(setting)
    _add_extraction_options(parser)
    _add_streaming_options(parser)


def _add_timeline(commands):
    text = (
        "Tell the emotions in recordings over their time, by a trained pipeline, or by "
        "the one that comes with the package: segments with start and end in seconds, "
        "emotion and confidence. Recordings of any length are read block by block, and "
        "what is no speech is in no segment. Recordings that cannot be read do not "
        "stop the others: all are named in the end, and the exit code is 1. So it is "
        "with those without speech."
    )
    parser = commands.add_parser("timeline", help=text, description=text)
    _add_model(parser)
    _add_files(parser)
    parser.add_argument(
        "--format",
        choices=["csv", "jsonl", "audacity", "textgrid", "webvtt", "audformat"],
        default="csv",
        help="csv, jsonl: lines with file, start, end, emotion and confidence; "
        "audacity: labels (.txt); textgrid: for Praat (.TextGrid); webvtt: subtitles "
        "(.vtt); audformat: a database of audformat. The last three need pip install "
        '"skemotion[timeline]" (default: %(default)s)',
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="PATH",
        help="csv, jsonl: write to this file and not to standard output. "
        + _RESUME_HELP
        + ". audacity, textgrid, webvtt: a folder, with a file named after each "
        "recording, or for a single recording a file with the suffix of the format. "
        "audformat: a new folder",
    )
    _add_windows(parser)
    parser.add_argument("--quiet", action="store_true", help="show errors alone")
    parser.add_argument(
        "--progress",
        action="store_true",
        help="show progress even if standard error is no terminal",
    )
    parser.set_defaults(one_speaker=False, n_jobs=1, cache=None)


def _add_windows(parser):
    from skemotion.timeline import _defaults

    for name, kind, what in [
        ("window", _positive, "length of a window"),
        ("hop", _positive, "from the begin of one window to that of the next"),
        ("smoothing", _seconds, "probabilities are means over so much time"),
        ("min-pause", _seconds, "shorter pauses do not end a stretch of speech"),
        ("max-utterance", _seconds, "no longer stretches of speech have one emotion"),
    ]:
        parser.add_argument(
            f"--{name}",
            metavar="S",
            type=kind,
            default=getattr(_defaults, name.replace("-", "_").upper()),
            help=f"{what}, in seconds (default: %(default)s)",
        )


def _add_adapt(commands):
    text = (
        "Adapt a trained pipeline to recordings of one setting, such as one "
        "microphone, language or call centre, without labels, and save it: predict "
        "then takes it for further recordings of that setting. It wants 50 "
        "recordings or more, of all kinds of emotions. Recordings that cannot be read "
        "are left out and named in the end, and the exit code is 1."
    )
    parser = commands.add_parser("adapt", help=text, description=text)
    _add_model(parser)
    _add_files(parser)
    parser.add_argument(
        "-o",
        "--out",
        metavar="MODEL",
        required=True,
        help="where the adapted model goes: a portable bundle if it ends in "
        ".skemotion, otherwise a file of joblib",
    )
    _add_one_speaker(parser)
    _add_extraction_options(parser)
    _add_streaming_options(parser)


def _add_one_speaker(group):
    group.add_argument(
        "--one-speaker",
        action="store_true",
        help="for a model of train --by-speaker: all recordings given are of one "
        "voice, and each is standardised by the features of all of them, which are "
        "read first (transductive)",
    )


def _add_model(parser):
    parser.add_argument(
        "-m",
        "--model",
        metavar="MODEL",
        help="file written by train or quickstart, or a bundle of "
        "skemotion.save_model; loading the former runs code from it, so take it only "
        "from a source that you trust. Without it, the model of "
        "skemotion.load_pretrained predicts, which learnt from acted German speech "
        "of ten voices: of other speech it knows little, however confident",
    )


def _add_files(parser):
    files = parser.add_argument(
        "files", metavar="FILE", nargs="+", default=[], help="a recording"
    )
    # With nargs="*" no FILE could follow an option.
    files.required = False
    _add_list(parser)
    parser.set_defaults(usage_error=parser.error)


def _add_list(group):
    group.add_argument(
        "--files-from",
        metavar="LIST",
        help="a file with the path of a recording on each line; - is standard input",
    )


def _add_streaming_options(parser):
    parser.add_argument(
        "--chunk-size",
        type=_positive_int,
        default=256,
        metavar="N",
        help="recordings held in memory, and lost by a kill (default: %(default)s)",
    )
    parser.add_argument(
        "--progress",
        action="store_true",
        help="show progress even if standard error is no terminal",
    )


def _add_extraction_options(group):
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
        choices=["recommended", "descriptors", "post"],
        default="recommended",
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
        type=_setting,
        help="set any parameter of a step, as in --set classify__epochs=10; may be "
        "repeated",
    )
    group.add_argument(
        "--seed", type=int, default=0, help="random state (default: %(default)s)"
    )
    _add_extraction_options(group)


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


def _seconds(text):
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a time of 0 s or more")
    return number


def _positive(text):
    number = _seconds(text)
    if not number:
        raise argparse.ArgumentTypeError(f"{text} is not a positive time")
    return number


def _probability(text):
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def _npy_file(text):
    if not text.endswith(".npy"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .npy")
    return text
