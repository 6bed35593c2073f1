"""The command line: ``skemotion quickstart|fetch|extract|train|evaluate|predict``."""

from skemotion.cli._main import main

__all__ = ["main"]
