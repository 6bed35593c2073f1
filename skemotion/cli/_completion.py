"""Completion of commands, options and files by the shell."""

import argparse
from collections.abc import Sequence

_SHELLS = ("bash", "zsh", "tcsh")
_FOLDERS = {"FOLDER", "DIR"}
_FILES = {"FILE", "FILE.csv", "FILE.npy", "LIST", "MODEL", "CORPUS"}


class PrintCompletion(argparse.Action):
    """Prints what a shell is to read, and exits."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str):
        super().__init__(option_strings, argparse.SUPPRESS, choices=_SHELLS, help=help)

    def __call__(self, parser, namespace, values, option_string=None):
        """Print it for the shell that `values` names."""
        try:
            import shtab
        except ImportError:
            parser.error(
                "--print-completion needs shtab: pip install 'skemotion[completion]'"
            )
        _mark_paths(parser, shtab)
        print(shtab.complete(parser, shell=values))
        parser.exit()


def _mark_paths(parser, shtab):
    """Tell shtab which arguments are files, and which are folders."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _mark_paths(command, shtab)
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY
        elif action.metavar in _FILES:
            action.complete = shtab.FILE
