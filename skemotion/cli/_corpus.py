"""From the name of a corpus on the command line to its recordings."""

from skemotion.datasets import fetch_emodb, load_emodb, load_recordings


def load_corpus(name):
    """Load ``emodb``, ``emodb:PATH``, a folder of classes, or a table."""
    if name == "emodb":
        return fetch_emodb(download_if_missing=False)
    kind, colon, path = name.partition(":")
    if colon and kind == "emodb":
        return load_emodb(path)
    return load_recordings(name)
