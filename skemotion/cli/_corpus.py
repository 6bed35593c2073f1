"""From the name of a corpus on the command line to its recordings."""

from skemotion.datasets import fetch_emodb, load_emodb, load_recordings


def is_emodb(name: str) -> bool:
    """Tell whether a name stands for EMO-DB, and not for a file or a folder."""
    return name == "emodb" or name.startswith("emodb:")


def load_corpus(name):
    """Load ``emodb``, ``emodb:PATH``, a folder of classes, or a table."""
    if name == "emodb":
        return fetch_emodb(download_if_missing=False)
    if is_emodb(name):
        return load_emodb(name.partition(":")[2])
    return load_recordings(name)
