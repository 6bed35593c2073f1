"""Files of models: bundles, which run no code, and those of joblib, which do."""

import zipfile
from pathlib import Path
from typing import Any

from skemotion.cli._checks import check_new_file

BUNDLE = ".skemotion"
# Names that say of a file that loading it runs code from it.
_PICKLES = (".joblib", ".pickle", ".pkl")
# What joblib compresses files by, and names them after.
_COMPRESSED = (".bz2", ".gz", ".lz4", ".lzma", ".xz", ".z")


def is_bundle_name(path: Any) -> bool:
    """Tell whether a file is called as bundles are."""
    return Path(path).suffix.lower() == BUNDLE


def check_new_model(path: Any) -> None:
    """Raise where a model cannot be written, or could not be loaded by its name."""
    check_new_file(path, "model.joblib")
    if not is_bundle_name(path) and not _says_pickle(path):
        raise ValueError(
            f"the name of {path} does not tell what it is: end it in .joblib, or in "
            f"{BUNDLE} for a bundle, which runs no code when it is loaded."
        )


def read_model(path: Any) -> Any:
    """Load a bundle, or what joblib has saved if its name says so.

    Raises
    ------
    ValueError
        If it is neither. Nothing is unpickled that is not called as what it is.
    """
    if is_bundle_name(path) or zipfile.is_zipfile(path):
        from skemotion.persistence import load_model

        return load_model(path)
    if not _says_pickle(path):
        raise ValueError(
            f"{path} is no bundle of skemotion, and its name is not that of a file of "
            f"joblib, which ends in {', '.join(_PICKLES)}. Loading such a file runs "
            "code from it: rename it only if you trust where it comes from."
        )
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:
        raise ValueError(
            f"{path} is not a model saved by skemotion train, or was saved under other "
            f"versions: {error}"
        ) from error


def _says_pickle(path):
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    while suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in _PICKLES
