"""What a report of a bug has to tell of the machine."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = [
    "skemotion",
    "scikit-learn",
    "imbalanced-learn",
    "tensorflow",
    "keras",
    "scikeras",
    "librosa",
    "soundfile",
    "soxr",
    "numba",
    "numpy",
    "scipy",
    "joblib",
    "pandas",
    "matplotlib",
    "pip",
]


def show_versions() -> None:
    """Print what a report of a bug has to tell: system, packages, threads.

    It reads the versions of packages without importing them, so that it also
    works where one of them cannot be imported.

    Examples
    --------
    >>> from skemotion import show_versions
    >>> show_versions()  # doctest: +ELLIPSIS, +NORMALIZE_WHITESPACE
    <BLANKLINE>
    System:
        python: ...
    """
    _print_table("System", _system())
    _print_table("Python dependencies", {name: _version(name) for name in _PACKAGES})
    for number, library in enumerate(_threadpools(), start=1):
        _print_table(f"Thread pool {number}", library)


def _system():
    return {
        "python": sys.version.replace("\n", " "),
        "executable": sys.executable,
        "machine": platform.platform(),
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _threadpools():
    """Describe the numerical libraries that are loaded, after NumPy and SciPy."""
    import scipy.linalg  # noqa: F401  (it loads the library that is looked for)
    from threadpoolctl import threadpool_info

    return threadpool_info()


def _print_table(title, rows):
    width = max(map(len, rows))
    print(f"\n{title}:")
    for name, value in rows.items():
        print(f"{name:>{width + 4}}: {value}")
