"""Arguments of ``skemotion evaluate``."""

from skemotion.cli._options import RESUME_HELP, add_corpus, add_evaluation_options
from skemotion.cli._parser import add_command


def add(commands):
    """Add the command."""
    text = (
        "Cross-validate a recipe on a corpus, by default with speakers left out, or "
        "score a trained model on recordings that are new to it."
    )
    parser = add_command(commands, "evaluate", text)
    add_corpus(parser)
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
