"""The command line: its parser of all commands, and what it ends with."""

import argparse
from collections.abc import Sequence

from skemotion._version import __version__
from skemotion.cli._arguments import (
    _adapt,
    _cache,
    _check,
    _evaluate,
    _export,
    _extract,
    _fetch,
    _predict,
    _quickstart,
    _report,
    _timeline,
    _train,
)
from skemotion.cli._completion import PrintCompletion
from skemotion.cli._options import add_talk_options
from skemotion.cli._parser import CommandParser
from skemotion.cli._running import run_command

_COMMANDS = (  # as the help lists them
    _quickstart,
    _fetch,
    _check,
    _extract,
    _train,
    _evaluate,
    _report,
    _predict,
    _timeline,
    _adapt,
    _export,
    _cache,
)
_WITHOUT_PROGRESS = {"cache", "fetch"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Without the program's name. None takes those of the process.

    Returns
    -------
    int
        0 if all went well, 1 if the work failed, 130 if it was interrupted. Wrong
        usage exits with 2.
    """
    options, unknown = make_parser().parse_known_args(arguments)
    if unknown:  # said by the parser of the command, which knows its options
        options.refuse_unknown(unknown)
    if options.quiet and options.progress:
        options.usage_error("--progress does not go with --quiet: leave one out")
    return run_command(options)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = CommandParser(
        prog="skemotion", description="Recognise emotions in speech."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        help="print what lets the shell complete commands, options and files, to be "
        "put where the shell looks for it",
    )
    commands = parser.add_subparsers(
        dest="command",
        metavar="COMMAND",
        required=True,
        title="commands",
        parser_class=CommandParser,
    )
    for each in _COMMANDS:
        each.add(commands)
    for name, command in commands.choices.items():
        command.set_defaults(progress=False)
        add_talk_options(command, with_progress=name not in _WITHOUT_PROGRESS)
    return parser
