"""The arguments of every command; what several commands share is in _options."""

import argparse
from collections.abc import Sequence

from skemotion._version import __version__
from skemotion.cli._completion import PrintCompletion
from skemotion.cli._options import (
    CORPUS_HELP,
    KNOWN_HELP,
    RESUME_HELP,
    CommandParser,
    add_by_speaker,
    add_evaluation_options,
    add_extraction_options,
    add_jobs,
    add_map,
    add_model,
    add_streaming_options,
    add_talk_options,
    add_training_options,
    fold_number,
    npy_file,
    positive_int,
    positive_time,
    probability,
    seconds,
    setting,
)
from skemotion.cli._running import run_command
from skemotion.datasets._known import CORPORA

_WITHOUT_PROGRESS = {"cache", "fetch"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Without the program's name. None takes those of the process.

    Returns
    -------
    int
        0 if all went well, 1 if the work failed, 130 if it was interrupted. Wrong
        usage exits with 2.
    """
    options, unknown = make_parser().parse_known_args(arguments)
    if unknown:  # said by the parser of the command, which knows its options
        options.refuse_unknown(unknown)
    if options.quiet and options.progress:
        options.usage_error("--progress does not go with --quiet: leave one out")
    return run_command(options)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = CommandParser(
        prog="skemotion", description="Recognise emotions in speech."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        help="print what lets the shell complete commands, options and files, to be "
        "put where the shell looks for it",
    )
    commands = parser.add_subparsers(
        dest="command",
        metavar="COMMAND",
        required=True,
        title="commands",
        parser_class=CommandParser,
    )
    _add_quickstart(commands)
    _add_fetch(commands)
    _add_check(commands)
    _add_extract(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_report(commands)
    _add_predict(commands)
    _add_timeline(commands)
    _add_adapt(commands)
    _add_export(commands)
    _add_cache(commands)
    for name, command in commands.choices.items():
        command.set_defaults(progress=False)
        add_talk_options(command, with_progress=name not in _WITHOUT_PROGRESS)
    return parser


def _add_quickstart(commands):
    text = (
        "Train, test on speakers that were not trained on, and save a model with "
        "figures: on synthetic speech, or on a corpus of yours."
    )
    parser = commands.add_parser("quickstart", help=text, description=text)
    parser.add_argument("--data", metavar="CORPUS", help=CORPUS_HELP)
    parser.add_argument(
        "-o",
        "--out",
        metavar="FOLDER",
        default="skemotion-quickstart",
        help="where model and figures go, in place of those of an earlier run "
        "(default: %(default)s)",
    )
    add_map(parser)
    add_training_options(parser)


def _add_fetch(commands):
    text = "Download a known corpus, verified file by file."
    parser = commands.add_parser("fetch", help=text, description=text)
    parser.add_argument(
        "corpus",
        metavar="NAME",
        nargs="?",
        choices=[name for name, each in CORPORA.items() if each.archive],
        default="emodb",
        help=f"{_list_corpora()} (default: %(default)s)",
    )
    parser.add_argument(
        "--data-home",
        metavar="FOLDER",
        help="where it goes (default: $SKEMOTION_DATA or ~/skemotion_data)",
    )


def _list_corpora():
    return ", or ".join(
        f"{corpus.name} ({corpus.title}: at most {corpus.archive.size / 1e6:.0f} MB, "
        f"{corpus.licence})"
        for corpus in CORPORA.values()
        if corpus.archive is not None
    )


def _add_check(commands):
    text = (
        "Look at all recordings of a corpus, and tell what is odd: those that cannot "
        "be read, are silent, hold no speech, are clipped, too short, too long, cut "
        "short, of a low or another sampling rate, or the same as another; classes "
        "that are too small; speakers of one class. The exit code is 1 if training "
        "would stop at something, and 0 if not, whatever else is found."
    )
    parser = commands.add_parser("check", help=text, description=text)
    parser.add_argument("corpus", metavar="CORPUS", help=CORPUS_HELP)
    parser.add_argument(
        "-o",
        "--out",
        metavar="TABLE.csv",
        help="write the recordings that can be read to a table, with the columns path, "
        "label and, if known, speaker: a CORPUS for the other commands",
    )
    parser.add_argument(
        "--format",
        choices=["text", "csv", "json"],
        default="text",
        help="of what is found. text shows ten of each kind; csv, json: all, with what "
        "it is, whether it stops training, and the path, label or speaker (default: "
        "%(default)s)",
    )
    for name, kind, default, what in [
        ("duration", positive_time, 5.0, "seconds of a recording that are trained on"),
        ("k-neighbors", positive_int, 5, "recordings that SMOTE chooses from"),
        ("folds", fold_number, 5, "folds of a cross-validation"),
    ]:
        parser.add_argument(
            f"--{name}",
            metavar="N",
            type=kind,
            default=default,
            help=f"{what} (default: %(default)s)",
        )
    add_map(parser)
    add_jobs(parser, "recordings read at the same time")


def _add_extract(commands):
    text = (
        "Extract the features of many recordings to an array of NumPy that can be "
        "mapped into memory, and the list of its rows to a CSV table beside it."
    )
    parser = commands.add_parser("extract", help=text, description=text)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("corpus", metavar="CORPUS", nargs="?", help=CORPUS_HELP)
    _add_list(source)
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE.npy",
        type=npy_file,
        required=True,
        help="float32 array of shape (recordings, frames, features); row i is line i "
        "of FILE.csv, with the columns path and, of a corpus, label and speaker; "
        "recordings that cannot be read are left out of both and listed in "
        "FILE.failed.csv. " + RESUME_HELP,
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        type=setting,
        help="set any parameter of SpeechFeatureExtractor, as in --set duration=3; "
        "may be repeated",
    )
    add_extraction_options(parser)
    add_streaming_options(parser)


def _add_train(commands):
    text = (
        "Train a pipeline on a corpus and save it. Labels, options and the file to be "
        "written are looked at first."
    )
    parser = commands.add_parser("train", help=text, description=text)
    parser.add_argument("corpus", metavar="CORPUS", help=CORPUS_HELP)
    parser.add_argument(
        "-o",
        "--out",
        metavar="MODEL",
        default="model.joblib",
        help="where the trained pipeline goes: a portable bundle if it ends in "
        ".skemotion, otherwise a file of joblib; what is there is not overwritten "
        "(default: %(default)s)",
    )
    add_by_speaker(
        parser,
        "standardise each recording's features by those of its speaker; the model is "
        "then only for predict --one-speaker",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FOLDER",
        help="keep the training there every ten seconds, and the features, unless "
        "--cache keeps them: so the same command resumes where it was killed, and the "
        "model is the same. What is there is deleted when the model is saved",
    )
    add_map(parser)
    add_training_options(parser)


def _add_evaluate(commands):
    text = (
        "Cross-validate a recipe on a corpus, by default with speakers left out, or "
        "score a trained model on recordings that are new to it."
    )
    parser = commands.add_parser("evaluate", help=text, description=text)
    parser.add_argument("corpus", metavar="CORPUS", help=CORPUS_HELP)
    parser.add_argument(
        "-o",
        "--out",
        "--predictions",
        metavar="FILE.csv",
        help="write every prediction to a CSV file: path, truth, emotion, confidence, "
        "the probability of every emotion, speaker and fold. " + RESUME_HELP,
    )
    parser.add_argument(
        "--figures", metavar="FOLDER", help="draw the confusion matrix there"
    )
    parser.add_argument(
        "--report",
        metavar="FOLDER",
        help="write a page to look at and to listen to there, as the command report "
        "does",
    )
    parser.add_argument(
        "--format",
        choices=["text", "json"],
        default="text",
        help="of the scores and their intervals, on standard output (default: "
        "%(default)s)",
    )
    add_evaluation_options(parser)


def _add_report(commands):
    text = (
        "Evaluate, as the command evaluate does, and write a page of it: scores with "
        "intervals, confusions, what confidence is worth, and the recordings to "
        "listen to, the most confident mistakes first. It is one file that holds all "
        "it needs, and opens in any browser."
    )
    parser = commands.add_parser("report", help=text, description=text)
    parser.add_argument("corpus", metavar="CORPUS", help=CORPUS_HELP)
    parser.add_argument(
        "-o",
        "--out",
        metavar="FOLDER",
        required=True,
        help="where the page goes, as index.html; other files there are left alone, "
        "and a page is not overwritten",
    )
    parser.add_argument("--title", metavar="TEXT", help="heading of the page")
    parser.add_argument(
        "--n-recordings",
        type=positive_int,
        metavar="N",
        help="show N recordings at most (default: as many as keep the page below "
        "10 MB)",
    )
    parser.add_argument(
        "--no-audio",
        action="store_false",
        dest="audio",
        help="leave out what is heard: voices are personal data",
    )
    add_evaluation_options(parser)


def _add_predict(commands):
    text = (
        "Predict the emotion of recordings by a trained pipeline, or by the one that "
        "comes with the package. Recordings that cannot be read do not stop the "
        "others: all are named in the end, and the exit code is 1. So it is with those "
        "without speech, whose emotion is empty."
    )
    parser = commands.add_parser("predict", help=text, description=text)
    add_model(parser)
    _add_files(parser)
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--format",
        choices=["text", "csv", "json"],
        default="text",
        help="text: path, emotion, confidence; csv, json: also the probability of "
        "every emotion, the length in seconds, the share of speech in it, the error "
        "of a recording that cannot be read or holds no speech, and the columns of "
        "the table that named it (default: %(default)s)",
    )
    output.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="write csv to a file instead. " + RESUME_HELP,
    )
    parser.add_argument(
        "--min-confidence",
        type=probability,
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
    setting.add_argument(
        "--speaker-column",
        metavar="COLUMN",
        help="as --one-speaker, but of several voices: a column of the CSV tables, or "
        "speaker of a known corpus, tells whose a recording is",
    )
    add_extraction_options(parser)
    add_streaming_options(parser)


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
    add_model(parser)
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
        + RESUME_HELP
        + ". audacity, textgrid, webvtt: a folder, with a file named after each "
        "recording, or for a single recording a file with the suffix of the format. "
        "audformat: a new folder",
    )
    _add_windows(parser)
    parser.set_defaults(one_speaker=False, n_jobs=1, cache=None)


def _add_windows(parser):
    from skemotion.timeline import _defaults

    for name, kind, what in [
        ("window", positive_time, "length of a window"),
        ("hop", positive_time, "from the begin of one window to that of the next"),
        ("smoothing", seconds, "probabilities are means over so much time"),
        ("min-pause", seconds, "shorter pauses do not end a stretch of speech"),
        ("max-utterance", seconds, "no longer stretches of speech have one emotion"),
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
    add_model(parser)
    _add_files(parser)
    parser.add_argument(
        "-o",
        "--out",
        metavar="MODEL",
        required=True,
        help="where the adapted model goes: a portable bundle if it ends in "
        ".skemotion, otherwise a file of joblib; what is there is not overwritten",
    )
    _add_one_speaker(parser)
    add_extraction_options(parser)
    add_streaming_options(parser)


def _add_one_speaker(group):
    group.add_argument(
        "--one-speaker",
        action="store_true",
        help="for a model of train --by-speaker: all recordings given are of one "
        "voice, and each is standardised by the features of all of them, which are "
        "read first (transductive)",
    )


def _add_files(parser):
    files = parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        default=[],
        help="a recording; a folder of recordings, with all that is below it; a table "
        "that ends in .csv, with a column path, relative to the table, and others that "
        f"are kept; {KNOWN_HELP}; or - for a recording on standard input",
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


def _add_export(commands):
    text = (
        "Write a trained model as ONNX, which ONNX Runtime runs in a small process "
        "without TensorFlow: by skemotion predict and timeline, as --model, or by "
        "skemotion.runtime. Both are compared before the file is kept. Needs pip "
        "install 'skemotion[onnx]'."
    )
    parser = commands.add_parser("export", help=text, description=text)
    parser.add_argument(
        "model", metavar="MODEL", help="as --model of skemotion predict takes it"
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="a file that ends in .onnx, or a folder for one named after the model "
        "(default: beside the model, where predict and timeline find it by "
        "themselves)",
    )
    parser.add_argument(
        "--compare",
        metavar="CORPUS",
        help="recordings on which both are compared, by unweighted average recall, "
        "too (default: some made speech). " + CORPUS_HELP,
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="store weights in 8 bits: the file is smaller, and probabilities differ",
    )
    parser.add_argument(
        "--opset",
        type=positive_int,
        default=18,
        metavar="N",
        help="version of ONNX' operators (default: %(default)s)",
    )
    add_map(parser)


def _add_cache(commands):
    text = "Look at, or delete, the features that --cache has kept."
    parser = commands.add_parser("cache", help=text, description=text)
    parser.add_argument(
        "action",
        choices=["info", "clear"],
        help="info: count the entries; clear: delete them, and nothing else",
    )
    parser.add_argument("folder", metavar="FOLDER", help="what was given as --cache")
