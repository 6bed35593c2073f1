"""The folder that corpora are kept in."""

import os
from pathlib import Path

from skemotion._validation._parameters import validate_params


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
