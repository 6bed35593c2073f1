"""Why a file is no recording that can be read, and what to do about it."""

import errno
import os
import re
import stat
from typing import Any

_CONVERT = "convert it, for instance by: ffmpeg -i {} -ac 1 {}"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_N_HEAD = 512  # bytes that tell what a file is
# How files begin that are often taken for recordings, and what they are.
_BEGINNINGS = (
    (rb"version https://git-lfs", "it is a pointer of Git LFS: run git lfs pull"),
    (
        rb"\s*(<!doctype html|<html|<\?xml)",
        "it is a web page that was saved under this name: download the recording "
        "itself",
    ),
    (rb".{4}ftyp", "it is MPEG-4 or AAC (m4a, mp4), which libsndfile does not read"),
    (rb"\x1a\x45\xdf\xa3", "it is Matroska or WebM, which libsndfile does not read"),
    (rb"\xff[\xf0\xf1\xf8\xf9]", "it is AAC, which libsndfile does not read"),
    (rb"#!AMR", "it is AMR, which libsndfile does not read"),
    (rb"\x30\x26\xb2\x75", "it is Windows Media, which libsndfile does not read"),
    (rb"PK\x03\x04", "it is a zip archive: unpack it"),
    (rb"\x1f\x8b", "it is compressed by gzip: unpack it"),
)

_HEADERS = (
    *(b"RIFF", b"RIFX", b"RF64", b"riff", b"fLaC", b"OggS", b"FORM", b".snd"),
    *(b"caff", b"NIST", b"Crea"),
)


def refuse_path(path: str) -> None:
    """Raise ValueError where a path leads to no file that can be opened.

    Parameters
    ----------
    path : str
        What is to be opened. Nothing is read, and nothing waited for.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise ValueError(_say_absent(path, error)) from error
    except ValueError as error:  # a null character
        raise ValueError("no file can have this name") from error
    for is_kind, what in _KINDS:
        if is_kind(mode):
            raise ValueError(what)
    if not os.access(path, os.R_OK):
        raise ValueError("its permissions do not allow to read it")
    if not os.path.getsize(path):
        raise ValueError("it is empty, of 0 bytes: copy or record it again")


_KINDS = (
    (stat.S_ISDIR, "it is a folder, not a file"),
    (
        stat.S_ISFIFO,
        "it is a pipe, which can be read but once: save what comes from it to a file",
    ),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)


def _say_absent(path, error):
    if _ADDRESS.match(path):
        return "it is an address, not a file: download it first"
    if error.errno == errno.ELOOP:
        return "it is a link that leads in a circle"
    if os.path.islink(path):
        return f"it is a link to {os.readlink(path)}, which is not there"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "the permissions of its folder do not allow to read it"
    if isinstance(error, NotADirectoryError):
        return "no such file: what its path names as a folder is a file"
    if error.errno == errno.ENAMETOOLONG:
        return "no file can have so long a name"
    return error.strerror or "it cannot be found"


def explain_head(head: bytes, name: str | None) -> str:
    """Say why libsndfile does not read a file, by how it begins.

    Parameters
    ----------
    head : bytes
        How it begins; 512 bytes are enough.
    name : str or None
        What it is called.
    """
    convert = "; " + _convert(name)
    for beginning, what in _BEGINNINGS:
        if re.match(beginning, head, re.IGNORECASE | re.DOTALL):
            return what + (convert if "libsndfile" in what else "")
    if not head:
        return "it is empty, of 0 bytes"
    if not any(head):
        return "it holds zeros alone: copy or record it again"
    if head[:4] in _HEADERS:
        return (
            "its header is damaged, or of a kind that libsndfile does not read"
            + convert
        )
    if _is_text(head):
        return "it is text, not a recording"
    return "libsndfile does not read it as audio" + convert


def head_of(file: Any) -> bytes:
    """Return how a file, or a file object, begins; its position moves."""
    if not hasattr(file, "read"):
        with open(file, "rb") as opened:
            return opened.read(_N_HEAD)
    file.seek(0)
    return bytes(file.read(_N_HEAD))


def _convert(name):
    name = os.path.basename(name or "") or "FILE"
    wav = os.path.splitext(name)[0] + ".wav"
    if wav == name:
        wav = f"new-{name}"
    return _CONVERT.format(_quote(name), _quote(wav))


def _quote(name):
    import shlex

    return shlex.quote(name)


def _is_text(head):
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # otherwise a character is cut
            return False
        text = head[: error.start].decode()
    return all(char.isprintable() or char.isspace() for char in text)
