"""Writing of files, whole or not at all."""

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Give a path beside the target, moved there if nothing is raised.

    Parameters
    ----------
    path : str or path-like
        The target. What is there stays until the new file is complete.

    Yields
    ------
    Path
        Where to write; it has the suffix of the target.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.stem}.{uuid.uuid4().hex}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write_file(path: str | os.PathLike, content: bytes) -> None:
    """Write a file that is complete, and on the disk, before it is in its place."""
    with atomic_path(path) as temporary, open(temporary, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def remove_leftovers(path: str | os.PathLike) -> None:
    """Delete what killed writers of a file have left beside it."""
    target = Path(path)
    for left in target.parent.glob(f".{escape(target.stem)}.*{escape(target.suffix)}"):
        left.unlink(missing_ok=True)


def refuse_existing(paths: Iterable[Path]) -> None:
    """Raise FileExistsError where a file is there that would be written."""
    for path in paths:
        if path.exists():
            raise FileExistsError(
                f"{path} exists: delete it to do the work again, or name another file."
            )
