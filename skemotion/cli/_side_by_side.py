"""Folds side by side, each in a process of its own."""

import logging
import os
import warnings
from collections.abc import Generator, Sequence
from itertools import chain, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from joblib import Parallel, cpu_count, delayed, effective_n_jobs

from skemotion._workers import end_with_parent, hold_what_is_needed, results_of
from skemotion.cli._folds import Fold, KeptFolds
from skemotion.cli._terminal import heeding, is_verbose

# A process with TensorFlow, and what the recommended recipe holds of a recording at a
# time: as extracted, scaled, and in between.
_BYTES_OF_A_PROCESS = 2**30
_BYTES_OF_A_ROW = 3 * 2**18
# Two processes, which import TensorFlow and trace a network each, take as long for as
# many rows as one (benchmarks/bench_folds.py).
_FEWEST_PASSES = 20_000
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def count_processes(
    n_jobs: int | None, n_folds: int, n_rows: int, n_epochs: int
) -> int:
    """Return how many folds are worked at in the same time.

    Parameters
    ----------
    n_jobs : int or None
        As joblib takes it. None means as many as there are processors, and as
        memory allows; 1 where processes would take longer to start than all there
        is to do.
    n_folds : int
        Those that are to be done.
    n_rows : int
        Recordings, and copies of them, that a fold trains on.
    n_epochs : int
        How often it does so.

    Returns
    -------
    int
        1 at least.
    """
    if n_jobs is not None:
        return max(min(effective_n_jobs(n_jobs), n_folds), 1)
    if n_folds * n_rows * n_epochs < _FEWEST_PASSES:
        return 1
    room = free_memory() // (_BYTES_OF_A_PROCESS + n_rows * _BYTES_OF_A_ROW)
    return max(min(cpu_count(), n_folds, room), 1)


def free_memory() -> int:
    """Return the bytes that this machine, or this container, has left.

    Where neither tells, it is half of what the machine has, or 4 GiB.
    """
    try:
        lines = _MEMINFO.read_text().splitlines()
        sizes = dict(line.split(":", 1) for line in lines)
        free = 1024 * int(sizes["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        return _half_of_all()
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):  # no container, or one without a limit
        return free
    return min(free, max(limit - used, 0))


def _half_of_all():
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return 2**32


def run_folds(
    trial: Any,
    numbers: Sequence[int],
    features: Path,
    kept: KeptFolds,
    n_processes: int,
) -> Generator[Fold, None, None]:
    """Test the folds of these numbers, keep each as it ends, and yield them in order.

    Parameters
    ----------
    trial : Trial
        Its folds are trained.
    numbers : sequence of int
        Those that are to be done.
    features : Path
        A folder to keep features in.
    kept : KeptFolds
        Where folds are kept.
    n_processes : int
        Folds that are worked at in the same time.

    Yields
    ------
    Fold

    Raises
    ------
    WorkerError
        If a worker process dies.
    """
    if n_processes == 1:
        for number in numbers:
            fold = trial.run(number, features)
            kept.save(number, fold)
            yield fold
        return
    trial = trial.for_worker()
    # What folds have in common, which they would else extract at the same time.
    extracting = [
        delayed(_extract)(trial, numbers[0], features, part, n_processes)
        for part in range(n_processes)
    ]
    folds = (
        delayed(_run)(trial, number, features, kept, is_verbose()) for number in numbers
    )
    workers = Parallel(n_processes, batch_size=1, return_as="generator")
    tasks = chain(extracting, folds)
    with results_of(workers, tasks) as results:
        for fold, caught in islice(results, len(extracting), None):
            for warning in caught:
                warnings.warn_explicit(*warning)
            yield fold


def _extract(trial, number, features, part, n_parts):
    """Extract, in a worker, a part of what a fold trains on."""
    _begin_work()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # folds say it
        trial.extract(number, features, part, n_parts)


def _run(trial, number, features, kept, verbose):
    """Test a fold in a worker, which says nothing but epochs where they are wanted."""
    _begin_work()
    wishes = SimpleNamespace(quiet=not verbose, verbose=verbose, progress=False)
    with heeding(wishes), warnings.catch_warnings(record=True) as caught:
        fold = trial.run(number, features)
    kept.save(number, fold)
    return fold, [
        (each.message, each.category, each.filename, each.lineno) for each in caught
    ]


def _begin_work():
    end_with_parent()
    hold_what_is_needed()
    logging.disable(logging.CRITICAL)
