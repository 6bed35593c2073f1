"""What a command does where signals come."""

import sys

import pytest

from skemotion.cli._signals import interrupts_unprinted


@pytest.mark.parametrize(("error", "n_printed"), [(KeyboardInterrupt, 0), (OSError, 1)])
def test_interrupts_that_python_drops_are_not_printed(error, n_printed, monkeypatch):
    class Ends:
        def __del__(self):
            raise error

    printed = []
    monkeypatch.setattr(sys, "unraisablehook", printed.append)
    before = sys.unraisablehook
    with interrupts_unprinted():
        Ends()
    assert len(printed) == n_printed
    assert sys.unraisablehook == before
