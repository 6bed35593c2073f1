"""Files that hold less than their headers say: cut, or never copied to their end."""

import os
import re
from contextlib import suppress
from typing import Any

from skemotion.audio._mpeg import ends_within_frame
from skemotion.audio._sound import open_sound

# What libsndfile notes of a header: sizes in bytes, where the W64 format has but one.
_SIZE = re.compile(
    r"^\s*(?:data|SSND|BODY|Data Size)\s*: (\d+) \(should be (\d+)\)"
    r"|^riff : (\d+) \(should be (\d+)\)"
    r"|^Data length (\d+) should be (\d+)",
    re.MULTILINE,
)
_FRAMES = re.compile(r"^\s*(?:Frames|.*Cols)\s*: (\d+)", re.MULTILINE)
_TRUNCATED = re.compile(r"File seems to be truncated|Seems to be a truncated file")
_SPARE = 1  # byte, which some count that fill up an odd number
_BLOCK = 2**16  # samples
_N_HEAD = 1024  # bytes of the header of NIST
_PAGE = 2**16  # bytes, above the longest page of Ogg
_PAGE_HEADER = 27  # bytes
_LAST_PAGE = 4  # bit of the flags of a page of Ogg
_N_UNKNOWN = 2**62  # frames, as libsndfile has it where a header tells none


def is_unknown_size(size: int) -> bool:
    """Tell whether a size in a header of 32 bits stands for "not known yet".

    Programs that write to a pipe, and cannot go back, put the largest number there,
    with a sign or without, less a few kB that the header takes.
    """
    return any(limit - 2**12 <= size <= limit for limit in (2**31, 2**32))


def is_known_early(audio: Any, file: Any) -> bool:
    """Tell by its header and its end whether a file holds less than it should.

    Parameters
    ----------
    audio : soundfile.SoundFile
        The open file.
    file : str or binary file object
        What it was opened from. The position of a file object stays.

    Returns
    -------
    bool
        False as well where that is not known before the file has been decoded.
    """
    if audio.format == "OGG":
        return _peek(file, _lacks_last_page)
    if audio.format == "MP3":
        return _peek(file, ends_within_frame)
    if audio.format == "NIST":
        return (_peek(file, _told_by_sphere) or 0) > audio.frames
    log = audio.extra_info
    if _TRUNCATED.search(log):
        return True
    for found in _SIZE.finditer(log):
        told, held = (int(size) for size in found.groups() if size is not None)
        if told - held > _SPARE and not is_unknown_size(told):
            return True
    counts = [int(told) for told in _FRAMES.findall(log)]
    if audio.format == "SDS":  # counted in the file, in whole blocks
        return max(counts, default=0) < audio.frames
    return any(n > audio.frames and not is_unknown_size(n) for n in counts)


def breaks_at_end(file: Any) -> bool:
    """Tell whether decoding breaks off at the end of a file, and not amid it.

    Parameters
    ----------
    file : str or binary file object
        One that cannot be decoded as a whole. The position of a file object stays.
    """
    return _peek(file, _reaches_end)


def lacks_frames(audio: Any, n_read: int) -> bool:
    """Tell whether a file that was read to its end should have had more.

    Parameters
    ----------
    audio : soundfile.SoundFile
        The open file.
    n_read : int
        How many samples of each channel there were.
    """
    spare = 2 * 1152 if audio.format == "MP3" else 0  # which encoders do not agree on
    return n_read + spare < audio.frames < _N_UNKNOWN


def _reaches_end(file):
    import soundfile

    with suppress(soundfile.LibsndfileError, ValueError), open_sound(file) as audio:
        audio.seekable = lambda: False
        while len(audio.read(_BLOCK, dtype="float32")):
            pass
    return file.tell() == file.seek(0, os.SEEK_END)


def _lacks_last_page(file):
    """Tell whether Ogg ends without the page that says so, or within it."""
    file.seek(max(file.seek(0, os.SEEK_END) - _PAGE, 0))
    tail = file.read(_PAGE)
    start = tail.rfind(b"OggS")
    if start < 0:  # something else is behind it
        return False
    page = tail[start:]
    if len(page) < _PAGE_HEADER or not page[5] & _LAST_PAGE:
        return True
    table = page[_PAGE_HEADER : _PAGE_HEADER + page[_PAGE_HEADER - 1]]
    return len(page) < _PAGE_HEADER + page[_PAGE_HEADER - 1] + sum(table)


def _told_by_sphere(file):
    """Return the number of samples that a header of NIST tells, if it does."""
    told = re.search(rb"sample_count -i (\d+)", file.read(_N_HEAD))
    return None if told is None else int(told[1])


def _peek(file, look):
    """Look at a file from its start, and leave it where it is."""
    if not hasattr(file, "read"):
        with open(file, "rb") as opened:
            return look(opened)
    position = file.tell()
    file.seek(0)
    try:
        return look(file)
    finally:
        file.seek(position)
