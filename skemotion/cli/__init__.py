"""The command line: ``skemotion quickstart|fetch|train|evaluate|predict``."""

from skemotion.cli._main import main

__all__ = ["main"]
