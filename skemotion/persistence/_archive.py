"""The file of a bundle: a manifest in JSON and arrays, checked before use."""

import hashlib
import io
import json
import math
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from skemotion._files import atomic_path
from skemotion._version import __version__

FORMAT = "skemotion"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
COPY_AGAIN = "copy the file again, or save the model again with save_model"
_MEMBER = re.compile(r"manifest\.json|\d{1,4}\.(npy|safetensors)", re.ASCII)
_MAX_MANIFEST = 2**22  # bytes; ours take 50 kB
# What save_model writes, and nothing else that NumPy might make of a header.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '(<f4|<f8)', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,18}, ?)*\d{0,18})\), \} *\n",
    re.DOTALL,
)


class Members:
    """What a bundle holds beside the manifest, named in the order of coming."""

    def __init__(self):
        self.contents: dict[str, bytes] = {}

    def add(self, content: bytes, suffix: str) -> str:
        """Take a file, and return the name that it gets."""
        name = f"{len(self.contents)}{suffix}"
        self.contents[name] = content
        return name


def pack(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            # With a fixed date, so that equal models are equal files.
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return file.getvalue()


def write_file(path: Path, content: bytes) -> None:
    """Write a file that is complete, and on the disk, before it is in its place."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def unpack(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the manifest, and by name the checked arrays and the other files."""
    members = _read_members(content)
    if MANIFEST not in members:
        raise ValueError(f"it is no bundle of skemotion, without {MANIFEST}.")
    manifest = _read_manifest(members.pop(MANIFEST))
    sums = get_entry(manifest, "sha256", dict)
    for name in sums.keys() ^ members.keys():
        where = "archive" if name in members else "manifest"
        raise ValueError(
            f"member {name!r} is only in the {where}; the file is incomplete or was "
            f"changed: {COPY_AGAIN}."
        )
    for name, member in members.items():
        if sums[name] != sha256(member):
            raise ValueError(
                f"member {name!r} was changed since it was saved: its SHA-256 differs; "
                f"{COPY_AGAIN}."
            )
    return manifest, {
        name: _read_array(name, item) if name.endswith(".npy") else item
        for name, item in members.items()
    }


def _read_members(content: bytes) -> dict[str, bytes]:
    with _damage_as_value_error():
        archive = zipfile.ZipFile(io.BytesIO(content))
    infos = archive.infolist()
    names = [info.filename for info in infos]
    for info in infos:
        if not _MEMBER.fullmatch(info.filename) or names.count(info.filename) > 1:
            raise ValueError(
                f"it holds {info.filename!r}, which belongs in no bundle; load only "
                "what save_model has written."
            )
        if info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(
                f"member {info.filename!r} is compressed, which save_model never "
                "does; load the file as it was saved, not packed again."
            )
        # Stored as they are, so that no member is larger than the file.
        if info.file_size != info.compress_size or (
            info.filename == MANIFEST and info.file_size > _MAX_MANIFEST
        ):
            raise ValueError(
                f"member {info.filename!r} has no plausible size; {COPY_AGAIN}."
            )
    if sum(info.file_size for info in infos) > len(content):
        raise ValueError(f"its members are larger than the file; {COPY_AGAIN}.")
    with _damage_as_value_error():
        return {name: archive.read(name) for name in names}


@contextmanager
def _damage_as_value_error() -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile,
        EOFError,
        OSError,
        OverflowError,
        RuntimeError,
        struct.error,
        ValueError,
    ) as error:
        raise ValueError(
            f"it is no intact zip archive ({error}); {COPY_AGAIN}. A file of "
            "joblib.dump is for joblib.load."
        ) from error


def _read_manifest(content: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{MANIFEST} is no JSON ({error}); {COPY_AGAIN}.") from error
    if get_entry(manifest, "format", str) != FORMAT:
        raise ValueError(
            f"its format is {manifest['format']!r}, not {FORMAT!r}; load it with the "
            "program that wrote it."
        )
    if get_entry(manifest, "format_version", int) != FORMAT_VERSION:
        raise ValueError(
            f"its format version is {manifest['format_version']}, and skemotion "
            f"{__version__} reads version {FORMAT_VERSION} only; install a newer "
            "skemotion."
        )
    return manifest


def _read_array(name: str, content: bytes) -> NDArray:
    """Read an array of finite floats whose size agrees with its header."""
    header = _HEADER.match(content)
    if header is None or int.from_bytes(header[1], "little") != header.end() - 10:
        _refuse_array(name, "its header is none of float32 or float64")
    shape = tuple(map(int, filter(None, header[3].replace(b" ", b"").split(b","))))
    dtype = np.dtype(header[2].decode())
    if math.prod(shape) * dtype.itemsize != len(content) - header.end():
        _refuse_array(name, f"its size does not agree with shape {shape}")
    flat = np.frombuffer(content, dtype, offset=header.end())
    if not np.isfinite(flat).all():
        _refuse_array(name, "it holds NaN or infinity")
    try:
        return flat.reshape(shape).copy()
    except ValueError:
        _refuse_array(name, f"NumPy makes no array of shape {shape}")


def _refuse_array(name: str, why: str) -> NoReturn:
    raise ValueError(f"member {name!r} is no array of a bundle ({why}); {COPY_AGAIN}.")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def get_entry(description, key, kind):
    """Return an entry of the manifest, which must be of exactly this type."""
    value = description.get(key) if type(description) is dict else None
    if type(value) is not kind:
        raise ValueError(
            f"its manifest holds no {key!r} of type {kind.__name__} where one is "
            f"expected; {COPY_AGAIN}."
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{key!r} in its manifest is {value}; {COPY_AGAIN}.")
    return value
