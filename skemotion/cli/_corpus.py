"""From the name of a corpus on the command line to its recordings."""


def is_emodb(name: str) -> bool:
    """Tell whether a name stands for EMO-DB, and not for a file or a folder."""
    return name == "emodb" or name.startswith("emodb:")


def load_corpus(name, *, must_exist=True):
    """Load ``emodb``, ``emodb:PATH``, a folder of classes, or a table.

    Parameters
    ----------
    name : str
        As on the command line.
    must_exist : bool, default=True
        Whether recordings that a table names must exist.

    Returns
    -------
    Corpus
    """
    from skemotion.datasets import fetch_emodb, load_emodb
    from skemotion.datasets._recordings import read_corpus

    if name == "emodb":
        return fetch_emodb(download_if_missing=False)
    if is_emodb(name):
        return load_emodb(name.partition(":")[2])
    return read_corpus(name, must_exist=must_exist)
