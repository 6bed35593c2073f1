"""Arguments of ``skemotion quickstart``."""

from skemotion.cli._options import CORPUS_HELP, add_map, add_training_options
from skemotion.cli._parser import add_command


def add(commands):
    """Add the command."""
    text = (
        "Train, test on speakers that were not trained on, and save a model with "
        "figures: on synthetic speech, or on a corpus of yours."
    )
    parser = add_command(commands, "quickstart", text)
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
