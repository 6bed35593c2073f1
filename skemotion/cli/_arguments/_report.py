"""Arguments of ``skemotion report``."""

from skemotion.cli._options import add_corpus, add_evaluation_options
from skemotion.cli._parser import add_command
from skemotion.cli._values import positive_int


def add(commands):
    """Add the command."""
    text = (
        "Evaluate, as the command evaluate does, and write a page of it: scores with "
        "intervals, confusions, what confidence is worth, and the recordings to "
        "listen to, the most confident mistakes first. It is one file that holds all "
        "it needs, and opens in any browser."
    )
    parser = add_command(commands, "report", text)
    add_corpus(parser)
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
