"""MPEG audio whose header does not tell how long it is."""

from typing import Any

_TAG_HEADER = 10  # bytes of the header of an ID3 tag
_FIRST_FRAME = 4096  # bytes, in which the frame that tells the length begins and ends
_FACTOR = 64  # above the ratio of the highest bit rate to the lowest


def tells_length(file: Any) -> bool:
    """Tell whether the first frame of MPEG audio holds the number of frames.

    Parameters
    ----------
    file : binary file object
        At its start. Its position moves.

    Returns
    -------
    bool
    """
    head = file.read(_TAG_HEADER)
    if head[:3] == b"ID3":
        size = 0
        for byte in head[6:10]:  # of which the highest bit is not used
            size = size << 7 | byte & 0x7F
        file.seek(_TAG_HEADER + size)
        head = b""
    head += file.read(_FIRST_FRAME)
    return any(mark in head for mark in (b"Xing", b"Info", b"VBRI"))


class Unending:
    """File object that claims to be longer than it is, and so is read to its end.

    libsndfile gives no more samples than it guesses from the size of the file and
    the bit rate of the first frames, of which a variable one makes too few.

    Parameters
    ----------
    file : binary file object
        That can be rewound.
    """

    def __init__(self, file: Any):
        self._file = file
        self._at_end = False

    def read(self, size: int = -1) -> bytes:
        """Read as the file does."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move as the file does."""
        self._at_end = whence == 2
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position, if it is not the end, to which nobody goes to read."""
        position = self._file.tell()
        return position * _FACTOR if self._at_end else position
