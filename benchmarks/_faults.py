"""Processes in which something goes wrong, on purpose and at a chosen moment."""

import fcntl
import io
import mmap
import os
import resource
import signal
import struct
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

_OF_SYSTEM = {
    "chmod",
    "fsync",
    "ftruncate",
    "link",
    "mkdir",
    "open",
    "remove",
    "rename",
    "replace",
    "rmdir",
    "symlink",
    "truncate",
    "unlink",
    "utime",
    "write",
}
_MAX_SECONDS = 60
_OF_FILES = {"close", "flush", "truncate", "write", "writelines", "__exit__"}


class Done(NamedTuple):
    """What became of a process.

    Attributes
    ----------
    code : int
        As it ended; negative if by a signal.
    out, err : str
        What it has written.
    """

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """Lines on standard error that are no warnings, and no news of resumption."""
        known = (": warning: ", "skemotion: resuming after", "skemotion: skipped in")
        lines = [line for line in self.err.splitlines() if line.strip()]
        return [line for line in lines if not any(each in line for each in known)]


def run(
    arguments: Sequence[str],
    folder: Path,
    prepare: Callable[[], None] | None = None,
    *,
    stdout: int | None = None,
) -> Done:
    """Run the command line in a fork of this process.

    Parameters
    ----------
    arguments : sequence of str
        Without the name of the program.
    folder : path
        Where the process is.
    prepare : callable, default=None
        Called in the fork, before.
    stdout : int, default=None
        A descriptor for standard output; -1 closes it.
    """
    from skemotion.cli import main

    return run_function(lambda: main(list(arguments)), folder, prepare, stdout=stdout)


def run_function(work, folder, prepare=None, *, stdout=None) -> Done:
    """Call a function in a fork of this process; what it returns is the code."""
    pid, files = start(work, folder, prepare, stdout=stdout)
    return end(pid, files)


def start(work, folder, prepare=None, *, stdout=None):
    """Begin a fork that calls a function; `end` waits for it."""
    pipes = [os.pipe() for _ in range(2)]  # which no limit of files holds for
    for reader, _ in pipes:
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 2**18)
    pid = os.fork()
    if pid:
        for _, writer in pipes:
            os.close(writer)
        return pid, [reader for reader, _ in pipes]
    code = 70
    try:
        os.chdir(folder)
        signal.alarm(_MAX_SECONDS)  # it would hang for ever
        _heed_signals()
        _redirect([writer for _, writer in pipes], stdout)
        if prepare:
            prepare()
        try:
            code = work() or 0
        except SystemExit as error:
            code = error.code or 0
        finally:
            sys.setprofile(None)
    except BaseException:  # what Python would do in the end
        traceback.print_exc()
        code = 71
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, OSError):
                code = 120 if stream is sys.stdout else code
        os._exit(code)


def end(pid, files) -> Done:
    """Wait for a fork, and tell what became of it."""
    _, status = os.waitpid(pid, 0)
    texts = []
    for file in files:
        with os.fdopen(file, "rb") as opened:
            texts.append(opened.read().decode(errors="replace"))
    return Done(os.waitstatus_to_exitcode(status), *texts)


def _heed_signals():
    # What a shell has put into the background, or nohup has begun, ignores some.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _redirect(files, stdout):
    os.dup2(files[1], 2)
    sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0), write_through=True)
    if stdout == -1:
        os.close(1)
        sys.stdout = None
        return
    os.dup2(files[0] if stdout is None else stdout, 1)
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb"), encoding="utf-8")
    warnings.resetwarnings()


class Steps:
    """Does something at one of the steps that change files.

    Steps are calls, of Python's code in the first thread, that open, write, flush,
    move or delete files.

    Parameters
    ----------
    number : int, default=-1
        Before which step; none if it is negative.
    act : callable, default=None
        What is done. None kills the process.
    """

    def __init__(self, number: int = -1, act: Callable[[], None] | None = None):
        self._number, self._act = number, act or kill
        self._count = mmap.mmap(-1, 8)  # shared with forks

    @property
    def count(self) -> int:
        """The number of steps so far."""
        return struct.unpack("q", self._count[:8])[0]

    def __call__(self) -> None:
        """Begin to count."""
        sys.addaudithook(self._hear)
        sys.setprofile(self._see)

    def _step(self):
        number = self.count
        self._count[:8] = struct.pack("q", number + 1)
        if number == self._number:
            self._act()

    def _hear(self, event, values):
        if event == "open" and sys.getprofile() is not None:
            mode = values[1]
            if isinstance(mode, str) and set(mode) & set("wax+"):
                self._step()

    def _see(self, frame, event, what):
        if event != "c_call":
            return
        name, owner = what.__name__, what.__self__
        if name in _OF_SYSTEM and getattr(owner, "__name__", "") == "posix":
            self._step()
        elif name in _OF_FILES and isinstance(owner, io.IOBase):
            try:
                ours = owner.fileno() > 2 and owner.writable()
            except (OSError, ValueError):
                return
            if ours:
                self._step()


def kill() -> None:
    """End this process as ``kill -9`` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def send(number: int) -> Callable[[], None]:
    """Return what sends a signal to this process."""
    return lambda: os.kill(os.getpid(), number)


def limit(kind: int, value: int) -> Callable[[], None]:
    """Return what sets a limit of this process."""

    def set_limit():
        resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))

    return set_limit


def memory_in_use() -> int:
    """Return the address space of this process, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Return the content of all files below a folder; None stands for a folder."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }
