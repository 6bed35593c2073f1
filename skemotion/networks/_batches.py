"""Batches that are taken from arrays as they lie, and hold little padding."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion._sequences import FUNCTIONALS, common_frames, real_bounds
from skemotion.networks._inputs import functionals_of

# Rows of similar length are looked for among so many batches, which leaves the
# batches of an epoch a matter of chance.
_N_POOLED_BATCHES = 8


class Batches:
    """Batches of sequences, in the form that a network reads them.

    Parameters
    ----------
    model : keras.Model
        The network.
    X : ndarray of shape (n_samples, n_frames, n_features), dtype float32
        Sequences.
    batch_size : int
        Sequences in a batch, at most.
    trim : bool, default=False
        Whether the network takes no notice of padding, so that what all of a
        batch have of it can be cut off.
    functionals : sequence of str, default=FUNCTIONALS
        Those that the network reads, if it reads any.

    Attributes
    ----------
    sequences : ndarray of shape (n_samples, n_frames, n_features), dtype float32
        All of them.
    functionals : ndarray of shape (n_samples, n_functionals) or None
        What the network reads beside the sequences.
    """

    def __init__(
        self,
        model: Any,
        X: NDArray[np.float32],
        batch_size: int,
        *,
        trim: bool = False,
        functionals: Sequence[str] = FUNCTIONALS,
    ):
        self.sequences = X
        self._batch_size = batch_size
        self._bounds = real_bounds(X) if trim else None
        self.functionals = functionals_of(model, X, self._bounds, functionals)

    def __len__(self) -> int:
        return -(-len(self.sequences) // self._batch_size)

    def in_order(self) -> Iterator[tuple[Any, NDArray[np.intp]]]:
        """Yield what the network reads, and the numbers of the rows."""
        rows = np.arange(len(self.sequences))
        for start in range(0, len(rows), self._batch_size):
            yield self._take(rows[start : start + self._batch_size])

    def shuffled(
        self, rng: np.random.Generator, *, skip: int = 0
    ) -> Iterator[tuple[Any, NDArray[np.intp]]]:
        """Yield the same in a random order, lengths that are alike together.

        The first `skip` batches are left out, and the others are as with them.
        """
        rows = rng.permutation(len(self.sequences))
        if self._bounds is not None:
            lengths = self._bounds[:, 1] - self._bounds[:, 0]
            pool = self._batch_size * _N_POOLED_BATCHES
            for start in range(0, len(rows), pool):
                part = rows[start : start + pool]
                order = np.argsort(lengths[part], kind="stable")
                rows[start : start + pool] = part[order]
        starts = rng.permutation(range(0, len(rows), self._batch_size))
        for start in starts[skip:]:
            # In ascending order, since that reads a file from front to back.
            yield self._take(np.sort(rows[start : start + self._batch_size]))

    def _take(self, rows):
        frames = slice(None)
        if self._bounds is not None:
            frames = common_frames(self._bounds[rows])
        sequences = self.sequences[rows, frames]
        if self.functionals is None:
            return sequences, rows
        return (sequences, self.functionals[rows]), rows
