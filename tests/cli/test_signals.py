"""What a command does where signals come."""

import signal
import sys
import time

import pytest

from skemotion.cli._signals import Stopped, interrupts_again, stops_as_errors


class Ends:
    """At whose end an error is raised, which Python drops."""

    def __init__(self, error):
        self.error = error

    def __del__(self):
        raise self.error


def drop_and_go_on(error):
    Ends(error)
    time.sleep(30)


def keep_printed(monkeypatch):
    """Return a list of what would be printed; pytest has a hook of its own before."""
    printed = []
    monkeypatch.setattr(sys, "unraisablehook", printed.append)
    return printed


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Stopped(signal.SIGTERM)])
def test_interrupts_that_python_drops_are_raised_again(error, monkeypatch):
    printed = keep_printed(monkeypatch)
    before = sys.unraisablehook
    with pytest.raises(type(error)) as raised, stops_as_errors(), interrupts_again():
        drop_and_go_on(error)
    assert str(raised.value) == str(error)
    assert printed == []
    assert sys.unraisablehook == before


def test_other_errors_that_python_drops_are_printed(monkeypatch):
    printed = keep_printed(monkeypatch)
    with interrupts_again():
        Ends(OSError())
    assert len(printed) == 1
