"""Files of results: where they are, what they say of how they came about.

Every script that keeps a result does it by :func:`write`, so that none is half
written, and says what it was made with by :func:`made_by`.
"""

import json
import os
import platform
import sys
from collections.abc import Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from _smoke import SMOKE, work_folder

_KEPT = Path(__file__).parent / "results"
# A smoke run reads and writes none of those that are kept.
RESULTS = work_folder() / "results" if SMOKE else _KEPT
PACKAGES = (
    "skemotion",
    "numpy",
    "scipy",
    "scikit-learn",
    "imbalanced-learn",
    "joblib",
    "librosa",
    "keras",
    "tensorflow",
)
_LONGEST_LINE = 88


def read(path: str | os.PathLike) -> Any:
    """Return what a file of results holds, or None if there is no such file."""
    path = Path(path)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def write(path: str | os.PathLike, content: Any) -> None:
    """Write a file of results, whole or not at all.

    Lists and mappings that fit stand in one line, and so do those of numbers, however
    many: a change of one fold, or of one row, is a change of one line.
    """
    path = Path(path)
    if SMOKE and _KEPT in path.absolute().parents:
        raise RuntimeError(f"a smoke run may not write {path.name} into results")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".new")
    plain = json.loads(json.dumps(content))  # keys as JSON has them: as text
    temporary.write_text(_lay_out(plain) + "\n", encoding="utf-8")
    temporary.replace(path)


def made_by(command: str | None = None) -> dict[str, Any]:
    """Return the day, the machine, the versions and the command of a result."""
    return {
        "command": command or command_line(),
        "date": date.today().isoformat(),
        "machine": {
            "cpu": _cpu_name(),
            "n_cpus": os.cpu_count(),
            "system": platform.system(),
        },
        "versions": versions(),
    }


def command_line() -> str:
    """Return the command that is running, without the folders of this machine."""
    script, *arguments = sys.argv
    words = [
        Path(word).name if Path(word).is_absolute() else word for word in arguments
    ]
    return " ".join(["python", f"benchmarks/{Path(script).name}", *words])


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _lay_out(content, indent=0):
    line = json.dumps(content, ensure_ascii=False)
    if len(line) + indent <= _LONGEST_LINE or _is_row(content):
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    pad = " " * (indent + 1)
    if isinstance(content, Mapping):
        items = [
            f"{pad}{json.dumps(name)}: {_lay_out(value, indent + 1)}"
            for name, value in content.items()
        ]
        return "{\n" + ",\n".join(items) + "\n" + " " * indent + "}"
    items = [pad + _lay_out(value, indent + 1) for value in content]
    return "[\n" + ",\n".join(items) + "\n" + " " * indent + "]"


def _is_row(content):
    """Tell whether there is nothing inside that deserves a line of its own."""
    if isinstance(content, Mapping):
        return False
    if not isinstance(content, list):
        return True
    return all(_is_row(value) and not isinstance(value, str) for value in content)


def _cpu_name():
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
