"""Seeded training that leaves the caller's random streams alone."""

import contextlib
import random
import threading
from collections.abc import Iterator

# The streams are the whole process's, so two trainings in threads take turns.
_LOCK = threading.RLock()


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed what Keras draws from, and put the caller's streams back after.

    Keras takes the seeds of weights and dropout from :mod:`random`, and
    TensorFlow the order of batches from its own global seed.

    Parameters
    ----------
    seed : int
        The same seed gives the same bits on one machine.
    """
    from tensorflow.python.eager import context

    with _LOCK:
        # TensorFlow has no public way to read its stream back, and the one to set
        # it drops all kernels, which takes seconds to make good.
        eager = context.context()
        tensorflow_stream = eager._seed, getattr(eager, "_rng", None)
        python_stream = random.getstate()
        random.seed(seed)
        eager._seed, eager._rng = seed, random.Random(seed)
        try:
            yield
        finally:
            random.setstate(python_stream)
            eager._seed, eager._rng = tensorflow_stream
