"""From recordings to descriptors: what the workers do."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import NDArray

from skemotion.audio import (
    Start,
    cache_key_of,
    decode_start,
    fix_length,
    resample,
)
from skemotion.feature_extraction._blas import one_blas_thread
from skemotion.feature_extraction._cache import (
    FeatureCache,
    cache_key,
    function_key,
)
from skemotion.feature_extraction._descriptors import compute_descriptors
from skemotion.feature_extraction._extended import compute_extended_descriptors

_SETS = {"post": compute_descriptors, "extended": compute_extended_descriptors}
_MAX_BATCH_SIZE = 16
_MANY_RECORDINGS = 500


class Features(NamedTuple):
    """What there is to say of a recording.

    Attributes
    ----------
    values : ndarray of shape (n_frames, n_features), dtype float32
        The descriptors.
    is_cut : bool
        Whether the recording goes on after what was described.
    """

    values: NDArray[np.float32]
    is_cut: bool


Outcome = Features | ValueError


def extract(
    recordings: list,
    settings: dict[str, Any],
    *,
    n_jobs: int | None = None,
    memory: Any = None,
) -> Iterator[Outcome]:
    """Describe recordings, in their order, holding only a few at a time.

    Parameters
    ----------
    recordings : list
        As :func:`skemotion.audio.load_audio` takes them.
    settings : dict
        All that descriptors depend on; see
        :meth:`SpeechFeatureExtractor._settings`.
    n_jobs : int, default=None
        Number of workers: threads or, for many recordings, processes, unless
        joblib is told otherwise.
    memory : FeatureCache or object with the joblib.Memory interface, default=None
        Where descriptors are kept.

    Yields
    ------
    Features or ValueError
        The descriptors, or the reason why there are none.
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
            [_read_file(recording, settings) for recording in batch], settings, memory
        )
        for batch in batches
    )
    # Threads wait for one another's Python code, and are hardly faster than one of
    # them, but processes take two seconds to start.
    prefer = "threads" if len(recordings) < _MANY_RECORDINGS else "processes"
    # BLAS' own threads compete with the workers, and gain one worker little.
    with one_blas_thread():
        workers = Parallel(n_jobs=n_jobs, prefer=prefer, return_as="generator")
        for outcomes in workers(tasks):
            yield from outcomes


def _read_file(recording, settings):
    """Decode a file object, which cannot travel to a worker."""
    if not hasattr(recording, "read"):
        return recording
    try:
        return _decode(recording, settings)
    except ValueError as error:
        return error


def _decode(recording, settings):
    return decode_start(
        recording,
        sampling_rate=settings["descriptors"]["sampling_rate"],
        duration=settings["duration"],
    )


def _extract_batch(recordings: Iterable, settings, memory) -> list[Outcome]:
    with one_blas_thread():
        return [_extract(recording, settings, memory) for recording in recordings]


def _extract(recording, settings, memory):
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
        return Features(features, False)
    try:
        start = (
            recording if isinstance(recording, Start) else _decode(recording, settings)
        )
    except ValueError as error:
        return error
    return Features(_recall(start, settings, memory, key), start.is_cut)


def _recall(start, settings, memory, key):
    """Find the features of what was decoded in memory, or compute them."""
    signal, native_rate, _ = start
    if isinstance(memory, FeatureCache):
        return _describe_once(signal, native_rate, settings, memory, key)
    describe = _describe if memory is None else memory.cache(_describe)
    return describe(signal, native_rate, settings)


def _describe_once(signal, native_rate, settings, cache, key):
    """Find the features of samples, or add them, by `key` if one is known."""
    features = None
    if key is None:
        key = cache_key(signal, native_rate, settings)
        features = cache.load(key, settings["shape"])
    if features is None:
        features = _describe(signal, native_rate, settings)
        cache.store(key, features)
    return features


def _describe(signal, native_rate, settings):
    signal = resample(signal, native_rate, settings["descriptors"]["sampling_rate"])
    if settings["normalize"] == "peak":
        signal = _scale_to_peak(signal)
    signal = fix_length(
        signal, settings["n_samples"], padding_side=settings["padding_side"]
    )
    return _SETS[settings["set"]](signal, **settings["descriptors"])


def _scale_to_peak(signal):
    peak = np.abs(signal).max()
    # A factor of its own would overflow where the peak is subnormal.
    return signal / peak if peak > 0 else signal
