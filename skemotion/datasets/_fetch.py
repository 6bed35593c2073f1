"""Corpora that are downloaded where they are not there yet."""

import os
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, overload

from sklearn.utils._param_validation import Interval, StrOptions

from skemotion._messages import warn_user
from skemotion._validation._parameters import validate_params
from skemotion.datasets._corpus import Archive, Corpus
from skemotion.datasets._data_home import get_data_home
from skemotion.datasets._download import download, unfetched, unpack
from skemotion.datasets._emodb import EMOTIONS
from skemotion.datasets._known import find_corpus
from skemotion.datasets._labelled import LabelledSpeech
from skemotion.datasets._load import load_corpus
from skemotion.datasets._verification import find_faults, keep_sums, known_sums

_CONSTRAINTS = {
    "data_home": [str, os.PathLike, None],
    "download_if_missing": ["boolean"],
    "n_retries": [Interval(Integral, 0, None, closed="left")],
    "delay": [Interval(Real, 0, None, closed="left")],
    "url": [str, None],
    "return_X_y": ["boolean"],
    "as_frame": ["boolean"],
}


@overload
def fetch_corpus(
    corpus: str | Corpus,
    data_home: str | os.PathLike[str] | None = ...,
    *,
    download_if_missing: bool = ...,
    n_retries: int = ...,
    delay: float = ...,
    url: str | None = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> LabelledSpeech: ...
@overload
def fetch_corpus(
    corpus: str | Corpus,
    data_home: str | os.PathLike[str] | None = ...,
    *,
    download_if_missing: bool = ...,
    n_retries: int = ...,
    delay: float = ...,
    url: str | None = ...,
    return_X_y: Literal[True],
    as_frame: bool = ...,
) -> tuple[Any, Any]: ...
@validate_params({"corpus": [str, Corpus], **_CONSTRAINTS})
def fetch_corpus(
    corpus: str | Corpus,
    data_home: str | os.PathLike[str] | None = None,
    *,
    download_if_missing: bool = True,
    n_retries: int = 3,
    delay: float = 1.0,
    url: str | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> LabelledSpeech | tuple[Any, Any]:
    """Load a corpus, and download it if it is not there yet.

    Parameters
    ----------
    corpus : {"emodb", "ravdess"} or Corpus
        Which: the Berlin EMO-DB (40 MB), the speech of RAVDESS (208 MB, 590 MB
        unpacked), or one of your own that has an `archive`. Mind the licence:
        ``CC BY-NC-SA 4.0`` of RAVDESS allows no commercial use.

    data_home : str or path-like, default=None
        Folder where corpora are kept, each in a folder of its name. By default as
        in :func:`get_data_home`.

    download_if_missing : bool, default=True
        If False, an OSError is raised where the corpus is not there, instead
        of downloading it.

    n_retries : int, default=3
        How often the download is tried again after the network or the server
        failed.

    delay : float, default=1.0
        Seconds between two tries.

    url : str, default=None
        Address of a copy of the archive, by HTTP or HTTPS, where the original site
        cannot be reached.

    return_X_y : bool, default=False
        If True, ``(data, target)`` is returned instead of a Bunch.

    as_frame : bool, default=False
        If True, `data` is a pandas DataFrame with the column ``path``, which
        pipelines take as it is, and what has a value for each recording is a
        Series.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        As from :func:`load_corpus`.

    (data, target) : tuple if ``return_X_y`` is True

    Raises
    ------
    ValueError
        If no corpus has the name, or it has no archive.
    OSError
        If the corpus is missing and `download_if_missing` is False, if what is
        there is not all of it, or if the archive cannot be downloaded, is another
        file, damaged, larger than it can be, or comes too slowly to end.

    Warns
    -----
    UserWarning
        If the download is tried again, or if a document beside the recordings is not
        the one that is known, and is left out.

    See Also
    --------
    load_corpus : Loads the corpus from any folder.

    Notes
    -----
    The archive is downloaded by pooch, and compared with the sum that its publisher
    names, if there is one. All recordings are compared with SHA-256 sums, after the
    download and every time that they are loaded from `data_home`: with those that
    ship with the package, or else with those of what was unpacked. It takes about a
    second for a gigabyte. The folder of the corpus appears only when it is complete
    and verified, so an interrupted download is never taken for the corpus, and
    several processes may fetch at the same time. A process that was killed may leave
    a folder ``NAME-part-*`` behind, which can be deleted. Only the recordings, and
    documents that are known, are unpacked.

    A progress bar is shown if standard error is a terminal.

    Examples
    --------
    >>> from skemotion.datasets import fetch_corpus
    >>> ravdess = fetch_corpus("ravdess")  # doctest: +SKIP
    >>> ravdess.target.shape  # doctest: +SKIP
    (1440,)
    """
    return _fetch(
        find_corpus(corpus),
        data_home,
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
        url=url,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


@overload
def fetch_emodb(
    data_home: str | os.PathLike[str] | None = ...,
    *,
    download_if_missing: bool = ...,
    n_retries: int = ...,
    delay: float = ...,
    language: str = ...,
    url: str | None = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> LabelledSpeech: ...
@overload
def fetch_emodb(
    data_home: str | os.PathLike[str] | None = ...,
    *,
    download_if_missing: bool = ...,
    n_retries: int = ...,
    delay: float = ...,
    language: str = ...,
    url: str | None = ...,
    return_X_y: Literal[True],
    as_frame: bool = ...,
) -> tuple[Any, Any]: ...
@validate_params({"language": [StrOptions(set(EMOTIONS))], **_CONSTRAINTS})
def fetch_emodb(
    data_home: str | os.PathLike[str] | None = None,
    *,
    download_if_missing: bool = True,
    n_retries: int = 3,
    delay: float = 1.0,
    language: str = "en",
    url: str | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> LabelledSpeech | tuple[Any, Any]:
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

    url : str, default=None
        Address of a copy of the archive, by HTTP or HTTPS, where the original site,
        ``https://emodb.bilderbar.info/download/download.zip``, cannot be reached. By
        default, that is tried, by HTTP, too, where HTTPS fails.

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
    fetch_corpus : Downloads any corpus.

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
    return _fetch(
        replace(find_corpus("emodb"), labels=EMOTIONS[language]),
        data_home,
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
        url=url,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def _fetch(
    corpus: Corpus,
    data_home: str | os.PathLike[str] | None,
    *,
    download_if_missing: bool,
    n_retries: int,
    delay: float,
    url: str | None,
    **form: Any,
) -> Any:
    archive = corpus.archive
    if archive is None:
        raise ValueError(
            f"The corpus {corpus.name!r} has no archive that could be fetched: load a "
            "copy that you have by load_corpus."
        )
    home = Path(get_data_home(data_home))
    folder = home / corpus.name
    if folder.exists():
        faults = find_faults(folder, known_sums(archive, folder))
        if faults:
            raise OSError(
                f"{str(folder)!r} is not the whole {corpus.title}: {faults}. Delete it "
                f"to have it downloaded again, or load what is there by load_corpus."
            )
    elif download_if_missing:
        with TemporaryDirectory(prefix=f"{corpus.name}-part-", dir=home) as work:
            new = Path(work, corpus.name)
            given = archive if url is None else replace(archive, urls=(url,))
            _download(corpus, given, new, n_retries=n_retries, delay=delay)
            _put_in_place(new, folder, known_sums(archive, new))
    else:
        raise OSError(
            f"{corpus.title} is not in {str(folder)!r}, and download_if_missing is "
            f"False: run 'skemotion fetch {corpus.name}', or load a copy that you have "
            "by load_corpus."
        )
    return load_corpus(corpus, folder, **form)


def _download(
    corpus: Corpus, archive: Archive, folder: Path, *, n_retries: int, delay: float
) -> None:
    """Write the recordings, and nothing unknown, to a folder and verify them."""
    file = folder.with_suffix(".zip")
    url = download(corpus, archive, file, n_retries=n_retries, delay=delay)
    sums, changed = unpack(corpus, archive, file, folder, url=url)
    if archive.files is None:
        folder.mkdir(exist_ok=True)
        keep_sums(sums, folder)
        n_all = corpus.n_recordings or max(len(sums), 1)
        faults = f"{len(sums)} of {n_all} recordings" if len(sums) != n_all else ""
    else:
        faults = find_faults(folder, archive.files)
    if faults:
        raise unfetched(corpus, url, f"the archive is not that of the corpus, {faults}")
    if changed:
        warn_user(
            UserWarning(
                f"{', '.join(changed)} from {url} is not the one that is known, and is "
                "left out: what it says of the recordings is not known."
            )
        )


def _put_in_place(new: Path, folder: Path, sums: Mapping[str, str] | None) -> None:
    try:
        os.replace(new, folder)
    except OSError:
        if find_faults(folder, sums):
            raise
        # Another process was faster, and its corpus is as good.
