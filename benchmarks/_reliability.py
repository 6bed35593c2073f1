"""Results that the page on reliability shows."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from _timing import write_json


def write_rows(
    path: Path,
    title: str,
    command: str,
    rows: Iterable[Mapping[str, Any]],
    **more: Any,
) -> None:
    """Write what was tried, and what happened.

    Parameters
    ----------
    path : Path
        The file of JSON.
    title : str
        What all of it is about.
    command : str
        By which it is made again.
    rows : iterable of mapping
        Each with `what`, `tried`, `happened`, `defects` and `mended`.
    more : dict
        What is kept beside, such as `versions` of other packages.
    """
    content = {"title": title, "command": command, "rows": list(rows), **more}
    write_json(path, content)
