"""Locks on files and folders, by which processes know of each other."""

import os


def try_lock(file: int, *, wait: bool = False) -> bool:
    """Lock a file or folder until it is closed, or the process ends.

    Parameters
    ----------
    file : int
        A descriptor of it.
    wait : bool, default=False
        Whether to wait until nobody else has it.

    Returns
    -------
    bool
        False where the system has no locks.

    Raises
    ------
    BlockingIOError
        If somebody else has it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return False
    return True


def leads_to(path: str | os.PathLike, file: int) -> bool:
    """Tell whether an open file is the one of this name, and not deleted."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except FileNotFoundError:
        return False
