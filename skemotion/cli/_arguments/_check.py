"""Arguments of ``skemotion check``."""

from skemotion.cli._options import add_corpus, add_jobs, add_map
from skemotion.cli._parser import add_command
from skemotion.cli._values import fold_number, positive_int, positive_time


def add(commands):
    """Add the command."""
    text = (
        "Look at all recordings of a corpus, and tell what is odd: those that cannot "
        "be read, are silent, hold no speech, are clipped, too short, too long, cut "
        "short, of a low or another sampling rate, or the same as another; classes "
        "that are too small; speakers of one class. The exit code is 1 if training "
        "would stop at something, and 0 if not, whatever else is found."
    )
    parser = add_command(commands, "check", text)
    add_corpus(parser)
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
