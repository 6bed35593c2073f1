"""Arguments of ``skemotion predict``."""

from skemotion.cli._options import (
    RESUME_HELP,
    add_extraction_options,
    add_files,
    add_model,
    add_one_speaker,
    add_streaming_options,
)
from skemotion.cli._parser import add_command
from skemotion.cli._values import probability


def add(commands):
    """Add the command."""
    text = (
        "Predict the emotion of recordings by a trained pipeline, or by the one that "
        "comes with the package. Recordings that cannot be read do not stop the "
        "others: all are named in the end, and the exit code is 1. So it is with those "
        "without speech, whose emotion is empty."
    )
    parser = add_command(commands, "predict", text)
    add_model(parser)
    add_files(parser)
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
    add_one_speaker(setting)
    setting.add_argument(
        "--speaker-column",
        metavar="COLUMN",
        help="as --one-speaker, but of several voices: a column of the CSV tables, or "
        "speaker of a known corpus, tells whose a recording is",
    )
    add_extraction_options(parser)
    add_streaming_options(parser)
