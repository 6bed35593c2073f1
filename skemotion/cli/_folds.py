"""Finished folds of an evaluation, kept on disk to resume it."""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion._files import atomic_path
from skemotion.cli._journal import lock

_LOCK = "lock"
_FEATURES = "features"
_DIGEST_BYTES = 16


@dataclass(frozen=True)
class Fold:
    """What was found out about some recordings.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,), dtype intp
        The recordings of the corpus that were tested.
    probabilities : ndarray of shape (n_rows, n_classes), dtype float64
        A column for each class of the corpus, or of the model.
    silent : ndarray of shape (n_rows,), dtype bool
        Which of them hold no speech.
    history : dict of str to list of float, default={}
        What training has watched, per epoch.
    seconds : float, default=0.0
        What all of it took.
    """

    rows: NDArray[np.intp]
    probabilities: NDArray[np.float64]
    silent: NDArray[np.bool_]
    history: Mapping[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0


class KeptFolds:
    """A folder with a file for each finished fold; None keeps nothing."""

    def __init__(self, folder: Path | None):
        self._folder = folder

    def load(self, number: int) -> Fold | None:
        """Return a fold, or None if it is not there, or not whole."""
        if self._folder is None:
            return None
        try:
            content = (self._folder / _name(number)).read_bytes()
        except OSError:
            return None
        arrays = content[_DIGEST_BYTES:]
        # Where the power has failed, it is not whole, and done again.
        if content[:_DIGEST_BYTES] != _digest(arrays, number):
            return None
        with np.load(io.BytesIO(arrays), allow_pickle=False) as kept:
            return Fold(
                kept["rows"],
                kept["probabilities"],
                kept["silent"],
                json.loads(str(kept["history"])),
                float(kept["seconds"]),
            )

    def save(self, number: int, fold: Fold) -> None:
        """Keep a fold; it is on the disk when this returns."""
        if self._folder is None:
            return
        arrays = {**vars(fold), "history": json.dumps(fold.history)}
        content = io.BytesIO()
        np.savez(content, **arrays)
        with atomic_path(self._folder / _name(number)) as temporary:
            whole = content.getvalue()
            temporary.write_bytes(_digest(whole, number) + whole)


def _name(number):
    return f"{number:04}.fold"


def _digest(content, number):
    """Return what tells whether a file is whole, and that of its fold."""
    key = _name(number).encode()
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES, key=key).digest()


def _folder_of(folder: str | os.PathLike, identity: Mapping[str, Any]) -> Path:
    """Return the folder of one evaluation in that of many."""
    text = json.dumps(identity, sort_keys=True)
    return Path(folder) / hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def open_folds(
    folder: str | os.PathLike | None, identity: Mapping[str, Any]
) -> Iterator[tuple[KeptFolds, Path]]:
    """Find the folds of an evaluation that were done before.

    Parameters
    ----------
    folder : path-like or None
        Where folds of this evaluation, and of others, are kept. None keeps none.
    identity : mapping of str to JSON values
        What the folds depend on: those of others are not taken.

    Yields
    ------
    kept : KeptFolds
    features : Path
        A folder for features. It is gone once the block is left, but for one
        within `folder` where the work was broken off.

    Raises
    ------
    ValueError
        If another process is at it.
    """
    if folder is None:
        with TemporaryDirectory(prefix="skemotion-") as features:
            yield KeptFolds(None), Path(features)
        return
    own = _folder_of(folder, identity)
    own.parent.parent.mkdir(parents=True, exist_ok=True)
    for private in (own.parent, own):
        private.mkdir(mode=0o700, exist_ok=True)
    with open(own / _LOCK, "ab") as file:
        lock(file.fileno(), own)
        yield KeptFolds(own), own / _FEATURES
        shutil.rmtree(own / _FEATURES, ignore_errors=True)


def has_folds(
    folder: str | os.PathLike, identity: Mapping[str, Any] | None = None
) -> bool:
    """Tell whether folds of an evaluation, or of any, are kept or were about to be."""
    _remove_if_empty(folder)  # as a kill at the very end leaves it
    if identity is None:
        return os.path.isdir(folder)
    return _folder_of(folder, identity).is_dir()


def forget_folds(folder: str | os.PathLike, identity: Mapping[str, Any]) -> None:
    """Delete the folds of an evaluation, and the folder if it holds no others."""
    shutil.rmtree(_folder_of(folder, identity), ignore_errors=True)
    _remove_if_empty(folder)


def _remove_if_empty(folder):
    with suppress(OSError):
        os.rmdir(folder)
