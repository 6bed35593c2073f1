"""Descriptors on disk, found again by what they were computed from."""

import hashlib
import json
import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion._files import TEMPORARY, atomic_path

_FOLDER = "skemotion-features"
_SUFFIX = ".features"
_MAGIC = b"skemoft2"
_DIGEST_BYTES = 16
_DTYPE = np.dtype("<f4")

# https://bford.info/cachedir/: backups leave out folders that hold this file.
_TAG = "CACHEDIR.TAG"
_TAG_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
_TAG_TEXT = f"{_TAG_SIGNATURE}\n# Features that skemotion can compute again.\n"


class CacheInfo(NamedTuple):
    """What a cache holds.

    Attributes
    ----------
    n_entries : int
        Number of recordings, each counted once per set of parameters.
    n_bytes : int
        Size of their files.
    """

    n_entries: int
    n_bytes: int


class FeatureCache:
    """A folder with one file per entry, which several processes may share.

    Parameters
    ----------
    folder : str or path-like
        It is created by :meth:`create`. Entries are kept in a folder of their own
        within it.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        self._entries = self.folder / _FOLDER

    def create(self) -> None:
        """Make the folder.

        Raises
        ------
        OSError
            If it can be neither found nor made.
        """
        self._entries.mkdir(parents=True, exist_ok=True)
        tag = self._entries / _TAG
        if not tag.exists():
            with atomic_path(tag) as path:
                path.write_text(_TAG_TEXT, encoding="utf-8")

    def load(self, key: str, shape: tuple[int, ...]) -> NDArray[np.float32] | None:
        """Return an entry, or None if there is none that is whole."""
        try:
            content = self._path(key).read_bytes()
        except OSError:
            return None
        n_head = len(_MAGIC) + _DIGEST_BYTES
        data = content[n_head:]
        # The rename that completes a file may outlive its data when power fails, and
        # a file may be copied to where another one belongs.
        if content[:n_head] != _head(key, data):
            return None
        if len(data) != np.prod(shape) * _DTYPE.itemsize:
            return None
        features = np.frombuffer(data, dtype=_DTYPE).reshape(shape)
        return features if np.isfinite(features).all() else None

    def store(self, key: str, features: NDArray[np.float32]) -> None:
        """Write an entry; warn if the disk does not take it."""
        data = features.astype(_DTYPE, copy=False).tobytes()
        target = self._path(key)
        try:
            target.parent.mkdir(exist_ok=True)
            # Whether it is whole is seen when it is read.
            with atomic_path(target, on_disk=False) as path:
                path.write_bytes(_head(key, data) + data)
        except OSError as error:
            warnings.warn(
                f"features are computed but not kept in {self.folder}: "
                f"{error.strerror or error}",
                stacklevel=2,
            )

    def info(self) -> CacheInfo:
        """Count the entries.

        Raises
        ------
        ValueError
            If the folder is no cache of features.
        """
        self._check_tag()
        sizes = []
        for path in self._list("[!.]*"):
            with suppress(FileNotFoundError):  # another process has deleted it
                sizes.append(path.stat().st_size)
        return CacheInfo(len(sizes), sum(sizes))

    def clear(self) -> CacheInfo:
        """Delete all entries, and nothing else that the folder holds.

        Returns
        -------
        CacheInfo
            What was deleted.

        Raises
        ------
        ValueError
            If the folder is no cache of features.
        """
        info = self.info()
        # What killed writers have left is in folders of its own.
        for path in [*self._list("[!.]*"), *self._list(f"{TEMPORARY}*/*")]:
            path.unlink(missing_ok=True)
        for pattern in (f"[0-9a-f][0-9a-f]/{TEMPORARY}*", "[0-9a-f][0-9a-f]"):
            for folder in self._entries.glob(pattern):
                _remove_if_empty(folder)
        if [path.name for path in self._entries.iterdir()] == [_TAG]:
            (self._entries / _TAG).unlink()
            _remove_if_empty(self._entries)
        return info

    def _list(self, name):
        found = self._entries.glob(f"[0-9a-f][0-9a-f]/{name}{_SUFFIX}")
        return [path for path in found if path.is_file()]

    def _path(self, key):
        return self._entries / key[:2] / (key[2:] + _SUFFIX)

    def _check_tag(self):
        try:
            tag = (self._entries / _TAG).read_text(encoding="utf-8")
        except OSError:
            tag = ""
        if not tag.startswith(_TAG_SIGNATURE):
            raise ValueError(
                f"{self.folder} is no cache of features; name the folder that was "
                "given as memory= or --cache"
            )


def cache_key(
    signal: NDArray[np.float32], sampling_rate: float, settings: dict[str, Any]
) -> str:
    """Name what follows from the samples, their rate and the settings.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        As decoded, before it is resampled.
    sampling_rate : float
        Of the signal, in Hz.
    settings : dict
        All that the features depend on besides, of JSON's types.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    settings = {**settings, "native_rate": float(sampling_rate)}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(signal, dtype=_DTYPE).data)
    return digest.hexdigest()


def function_key(name: str, settings: dict[str, Any]) -> str:
    """Name what follows from a function's own `cache_key` and the settings.

    Parameters
    ----------
    name : str
        It tells what the function returns from all else.
    settings : dict
        All that the features depend on besides, of JSON's types.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    content = json.dumps({**settings, "function": name}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _remove_if_empty(folder):
    with suppress(OSError):
        folder.rmdir()


def _head(key, data):
    digest = hashlib.blake2b(data, digest_size=_DIGEST_BYTES, key=key.encode())
    return _MAGIC + digest.digest()
