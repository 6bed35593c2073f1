"""Readers are given damaged files, by the hundred thousand.

What they may do stands in ``_fuzz_targets.py``: give the right result, or refuse by the
error that is documented. All else is a defect: another exception, a crash, a hang, a
warning of another package, text on standard error, memory beyond a limit. The input is
kept then. An input follows from the target, the seed and its number, and from the files
that it starts from, which are kept in the folder; so a run can be repeated, and goes on
where it was stopped::

    python benchmarks/fuzz.py --target audio table --inputs 100000 --seconds 600
    python benchmarks/fuzz.py --guided --target bundle --seconds 600
    python benchmarks/fuzz.py --again FOLDER/defects/audio-0-1234
    python benchmarks/fuzz.py --collect

``--guided`` lets atheris (``pip install atheris``) choose by what code is reached.
"""

import argparse
import ctypes
import faulthandler
import hashlib
import json
import mmap
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from random import Random

from _fuzz_mended import MENDED
from _fuzz_targets import RIGHT, TARGETS, describe, run_watched
from _reliability import write_rows
from _results import RESULTS as FOLDER
from _smoke import parse_options

RESULTS = FOLDER / "reliability" / "fuzz.json"
COMMAND = "python benchmarks/fuzz.py"
_COUNTS = struct.Struct("<QQQQ")  # the input at work; right, refused, defects
_N_AT_ONCE = 5000  # inputs of a worker
_OF_ATHERIS = re.compile(r"^((INFO|WARNING): |#\d|Done |$).*\n?", re.MULTILINE)
_N_LOOSE = 200  # of which a worker may need more memory once


def main():
    options = parse()
    options.folder = options.folder.absolute()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.worker:
        (guided_work if options.guided else work)(options)
    elif options.again:
        return run_again(options)
    elif options.collect:
        collect(options)
    else:
        for name in options.target:
            keep_seeds(options.folder, name)
            (drive_guided if options.guided else drive)(options, name)
        print(json.dumps(summary(options.folder), indent=2))
    return 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    known = list(TARGETS)
    parser.add_argument("--target", nargs="+", choices=known, default=known)
    parser.add_argument("--inputs", type=int, default=10_000, help="of each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=600, help="of each target")
    parser.add_argument("--limit", type=float, default=20, help="seconds of an input")
    parser.add_argument("--memory", type=int, default=1024, help="MB beyond the start")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir(), "skemotion-fuzz")
    )
    parser.add_argument("--guided", action="store_true", help="by atheris")
    parser.add_argument("--again", type=Path, nargs="+", help="inputs to run again")
    parser.add_argument("--collect", action="store_true", help="write the results")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, help=argparse.SUPPRESS)
    return parse_options(parser, "--inputs 3 --folder {work}/fuzz")


def keep_seeds(folder, name):
    """Make the files that a target's inputs start from, once."""
    kept = folder / "seeds" / name
    if kept.exists():
        return
    with in_temporary_folder() as place:
        place.mkdir()
        seeds = TARGETS[name].make_seeds(place)
    new = folder / f"seeds-{name}.new"
    new.mkdir(exist_ok=True)
    for number, content in enumerate(seeds):
        (new / f"{number:04}").write_bytes(content)
    kept.parent.mkdir(exist_ok=True)
    new.rename(kept)


def load_seeds(folder, name):
    return [path.read_bytes() for path in sorted((folder / "seeds" / name).iterdir())]


def make_input(name, seed, number, seeds):
    """Return an input; the first ones are the files that all others start from."""
    if number < len(seeds):
        return seeds[number]
    rng = Random(f"{name} {seed} {number}")
    return TARGETS[name].mutate(rng.choice(seeds), rng, seeds)


# The process that starts others


def drive(options, name):
    """Have workers do the inputs of a target, until all are done or time is up."""
    state = State(options.folder, f"{name}-{options.seed}", name)
    start, before = time.monotonic(), state["seconds"]
    while state["done"] < options.inputs:
        if time.monotonic() - start > options.seconds:
            break
        first = state["done"]
        last = min(first + _N_AT_ONCE, options.inputs)
        counts, code, said = start_worker(options, name, first, last)
        number, right, refused, defects = counts
        state["right"] += right
        state["refused"] += refused
        state["n_defects"] += defects
        state["done"] = last
        if code:  # it has crashed, or hung
            state["done"] = number + 1
            state["n_defects"] += 1
            save_defect(options, name, number, describe_end(code, said))
        state["seconds"] = before + time.monotonic() - start
        state.save()
        print(name, json.dumps(state.shown()), flush=True)


def start_worker(options, name, first, last):
    """Return its counts, its exit status, and what it said on standard error."""
    path = options.folder / f"counts-{name}"
    path.write_bytes(_COUNTS.pack(first, 0, 0, 0))
    command = [sys.executable, os.path.abspath(__file__), "--worker", "--target", name]
    for option in ("seed", "limit", "memory", "folder"):
        command += [f"--{option}", str(getattr(options, option))]
    command += ["--first", str(first), "--inputs", str(last)]
    with tempfile.TemporaryFile() as errors:
        patience = options.limit * (last - first) + 600
        done = subprocess.run(
            command, stderr=errors, env=quiet_environment(), timeout=patience
        )
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    return _COUNTS.unpack(path.read_bytes()), done.returncode, said


def quiet_environment():
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return {**os.environ, **quiet, "OMP_NUM_THREADS": "1"}


def describe_end(code, said):
    if "Timeout (" in said:
        kind = "hang"
    else:
        kind = f"signal {-code}" if code < 0 else f"exit status {code}"
    ours = [line for line in said.splitlines() if f"{os.sep}skemotion{os.sep}" in line]
    where = ours[0].strip().rpartition(f"{os.sep}skemotion{os.sep}")[2] if ours else ""
    return {"kind": f"{kind} {where}".strip(), "error": said[-2000:]}


class State(dict):
    """What is known of a run, kept in a file of JSON."""

    def __init__(self, folder, name, target):
        self._path = folder / f"{name}.json"
        counts = dict.fromkeys(("done", "right", "refused", "n_defects", "seconds"), 0)
        super().__init__(target=target, **counts)
        if self._path.exists():
            self.update(json.loads(self._path.read_text()))

    def save(self):
        """Write it, whole or not at all."""
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self, indent=1))
        new.replace(self._path)

    def shown(self):
        """Return the counts."""
        return {name: self[name] for name in ("done", "right", "refused", "n_defects")}


def save_defect(options, name, number, described):
    content = make_input(name, options.seed, number, load_seeds(options.folder, name))
    keep_defect(options.folder, f"{name}-{options.seed}-{number}", content, described)


def keep_defect(folder, name, content, described):
    """Keep an input with what came of it, three of each kind at most."""
    kept = folder / "defects"
    kept.mkdir(exist_ok=True)
    target = name.partition("-")[0]
    kinds = folder / f"kinds-{target}.json"
    counts = json.loads(kinds.read_text()) if kinds.exists() else {}
    counts[described["kind"]] = counts.get(described["kind"], 0) + 1
    kinds.write_text(json.dumps(counts, indent=1))
    if counts[described["kind"]] <= 3:
        (kept / name).write_bytes(content)
        (kept / f"{name}.json").write_text(json.dumps(described, indent=1))


# The process that reads


def work(options):
    """Run one input after the other; the number of the current one is always known."""
    (name,) = options.target
    target, seeds = TARGETS[name], load_seeds(options.folder, name)
    with in_temporary_folder() as place, Watch() as watch:
        warm_up(target, seeds, place, watch)
        limit_memory(options.memory)
        with open(options.folder / f"counts-{name}", "r+b") as file:
            board = mmap.mmap(file.fileno(), _COUNTS.size)
        counts = [0, 0, 0]
        for number in range(options.first, options.inputs):
            _COUNTS.pack_into(board, 0, number, *counts)
            content = make_input(name, options.seed, number, seeds)
            faulthandler.dump_traceback_later(
                options.limit, exit=True, file=watch.fatal
            )
            outcome, described = run_one(target, content, place, watch)
            faulthandler.cancel_dump_traceback_later()
            counts[(RIGHT, "refused", "defect").index(outcome)] += 1
            if described:
                name_of_input = f"{name}-{options.seed}-{number}"
                keep_defect(options.folder, name_of_input, content, described)
            _COUNTS.pack_into(board, 0, number, *counts)


def run_one(target, content, place, watch):
    """Return an outcome, and a description of what is a defect."""
    try:
        outcome = run_watched(target, content, place)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return "defect", describe(error)
    finally:
        said = watch.read()
    if said:
        return "defect", {"kind": "text on standard output or error", "error": said}
    return outcome, None


@contextmanager
def in_temporary_folder():
    """Work in a folder of its own: libsndfile looks into the current one."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        try:
            yield Path(place, "here")
        finally:
            os.chdir(before)


def warm_up(target, seeds, place, watch):
    """Import all that is needed, for memory is limited from then on."""
    place.mkdir()
    for content in seeds[:_N_LOOSE]:
        run_one(target, content, place, watch)


class Watch:
    """What is written to standard output and error, by libraries in C as well."""

    def __init__(self):
        self._file = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - as long as the worker
        # The faults of this process itself still go to the first standard error.
        self.fatal = os.dup(2)
        faulthandler.enable(self.fatal)
        for stream in (1, 2):
            os.dup2(self._file.fileno(), stream)
        self._flush = ctypes.CDLL(None).fflush
        self._seen = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            os.write(self.fatal, "".join(traceback.format_exception(error)).encode())

    def read(self):
        """Return what has been written since."""
        sys.stderr.flush()
        self._flush(None)  # what C has written to standard output
        size = os.fstat(self._file.fileno()).st_size
        if size == self._seen:
            return ""
        said = os.pread(self._file.fileno(), size - self._seen, self._seen)
        self._seen = size
        return _OF_ATHERIS.sub("", said.decode(errors="replace"))[-500:]


def limit_memory(n_megabytes):
    """Refuse what is more than so much beyond what is mapped now."""
    import resource

    n_pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = n_pages * resource.getpagesize() + n_megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def run_again(options):
    """Run inputs that were kept, and show in full what comes of them."""
    for path in options.again:
        target = TARGETS[path.name.partition("-")[0]]
        content = path.read_bytes()
        with in_temporary_folder() as place:
            place.mkdir()
            print(path, run_watched(target, content, place))
    return 0


# Guided by coverage


def drive_guided(options, name):
    """Have atheris choose inputs, in a process that is started again if it ends."""
    state = State(options.folder, f"{name}-guided-{options.seed}", name)
    corpus = options.folder / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for content in load_seeds(options.folder, name):
        (corpus / hashlib.sha1(content).hexdigest()).write_bytes(content)
    start, before, n_starts = time.monotonic(), state["seconds"], 0
    while state["done"] < options.inputs:
        left = options.seconds - (time.monotonic() - start)
        if left < 5:
            break
        n_left = min(options.inputs - state["done"], _N_AT_ONCE * 4)
        path = options.folder / f"counts-{name}"
        path.write_bytes(_COUNTS.pack(0, 0, 0, 0))
        artifacts = options.folder / f"artifacts-{name}"
        artifacts.mkdir(exist_ok=True)
        command = [
            sys.executable,
            os.path.abspath(__file__),
            "--worker",
            "--guided",
            "--target",
            name,
        ]
        command += ["--folder", str(options.folder), "--memory", str(options.memory)]
        command += ["--seed", str(options.seed + 1000 * (state["done"] + n_starts))]
        command += ["--inputs", str(n_left), "--seconds", str(int(left))]
        command += ["--limit", str(options.limit)]
        with tempfile.TemporaryFile() as errors:
            done = subprocess.run(command, stderr=errors, env=quiet_environment())
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        n_done, right, refused, defects = _COUNTS.unpack(path.read_bytes())
        n_starts += 1
        state["right"] += right
        state["refused"] += refused
        state["n_defects"] += defects
        state["done"] += n_done
        for artifact in sorted(artifacts.iterdir()):  # of a crash or a hang
            state["n_defects"] += 1
            described = describe_end(done.returncode, said)
            called = f"{name}-guided-{artifact.name[:24]}"
            keep_defect(options.folder, called, artifact.read_bytes(), described)
            artifact.unlink()
        state["seconds"] = before + time.monotonic() - start
        state.save()
        print(name, "guided", json.dumps(state.shown()), flush=True)
        if not n_done:
            raise RuntimeError(said[-2000:])


def guided_work(options):
    """Run inputs that atheris chooses; it ends this process itself."""
    import atheris

    (name,) = options.target
    target, seeds = TARGETS[name], load_seeds(options.folder, name)
    with in_temporary_folder() as place, Watch() as watch:
        with atheris.instrument_imports(include=["skemotion", "zipfile", "csv"]):
            warm_up(target, seeds, place, watch)
        counted = options.folder / f"counts-{name}"
        board_file = open(counted, "r+b")  # noqa: SIM115 - open until the process ends, or crashes
        board = mmap.mmap(board_file.fileno(), _COUNTS.size)
        counts = [0, 0, 0]

        def test(content):
            _COUNTS.pack_into(board, 0, sum(counts) + 1, *counts)
            outcome, described = run_one(target, content, place, watch)
            counts[(RIGHT, "refused", "defect").index(outcome)] += 1
            if described:
                called = f"{name}-guided-{hashlib.sha1(content).hexdigest()[:24]}"
                keep_defect(options.folder, called, content, described)

        def mutate(content, max_size, seed):
            rng = Random(seed)
            source = content if content and rng.random() < 0.9 else rng.choice(seeds)
            try:
                return target.mutate(source, rng, seeds)[:max_size]
            except (ValueError, RecursionError):  # a source that is no longer JSON
                return target.mutate(rng.choice(seeds), rng, seeds)[:max_size]

        arguments = [
            sys.argv[0],
            str(options.folder / "corpus" / name),
            f"-runs={options.inputs}",
            f"-max_total_time={int(options.seconds)}",
            f"-seed={options.seed % 2**31 + 1}",
            f"-timeout={int(options.limit)}",
            "-rss_limit_mb=6000",
            f"-artifact_prefix={options.folder / f'artifacts-{name}'}/",
            "-max_len=65536",
            "-verbosity=0",
        ]
        atheris.Setup(arguments, test, custom_mutator=mutate)
        atheris.Fuzz()


# Results


def summary(folder):
    """Return what all runs in a folder have come to, by target and way."""
    found = {}
    for path in sorted(folder.glob("*-*.json")):
        run = json.loads(path.read_text())
        if "target" not in run:
            continue
        way = "guided by coverage" if "-guided-" in path.name else "mutated"
        counts = dict.fromkeys(("done", "right", "refused", "n_defects"), 0)
        entry = found.setdefault(f"{run['target']}, {way}", counts)
        for name in counts:
            entry[name] += run[name]
    return found


def collect(options):
    """Write what was tried, what happened, and what was found on the way."""
    rows, told = [], set()
    for name, counts in summary(options.folder).items():
        target, _, way = name.partition(", ")
        mended = () if target in told else MENDED.get(target, ())
        told.add(target)
        rows.append(
            {
                "what": f"{TARGETS[target].title}, {way}",
                "tried": counts["done"],
                "happened": f"{counts['right']} read, {counts['refused']} refused by "
                f"the documented error, {counts['n_defects']} other",
                "defects": len(mended) + counts["n_defects"],
                "mended": "; ".join(mended),
            }
        )
    write_rows(options.output, "Damaged files (fuzzing)", COMMAND, rows)
    print(sum(row["tried"] for row in rows), "inputs")


if __name__ == "__main__":
    sys.exit(main())
