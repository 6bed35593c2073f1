"""One thread for BLAS, while workers have the processors."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

_LOCK = Lock()
_n_users = 0
_numbers: list[int] = []


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Give BLAS one thread while anyone is in this context, then what it had.

    The number belongs to the process. So it is remembered by the first that comes
    and put back by the last that goes: one that came later would remember the 1.
    """
    global _n_users
    with _LOCK:
        if _n_users == 0:
            _numbers[:] = [library.num_threads for library in _libraries()]
        _n_users += 1
        _find().limit(limits=1, user_api="blas")
    try:
        yield
    finally:
        with _LOCK:
            _n_users -= 1
            if _n_users == 0:
                for library, number in zip(_libraries(), _numbers, strict=True):
                    library.set_num_threads(number)
            # Some versions let no other thread set it until one leaves a context.
            with _find().limit(limits=None):
                pass


def _libraries():
    return [each for each in _find().lib_controllers if each.user_api == "blas"]


@lru_cache(maxsize=1)
def _find():
    """Find the libraries once, for looking takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
