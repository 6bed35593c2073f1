"""Timing of several ways to do the same thing, in one run."""

import os
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from _results import made_by, write


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


def write_json(
    path: str | os.PathLike,
    content: Mapping[str, Any],
    trains: bool = False,
) -> None:
    """Write a result with the command, the day, the machine and the versions.

    Parameters
    ----------
    path : path-like
        The file of JSON.
    content : mapping
        What was measured.
    trains : bool, default=False
        Whether models are trained in what was measured. If so, a change of any part of
        ``_revisions.py`` makes the result stale, and else of those alone that a model
        depends on once it is there.
    """
    # Here, for it imports more than is measured.
    from _revisions import CURRENT, parts_of_predictions

    revision = CURRENT if trains else parts_of_predictions()
    write(path, {**made_by(), "revision": revision, **content})
