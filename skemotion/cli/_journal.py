"""Output of long work, which can be killed at any time and resumed."""

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from skemotion._files import TEMPORARY, atomic_path, name_target, refuse_existing
from skemotion._locks import leads_to, try_lock
from skemotion._text import csv_text

_STATE = "state.json"
_SUM = "sha256"
_FAILURE = ["path", "error"]
FAILED = "failed.csv"  # the table of recordings that cannot be read


class Journal:
    """Files that grow together, one chunk of recordings after the other.

    They stand in a folder beside the target until the work is done. Each chunk is
    on the disk before it is noted as done; what a killed process wrote beyond that
    is cut when the work is resumed.

    Attributes
    ----------
    n_done : int
        Recordings that need no work any more.
    is_new : bool
        Whether nothing has been noted yet.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        files: Mapping[str, BinaryIO],
        state: Mapping[str, Any] | None,
    ):
        self._folder = folder
        self._identity = identity
        self._files = files
        self.is_new = state is None
        self.n_done: int = state["n_done"] if state else 0
        for name, file in files.items():
            size = state["sizes"][name] if state else 0
            if os.fstat(file.fileno()).st_size < size:
                raise _damaged(folder, f"its {name} is too short")
            file.truncate(size)
            file.seek(size)
        if FAILED in files:  # before more is done
            self.read_failures(FAILED)

    def write(self, name: str, content: bytes) -> None:
        """Append bytes to one of the files."""
        self._files[name].write(content)

    def write_rows(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Append rows of a table in CSV format."""
        # Names of files come back as the bytes that they are, in UTF-8 or not.
        self.write(name, csv_text(rows).encode(errors="surrogateescape"))

    def commit(self, n_new: int) -> None:
        """Note that so many recordings more are done, once they are on the disk."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        self.n_done += n_new
        self.is_new = False
        sizes = {name: file.tell() for name, file in self._files.items()}
        state = {"identity": self._identity, "n_done": self.n_done, "sizes": sizes}
        state[_SUM] = _sum(state)
        with atomic_path(self._folder / _STATE) as temporary:
            temporary.write_text(json.dumps(state), encoding="utf-8")

    def rewrite_start(self, name: str, content: bytes) -> None:
        """Replace the first bytes of a file by as many others."""
        file = self._files[name]
        end = file.tell()
        file.seek(0)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        file.seek(end)

    def size(self, name: str) -> int:
        """Return the number of bytes in a file."""
        return self._files[name].tell()

    def write_failures(self, name: str, failures: Mapping[str, str]) -> None:
        """Append failed recordings to a table, which stays empty if there are none."""
        if failures and not self.size(name):
            self.write_rows(name, [_FAILURE])
        self.write_rows(name, failures.items())

    def read_lines(self, name: str) -> list[bytes]:
        """Return the lines of a file."""
        self._files[name].flush()
        return (self._folder / name).read_bytes().splitlines()

    def read_failures(self, name: str) -> list[tuple[str, str]]:
        """Return path and error of all recordings in such a table."""
        self._files[name].flush()
        content = (self._folder / name).read_bytes()
        text = content.decode("utf-8", "surrogateescape")
        try:
            header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        except (csv.Error, ValueError):
            header, rows = [], []
        if not content:
            return []
        is_whole = text.endswith("\n") and header == _FAILURE
        if not is_whole or any(len(row) != len(header) for row in rows):
            raise _damaged(self._folder, f"{name} is no table of failures")
        return [(path, error) for path, error in rows]


@contextmanager
def open_journal(
    targets: Mapping[str, Path | None],
    identity: Mapping[str, Any],
    *,
    beside: Path | None = None,
) -> Iterator[Journal]:
    """Begin work, or resume it, and put its files in their places in the end.

    Parameters
    ----------
    targets : mapping of str to path
        Where each file of the journal goes when all is done. The first is the
        target of the work: it is moved last, so that it is never there without
        the others. Empty files are dropped, and so are those that go nowhere.
    identity : mapping of str to JSON values
        What the work depends on: it is resumed only where this is the same.
    beside : path, default=None
        The target of the work, if it is made of the files and none of them.

    Yields
    ------
    Journal

    Raises
    ------
    FileExistsError
        If a target is there already.
    ValueError
        If other work was begun there, or another process is at it.
    OSError
        If the files cannot be written. It names the target.
    """
    target = beside or next(path for path in targets.values() if path)
    folder = _folder_of(target)
    try:
        with _open(folder, targets, identity) as journal:
            yield journal
    except BrokenPipeError:
        raise
    except OSError as error:
        name_target(error, target, hidden=os.path.join(folder, ""))
        raise


@contextmanager
def _open(folder, targets, identity):
    description = json.dumps(identity, sort_keys=True)
    digest = hashlib.sha256(description.encode()).hexdigest()
    with alone_in(folder):
        state = _read_state(folder, targets)
        _refuse_foreign(folder, targets)
        if state is not None and state["identity"] != digest:
            raise ValueError(
                f"{folder} was begun with other recordings, parameters or versions: "
                "delete it to start anew, or name another file."
            )
        _take_back(folder, targets, state)
        refuse_existing(path for path in targets.values() if path)
        with ExitStack() as stack:
            files = {}
            for name in targets:
                (folder / name).touch()
                files[name] = stack.enter_context(open(folder / name, "r+b"))
            yield Journal(folder, digest, files, state)
        _move(folder, targets)


def is_begun(target: Path) -> bool:
    """Tell whether there is work that can be resumed."""
    return (_folder_of(target) / _STATE).exists()


def refuse_finished(target: Path, made: Sequence[Path] = ()) -> None:
    """Raise FileExistsError where work is done, before anything is made for it.

    Parameters
    ----------
    target : path
        That of the work.
    made : sequence of path, default=()
        What the work makes, if it is not the target.
    """
    if not is_begun(target):
        with suppress(OSError):  # a kill at the very end leaves it
            _folder_of(target).rmdir()
        refuse_existing(made or [target])


def _folder_of(target):
    if target.name in ("", ".."):
        target = Path(os.path.abspath(target))
    return target.parent / f"{target.name}.partial"


def _move(folder, targets):
    for name, path in reversed(targets.items()):
        if path and (folder / name).stat().st_size:
            os.replace(folder / name, path)
    # Without the state, what is left of a folder would be taken for other work.
    for name in targets:
        (folder / name).unlink(missing_ok=True)
    for left in folder.glob(f"{TEMPORARY}*"):  # by a killed process
        shutil.rmtree(left)
    (folder / _STATE).unlink(missing_ok=True)


def _refuse_foreign(folder, targets):
    """Raise where there are files that this work has not made."""
    for path in folder.iterdir():
        if path.name not in (*targets, _STATE) and not path.name.startswith(TEMPORARY):
            raise ValueError(
                f"{folder} is for files of unfinished work, and holds {path.name}: "
                "move it, or name another file."
            )


def _take_back(folder, targets, state):
    """Take files back that a killed process has moved."""
    if state is None:
        return
    for name, path in targets.items():
        if not (folder / name).exists() and state["sizes"][name]:
            size = state["sizes"][name]
            if not path or not path.exists() or path.stat().st_size != size:
                raise _damaged(folder, f"{name} is missing")
            os.replace(path, folder / name)


def _read_state(folder, names):
    """Return what has been noted of files by these names, None if nothing has."""
    try:
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, error) from error
    known = isinstance(state, dict) and isinstance(state.get("identity"), str)
    sizes = state.get("sizes") if known else None
    if (
        not isinstance(sizes, dict)
        or sizes.keys() != set(names)
        or not all(map(_is_count, [*sizes.values(), state.get("n_done")]))
        or state.get(_SUM) != _sum(state)
    ):
        raise _damaged(folder, f"its {_STATE} does not say what was done")
    return state


def _sum(state):
    """Return what tells whether a state is as it was noted."""
    noted = {name: value for name, value in state.items() if name != _SUM}
    return hashlib.sha256(json.dumps(noted, sort_keys=True).encode()).hexdigest()


def _is_count(value):
    return type(value) is int and value >= 0


def _damaged(folder, why):
    return ValueError(f"{folder} is damaged ({why}): delete it to start anew.")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make a folder, keep other processes out, and remove it if it is empty then."""
    while True:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            handle = _lock_folder(folder)
        except FileNotFoundError:  # who was at work there has ended
            continue
        if handle is None or leads_to(folder, handle):
            break
        os.close(handle)
    try:
        yield
    finally:
        try:
            with suppress(OSError):  # it is not empty
                folder.rmdir()
        finally:
            if handle is not None:
                os.close(handle)


def _lock_folder(folder):
    """Return an open handle with a lock, or None where no folder can be opened."""
    if os.name != "posix":
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        lock(handle, folder)
    except ValueError:
        os.close(handle)
        raise
    return handle


def lock(file: int, folder: Path) -> None:
    """Keep a second process out, where the system can."""
    try:
        try_lock(file)
    except BlockingIOError:
        raise ValueError(f"another process is at work in {folder}.") from None
