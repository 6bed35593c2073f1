"""Arguments of ``skemotion extract``."""

from skemotion.cli._options import (
    RESUME_HELP,
    add_corpus,
    add_extraction_options,
    add_list,
    add_streaming_options,
)
from skemotion.cli._parser import add_command
from skemotion.cli._values import npy_file, setting


def add(commands):
    """Add the command."""
    text = (
        "Extract the features of many recordings to an array of NumPy that can be "
        "mapped into memory, and the list of its rows to a CSV table beside it."
    )
    parser = add_command(commands, "extract", text)
    source = parser.add_mutually_exclusive_group(required=True)
    add_corpus(source, nargs="?")
    add_list(source)
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
