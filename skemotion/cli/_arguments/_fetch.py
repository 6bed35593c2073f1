"""Arguments of ``skemotion fetch``."""

from skemotion.cli._parser import add_command
from skemotion.datasets._known import CORPORA


def add(commands):
    """Add the command."""
    text = "Download a known corpus, verified file by file."
    parser = add_command(commands, "fetch", text)
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
