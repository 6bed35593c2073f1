"""Loading of Keras and TensorFlow without the noise that they make."""

import collections
import contextlib
import gc
import logging
import math
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from skemotion._workers import end_with_parent, is_worker, share_of_threads

# The process that has loaded Keras, to be told from its forks.
_owner: int | None = None
# Else one thread would put back a standard error that another had set aside, or begin
# to compute before the threads are shared out.
_loading = threading.RLock()
_NUMBERS = "object_name_uids"


def import_keras():
    """Import Keras and its backend without writing to standard error.

    TensorFlow reports on processors, drivers and missing GPUs in lines that no
    log level stops, so standard error is set aside while it loads. What comes
    later is held to fatal errors, unless ``TF_CPP_MIN_LOG_LEVEL`` is set.
    Exceptions are raised as ever.

    Returns
    -------
    module
        ``keras``.

    Raises
    ------
    RuntimeError
        In a process that was forked from one that has called this before:
        TensorFlow's threads do not survive a fork, and waiting for them hangs.
    """
    global _owner
    if _owner not in (None, os.getpid()):
        raise RuntimeError(
            "this process was forked from one that had loaded TensorFlow, which would "
            "hang here: start workers by multiprocessing's 'spawn' method, or by "
            "joblib's default backend."
        )
    _owner = os.getpid()
    end_with_parent()
    with _loading:
        if "keras" not in sys.modules or "tensorflow" not in sys.modules:
            if "tensorflow" not in sys.modules:
                os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
                if is_worker():  # the first would take all memory of a GPU
                    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
            with _without_stderr():
                import keras
                import tensorflow  # noqa: F401  (scikeras and the graphs need it)

                _share_out_threads()
        import keras

    return keras


def _share_out_threads() -> None:
    """Give the LSTM's two directions a thread each, not their small products two.

    A worker of joblib has its share of the processors. What the user has set, by
    TensorFlow's functions or in the environment, stays, and so does a runtime that
    has already started.
    """
    import tensorflow as tf
    from tensorflow.python.eager import context

    threading = tf.config.threading
    settings = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    if (
        any(name in os.environ for name in settings)
        or threading.get_intra_op_parallelism_threads()
        or threading.get_inter_op_parallelism_threads()
        or context.context()._initialized
    ):
        return
    threading.set_intra_op_parallelism_threads(1)
    share = share_of_threads()
    if share is not None:
        threading.set_inter_op_parallelism_threads(share)


@contextlib.contextmanager
def without_retracing_log() -> Iterator[None]:
    """Drop TensorFlow's advice on retracing, which refits in a search set off."""
    logger = logging.getLogger("tensorflow")

    def keep(record):
        return "retracing" not in record.getMessage()

    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


@contextlib.contextmanager
def names_from_the_start() -> Iterator[None]:
    """Let Keras count layers of a kind from the first one, and go on as before.

    TensorFlow keeps some 35 kB for every name that a variable ever had, for as
    long as the process lives, and Keras numbers all layers of a process. So
    refits would take more and more memory.
    """
    try:
        from keras.src.backend.common import global_state

        # Of this thread alone.
        numbers = global_state.get_global_attribute(_NUMBERS)
        global_state.set_global_attribute(_NUMBERS, collections.defaultdict(int))
    except (AttributeError, ImportError):  # a version that keeps them elsewhere
        yield
        return
    try:
        yield
    finally:
        global_state.set_global_attribute(_NUMBERS, numbers)


class _Garbage:
    """What models have taken since Python last looked for those that nobody needs.

    A model is a ring of references, with megabytes in few objects. Python counts
    objects to decide when to look for such rings, and so would look too late.
    """

    limit = 2**27  # bytes

    def __init__(self):
        self._n_bytes = 0

    def add(self, model: Any) -> None:
        """Count a compiled model, and look for garbage where that is due."""
        variables = [*model.variables, *model.optimizer.variables]
        self._n_bytes += 4 * sum(math.prod(variable.shape) for variable in variables)
        if self._n_bytes > self.limit:
            self._n_bytes = 0
            gc.collect()


garbage = _Garbage()


@contextlib.contextmanager
def _without_stderr() -> Iterator[None]:
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (AttributeError, OSError):  # no standard error, as under pythonw
        yield
        return
    try:
        with open(os.devnull, "wb") as null:
            os.dup2(null.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
