"""Writing of files, whole or not at all, and what tells one from another."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from skemotion._locks import leads_to, try_lock

# Of the folders, beside the targets, in which files are until they are complete.
TEMPORARY = ".skemotion-"
# What a shell gives for the output of a command, as in <(cat a.wav).
OF_SHELL = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")


@contextmanager
def atomic_path(path: str | os.PathLike, *, on_disk: bool = True) -> Iterator[Path]:
    """Give a path beside the target, moved there if nothing is raised.

    Parameters
    ----------
    path : str or path-like
        The target, a file or a new folder. What is there stays until the new one
        is complete.
    on_disk : bool, default=True
        Whether what was written outlives a failure of the power. That takes time.

    Yields
    ------
    Path
        Where to write; it has the name of the target, and stands in a folder that
        others may not open, and that is deleted in the end.

    Raises
    ------
    OSError
        If nothing can be written there. It names the target.
    """
    target = Path(path)
    try:
        _refuse_special(target)
        if on_disk:  # others are cheap, and many
            _sweep(target.parent)
        with _private_folder(target.parent) as near:
            temporary = near / target.name
            yield temporary
            if target.is_file():
                shutil.copymode(target, temporary)
            if on_disk:
                _put_on_disk(temporary)
            os.replace(temporary, target)
    except OSError as error:
        name_target(error, target, hidden=os.path.join(target.parent, TEMPORARY))
        raise


@contextmanager
def _private_folder(parent: Path) -> Iterator[Path]:
    """Give a folder that is locked as long as it is needed, and then deleted."""
    while True:
        name = tempfile.mkdtemp(prefix=TEMPORARY, dir=parent)
        try:
            with ExitStack() as lock:
                if _hold(name, lock):
                    yield Path(name)
                    return
        finally:
            try:
                os.rmdir(name)  # which works, too, where no file can be opened
            except OSError:
                shutil.rmtree(name, ignore_errors=True)


def _hold(folder, lock):
    """Lock a new folder, and tell whether nobody has swept it away before."""
    try:
        handle = lock.enter_context(_opened(folder))
    except FileNotFoundError:
        return False
    if handle is None:
        return True
    try_lock(handle, wait=True)
    return leads_to(folder, handle)


def _sweep(parent):
    """Delete what killed processes have left."""
    for left in parent.glob(f"{TEMPORARY}*"):
        with suppress(OSError), _opened(left) as handle:
            if handle is not None and try_lock(handle):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _opened(folder):
    """Give a descriptor of a folder; None where the system has none."""
    handle = os.open(folder, os.O_RDONLY) if os.name == "posix" else None
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)


def name_target(error: OSError, target: Path, *, hidden: str) -> None:
    """Let an error name what was to be written.

    Parameters
    ----------
    error : OSError
        It may name no file, as those of writing do.
    target : Path
        What the user knows.
    hidden : str
        How files begin that the user need not know.
    """
    if error.errno and str(error.filename or hidden).startswith(hidden):
        error.filename, error.filename2 = os.fspath(target), None


def _put_on_disk(path):
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with open(file, "rb") as opened:
                os.fsync(opened.fileno())


def _refuse_special(path):
    """Raise where moving a file would replace a device, or the like."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise FileExistsError(f"{path} is no regular file: name another.")


def refuse_pipes(path: str | os.PathLike) -> None:
    """Raise OSError for a pipe or a device, which might never end, but a shell's."""
    name = os.fspath(path)
    is_special = os.path.exists(name) and not (
        os.path.isfile(name) or os.path.isdir(name)
    )
    if is_special and not os.fsdecode(name).startswith(OF_SHELL):
        raise OSError(
            f"{os.fsdecode(name)!r} is a pipe or a device, not a file: save what comes "
            "from it to a file."
        )


def write_file(path: str | os.PathLike, content: bytes) -> None:
    """Write a file that is complete, and on the disk, before it is in its place."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def digest_of(path: str | os.PathLike) -> str:
    """Return the SHA-256 of what a file holds, in hexadecimal digits."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def remove_leftovers(path: str | os.PathLike) -> None:
    """Delete what killed writers of a file have left beside it."""
    _sweep(Path(path).parent)


def refuse_folder(path: str | os.PathLike, example: str) -> None:
    """Raise IsADirectoryError where a folder is named, and a file is wanted."""
    if Path(path).is_dir():
        raise IsADirectoryError(
            f"{os.fspath(path)} is a folder: give --out the name of a file, such as "
            f"{Path(path) / example}."
        )


def refuse_existing(paths: Iterable[Path]) -> None:
    """Raise FileExistsError where a file is there that would be written."""
    for path in paths:
        _refuse_special(path)
        if path.is_dir():
            raise FileExistsError(f"{path} exists, and is a folder: name another.")
        if path.exists():
            raise FileExistsError(
                f"{path} exists: delete it to do the work again, or name another file."
            )
