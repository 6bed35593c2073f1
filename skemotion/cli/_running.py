"""Running of a command: its warnings, its errors and its exit code."""

import importlib
import io
import logging
import signal
import sys
import traceback
import warnings
from contextlib import contextmanager
from typing import Any

from skemotion._text import printable
from skemotion.cli._signals import interrupts_again, stops_as_errors
from skemotion.cli._streams import open_missing, say_last, settle_out
from skemotion.cli._terminal import heeding, is_quiet, is_verbose
from skemotion.exceptions import WorkerError

_OF_A_SIGNAL = 128  # is added to its number, as shells do
_FORESEEN = (OSError, ValueError, TypeError, ImportError, WorkerError)


def run_command(options: Any) -> int:
    """Run what `options.command` names.

    Parameters
    ----------
    options : argparse.Namespace
        All that the command line says.

    Returns
    -------
    int
        0 if all went well, 1 if the work failed, 128 and the number of the signal
        if it was stopped by one, such as 130 if it was interrupted.
    """
    program = f"skemotion {options.command}"
    try:
        with stops_as_errors(), interrupts_again():
            open_missing(options)
            _let_all_be_written(sys.stdout)
            return _run(options, program)
    except BrokenPipeError as error:  # the reader of a pipe, such as head, has left
        settle_out(error)
        return 1
    except KeyboardInterrupt as error:
        settle_out(error)
        say_last(f"{program}: {error!s}" if str(error) else f"{program}: interrupted")
        return _OF_A_SIGNAL + getattr(error, "number", signal.SIGINT)
    except Exception as error:
        settle_out(error)
        text = printable(_in_words(error), keep="\n")
        say_last(f"{program}: error: {text}")
        return 1


def _run(options, program):
    with heeding(options), _libraries_silent(), _warnings_in_words(program):
        command = importlib.import_module(f"skemotion.cli._{options.command}")
        try:
            code = command.run(options) or 0
            settle_out()
            return code
        except (Exception, KeyboardInterrupt):
            if is_verbose():
                traceback.print_exc()
            raise


def _let_all_be_written(stream):
    if isinstance(stream, io.TextIOWrapper):  # which may know few characters
        stream.reconfigure(errors="backslashreplace")


def _in_words(error):
    """Return what an error says, and of those not foreseen how to see more."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for this."
    if isinstance(error, OSError) and error.strerror:
        reason = f"{error.strerror[0].lower()}{error.strerror[1:]}"
        return f"{error.filename}: {reason}" if error.filename else reason
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"this needs {error.name.partition('.')[0]}, which is not installed: pip "
            "install skemotion brings all that every command needs."
        )
    text = str(error).strip()
    if isinstance(error, _FORESEEN) and text:
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
