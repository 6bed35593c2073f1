"""Download of a corpus, and its unpacking: bounded in size and in time."""

import hashlib
import lzma
import struct
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from skemotion._messages import warn_user
from skemotion.datasets._corpus import Archive, Corpus, describe_recording
from skemotion.datasets._folders import is_hidden_name, is_recording

_TIMEOUT = 30  # seconds without an answer
_BLOCK = 2**16  # bytes
_PATIENCE = 20  # seconds, after which a download must have had the least rate
_LONGEST = 8 * 3600  # seconds, which the largest archive takes at the least rate
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


def download(
    corpus: Corpus,
    archive: Archive,
    path: Path,
    *,
    n_retries: int,
    delay: float,
) -> str:
    """Write the archive of a corpus to a file, and verify it.

    Parameters
    ----------
    corpus : Corpus
        What it is of.
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
        If no address gives it: whatever fails in the network, or is too large, too
        slow, or another file.
    """
    *others, last = archive.urls
    for url in others:
        try:
            _retrieve(archive, url, path)
            return url
        except _Failure:
            continue
    for n_left in range(n_retries, -1, -1):
        try:
            _retrieve(archive, last, path)
            break
        except _Failure as failure:
            if n_left == 0 or failure.is_final:
                raise unfetched(corpus, last, failure) from failure
            warn_user(
                UserWarning(f"The download of {last} failed ({failure}); trying again.")
            )
            time.sleep(delay)
    return last


def unfetched(corpus: Corpus, url: str, reason: Any) -> OSError:
    """Make the error for a corpus that cannot be fetched, for whatever reason."""
    return OSError(
        f"{corpus.title} could not be fetched from {url}: {reason}. Try again later, "
        "give the address of a copy as `url`, or get the archive in another way, "
        f"unpack it and pass the folder to skemotion.datasets.{_loader(corpus)}."
    )


def _loader(corpus):
    return "load_emodb" if corpus.name == "emodb" else f"load_corpus({corpus.name!r})"


class _Failure(Exception):
    """A download that has failed; `is_final` if it would do so again."""

    def __init__(self, reason: str, *, is_final: bool = False):
        super().__init__(reason)
        self.is_final = is_final


def _retrieve(archive: Archive, url: str, path: Path) -> None:
    import pooch

    with _without_notes(pooch.get_logger()):
        try:
            pooch.retrieve(
                url,
                known_hash=archive.checksum,
                fname=path.name,
                path=path.parent,
                downloader=_Downloader(archive.size),
            )
        except ValueError as error:
            raise _Failure(f"it is another file ({error})", is_final=True) from error


@contextmanager
def _without_notes(logger: Any) -> Iterator[None]:
    """Keep a logger from telling on standard error what this thread does."""
    here = threading.get_ident()

    def is_elsewhere(record):
        return record.thread != here

    logger.addFilter(is_elsewhere)
    try:
        yield
    finally:
        logger.removeFilter(is_elsewhere)


class _Downloader:
    """What pooch downloads by: no more than so many bytes, and not too slowly."""

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        import requests
        import urllib3

        try:
            answer = requests.get(
                url,
                stream=True,
                timeout=_TIMEOUT,
                headers={"Accept-Encoding": "identity"},
            )
            with closing(answer), open(output_file, "wb") as file:
                answer.raise_for_status()
                for block in _read_blocks(answer, self.max_bytes):
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
            if seconds > _PATIENCE and n_read < seconds * max_bytes / _LONGEST:
                raise _Failure(
                    f"it sends {n_read / seconds:.0f} bytes a second, too few to end"
                )
    if total is not None and n_read < total:
        raise _Failure(f"it broke off after {n_read} of {total} bytes")


_TOO_LARGE = "it is larger than the archive can be, {} bytes and more of at most {}"


class Unpacked(NamedTuple):
    """What was found in an archive.

    Attributes
    ----------
    sums : dict of str to str
        The SHA-256 sums of the recordings that were written, by their names.
    changed : list of str
        Documents that are there with other content, and were left out.
    """

    sums: dict[str, str]
    changed: list[str]


def unpack(
    corpus: Corpus, archive: Archive, path: Path, folder: Path, *, url: str
) -> Unpacked:
    """Write the known files of an archive, and no others, to a folder.

    Parameters
    ----------
    corpus : Corpus
        What it is of.
    archive : Archive
        What it is.
    path : Path
        The file.
    folder : Path
        Where its files go.
    url : str
        Where it came from, for messages.

    Returns
    -------
    Unpacked

    Raises
    ------
    OSError
        If the archive is damaged. What is missing is not looked for.
    """
    sums = {}
    with _damage_told(corpus, url):
        members = zipfile.ZipFile(path)
    with members:
        chosen = _choose(corpus, archive, members.namelist())
        with _damage_told(corpus, url):
            for name in chosen:
                sums[name] = _extract(members, name, folder, archive.largest)
            changed = _extract_documents(members, archive, folder)
    return Unpacked(sums, changed)


@contextmanager
def _damage_told(corpus: Corpus, url: str) -> Iterator[None]:
    """Say of which corpus an archive is damaged, in whatever way it shows."""
    try:
        yield
    except _ZIP_ERRORS as error:
        if type(error) is OSError and error.errno is not None:
            raise  # of the disk
        raise unfetched(
            corpus, url, f"the archive is truncated, damaged or no zip file ({error})"
        ) from error


def _choose(corpus, archive, names):
    """Return the names in an archive that are those of recordings."""
    if archive.files is not None:
        present = set(names)
        return [name for name in archive.files if name in present]
    return [name for name in dict.fromkeys(names) if _is_of(corpus, name)]


def _is_of(corpus, name):
    path = PurePosixPath(name)
    if path.is_absolute() or "\\" in name or ":" in name or not is_recording(path):
        return False
    if any(map(is_hidden_name, path.parts)):  # those that lead upward, too
        return False
    inside = PurePosixPath(corpus.folder)
    if not path.is_relative_to(inside):
        return False
    return describe_recording(corpus, path.relative_to(inside)) is not None


def _extract_documents(
    members: zipfile.ZipFile, archive: Archive, folder: Path
) -> list[str]:
    """Write the documents that are known, and name those that have changed."""
    changed = []
    for name in archive.documents.keys() & set(members.namelist()):
        if _extract(members, name, folder, archive.largest) != archive.documents[name]:
            (folder / name).unlink()
            changed.append(name)
    return sorted(changed)


def _extract(members: zipfile.ZipFile, name: str, folder: Path, max_bytes: int) -> str:
    """Write a file of an archive, and return its SHA-256 sum."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    digest, n_left = hashlib.sha256(), max_bytes
    with open(folder / name, "wb") as copy:
        for block in _read_member(members, name):
            n_left -= len(block)
            if n_left < 0:
                raise zipfile.BadZipFile(
                    f"{name}: it is larger than any recording there"
                )
            digest.update(block)
            copy.write(block)
    return digest.hexdigest()


def _read_member(members: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with members.open(name) as file:
            while block := file.read(_BLOCK):
                yield block
    except _ZIP_ERRORS as error:
        raise zipfile.BadZipFile(f"{name}: {error}") from error
