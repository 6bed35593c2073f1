"""What is shown on the terminal: results, notes and progress."""

import re
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

_SECONDS_BETWEEN_LINES = 5.0
_DRAWING = re.compile(r"\|[^|]*\| *")  # of a bar between its numbers


@dataclass
class _Wishes:
    """What --quiet, --verbose and --progress have asked for."""

    quiet: bool = False
    verbose: bool = False
    progress: bool = False


_wishes = _Wishes()


@contextmanager
def heeding(options: Any):
    """Heed --quiet, --verbose and --progress within the block."""
    global _wishes
    before, stderr = _wishes, sys.stderr
    _wishes = _Wishes(options.quiet, options.verbose, options.progress)
    if options.progress and not stderr.isatty():
        sys.stderr = _Lines(stderr)
    try:
        yield
    finally:
        _wishes, sys.stderr = before, stderr


def is_quiet() -> bool:
    """Tell whether results and errors are all that is wanted."""
    return _wishes.quiet


def is_verbose() -> bool:
    """Tell whether more is wanted than is usual."""
    return _wishes.verbose


def on_terminal() -> bool:
    """Tell whether progress on standard error would be seen by somebody."""
    return sys.stderr.isatty() and not _wishes.quiet


def shows_progress() -> bool:
    """Tell whether progress is seen by somebody, or asked for."""
    return _wishes.progress or on_terminal()


def say(text: str = "") -> None:
    """Say on standard output what was done, such as which files were saved."""
    if not _wishes.quiet:
        print(text, flush=True)


def write_out(text: str) -> None:
    """Write what programs read to standard output, in UTF-8.

    Names of files in it are the bytes that they are.
    """
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        raw.write(text.encode(errors="surrogateescape"))
    sys.stdout.flush()


def note(text: str) -> None:
    """Say on standard error what is going on."""
    if not _wishes.quiet:
        print(f"skemotion: {text}", file=sys.stderr, flush=True)


def say_resumed(done: int, total: int, unit: str = "recordings") -> None:
    """Say on standard error that earlier work is gone on with, if it is."""
    if done:
        note(f"resuming after {done} of {total} {unit}")


def progress_bar(total: int, done: int = 0, *, shown: bool):
    """Return a bar with a rate and an estimate, which count from `done` on."""
    if not shown or find_spec("tqdm") is None:
        return _NoBar()
    from tqdm import tqdm

    class Bar(tqdm):
        # Without a thread of its own: where memory is short, that is waited for in
        # vain, even for a bar that is not shown.
        monitor_interval = 0

    return Bar(total=total, initial=done, unit="rec", mininterval=0.5)


class _NoBar:
    """A bar that is not shown."""

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass

    def update(self, n=1):
        """Note that so many more are done."""

    @contextmanager
    def external_write_mode(self):
        """Let others write within the block."""
        yield


class _Lines:
    """Standard error where it is no terminal: what a bar overwrites are lines there.

    A bar begins each of its states by a carriage return. Of those that come one
    soon after the other, the last is shown.
    """

    def __init__(self, stream: Any):
        self._stream = stream
        self._state = self._shown = ""
        self._shown_at = float("-inf")
        self._in_bar = False

    def write(self, text: str) -> int:
        """Write text, or take note of the state of a bar."""
        if text.startswith("\r"):
            self._in_bar = True
            self._state = _DRAWING.sub(" ", text).strip() or self._state
            if time.monotonic() - self._shown_at >= _SECONDS_BETWEEN_LINES:
                self._show()
        elif self._in_bar and text == "\n":  # it ends the line of the bar
            self._in_bar = False
            self._show()
        else:
            self._stream.write(text)
        return len(text)

    def _show(self):
        if self._state and self._state != self._shown:
            self._stream.write(f"skemotion: {self._state}\n")
            self._stream.flush()
            self._shown, self._shown_at = self._state, time.monotonic()

    def __getattr__(self, name):
        return getattr(self._stream, name)
