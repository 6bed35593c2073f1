"""Names of a package that are imported when they are asked for.

A package lists them in the stub beside it, where type checkers find them, too. So do
others by ``lazy_loader``; this needs nothing that a small installation lacks.
"""

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def attach_stub(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` for a package.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    file : str
        Its ``__file__``, beside which a file of the suffix ``.pyi`` has lines such as
        ``from .audio import load_audio as load_audio`` and nothing else.
    """
    origins = _read_stub(Path(file).with_suffix(".pyi"))

    def __getattr__(name: str) -> Any:
        if name not in origins:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        origin = origins[name]
        module = importlib.import_module(f"{package}.{origin or name}")
        value = getattr(module, name) if origin else module
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__, lambda: sorted(origins), sorted(origins)


def _read_stub(path):
    """Map each name to the module that it is from, or to "" if it is a module."""
    origins: dict[str, str] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            origins |= {alias.name: node.module or "" for alias in node.names}
    return origins
