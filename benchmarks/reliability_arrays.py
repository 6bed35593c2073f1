"""What becomes of odd values of every public argument that takes an array.

    python benchmarks/reliability_arrays.py [--examples 300] [--minutes 20]

Run it on the code before a mending, and on that after it: faults that an earlier run
has found stay in the table, as what was wrong on the way.

The strategies are those of ``tests/arrays``. Values that are taken for right go on
to training, where that would begin, for a share of them. The same seed gives the
same values; each name gets an equal share of the time, and the file says how much was
tried.
"""

import argparse
import os
import sys
import time
import warnings
import zlib
from collections import Counter
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "arrays"))

import public
from _reliability import write_rows
from _results import RESULTS as FOLDER
from _results import read
from _smoke import parse_options
from hypothesis import HealthCheck, Phase, given, seed, settings
from trying import REFUSED, TAKEN, Defect, try_value

RESULTS = FOLDER / "reliability" / "arrays.json"
DEFECT = "defect"
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "keras", "hypothesis")
MENDED = (
    "one home for reading arrays, labels, weights and names, which says what is wrong "
    "with which argument; metrics, displays and scores go through it"
)
_TRAINED = 50  # values of one argument, of which one goes on to training


def try_place(
    place: public.Place, n_examples: int, until: float, faults: set[str]
) -> Counter:
    """Give values to one argument, count what became of them, and collect faults."""
    counts: Counter = Counter()

    @seed(zlib.crc32(str(place).encode()))
    @settings(
        max_examples=n_examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(place.odd)
    def check(odd):
        if time.monotonic() > until:
            return
        train = sum(counts.values()) % _TRAINED == _TRAINED - 1
        try:
            counts[try_value(place, odd.value, train=train)] += 1
        except Defect as error:
            counts[DEFECT] += 1
            faults.add(str(error).splitlines()[0])
            print(f"{odd!r:.200}\n  {error!s:.300}")

    check()
    return counts


def describe(owner: str, counts: Counter, new: set[str], old: set[str]) -> dict:
    """Return a row of the table."""
    return {
        "what": owner,
        "tried": sum(counts.values()),
        "happened": (
            f"{counts[REFUSED]} refused by an error that names the argument, "
            f"{counts[TAKEN]} taken, {counts[DEFECT]} answered otherwise"
        ),
        "defects": len(old | new),
        "mended": MENDED if old - new else "",
        "faults": sorted(old | new),
    }


def group_places() -> dict[str, list[public.Place]]:
    """Return all arguments by estimator, or by module of functions."""
    places = [
        *public.places(),
        *public.parameters_of_functions(),
        *public.parameters_of_estimators(),
    ]
    names = sorted(public.make_estimators(), key=len, reverse=True)

    def group_of(place):
        for name in names:
            if place.owner == name or place.owner.startswith(f"{name}."):
                return name.removeprefix("skemotion.")
        return ".".join(place.owner.split(".")[:2]) + " (functions)"

    ordered = sorted(places, key=group_of)
    return {name: list(found) for name, found in groupby(ordered, key=group_of)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=300, help="of each argument")
    parser.add_argument("--minutes", type=float, default=20.0)
    options = parse_options(parser, "--examples 1 --minutes 0.02")
    warnings.simplefilter("ignore")
    groups = group_places()
    seconds = 60 * options.minutes / len(groups)
    earlier = (read(RESULTS) or {"rows": []})["rows"]
    known = {row["what"]: set(row.get("faults", ())) for row in earlier}
    rows = []
    for name, places in groups.items():
        until = time.monotonic() + seconds
        counts: Counter = Counter()
        faults: set[str] = set()
        for place in places:
            counts += try_place(place, options.examples, until, faults)
        rows.append(describe(name, counts, faults, known.get(name, set())))
        print(f"{name}: {dict(counts)}", flush=True)
        write(rows, options)


def write(rows: list[dict], options: argparse.Namespace) -> None:
    """Write the table; it is there, as far as it goes, if the run is stopped."""
    write_rows(
        RESULTS,
        "Arrays, labels and parameters of every public name",
        f"python benchmarks/reliability_arrays.py --examples "
        f"{options.examples} --minutes {options.minutes:g}",
        rows,
        versions={name: version(name) for name in PACKAGES},
    )


if __name__ == "__main__":
    main()
