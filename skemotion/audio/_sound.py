"""An open file of soundfile, whose decoders neither write to the terminal nor crash.

What a file object raises while a decoder calls it would be printed and forgotten, and
some decoders print what they think of a file.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock
from typing import Any

_DUMP_HEADER, _DUMP_BLOCK = 21, 127  # bytes of a MIDI Sample Dump
_BLOCK_MARK = b"\xf0\x7e"
# What mpg123 says of a file, which nobody who has many of them can use.
_CHATTER = re.compile(
    rb"\s*$|\[src/libmpg123/|Note: |Warning: (Xing|Real|Encountered|Big|Cannot|Frame)|"
    rb"(Warning|Error): .*(mpg123|frame|stream|header|layer)",
    re.IGNORECASE,
)


def open_sound(file: Any) -> Any:
    """Open encoded audio as soundfile does.

    Parameters
    ----------
    file : bytes, str, int or binary file object
        A path, a handle, or an object that can be rewound.

    Returns
    -------
    soundfile.SoundFile

    Raises
    ------
    ValueError
        If a file object fails, or a decoder would print that the file is damaged.
    soundfile.LibsndfileError
        If it cannot be decoded.
    """
    _refuse_damaged_dump(file)
    return _sound_class()(file)


@cache
def _sound_class():
    import soundfile

    class Sound(soundfile.SoundFile):
        def __init__(self, file):
            self._guard = _Guard(file) if hasattr(file, "read") else None
            with self._watched(is_open=False):
                super().__init__(file if self._guard is None else self._guard)

        def read(self, *args, **kwargs):
            with self._watched():
                return super().read(*args, **kwargs)

        def seek(self, *args, **kwargs):
            with self._watched():
                return super().seek(*args, **kwargs)

        @contextmanager
        def _watched(self, is_open=True):
            is_quiet = is_open and not self.subtype.startswith("MPEG")
            try:
                if is_quiet:
                    yield
                else:
                    with _hush:
                        yield
            finally:
                if self._guard is not None:
                    self._guard.raise_error()

    return Sound


class _Guard:
    """A file object that raises nothing while a decoder reads it, but afterwards."""

    def __init__(self, file):
        self._file = file
        self._error = None

    def read(self, size=-1):
        return self._call(self._file.read, size, otherwise=b"") or b""

    def seek(self, offset, whence=os.SEEK_SET):
        place = offset
        if whence == os.SEEK_CUR:
            place += self.tell()
        if whence != os.SEEK_END and place < 0:  # of which decoders of C make nothing
            return self.tell()
        if whence == os.SEEK_END and offset < 0:
            end = self._call(self._file.seek, 0, os.SEEK_END, otherwise=0)
            offset = max(offset, -(self.tell() if end is None else end))
        return self._call(self._file.seek, offset, whence, otherwise=0)

    def tell(self):
        return self._call(self._file.tell, otherwise=0)

    def _call(self, function, *args, otherwise):
        if self._error is not None:
            return otherwise
        try:
            return function(*args)
        except BaseException as error:
            self._error = error
            return otherwise

    def raise_error(self):
        error, self._error = self._error, None
        if isinstance(error, Exception):
            raise ValueError(f"it cannot be read ({error})") from error
        if error is not None:
            raise error


class _Hush:
    """Keeps what mpg123 says from standard error, and nothing else."""

    def __init__(self):
        self._lock = RLock()
        self._n_inside = 0
        self._handle: Any = None
        self._saved = -1

    def __enter__(self):
        with self._lock:
            if not self._n_inside:
                self._begin()
            self._n_inside += 1

    def __exit__(self, *args):
        with self._lock:
            self._n_inside -= 1
            if self._saved < 0:
                return
            self._hand_on()
            if not self._n_inside:
                os.dup2(self._saved, 2)
                os.close(self._saved)
                self._saved = -1

    def _begin(self):
        import tempfile

        try:
            os.write(2, b"")  # where it was closed, a file that is read may be number 2
            self._saved = os.dup(2)
        except OSError:
            return
        if self._handle is None:
            with tempfile.TemporaryFile() as file:
                self._handle = os.dup(file.fileno())
        os.dup2(self._handle, 2)

    def _hand_on(self):
        size = os.fstat(self._handle).st_size
        if not size:
            return
        os.lseek(self._handle, 0, os.SEEK_SET)
        said = os.read(self._handle, size)
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.ftruncate(self._handle, 0)
        others = [
            line for line in said.splitlines(keepends=True) if not _CHATTER.match(line)
        ]
        if others:
            os.write(self._saved, b"".join(others))


_hush = _Hush()


def _refuse_damaged_dump(file):
    """Raise for a MIDI Sample Dump that libsndfile would print complaints of."""
    for number, block in enumerate(_blocks_of_dump(file)):
        # What the last one lacks is taken from the one before it.
        mark = block[:2] if number else block[:2].ljust(2)
        if not _BLOCK_MARK.startswith(mark):
            raise ValueError(f"block {number} of this MIDI Sample Dump is damaged")


def _blocks_of_dump(file) -> Iterator[bytes]:
    if isinstance(file, int):
        return
    if not hasattr(file, "read"):
        with open(file, "rb") as opened:
            yield from _blocks_of_dump(opened)
        return
    position = file.tell()
    file.seek(0)
    head = file.read(_DUMP_HEADER)
    if head[:2] == _BLOCK_MARK and head[3:4] == b"\x01":
        yield file.read(_DUMP_BLOCK)
        while block := file.read(_DUMP_BLOCK):
            yield block
    file.seek(position)
