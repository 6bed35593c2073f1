"""Threads of the linear algebra library, which compete with those of joblib."""

from threading import Lock
from typing import Any


class SingleThreadedBlas:
    """Context in which BLAS works with one thread, in the whole process.

    It may be entered by several threads at a time, or by one repeatedly: the last
    that leaves gives BLAS its threads back, which a limit per thread does not.
    """

    def __init__(self):
        self._lock = Lock()
        self._n_inside = 0
        self._controller: Any = None
        self._limit: Any = None

    def __enter__(self):
        with self._lock:
            if self._n_inside == 0:
                self._limit = self._find_libraries().limit(limits=1, user_api="blas")
            self._n_inside += 1

    def __exit__(self, *exception):
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                self._limit.restore_original_limits()

    def _find_libraries(self):
        # Looking takes milliseconds, so it is done once; NumPy's is loaded by now.
        if self._controller is None:
            from threadpoolctl import ThreadpoolController

            self._controller = ThreadpoolController()
        return self._controller


single_threaded_blas = SingleThreadedBlas()
