"""Running of a command: its warnings, its errors and its exit code."""

import importlib
import io
import logging
import os
import sys
import traceback
import warnings
from contextlib import contextmanager
from typing import Any

from skemotion._text import printable
from skemotion.cli._terminal import heeding, is_quiet, is_verbose

INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


def run_command(options: Any) -> int:
    """Run what `options.command` names.

    Parameters
    ----------
    options : argparse.Namespace
        All that the command line says.

    Returns
    -------
    int
        0 if all went well, 1 if the work failed, 130 if it was interrupted.
    """
    program = f"skemotion {options.command}"
    if isinstance(sys.stdout, io.TextIOWrapper):  # which may know few characters
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with heeding(options), _libraries_silent(), _warnings_in_words(program):
            command = importlib.import_module(f"skemotion.cli._{options.command}")
            try:
                return command.run(options) or 0
            except (Exception, KeyboardInterrupt):
                if is_verbose():
                    traceback.print_exc()
                raise
    except BrokenPipeError:  # the reader of a pipe, such as head, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        text = printable(_in_words(error), keep="\n")
        print(f"{program}: error: {text}", file=sys.stderr)
        return 1


def _in_words(error):
    """Return what an error says, and of those not foreseen how to see more."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for this."
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}"
    text = str(error).strip()
    if isinstance(error, (OSError, ValueError, TypeError, ImportError)) and text:
        return text
    what = f"{type(error).__name__}: {text.splitlines()[0]}" if text else repr(error)
    return f"unexpected {what} (-v shows where it arose)"


@contextmanager
def _warnings_in_words(program):
    said = set()
    with warnings.catch_warnings():

        def show(message, category, filename, lineno, file=None, line=None):
            if not is_quiet() and str(message) not in said:
                text = printable(str(message), keep="\n")
                print(f"{program}: warning: {text}", file=sys.stderr)
            said.add(str(message))  # each fold has the same to say

        warnings.showwarning = show
        yield


@contextmanager
def _libraries_silent():
    """Keep what TensorFlow, absl and others log from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
