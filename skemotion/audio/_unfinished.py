"""Files whose writer never told how much it wrote, and left 0 in the header."""

import os
import struct
from typing import Any

_RIFF_HEADER = 12  # bytes
_CHUNK_HEADER = 8
_SUN = {b".snd": ">", b"dns.": "<"}  # and the order of their bytes


def find_unfinished(file: Any) -> "Patched | None":
    """Return a file with the size that is missing in its header, if one is.

    Writers put it there when they are done, which those that are killed never are,
    and those that write to a pipe cannot. Where the size is 0, libsndfile finds no
    samples, whatever follows.

    Parameters
    ----------
    file : binary file object
        At its start. Its position moves.

    Returns
    -------
    Patched or None
        None if the file is none of WAV and AU, or holds nothing indeed.
    """
    head = file.read(_RIFF_HEADER)
    size = file.seek(0, os.SEEK_END)
    found = None
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        found = _find_in_riff(file, size, struct.unpack("<I", head[4:8])[0])
    elif head[:4] in _SUN and len(head) == _RIFF_HEADER:
        order = _SUN[head[:4]]
        found = 8, struct.unpack(order + "I", head[4:8])[0], order
    if found is None:
        return None
    place, start, order = found
    missing = min(size - start, 2**31 - 1)
    if missing <= 0:
        return None
    file.seek(0)
    return Patched(file, place, struct.pack(order + "I", missing))


def _find_in_riff(file, size, told):
    """Return where the size of an empty chunk of samples stands, and where it begins.

    None if the chunks that the header counts are behind it.
    """
    place = _RIFF_HEADER
    while place + _CHUNK_HEADER <= size:
        file.seek(place)
        name, length = struct.unpack("<4sI", file.read(_CHUNK_HEADER))
        if name == b"data":
            start = place + _CHUNK_HEADER
            counts_more = start < told + _CHUNK_HEADER <= size
            return None if length or counts_more else (place + 4, start, "<")
        place += _CHUNK_HEADER + length + length % 2
    return None


class Patched:
    """File object of which some bytes are others.

    Parameters
    ----------
    file : binary file object
        That can be rewound.
    start : int
        Where they are.
    content : bytes
        What stands there.
    """

    def __init__(self, file: Any, start: int, content: bytes):
        self._file = file
        self._start = start
        self._content = content

    def read(self, size: int = -1) -> bytes:
        """Read as the file does, but for these bytes."""
        first = self._file.tell()
        read = self._file.read(size)
        low = max(self._start, first)
        high = min(self._start + len(self._content), first + len(read))
        if low >= high:
            return read
        part = self._content[low - self._start : high - self._start]
        return read[: low - first] + part + read[high - first :]

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move as the file does."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position of the file."""
        return self._file.tell()
