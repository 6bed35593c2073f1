"""Download of EMO-DB and the folder that downloads are kept in."""

import hashlib
import os
import warnings
from numbers import Integral, Real
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, overload

from sklearn.utils._param_validation import Interval, StrOptions

from skemotion._messages import shorten
from skemotion._validation import validate_params
from skemotion.datasets._corpus import Corpus
from skemotion.datasets._download import Archive, download, unpack
from skemotion.datasets._emodb import EMOTIONS, checksums, load_emodb

_ARCHIVE_URL = "https://emodb.bilderbar.info/download/download.zip"
# All that is kept is verified, so that it may come this way where the other fails.
_PLAIN_URL = "http://emodb.bilderbar.info/download/download.zip"
_MAX_ARCHIVE = 2**26  # bytes, of about 40 MB
_MAX_RECORDING = 2**20  # the longest takes 287 kB
_LISTENERS = {
    "erkennung.txt": "80c4826cee83448ae7bab6d55c1598dac9a6e894ce01ab4e86090dd3aeaee12f"
}


@validate_params({"data_home": [str, os.PathLike, None]})
def get_data_home(data_home: str | os.PathLike[str] | None = None) -> str:
    """Return the folder where corpora are kept; it is created if missing.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. If None, it is what the environment variable
        ``SKEMOTION_DATA`` names, or else ``~/skemotion_data``.

    Returns
    -------
    str
        The path of the folder.

    Raises
    ------
    OSError
        If the home directory is not known, or the folder cannot be made.

    Examples
    --------
    >>> import os, tempfile
    >>> from skemotion.datasets import get_data_home
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data_home = get_data_home(os.path.join(folder, "speech"))
    ...     os.path.isdir(data_home)
    True
    """
    if data_home is None:
        data_home = os.environ.get("SKEMOTION_DATA") or "~/skemotion_data"
    try:
        path = Path(data_home).expanduser()
    except RuntimeError as error:
        raise OSError(
            f"the home directory in {os.fspath(data_home)!r} is not known: give "
            "data_home, or set the environment variable SKEMOTION_DATA to a folder."
        ) from error
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


@overload
def fetch_emodb(
    data_home: str | os.PathLike[str] | None = ...,
    *,
    download_if_missing: bool = ...,
    n_retries: int = ...,
    delay: float = ...,
    language: str = ...,
    url: str = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> Corpus: ...
@overload
def fetch_emodb(
    data_home: str | os.PathLike[str] | None = ...,
    *,
    download_if_missing: bool = ...,
    n_retries: int = ...,
    delay: float = ...,
    language: str = ...,
    url: str = ...,
    return_X_y: Literal[True],
    as_frame: bool = ...,
) -> tuple[Any, Any]: ...
@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "download_if_missing": ["boolean"],
        "n_retries": [Interval(Integral, 0, None, closed="left")],
        "delay": [Interval(Real, 0, None, closed="left")],
        "language": [StrOptions(set(EMOTIONS))],
        "url": [str],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    }
)
def fetch_emodb(
    data_home: str | os.PathLike[str] | None = None,
    *,
    download_if_missing: bool = True,
    n_retries: int = 3,
    delay: float = 1.0,
    language: str = "en",
    url: str = _ARCHIVE_URL,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Corpus | tuple[Any, Any]:
    """Load EMO-DB and download it, about 40 MB, if it is not there yet.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder where the corpus is kept, in a folder ``emodb``. By default as
        in :func:`get_data_home`.

    download_if_missing : bool, default=True
        If False, an OSError is raised where the corpus is not there, instead
        of downloading it.

    n_retries : int, default=3
        How often the download is tried again after the network or the server
        failed.

    delay : float, default=1.0
        Seconds between two tries.

    language : {"en", "de", "it"}, default="en"
        Language of the emotions' names, as in :func:`load_emodb`.

    url : str, default="https://emodb.bilderbar.info/download/download.zip"
        Address of the archive, by HTTP or HTTPS. Give the address of a copy
        where the original site cannot be reached. The default is tried by HTTP,
        too, where HTTPS fails.

    return_X_y : bool, default=False
        If True, ``(data, target)`` is returned instead of a Bunch.

    as_frame : bool, default=False
        If True, `data` is a pandas DataFrame with the column ``path``, which
        pipelines take as it is, and what has a value for each recording is a
        Series.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As from :func:`load_emodb`.

    (data, target) : tuple if ``return_X_y`` is True

    Raises
    ------
    OSError
        If the corpus is missing and `download_if_missing` is False, if what is
        there is not all of it, or if the archive cannot be downloaded, is
        damaged, larger than it can be, or comes too slowly to end.

    Warns
    -----
    UserWarning
        If the download is tried again, or if the listeners' judgements are not
        those that are known, and are left out.

    See Also
    --------
    load_emodb : Loads the corpus from any folder.

    Notes
    -----
    All 535 recordings are compared with SHA-256 sums that ship with the
    package, after the download and every time they are loaded from
    `data_home`, which takes a fraction of a second. The folder ``emodb`` appears
    only when it is complete and verified, so an interrupted download is never
    taken for the corpus, and several processes may fetch at the same time. A
    process that was killed may leave a folder ``emodb-part-*`` behind, which can
    be deleted. Of the archive, only the recordings and the listeners' judgements
    are unpacked.

    A progress bar is shown if standard error is a terminal.

    Examples
    --------
    >>> from skemotion.datasets import fetch_emodb
    >>> emodb = fetch_emodb()  # doctest: +SKIP
    >>> emodb.target.shape  # doctest: +SKIP
    (535,)
    """
    home = Path(get_data_home(data_home))
    folder = home / "emodb"
    if folder.exists():
        faults = _find_faults(folder)
        if faults:
            raise OSError(
                f"{str(folder)!r} is not the whole EMO-DB: {faults}. Delete it to "
                "have it downloaded again, or load what is there by load_emodb."
            )
    elif download_if_missing:
        with TemporaryDirectory(prefix="emodb-part-", dir=home) as work:
            file, corpus = Path(work, "download.zip"), Path(work, "emodb")
            archive = _make_archive(url)
            url = download(archive, file, n_retries=n_retries, delay=delay)
            _unpack(archive, file, corpus, url=url)
            _put_in_place(corpus, folder)
    else:
        raise OSError(
            f"EMO-DB is not in {str(folder)!r}, and download_if_missing is False: run "
            "'skemotion fetch', or load a copy that you have by load_emodb."
        )
    corpus = load_emodb(folder, language=language, as_frame=as_frame)
    return (corpus.data, corpus.target) if return_X_y else corpus


def _find_faults(folder: Path) -> str:
    """Say which recordings of the corpus are missing or damaged, or nothing."""
    sums = checksums()
    missing, damaged = [], []
    for name, digest in sums.items():
        path = folder / "wav" / name
        if not path.is_file():
            missing.append(name)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            damaged.append(name)
    return "; ".join(
        f"{len(names)} of {len(sums)} recordings {state}: {shorten(names)}"
        for names, state in ((missing, "missing"), (damaged, "damaged"))
        if names
    )


def _make_archive(url: str) -> Archive:
    return Archive(
        name="EMO-DB",
        urls=(url, _PLAIN_URL) if url == _ARCHIVE_URL else (url,),
        max_bytes=_MAX_ARCHIVE,
        max_member_bytes=_MAX_RECORDING,
        help="Try again later, give the address of a copy as `url`, or get the "
        "archive in another way, unpack it and pass the folder to "
        "skemotion.datasets.load_emodb.",
    )


def _unpack(archive: Archive, file: Path, corpus: Path, *, url: str) -> None:
    """Write the recordings, and nothing unknown, to a folder and verify them."""
    sums = {f"wav/{name}": digest for name, digest in checksums().items()}
    changed = unpack(archive, file, corpus, sums, _LISTENERS, url=url)
    faults = _find_faults(corpus)
    if faults:
        raise archive.error(url, f"the archive is not that of the corpus, {faults}")
    if changed:
        warnings.warn(
            f"{', '.join(changed)} from {url} is not the one that is known, and is "
            "left out: how well listeners recognised each recording is not known.",
            stacklevel=4,
        )


def _put_in_place(corpus: Path, folder: Path) -> None:
    try:
        os.replace(corpus, folder)
    except OSError:
        if _find_faults(folder):
            raise
        # Another process was faster, and its corpus is as good.
