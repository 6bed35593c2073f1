"""From recordings to frames: what the workers do, whatever the frames hold."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import NDArray

from skemotion._workers import end_with_parent, results_of
from skemotion.audio import Findings, Start, cache_key_of, decode_start, stays_here
from skemotion.feature_extraction._blas import one_blas_thread
from skemotion.feature_extraction._cache import (
    FeatureCache,
    cache_key,
    function_key,
)

_MAX_BATCH_SIZE = 16
_MANY_RECORDINGS = 350

Describe = Callable[[NDArray[np.float32], float, dict[str, Any]], NDArray[np.float32]]


class Features(NamedTuple):
    """What there is to say of a recording.

    Attributes
    ----------
    values : ndarray of shape (n_frames, n_features), dtype float32
        The frames.
    findings : Findings
        What is odd about the recording.
    """

    values: NDArray[np.float32]
    findings: Findings


Outcome = Features | ValueError


def extract(
    recordings: list,
    describe: Describe,
    settings: dict[str, Any],
    *,
    n_jobs: int | None = None,
    memory: Any = None,
    threads_only: bool = False,
) -> Iterator[Outcome]:
    """Describe recordings, in their order, holding only a few at a time.

    Parameters
    ----------
    recordings : list
        As :func:`skemotion.audio.load_audio` takes them.
    describe : callable
        Called as ``describe(signal, native_rate, settings)`` with the samples of
        a recording at its own rate; returns its frames, or raises ValueError with
        the reason why there can be none.
    settings : dict
        All that frames depend on besides, of JSON's types, with the entries
        "sampling_rate" (Hz), "duration" (seconds), and "shape", of what
        `describe` returns.
    n_jobs : int, default=None
        Number of workers: threads or, for many recordings, processes, unless
        joblib is told otherwise.
    memory : FeatureCache or object with the joblib.Memory interface, default=None
        Where frames are kept.
    threads_only : bool, default=False
        Whether `describe` must stay in this process.

    Yields
    ------
    Features or ValueError
        The frames, or the reason why there are none.

    Raises
    ------
    WorkerError
        If a worker process dies.
    """
    # Some batches per worker, so that none waits long for the last.
    batch_size = len(recordings) // (4 * effective_n_jobs(n_jobs))
    batch_size = min(max(batch_size, 1), _MAX_BATCH_SIZE)
    batches = (
        recordings[start : start + batch_size]
        for start in range(0, len(recordings), batch_size)
    )
    tasks = (
        delayed(_extract_batch)(
            [_read_file(recording, settings) for recording in batch],
            describe,
            settings,
            memory,
        )
        for batch in batches
    )
    # Threads wait for one another's Python code, and are hardly faster than one of
    # them, but processes take time to start.
    prefer = "threads" if len(recordings) < _MANY_RECORDINGS else "processes"
    how = {"require": "sharedmem"} if threads_only else {"prefer": prefer}
    # BLAS' own threads compete with the workers, and gain one worker little.
    workers = Parallel(n_jobs=n_jobs, return_as="generator", **how)
    with one_blas_thread(), results_of(workers, tasks) as batches_done:
        for outcomes in batches_done:
            yield from outcomes


def _read_file(recording, settings):
    """Decode what cannot travel to a worker, such as a file object."""
    if not stays_here(recording):
        return recording
    try:
        return _decode(recording, settings)
    except ValueError as error:
        return error


def _decode(recording, settings):
    return decode_start(
        recording,
        sampling_rate=settings["sampling_rate"],
        duration=settings["duration"],
    )


def _extract_batch(recordings, describe, settings, memory) -> list[Outcome]:
    end_with_parent()
    with one_blas_thread():
        return [_extract(each, describe, settings, memory) for each in recordings]


def _extract(recording, describe, settings, memory):
    if isinstance(recording, ValueError):
        return recording
    key = features = None
    if callable(recording):
        name = cache_key_of(recording)
        if name is None:
            memory = None  # it may return another thing each time
        elif isinstance(memory, FeatureCache):
            key = function_key(name, settings)
            features = memory.load(key, settings["shape"])
    if features is not None:
        return Features(features, Findings())
    try:
        start = (
            recording if isinstance(recording, Start) else _decode(recording, settings)
        )
        values = _recall(start, describe, settings, memory, key)
    except ValueError as error:
        return error
    return Features(values, start.findings)


def _recall(start, describe, settings, memory, key):
    """Find the features of what was decoded in memory, or compute them."""
    signal, native_rate, _ = start
    if memory is None:
        return describe(signal, native_rate, settings)
    if isinstance(memory, FeatureCache):
        return _describe_once(signal, native_rate, describe, settings, memory, key)
    # What describes depends on nothing but the settings.
    call = memory.cache(_call, ignore=["describe"])
    return call(signal, native_rate, settings, describe)


def _call(signal, native_rate, settings, describe):
    return describe(signal, native_rate, settings)


def _describe_once(signal, native_rate, describe, settings, cache, key):
    """Find the features of samples, or add them, by `key` if one is known."""
    features = None
    if key is None:
        key = cache_key(signal, native_rate, settings)
        features = cache.load(key, settings["shape"])
    if features is None:
        features = describe(signal, native_rate, settings)
        cache.store(key, features)
    return features
