"""The command line: ``skemotion COMMAND``, each command in a module of its name."""

from skemotion.cli._main import main

__all__ = ["main"]
