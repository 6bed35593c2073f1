"""MPEG audio: how long it is, where that cannot be left to libsndfile."""

import os
from typing import Any

_TAG_HEADER = 10  # bytes of the header of an ID3 tag
_FIRST_FRAME = 4096  # bytes, in which the frame that tells the length begins and ends
_FACTOR = 64  # above the ratio of the highest bit rate to the lowest
# Marks of that frame, and where the number of bytes stands behind them, if it does.
_MARKS = (b"Xing", b"Info", b"VBRI")
_TAIL = 8192  # bytes, a few of the longest frames
_N_SURE = 3  # frames in a row that are no chance
# In kbit/s, for the indices 1 to 14, by version (1 or less) and layer.
_BIT_RATES = {
    (1, 1): [32 * i for i in range(1, 15)],
    (1, 2): [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    (1, 3): [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    (2, 1): [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    (2, 2): [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    (2, 3): [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}
_RATES = (44100, 48000, 32000)
_ALIKE = 0xFFFE0C00  # what all frames of a file have in common


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
    head, _ = _read_head(file)
    return any(mark in head for mark in _MARKS)


def ends_within_frame(file: Any) -> bool:
    """Tell whether MPEG audio is shorter than it says, or ends amid a frame.

    Parameters
    ----------
    file : binary file object
        At its start. Its position moves.

    Returns
    -------
    bool
    """
    head, start = _read_head(file)
    size = file.seek(0, os.SEEK_END)
    told = _told_bytes(head)
    if told is not None:
        return start + told > size
    file.seek(max(size - _TAIL, start))
    return _is_cut(file.read(), int.from_bytes(head[:4], "big"))


def _read_head(file):
    """Return how the audio begins, and where it does, behind a tag."""
    head, start = file.read(_TAG_HEADER), 0
    if head[:3] == b"ID3":
        size = 0
        for byte in head[6:10]:  # of which the highest bit is not used
            size = size << 7 | byte & 0x7F
        start = _TAG_HEADER + size
        file.seek(start)
        head = b""
    return head + file.read(_FIRST_FRAME), start


def _told_bytes(head):
    """Return the number of bytes that the first frame tells, if it does."""
    for mark in _MARKS:
        place = head.find(mark)
        if place < 0:
            continue
        if mark == b"VBRI":
            place += 10
        else:
            flags = int.from_bytes(head[place + 4 : place + 8], "big")
            if not flags & 2:
                return None
            place += 12 if flags & 1 else 8
        return int.from_bytes(head[place : place + 4], "big") or None
    return None


def _is_cut(tail, first):
    """Tell whether the last of several frames in a row lacks its end."""
    for start in range(len(tail) - 4):
        place, n_frames = start, 0
        while place + 4 <= len(tail):
            header = int.from_bytes(tail[place : place + 4], "big")
            length = _length_of(header) if header & _ALIKE == first & _ALIKE else None
            if length is None:
                break
            place, n_frames = place + length, n_frames + 1
        if n_frames >= _N_SURE:
            return place > len(tail)
    return False


def _length_of(header):
    """Return how many bytes a frame has, or None if this begins none."""
    version, layer = header >> 19 & 3, 4 - (header >> 17 & 3)
    bit_rate, rate, padding = header >> 12 & 15, header >> 10 & 3, header >> 9 & 1
    if header >> 21 != 0x7FF or version == 1 or layer == 4 or rate == 3:
        return None
    if bit_rate in (0, 15):  # not told, or none
        return None
    is_first = version == 3
    bits = 1000 * _BIT_RATES[1 if is_first else 2, layer][bit_rate - 1]
    hertz = _RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    if layer == 1:
        return 4 * (12 * bits // hertz + padding)
    return (72 if layer == 3 and not is_first else 144) * bits // hertz + padding


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
