"""The command line: ``skemotion COMMAND``.

Each command is in a module of its name, and its arguments are in one of ``_arguments``.
"""

from skemotion.cli._main import main

__all__ = ["main"]
