"""Signals that end a process, as errors: so that what was begun is put in order."""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# The end of a terminal tells twice of it, and what is put in order takes a moment.
_SECONDS_IN_PEACE = 2.0
_SECONDS_UNTIL_AGAIN = 0.1


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
def interrupts_again() -> Iterator[None]:
    """Repeat, within the block, an interrupt that Python could not raise.

    One that comes in a callback, at the end of an object, is dropped with a traceback.
    """
    before, timers = sys.unraisablehook, []

    def repeat(unraisable):
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            before(unraisable)
            return
        number = getattr(unraisable.exc_value, "number", signal.SIGINT)
        # Once the callback has ended, and once the signal is no longer ignored.
        delay = _SECONDS_UNTIL_AGAIN + _SECONDS_IN_PEACE * (number != signal.SIGINT)
        timer = threading.Timer(delay, _send, [number])
        timers.append(timer)
        timer.start()

    sys.unraisablehook = repeat
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        sys.unraisablehook = before


def _send(number):
    if os.name == "posix":
        os.kill(os.getpid(), number)
    else:  # where that would end the process
        _thread.interrupt_main(number)
