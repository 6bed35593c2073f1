"""Timing of several ways to do the same thing, in one run."""

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

PACKAGES = (
    "skemotion",
    "numpy",
    "scipy",
    "scikit-learn",
    "joblib",
    "librosa",
    "keras",
    "tensorflow",
)


def interleave(
    ways: Mapping[str, Callable],
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time every way in turn, so that a slow spell of the machine hits all.

    Parameters
    ----------
    ways : mapping of str to callable
        Called without arguments.
    repeats : int
        How often the round is made.
    clock : callable, default=time.perf_counter
        What tells the time. ``time.process_time`` leaves out what others do on the
        machine, and what worker processes do.

    Returns
    -------
    dict of str to list of float
        Seconds, one per round.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = clock()
            way()
            times[name].append(clock() - start)
    return times


def ratio(times: Mapping[str, list[float]], name: str, baseline: str) -> float:
    """Return the median, over rounds, of a way's time by the baseline's."""
    pairs = zip(times[name], times[baseline], strict=True)
    return median(a / b for a, b in pairs)


def report(title: str, times: Mapping[str, list[float]], baseline: str) -> str:
    """Lay out medians in seconds and ratios to the baseline as a table."""
    width = max(map(len, times))
    lines = [title, f"  {'':{width}}  {'median s':>10}  {'ratio':>7}"]
    for name, seconds in times.items():
        lines.append(
            f"  {name:{width}}  {median(seconds):10.4f}  "
            f"{ratio(times, name, baseline):7.3f}"
        )
    return "\n".join(lines)


def write_json(path: str | os.PathLike, content: Mapping[str, Any]) -> None:
    """Write a result with the day, the machine and the versions it was made by."""
    # Here, for it imports more than is measured.
    from _revisions import CURRENT

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    made_by = {
        "date": date.today().isoformat(),
        "machine": _machine(),
        "versions": _versions(),
        "revision": CURRENT,
    }
    content = {**content, **made_by}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _machine():
    return {"cpu": _cpu_name(), "n_cpus": os.cpu_count(), "system": platform.system()}


def _cpu_name():
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _versions():
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
