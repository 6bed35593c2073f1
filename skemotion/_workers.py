"""Worker processes: what is said when one dies, and that none outlives its parent."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from joblib import Parallel, effective_n_jobs

from skemotion.exceptions import WorkerError

_SECONDS_BETWEEN_LOOKS = 0.5
_KIND = "joblib.externals.loky"

_watched = False


@contextmanager
def deaths_in_words(n_jobs: int | None) -> Iterator[None]:
    """Raise WorkerError within the block where a worker process of joblib dies.

    Parameters
    ----------
    n_jobs : int or None
        As joblib is given it. Where there is one worker, it is no process.
    """
    if effective_n_jobs(n_jobs) == 1:
        yield
        return
    # joblib takes a fifth of a second to load.
    from joblib.externals.loky.process_executor import (
        BrokenProcessPool,
        TerminatedWorkerError,
    )

    with _noticing_deaths() as noticed:
        try:
            yield
        except BrokenProcessPool as error:
            if not noticed.is_set() and not isinstance(error, TerminatedWorkerError):
                raise  # what a worker was given, or returns, cannot be pickled
            raise WorkerError(
                "a worker process has died, killed perhaps for lack of memory: use "
                "fewer of them (n_jobs), or none (n_jobs=1), and run this again."
            ) from error


@contextmanager
def _noticing_deaths() -> Iterator[threading.Event]:
    """Notice, within the block, worker processes whose death joblib overlooks.

    One that dies while it sends a result leaves a part of it, and joblib waits for
    the rest as long as there is anyone who could send it: for ever.
    """
    noticed, done = threading.Event(), threading.Event()
    look = threading.Thread(target=_look_for_deaths, args=[noticed, done], daemon=True)
    look.start()
    try:
        yield noticed
    finally:
        done.set()
        # A fork afterwards shall find no thread; once Python ends, none can be joined.
        look.join(_SECONDS_BETWEEN_LOOKS)


def _look_for_deaths(noticed, done):
    from joblib.externals.loky import reusable_executor
    from joblib.externals.loky.backend.utils import kill_process_tree

    before: set[int | None] = set()
    while not done.wait(_SECONDS_BETWEEN_LOOKS):
        pool = reusable_executor._executor  # joblib has one at a time
        queue = getattr(pool, "_result_queue", None)
        if queue is None:  # it has none yet, or no more
            continue
        workers = list(pool._processes.values())
        # One that joblib has noticed is among them no more.
        died = {each.pid for each in workers if each.exitcode}
        if died & before:
            noticed.set()
            for each in workers:
                kill_process_tree(each)
            _close_for_writing(queue)
        before = died


def _close_for_writing(queue):
    """Close this process' end of a queue, and leave joblib a number to close."""
    if os.name == "posix":  # elsewhere, a message arrives in full or not at all
        with (
            suppress(OSError),  # joblib has closed it itself
            open(os.devnull, "wb") as nowhere,
        ):
            os.dup2(nowhere.fileno(), queue._writer.fileno(), inheritable=False)


@contextmanager
def results_of(workers: Parallel, tasks: Iterable) -> Iterator[Iterator[Any]]:
    """Give the results of tasks as they come, and stop the work once the block ends.

    Parameters
    ----------
    workers : joblib.Parallel
        With ``return_as="generator"``.
    tasks : iterable
        What `workers` is called with.

    Raises
    ------
    WorkerError
        If a worker process dies.
    """
    with deaths_in_words(workers.n_jobs):
        results = None
        try:
            with _interrupts_later(workers):
                results = workers(tasks)
            yield results
        finally:
            if results is not None:
                _close_quietly(results)


def _close_quietly(results):
    """Stop the work, though joblib would rather have been given less."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* tasks which were still being")
        results.close()


@contextmanager
def _interrupts_later(workers):
    """Hold interrupts back until the block ends, and from workers started within."""
    has_processes = effective_n_jobs(workers.n_jobs) > 1 and not getattr(
        workers._backend, "supports_sharedmem", False
    )
    if not has_processes or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from joblib.externals.loky.backend.resource_tracker import ensure_running

    ensure_running()  # which would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def is_worker() -> bool:
    """Tell whether joblib has started this process."""
    return type(multiprocessing.current_process()).__module__.startswith(_KIND)


def share_of_threads() -> int | None:
    """Return how many threads joblib leaves this process, None if it does not tell.

    It tells its workers by variables that libraries for numbers read.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "") if is_worker() else ""
    return int(limit) if limit.isdigit() and int(limit) else None


def end_with_parent() -> None:
    """Let this process, if it is a worker of joblib, end by its parent alone.

    A worker waits for work for minutes. If the process that gives it was killed,
    nobody tells it. And a terminal interrupts both: a worker that stops amid a result
    leaves a part of it, for the rest of which its parent waits.
    """
    global _watched
    if _watched or not is_worker() or os.name != "posix":
        return
    _watched = True
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Which may have gone before this began, so that its place is taken by another.
    parent = getattr(multiprocessing.current_process(), "_parent_pid", os.getppid())
    threading.Thread(target=_watch, args=[parent], daemon=True).start()


def hold_what_is_needed() -> None:
    """Let this process, if it is a worker of joblib, hold more memory later on.

    joblib ends a worker that holds 300 MB more than after its first task, and starts
    another. TensorFlow and what is trained on are as much.
    """
    from joblib.externals.loky import process_executor

    process_executor._USE_PSUTIL = False


def _watch(parent):
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os._exit(1)  # whoever waited for a result is gone
