"""Whether the tests notice when the package is broken on purpose.

A seeded sample of the places of each package where behaviour can be changed, spread
over its modules; each mutant is tried in a copy of the tree, with the tests of its
module. What was tried before is not tried again, so it can be stopped at any time::

    python benchmarks/mutants.py --package augmentation --mutants 60 --seed 0
    python benchmarks/mutants.py --package augmentation --again alive

Needs cosmic-ray. Where a mutant that no test kills behaves as the original does, or
differs in nothing that a user could rely on, `mutants_judged.json` says so, and why.
"""

import argparse
import contextlib
import difflib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from _mutant_tests import tests_of
from _mutations import find_positions, is_code
from _reliability import write_rows
from _results import RESULTS as FOLDER
from _smoke import parse_options

ROOT = Path(__file__).parents[1]
RESULTS = FOLDER / "reliability" / "mutants.json"
JUDGED = ROOT / "benchmarks" / "mutants_judged.json"
PACKAGES = (
    "augmentation",
    "persistence",
    "feature_extraction",
    "networks",
    "classification",
)
_COPIED = ("skemotion", "tests", "benchmarks", "docs", "pyproject.toml")
_VERSIONS = ("cosmic_ray", "pytest", "numpy", "tensorflow", "keras")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--package", choices=PACKAGES, nargs="+", default=list(PACKAGES)
    )
    parser.add_argument("--mutants", type=int, default=60, help="for each package")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--again", choices=("alive", "all"), help="forget these outcomes first"
    )
    parser.add_argument("--list", action="store_true", help="show the sample, no more")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parse_options(parser, "--mutants 1 --list --package persistence")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped; run it again to go on"))
    mutants = _read(options.output)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        runner = None if options.list else Runner(Path(folder))
        for package in options.package:
            sample = draw(package, options.mutants, options.seed)
            known = mutants.get(package, {})
            known = {
                name: known[name]
                for name in sample
                if name in known and not _is_forgotten(known[name], options.again)
            }
            for name, (module, source) in sample.items():
                if options.list:
                    print(name, known.get(name, {}).get("outcome", ""), sep="\t")
                elif name not in known:
                    known[name] = runner.try_out(module, source)
                    print(known[name]["outcome"], name, sep="\t", flush=True)
                    write(options, package, known)
            if not options.list:
                write(options, package, known)


def draw(package, n_mutants, seed):
    """Return a sample of a package's mutants: by name, module and changed source.

    What is drawn depends on each place alone, so that a change elsewhere leaves the
    sample as it is.
    """
    ranked = []
    for path in sorted((ROOT / "skemotion" / package).rglob("*.py")):
        module, source = path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
        for position in find_positions(source):
            place = f"{module} {position[:4]}"
            ranked.append((_rank(seed, place), module, source, position))
    ranked.sort(key=lambda item: item[0])
    sample = {}
    for _, module, source, position in ranked:
        for operator in sorted(position.changes, key=lambda name: _rank(seed, name)):
            changed = position.changes[operator](source)
            if is_code(changed) and changed != source:
                sample[_name(module, source, changed)] = module, changed
                break
        if len(sample) == n_mutants:
            break
    return sample


def _rank(seed, text):
    return hashlib.sha256(f"{seed} {text}".encode()).hexdigest()


def _name(module, source, changed):
    old, new = source.splitlines(), changed.splitlines()
    lines = list(difflib.unified_diff(old, new, lineterm="", n=0))[2:]
    number = lines[0].split()[1].partition(",")[0].removeprefix("-")
    before, after = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign))
        for sign in "-+"
    )
    # The line's number only where there are several such lines.
    again = sum(line.strip() == before for line in old) > 1
    where = f"{module}:{number}" if again else module
    return f"{where}: {before} -> {after}"


def _is_forgotten(entry, again):
    return again == "all" or (again == "alive" and entry["outcome"] == "alive")


class Runner:
    """Tries mutants in a copy of the tree.

    Parameters
    ----------
    folder : pathlib.Path
        Where the copy is made.
    """

    def __init__(self, folder):
        self._folder = folder
        self._seconds = {}
        for name in _COPIED:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "results")
                shutil.copytree(ROOT / name, folder / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, folder / name)
        # By content: a mutant may be as old and as long as what it replaces.
        self._run(
            ["compileall", "-q", "--invalidation-mode", "checked-hash", "skemotion"]
        )

    def try_out(self, module, source):
        """Return what became of a mutant: killed, or left alive."""
        stages = tests_of(module)
        for stage in stages:
            self._check_that_tests_pass(stage)
        path = self._folder / module
        original = path.read_text("utf-8")
        path.write_text(source, "utf-8")
        start = time.perf_counter()
        try:
            for stage in stages:
                code = self._test(stage, timeout=60 + 4 * self._seconds[stage])
                if code != 0:
                    break
        finally:
            path.write_text(original, "utf-8")
        outcome = {0: "alive", None: "killed by time"}.get(code, "killed")
        seconds = round(time.perf_counter() - start, 1)
        return {"outcome": outcome, "seconds": seconds, "tests": list(stage)}

    def _check_that_tests_pass(self, stage):
        if stage in self._seconds:
            return
        start = time.perf_counter()
        code = self._test(stage, timeout=1200)
        if code != 0:
            raise SystemExit(f"without a mutant, {' '.join(stage)} ended with {code}.")
        self._seconds[stage] = time.perf_counter() - start

    def _test(self, files, timeout):
        command = ["pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
        return self._run(command, timeout)

    def _run(self, command, timeout=600):
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # What it has started ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _read(path):
    if path.exists():
        return json.loads(path.read_text("utf-8"))["mutants"]
    return {}


def write(options, package, outcomes):
    """Write the outcomes of a package so far, beside those of others."""
    mutants = _read(options.output) | {package: outcomes}
    judged = json.loads(JUDGED.read_text("utf-8"))
    rows = []
    for package, outcomes in mutants.items():
        for name, entry in outcomes.items():
            entry.pop("judged", None)
            if entry["outcome"] == "alive" and name in judged:
                entry["judged"] = judged[name]
        rows.append(_summarise(package, outcomes))
    write_rows(
        options.output,
        "Mutation tests: the package broken on purpose",
        f"python benchmarks/mutants.py --mutants {options.mutants} "
        f"--seed {options.seed}",
        rows,
        versions=_versions(),
        mutants=mutants,
    )


def _summarise(package, outcomes):
    counts = Counter(entry["outcome"] for entry in outcomes.values())
    n_alive = counts["alive"]
    n_judged = sum("judged" in entry for entry in outcomes.values())
    return {
        "what": f"skemotion.{package}, mutants",
        "tried": len(outcomes),
        "happened": f"{len(outcomes) - n_alive} killed by tests, {n_judged} that "
        f"nobody could tell from the original, {n_alive - n_judged} left alive",
        "defects": n_alive - n_judged,
        "mended": "",
        "killed": len(outcomes) - n_alive,
        "alive": n_alive - n_judged,
        "equivalent": n_judged,
    }


def _versions():
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
