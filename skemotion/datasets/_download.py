"""Download of an archive, and its known members: bounded in size and in time."""

import hashlib
import lzma
import struct
import sys
import time
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TIMEOUT = 30  # seconds without an answer
_BLOCK = 2**16  # bytes
_PATIENCE = 20  # seconds, after which a download must have had the least rate
_LEAST_RATE = 2000  # bytes per second, on the average
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    MemoryError,  # of a dictionary of LZMA
    OSError,  # of bzip2
    OverflowError,
    RuntimeError,  # encryption and unknown compression
    ValueError,
)


@dataclass(frozen=True)
class Archive:
    """A zip archive of a corpus.

    Parameters
    ----------
    name : str
        What the corpus is called in messages.
    urls : sequence of str
        Where it is, by HTTP or HTTPS; the first that answers serves.
    max_bytes : int
        No more is downloaded.
    max_member_bytes : int
        No more is unpacked of a file in it.
    help : str
        What else can be done where the download fails.
    """

    name: str
    urls: Sequence[str]
    max_bytes: int
    max_member_bytes: int
    help: str

    def error(self, url: str, reason: Any) -> OSError:
        """Make the error for all that can fail."""
        return OSError(
            f"{self.name} could not be fetched from {url}: {reason}. {self.help}"
        )


def download(archive: Archive, path: Path, *, n_retries: int, delay: float) -> str:
    """Write an archive to a file.

    Parameters
    ----------
    archive : Archive
        What to download.
    path : Path
        Where it goes.
    n_retries : int
        How often it is tried again after the network or the server failed.
    delay : float
        Seconds between two tries.

    Returns
    -------
    str
        The address that it came from.

    Raises
    ------
    OSError
        If no address gives it: whatever fails in the network, or is too large or
        too slow.
    """
    *others, last = archive.urls
    for url in others:
        try:
            _download(archive, url, path)
            return url
        except _Failure:
            continue
    for n_left in range(n_retries, -1, -1):
        try:
            _download(archive, last, path)
            break
        except _Failure as failure:
            if n_left == 0 or failure.is_final:
                raise archive.error(last, failure) from failure
            warnings.warn(
                f"The download of {last} failed ({failure}); trying again.",
                stacklevel=4,
            )
            time.sleep(delay)
    return last


class _Failure(Exception):
    """A download that has failed; `is_final` if it would do so again."""

    def __init__(self, reason: str, *, is_final: bool = False):
        super().__init__(reason)
        self.is_final = is_final


def _download(archive: Archive, url: str, path: Path) -> None:
    import requests
    import urllib3

    try:
        answer = requests.get(
            url,
            stream=True,
            timeout=_TIMEOUT,
            headers={"Accept-Encoding": "identity"},
        )
        with closing(answer), open(path, "wb") as file:
            answer.raise_for_status()
            for block in _read_blocks(answer, archive.max_bytes):
                file.write(block)
    except requests.RequestException as error:
        # An answer such as 404 stays, a failure of the server may pass.
        is_final = error.response is not None and error.response.status_code < 500
        is_final |= isinstance(error, ValueError)  # no such address can be
        raise _Failure(str(error), is_final=is_final) from error
    except (urllib3.exceptions.HTTPError, UnicodeError, ValueError) as error:
        raise _Failure(str(error)) from error


def _read_blocks(answer: Any, max_bytes: int) -> Iterator[bytes]:
    """Yield what arrives, as soon as it does, until it is too much or too slow."""
    from tqdm import tqdm

    promised = answer.headers.get("Content-Length", "")
    total = int(promised) if promised.isdecimal() and len(promised) < 20 else None
    if total is not None and total > max_bytes:
        raise _Failure(_TOO_LARGE.format(total, max_bytes), is_final=True)
    shown = sys.stderr is not None and sys.stderr.isatty()
    n_read, start = 0, time.monotonic()
    with tqdm(total=total, unit="B", unit_scale=True, disable=not shown) as bar:
        while block := answer.raw.read1(_BLOCK):
            yield block
            n_read += len(block)
            bar.update(len(block))
            seconds = time.monotonic() - start
            if n_read > max_bytes:
                raise _Failure(_TOO_LARGE.format(n_read, max_bytes), is_final=True)
            if seconds > _PATIENCE and n_read < seconds * _LEAST_RATE:
                raise _Failure(
                    f"it sends {n_read / seconds:.0f} bytes a second, too few to end"
                )
    if total is not None and n_read < total:
        raise _Failure(f"it broke off after {n_read} of {total} bytes")


_TOO_LARGE = "it is larger than the archive can be, {} bytes and more of at most {}"


def unpack(
    archive: Archive,
    path: Path,
    folder: Path,
    sums: Mapping[str, str],
    optional: Mapping[str, str],
    *,
    url: str,
) -> list[str]:
    """Write the known files of an archive, and no others, to a folder.

    Parameters
    ----------
    archive : Archive
        What it is.
    path : Path
        The file.
    folder : Path
        Where its files go.
    sums, optional : mapping of str to str
        SHA-256 sums of the files, by their names, those that need not be there
        apart. Files of other content are not written.
    url : str
        Where it came from, for messages.

    Returns
    -------
    list of str
        Those of `optional` that are there with other content.

    Raises
    ------
    OSError
        If the archive is damaged. What is missing is not looked for.
    """
    changed = []
    try:
        with zipfile.ZipFile(path) as members:
            present = set(members.namelist())
            for name, digest in {**sums, **optional}.items():
                if name not in present:
                    continue
                content = _read_member(members, name, archive.max_member_bytes)
                if name in optional and _sha256(content) != digest:
                    changed.append(name)
                    continue
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
    except _ZIP_ERRORS as error:
        if type(error) is OSError and error.errno is not None:
            raise  # of the disk
        raise archive.error(
            url, f"the archive is truncated, damaged or no zip file ({error})"
        ) from error
    return changed


def _read_member(members: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    try:
        with members.open(name) as file:
            content = file.read(max_bytes + 1)
    except _ZIP_ERRORS as error:
        raise zipfile.BadZipFile(f"{name}: {error}") from error
    if len(content) > max_bytes:
        raise zipfile.BadZipFile(f"{name}: it is larger than any recording there")
    return content


def _sha256(content):
    return hashlib.sha256(content).hexdigest()
