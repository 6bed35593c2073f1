"""Results that the page on reliability shows."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from _timing import _versions


def write_rows(
    path: Path, title: str, command: str, rows: Iterable[Mapping[str, Any]]
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
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "title": title,
        "command": command,
        "date": date.today().isoformat(),
        "versions": _versions(),
        "rows": list(rows),
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
