"""Standard input, output and error, where there are none or nobody reads them."""

import os
import sys
from contextlib import suppress
from typing import Any

_NAMES = {"stdin": 0, "stdout": 1, "stderr": 2}


def open_missing(options: Any) -> None:
    """Open those that the process was started without.

    Raises
    ------
    OSError
        If there is no standard output, and the command has no other to write to.
    """
    missing = [name for name in _NAMES if getattr(sys, name) is None]
    for name in missing:
        # Nothing else may get its number, or it would get what is printed.
        mode = "r" if name == "stdin" else "w"
        stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - open as long as the process
        number = _NAMES[name]
        with suppress(OSError):
            if stream.fileno() != number and not _is_open(number):
                os.dup2(stream.fileno(), number, inheritable=True)
        setattr(sys, name, stream)
    if "stdout" in missing and not getattr(options, "out", None):
        raise OSError(
            "standard output is closed, where the results would go: send it to a file."
        )


def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def settle_out(error: BaseException | None = None) -> None:
    """Write what is held back of standard output; if that fails, never try again.

    Parameters
    ----------
    error : exception, default=None
        What has ended the command. If it is about standard output, it names it.

    Raises
    ------
    OSError
        If it cannot be written, and nothing has ended the command before.
    """
    try:
        sys.stdout.flush()
    except OSError as failure:
        _drop_out()
        for each in (failure, error):
            if isinstance(each, OSError) and each.errno and not each.filename:
                each.filename = "standard output"
        if error is None:
            raise


def _drop_out():
    # What is left in its buffer would be written when Python ends.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_last(text: str) -> None:
    """Write a line to standard error, if anybody can still read it."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)
