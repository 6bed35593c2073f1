"""Arguments of ``skemotion train``."""

from skemotion.cli._options import (
    add_by_speaker,
    add_corpus,
    add_map,
    add_training_options,
)
from skemotion.cli._parser import add_command


def add(commands):
    """Add the command."""
    text = (
        "Train a pipeline on a corpus and save it. Labels, options and the file to be "
        "written are looked at first."
    )
    parser = add_command(commands, "train", text)
    add_corpus(parser)
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
