"""Encoded audio: paths, file objects, and what they hold."""

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any

from skemotion.audio._endings import breaks_at_end, is_known_early
from skemotion.audio._mpeg import Unending, tells_length
from skemotion.audio._reasons import explain_head, head_of, refuse_path
from skemotion.audio._signals import HIGHEST_RATE, LOWEST_RATE
from skemotion.audio._sound import open_sound
from skemotion.audio._unfinished import find_unfinished

_IS_POSIX = os.name == "posix"


@dataclass(frozen=True)
class Encoded:
    """What a file object holds. It has no position, so many can read it at once.

    Parameters
    ----------
    content : bytes
        All of the file.
    name : str or None
        Its name, if it has one.
    """

    content: bytes
    name: str | None = None

    @classmethod
    def of(cls, file: Any) -> "Encoded":
        """Read a file object from its start, and put it back to where it was.

        Raises
        ------
        ValueError
            If nothing can be read; the message is the reason.
        """
        _check_file(file)
        with _from_start(file):
            content = file.read()
        if not content and not can_seek(file):
            raise ValueError(
                "nothing is left of it; a file object that cannot be rewound is read "
                "but once"
            )
        name = getattr(file, "name", None)
        return cls(bytes(content), name if isinstance(name, str) else None)

    def open(self) -> io.BytesIO:
        """Make a file object of it, with a position of its own."""
        file = io.BytesIO(self.content)
        if self.name is not None:
            file.name = self.name
        return file


def is_encoded(recording: Any) -> bool:
    """Tell whether a recording is one that libsndfile decodes."""
    return (
        isinstance(recording, (str, os.PathLike, Encoded))
        or hasattr(recording, "read")  # a file object
    )


def check_encoded(recording: Any) -> None:
    """Look at a header, or at what a file object gives."""
    if hasattr(recording, "read"):
        _check_file(recording)
    else:
        held = recording.open() if isinstance(recording, Encoded) else recording
        _open_audio(held).close()


def header_seconds(file: Any) -> float:
    """Return how long a file is, as its header has it; NaN where it cannot be read."""
    try:
        with open_to_read(file) as audio:
            return float(audio.frames / audio.samplerate)
    except ValueError:
        return float("nan")


def _open_audio(file):
    import soundfile

    if isinstance(file, (str, os.PathLike)):
        file = os.fsdecode(file)
        refuse_path(file)
    try:
        audio = _open_whatever_lies_beside(file)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    except (soundfile.LibsndfileError, TypeError) as error:
        raise ValueError(_explain(file)) from error
    if not LOWEST_RATE <= audio.samplerate <= HIGHEST_RATE:
        audio.close()
        raise ValueError(
            f"its header claims a sampling rate of {audio.samplerate} Hz, which no "
            "recording has"
        )
    return audio


def _open_whatever_lies_beside(file):
    """Open a file, even if there is one that libsndfile takes for a part of it.

    Beside a.mp3 that is ._a.mp3, in which macOS keeps what other disks do not.
    """
    import soundfile

    if not isinstance(file, str):
        return open_sound(file)
    if not _IS_POSIX:
        return open_sound(file)
    name = os.fsencode(file)  # of those not in UTF-8, soundfile takes the bytes alone
    try:
        return open_sound(name)
    except soundfile.LibsndfileError:
        folder, base = os.path.split(name)
        if not os.path.exists(os.path.join(folder, b"._" + base)):
            raise
        return open_sound(os.open(name, os.O_RDONLY))  # which it closes


def _explain(file):
    name = file if isinstance(file, str) else getattr(file, "name", None)
    try:
        head = head_of(file)
    except (OSError, ValueError) as error:
        return f"it cannot be read ({error})"
    return explain_head(head, name if isinstance(name, str) else None)


# Whoever moves the position of a file object moves it for all threads.
_POSITIONS = RLock()


@contextmanager
def _from_start(file):
    """Rewind a file object for one reader at a time, and put it back."""
    with _POSITIONS:
        if not can_seek(file):
            yield
            return
        position = file.tell()
        file.seek(0)
        try:
            yield
        finally:
            file.seek(position)


def can_seek(file: Any) -> bool:
    """Tell whether a file object can be rewound."""
    return hasattr(file, "seekable") and file.seekable()


def _check_file(file):
    """Refuse a file object that is closed, or gives other things than bytes."""
    if getattr(file, "closed", False):
        raise ValueError("it is a closed file; open it again, or pass its path")
    try:
        nothing = file.read(0)
    except TypeError:  # it reads all or nothing
        return
    except (OSError, ValueError) as error:
        raise ValueError(
            f"it cannot be read ({error}); open it with mode 'rb'"
        ) from error
    if not isinstance(nothing, (bytes, bytearray, memoryview, type(None))):
        raise ValueError(
            f"it is a file object that gives {type(nothing).__name__} and not bytes; "
            "open it with mode 'rb', or pass its path"
        )


@contextmanager
def open_to_read(file: Any) -> Iterator[Any]:
    """Open encoded audio, whoever else may be reading the same."""
    with ExitStack() as stack:
        if hasattr(file, "read"):
            _check_file(file)
            if can_seek(file):
                stack.enter_context(_from_start(file))
            else:
                file = Encoded.of(file)
        if isinstance(file, Encoded):
            file = file.open()
        audio = stack.enter_context(_open_audio(file))
        tells_frames, ends_early = True, is_known_early(audio, file)
        instead = None
        if audio.format == "MP3":
            instead = _open_to_its_end(file, stack)
        elif audio.frames <= 0:
            instead = _open_unfinished(file, stack)
        if instead is not None:
            audio, tells_frames = instead, False
        audio.tells_frames, audio.ends_early = tells_frames, ends_early
        audio.has_given = False
        audio.is_cut = lambda: audio.ends_early or breaks_at_end(file)
        yield audio


def _open_to_its_end(file, stack):
    """Open MPEG audio anew if how long it is would be guessed."""
    with _rewound(file, stack) as file:
        if tells_length(file):
            return None
    return _open_anew(Unending(file), stack)


def _open_unfinished(file, stack):
    """Open a file anew if its header tells of no samples, but there are some."""
    with _rewound(file, stack) as file:
        patched = find_unfinished(file)
    return None if patched is None else _open_anew(patched, stack)


@contextmanager
def _rewound(file, stack):
    """Give a file object at its start, and put it back to where it was."""
    if not hasattr(file, "read"):
        file = stack.enter_context(open(file, "rb"))  # noqa: SIM115 - the stack closes
    position = file.tell()  # which may be that of an open one
    file.seek(0)
    yield file
    file.seek(position)


def _open_anew(file, stack):
    file.seek(0)
    return stack.enter_context(_open_audio(file))
