"""Seeds for what a network draws, apart from the process's own streams."""

import contextlib
import random
import threading
from collections.abc import Iterator

import numpy as np

# The stream is the whole process's, so builders in two threads take turns.
_LOCK = threading.RLock()


def stream_of_seeds(seed: int) -> Iterator[int]:
    """Yield seeds for initializers, dropout and noise, one for each.

    Parameters
    ----------
    seed : int
        The same seed gives the same stream.

    Yields
    ------
    int
    """
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(2**31))


@contextlib.contextmanager
def seeded_builder(seed: int) -> Iterator[None]:
    """Seed what layers without a seed of their own draw, and undo it after.

    Keras draws a seed for every such layer and initializer from :mod:`random`.

    Parameters
    ----------
    seed : int
        The same seed gives the same weights on one machine.
    """
    with _LOCK:
        stream = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(stream)
