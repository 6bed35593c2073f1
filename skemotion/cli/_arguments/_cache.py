"""Arguments of ``skemotion cache``."""

from skemotion.cli._parser import add_command


def add(commands):
    """Add the command."""
    text = "Look at, or delete, the features that --cache has kept."
    parser = add_command(commands, "cache", text)
    parser.add_argument(
        "action",
        choices=["info", "clear"],
        help="info: count the entries; clear: delete them, and nothing else",
    )
    parser.add_argument("folder", metavar="FOLDER", help="what was given as --cache")
