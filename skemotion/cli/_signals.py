"""Signals that end a process, as errors: so that what was begun is put in order."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# The end of a terminal tells twice of it, and what is put in order takes a moment.
_SECONDS_IN_PEACE = 2.0


class Stopped(KeyboardInterrupt):
    """The process was told to end.

    Parameters
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.number).name}"


@contextmanager
def stops_as_errors() -> Iterator[None]:
    """Raise Stopped within the block where the process is told to end.

    Signals that are ignored, as under ``nohup``, or that somebody else handles,
    stay so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raised_at = float("-inf")

    def stop(number, frame):
        nonlocal raised_at
        if time.monotonic() - raised_at < _SECONDS_IN_PEACE:
            return
        raised_at = time.monotonic()
        raise Stopped(number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [getattr(signal, name) for name in names]
    handled = [each for each in numbers if signal.getsignal(each) == signal.SIG_DFL]
    for number in handled:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def interrupts_unprinted() -> Iterator[None]:
    """Keep Python from printing an interrupt that it could not raise.

    One that comes in a callback, at the end of an object, is dropped with a traceback.
    Whoever waits for workers then hears of their end instead.
    """
    before = sys.unraisablehook

    def print_others(unraisable):
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            before(unraisable)

    sys.unraisablehook = print_others
    try:
        yield
    finally:
        sys.unraisablehook = before
