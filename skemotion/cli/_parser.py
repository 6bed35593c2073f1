"""What parses the arguments: all of them, and those of a command."""

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn


class CommandParser(argparse.ArgumentParser):
    """Parser that takes no abbreviations, and hands on how to complain."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            **{"formatter_class": _Formatter, "allow_abbrev": False, **kwargs}
        )
        self.set_defaults(usage_error=self.error, refuse_unknown=self.refuse_unknown)

    def refuse_unknown(self, words: Sequence[str]) -> NoReturn:
        """Complain about words that no argument takes, and say which come near."""
        known = list(self._option_string_actions)
        said = []
        for word in words:
            near = get_close_matches(word.partition("=")[0], known, 2, 0.6)
            hint = f" (near it: {', '.join(near)})" if near and word[:1] == "-" else ""
            said.append(f"{word}{hint}")
        self.error(f"unrecognized arguments: {' '.join(said)}")


class _Formatter(argparse.HelpFormatter):
    """Shows arguments that may be left out in brackets."""

    def _format_args(self, action, default_metavar):
        text = super()._format_args(action, default_metavar)
        if action.nargs == argparse.ONE_OR_MORE and not action.required:
            return f"[{text.split()[0]} ...]"
        return text


def add_command(commands, name, text):
    """Add a command that a text describes, and return its parser."""
    return commands.add_parser(name, help=text, description=text)
