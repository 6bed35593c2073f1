"""The directive ``command-line``: all commands and options, read off the parser."""

import argparse
import re

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.util.nodes import nested_parse_with_titles

from skemotion.cli._main import make_parser


class CommandLine(Directive):
    """Put a section for each command where the directive stands."""

    def run(self):
        """Return the sections."""
        parser = make_parser()
        commands = parser._subparsers._group_actions[0].choices
        lines = []
        for name, command in commands.items():
            lines += [f".. _{name}-command:", "", name, "=" * len(name), ""]
            lines += describe(command)
        source = StringList(lines, source="skemotion.cli")
        sections = nodes.Element()
        nested_parse_with_titles(self.state, source, sections, self.content_offset)
        return sections.children


def describe(parser):
    """Yield the lines of reStructuredText that describe a command."""
    formatter = parser._get_formatter()
    usage = parser.format_usage().removeprefix("usage: ")
    yield from (escape(parser.description), "", ".. code-block:: text", "")
    yield from (f"    {line}" for line in re.sub("\n {7}", "\n", usage).splitlines())
    yield ""
    for group in parser._action_groups:
        actions = [
            action
            for action in group._group_actions
            if action.help != argparse.SUPPRESS and action.dest != "help"
        ]
        if actions:
            yield from (f".. rubric:: {group.title.capitalize()}", "")
        for action in actions:
            names = formatter._format_action_invocation(action)
            yield from (f"``{names}``", f"    {escape(formatter._expand_help(action))}")
            yield ""


def escape(text):
    """Keep the stars, bars, backquotes and underscores of a help text as they are."""
    return re.sub(r"([*`|\\_])", r"\\\1", text)


def setup(app):
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True}
