"""From the name of a corpus on the command line to its recordings."""

import os

from skemotion.datasets._known import CORPORA


def known_corpus(name: str) -> str | None:
    """Return the name of the corpus that NAME or NAME:PATH stands for.

    None, if it stands for a file or a folder.
    """
    known = name.partition(":")[0]
    return known if known in CORPORA else None


def load_corpus(name, *, must_exist=True):
    """Load a known corpus, by NAME or NAME:PATH, a folder of classes, or a table.

    Parameters
    ----------
    name : str
        As on the command line.
    must_exist : bool, default=True
        Whether recordings that a table names must exist.

    Returns
    -------
    LabelledSpeech

    Raises
    ------
    OSError
        If the corpus is not there.
    ValueError
        If a folder or a table cannot be used.
    """
    from skemotion import datasets
    from skemotion.datasets._recordings import read_corpus

    known = known_corpus(name)
    if known is None:
        return read_corpus(name, must_exist=must_exist)
    _, separator, path = name.partition(":")
    if separator:
        return datasets.load_corpus(known, path)
    try:
        return datasets.fetch_corpus(known, download_if_missing=False)
    except OSError as error:
        here = f" For {os.path.join('.', known)}, write so." * os.path.exists(known)
        raise OSError(
            f"{error} On the command line, {known}:PATH stands for a copy.{here}"
        ) from error
