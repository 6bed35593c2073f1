"""The file in which a training is kept, and what it belongs to."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion._files import remove_leftovers, write_file
from skemotion._messages import warn_user
from skemotion.exceptions import CheckpointWarning

SUFFIX = ".checkpoint"
_MAGIC = b"skemock1"
_DIGEST_BYTES = 16
_STATE = "state"
_MAX_BYTES = 2**26  # in which any small network fits, whatever callbacks hold
_MAX_COPIES = 16  # of a network, which callbacks may hold
_N_ROWS = 256
# What a training depends on, as it is told to users.
_PARTS = {
    "data": "sequences, labels or weights",
    "validation": "validation set",
    "settings": "parameters",
    "start": "weights to begin with",
    "versions": "versions of packages",
}


class Kept(NamedTuple):
    """What a checkpoint holds.

    Attributes
    ----------
    state : dict
        Of JSON's types.
    arrays : dict of str to ndarray
        What the state names.
    """

    state: dict[str, Any]
    arrays: dict[str, NDArray]


class Checkpoint:
    """The file of one training, in a folder that many may share.

    Parameters
    ----------
    folder : str or path-like
        It is made when it is needed.
    parts : mapping of {"data", "validation", "settings", "start", "versions"} to str
        Digests of all that the training depends on. Another training has another
        file, so that none takes what belongs to another.
    n_bytes : int
        Size of the network and its optimizer, of which the largest plausible
        size of the file follows.

    Attributes
    ----------
    path : Path
        The file.
    """

    def __init__(
        self, folder: str | os.PathLike, parts: Mapping[str, str], n_bytes: int
    ):
        self._folder = Path(folder)
        self._parts = dict(parts)
        self._limit = max(_MAX_BYTES, _MAX_COPIES * n_bytes)
        self._has_warned = False
        text = json.dumps(self._parts, sort_keys=True)
        self.path = (
            self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}{SUFFIX}"
        )

    def load(self) -> Kept | None:
        """Return what was kept, or None, with a warning if it cannot be used."""
        remove_leftovers(self.path)
        try:
            kept = _read(self.path, self._limit)
        except (FileNotFoundError, NotADirectoryError):
            self._tell_others()
            return None
        except (OSError, ValueError) as error:
            self.reject(error)
            return None
        if kept.state.get("parts") != self._parts:
            self.reject("it belongs to another training")
            return None
        return kept

    def reject(self, why: object) -> None:
        """Say that the file is of no use."""
        why = getattr(why, "strerror", None) or why
        warn_user(
            CheckpointWarning(
                f"the checkpoint {self.path} cannot be used ({why}): training starts "
                "anew."
            )
        )

    def remove(self) -> None:
        """Delete the file, if it is there."""
        with suppress(OSError):
            self.path.unlink()

    def save(self, kept: Kept) -> None:
        """Write the file; warn, once, if that cannot be done."""
        try:
            self._write(kept)
        except (OSError, ValueError) as error:
            self.tell_of_loss(getattr(error, "strerror", None) or error)

    def tell_of_loss(self, why: object) -> None:
        """Warn, once, that the training is not kept."""
        if self._has_warned:
            return
        self._has_warned = True
        warn_user(
            CheckpointWarning(
                f"the training goes on, but is not kept in {self._folder}: {why}"
            )
        )

    def _write(self, kept):
        from safetensors.numpy import save

        state = json.dumps({**kept.state, "parts": self._parts}).encode()
        arrays = {name: np.asarray(one, order="C") for name, one in kept.arrays.items()}
        data = save({**arrays, _STATE: np.frombuffer(state, np.uint8)})
        if len(data) > self._limit:
            raise ValueError(
                f"it would take {len(data) / 1e6:.0f} MB, more than "
                f"{self._limit / 1e6:.0f} MB; leave out callbacks that hold so much"
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        write_file(self.path, _head(self.path.stem, data) + data)

    def _tell_others(self):
        """Say what is different in the training that the folder was last used for."""
        others = sorted(self._folder.glob(f"[0-9a-f]*{SUFFIX}"), key=_age)
        for path in others[-1:]:
            try:
                state = _read(path, self._limit).state
                parts = dict(state["parts"])
            except (OSError, KeyError, TypeError, ValueError):
                return
            if state.get("is_finished") is True:
                return
            changed = [
                words
                for name, words in _PARTS.items()
                if parts.get(name) != self._parts.get(name)
            ]
            warn_user(
                CheckpointWarning(
                    f"training starts anew: the checkpoint {path} is that of a "
                    f"training with other {', '.join(changed)}. To go on with it, give "
                    "the same as then; delete it if it is not needed any more."
                )
            )


def _age(path):
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path, limit: int) -> Kept:
    """Read a file; raise OSError or ValueError where it is not there, or not whole."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    if path.stat().st_size > limit:
        raise ValueError("it is implausibly large")
    content = path.read_bytes()
    n_head = len(_MAGIC) + _DIGEST_BYTES
    data = content[n_head:]
    if content[:n_head] != _head(path.stem, data):
        raise ValueError("it is damaged")
    try:
        arrays = load(data)
        state = json.loads(arrays.pop(_STATE).tobytes())
    except (KeyError, RecursionError, SafetensorError, ValueError) as error:
        raise ValueError(f"it is damaged: {error}") from error
    if type(state) is not dict:
        raise ValueError("it is damaged")
    return Kept(state, arrays)


def _head(key, data):
    # With the name of the file, so that none takes another's place.
    digest = hashlib.blake2b(data, digest_size=_DIGEST_BYTES, key=key[:64].encode())
    return _MAGIC + digest.digest()


def digest_arrays(arrays: Iterable[NDArray]) -> str:
    """Return what is equal for equal arrays, of which none is copied as a whole."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape};".encode())
        rows = array if array.ndim else array[np.newaxis]
        for start in range(0, len(rows), _N_ROWS):
            digest.update(rows[start : start + _N_ROWS].tobytes())
    return digest.hexdigest()


def digest_text(value: Any) -> str:
    """Return what is equal for values that JSON writes alike."""
    text = json.dumps(value, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()
