"""Arguments of ``skemotion adapt``."""

from skemotion.cli._options import (
    add_extraction_options,
    add_files,
    add_model,
    add_one_speaker,
    add_streaming_options,
)
from skemotion.cli._parser import add_command


def add(commands):
    """Add the command."""
    text = (
        "Adapt a trained pipeline to recordings of one setting, such as one "
        "microphone, language or call centre, without labels, and save it: predict "
        "then takes it for further recordings of that setting. It wants 50 "
        "recordings or more, of all kinds of emotions. Recordings that cannot be read "
        "are left out and named in the end, and the exit code is 1."
    )
    parser = add_command(commands, "adapt", text)
    add_model(parser)
    add_files(parser)
    parser.add_argument(
        "-o",
        "--out",
        metavar="MODEL",
        required=True,
        help="where the adapted model goes: a portable bundle if it ends in "
        ".skemotion, otherwise a file of joblib; what is there is not overwritten",
    )
    add_one_speaker(parser)
    add_extraction_options(parser)
    add_streaming_options(parser)
