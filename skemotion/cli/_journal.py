"""Output of long work, which can be killed at any time and resumed."""

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from skemotion._files import atomic_path, refuse_existing

_STATE = "state.json"


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

    def __init__(self, folder: Path, identity: str, files: Mapping[str, BinaryIO]):
        self._folder = folder
        self._identity = identity
        self._files = files
        state = _read_state(folder)
        self.is_new = state is None
        self.n_done: int = state["n_done"] if state else 0
        for name, file in files.items():
            size = state["sizes"][name] if state else 0
            if os.fstat(file.fileno()).st_size < size:
                raise ValueError(
                    f"{folder} is damaged, its {name} is too short: delete it to "
                    "start anew."
                )
            file.truncate(size)
            file.seek(size)

    def write(self, name: str, content: bytes) -> None:
        """Append bytes to one of the files."""
        self._files[name].write(content)

    def write_rows(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Append rows of a table in CSV format."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        # Names of files come back as the bytes that they are, in UTF-8 or not.
        self.write(name, text.getvalue().encode(errors="surrogateescape"))

    def commit(self, n_new: int) -> None:
        """Note that so many recordings more are done, once they are on the disk."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        self.n_done += n_new
        self.is_new = False
        sizes = {name: file.tell() for name, file in self._files.items()}
        state = {"identity": self._identity, "n_done": self.n_done, "sizes": sizes}
        with (
            atomic_path(self._folder / _STATE) as temporary,
            open(temporary, "wb") as note,
        ):
            note.write(json.dumps(state).encode())
            note.flush()
            os.fsync(note.fileno())

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
            self.write_rows(name, [["path", "error"]])
        self.write_rows(name, failures.items())

    def read_failures(self, name: str) -> list[tuple[str, str]]:
        """Return path and error of all recordings in such a table."""
        self._files[name].flush()
        path = self._folder / name
        with open(path, newline="", encoding="utf-8", errors="surrogateescape") as file:
            return [(row["path"], row["error"]) for row in csv.DictReader(file)]


@contextmanager
def open_journal(
    targets: Mapping[str, Path], identity: Mapping[str, Any]
) -> Iterator[Journal]:
    """Begin work, or resume it, and put its files in their places in the end.

    Parameters
    ----------
    targets : mapping of str to path
        Where each file of the journal goes when all is done. The first is the
        target of the work: it is moved last, so that it is never there without
        the others. Empty files are dropped.
    identity : mapping of str to JSON values
        What the work depends on: it is resumed only where this is the same.

    Yields
    ------
    Journal

    Raises
    ------
    FileExistsError
        If a target is there already.
    ValueError
        If other work was begun there, or another process is at it.
    """
    target = next(iter(targets.values()))
    folder = target.with_name(f"{target.name}.partial")
    description = json.dumps(identity, sort_keys=True)
    digest = hashlib.sha256(description.encode()).hexdigest()
    state = _undo_move(folder, targets)
    refuse_existing([target] if state else targets.values())
    if state and state["identity"] != digest:
        raise ValueError(
            f"{folder} was begun with other recordings, parameters or versions: "
            "delete it to start anew, or name another file."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = {}
        for name in targets:
            (folder / name).touch()
            files[name] = stack.enter_context(open(folder / name, "r+b"))
        lock(next(iter(files.values())), folder)
        yield Journal(folder, digest, files)
    _move(folder, targets)


def _move(folder, targets):
    for name, path in reversed(targets.items()):
        if (folder / name).stat().st_size:
            os.replace(folder / name, path)
    shutil.rmtree(folder)


def _undo_move(folder, targets):
    """Take files back that a killed process was moving; return the state."""
    state = _read_state(folder)
    if not state:
        return None
    first = next(iter(targets))
    if not (folder / first).exists():  # it has been moved, and was the last
        if not targets[first].exists():
            shutil.rmtree(folder)
            return None
        return state
    for name, path in targets.items():
        if not (folder / name).exists() and path.exists():
            os.replace(path, folder / name)
    return state


def _read_state(folder):
    try:
        return json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(
            f"{folder} is damaged ({error}): delete it to start anew."
        ) from error


def lock(file, folder):
    """Keep a second process out, where the system can."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(f"another process is at work in {folder}.") from None
