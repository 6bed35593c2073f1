"""Faults of the machine, tried for real: what becomes of the files, and what is said.

Every trial runs a command in a process of its own in which one thing goes wrong: a
kill at a step that changes files, a full disk, a limit, a signal, a second process.
Then nothing may be half written, and the same command, run again, must end with the
same bytes as one that was never disturbed.

The models have no network, so that thousands of processes can be forked.
"""

import argparse
import importlib
import os
import pkgutil
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

# ruff: noqa: E402 - libraries read these when they are imported
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # threads do not survive a fork

import jinja2  # noqa: F401 - before rights are lost
import joblib
import numpy as np
from _faults import (
    Done,
    Steps,
    end,
    limit,
    memory_in_use,
    run,
    run_function,
    send,
    snapshot,
    start,
)
from _timing import write_json
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skemotion
import skemotion.cli._trials as trials
from skemotion import SequenceFunctionals, SequenceScaler, SpeechFeatureExtractor
from skemotion.cli._training import save_pipeline
from skemotion.datasets import make_emotional_speech

RESULTS = Path(__file__).parent / "results" / "reliability" / "faults.json"


COMMAND = "python benchmarks/reliability_faults.py"
# What was wrong at first, noted by hand: how many defects, and what they were.
KNOWN = {
    "kill -9 at a step of predict that changes files": (
        2,
        "a kill at the very last step left an empty folder for ever; hidden files that "
        "a kill leaves were never deleted, which the next run now does",
    ),
    "kill -9 at a step of timeline to files that changes files": (
        1,
        "files made before the kill stopped every further run; it is resumed now",
    ),
    "kill -9 at a step of evaluate that changes files": (
        3,
        "a kill after the table and before the figures stopped every further run; "
        "figures could be half written; folders of unfinished work were open to others",
    ),
    "kill -9 at a step of report that changes files": (
        1,
        "a kill after the page stopped every further run",
    ),
    "kill -9 at a step of saving m.joblib over an older one": (
        2,
        "the new file lost the older one's mode, and was not sure to be on the disk",
    ),
    "a disk that is full after so many bytes of a file": (
        2,
        "the line named no file; synthetic recordings could be half written",
    ),
    "SIGTERM at steps that change files": (
        1,
        "temporary files were left; it is an error in order now, and so is SIGHUP",
    ),
    "limits of memory (address space)": (
        1,
        "the progress bar's thread was waited for in vain, even if it was not shown",
    ),
    "limits of open files": (1, "a hidden folder was left where none could be opened"),
    "standard output that is closed, full, or that nobody reads": (
        3,
        "closed standard output or error gave AttributeError; a full one was found "
        "when Python ended (code 120) or named nothing",
    ),
    "SIGKILL of a worker, with n_jobs=2": (1, "an unexpected TerminatedWorkerError"),
    "SIGTERM of the first process, with n_jobs=2": (
        1,
        "four processes were left; workers now end with the first process, however "
        "that ends",
    ),
}


@dataclass
class Row:
    """What was tried, and what was wrong.

    Parameters
    ----------
    what : str
        The fault.
    happened : str
        What happens, where nothing is wrong.
    mended : str
        What was wrong at first.
    defects : int
        How many kinds of that there were.
    tried, possible : int
        How often, and of how many ways, if these can be counted.
    """

    what: str
    happened: str
    mended: str = ""
    defects: int = 0
    tried: int = 0
    possible: int | None = None
    wrong: list[str] = field(default_factory=list)

    def check(self, fact: object, told: str) -> None:
        """Note what is wrong unless a fact holds."""
        if not fact:
            self.wrong.append(told)


class World:
    """Recordings, a model, and folders to work in.

    Parameters
    ----------
    folder : path
        Where all of it is.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._n_made = 0
        speech = make_emotional_speech(
            n_speakers=2, n_texts=1, folder=folder / "speech", random_state=0
        )
        for label in sorted(set(speech.target))[3:]:
            shutil.rmtree(folder / "speech" / label)
        kept = np.isin(speech.target, sorted(set(speech.target))[:3])
        self.model = make_pipeline(
            SpeechFeatureExtractor(duration=0.5),
            SequenceFunctionals(),
            LogisticRegression(max_iter=50),
        )
        self.model.fit(list(speech.paths[kept]), speech.target[kept])
        joblib.dump(self.model, folder / "model.joblib")
        self.paths = [str(path) for path in speech.paths[kept]]
        bad = folder / "bad.wav"
        bad.write_bytes(b"RIFF")
        self.list = folder / "list.txt"
        self.list.write_text("\n".join([*self.paths[:3], str(bad), *self.paths[3:]]))

    def new_folder(self) -> Path:
        """Return a folder of which nothing has been."""
        self._n_made += 1
        path = self.folder / f"trial{self._n_made}"
        path.mkdir()
        return path

    def commands(self) -> dict[str, list[str]]:
        """Return commands that write to ``out`` in the folder where they run."""
        model = ["-m", str(self.folder / "model.joblib")]
        some = ["--files-from", str(self.list)]
        corpus = str(self.folder / "speech")
        return {
            "predict": ["predict", *some, *model, "-o", "out.csv", "--chunk-size", "3"],
            "extract": ["extract", *some, "-o", "out.npy", "--chunk-size", "3"],
            "timeline": ["timeline", *some, *model, "-o", "out.csv"],
            "timeline to files": [
                *("timeline", *some, *model, "-o", "out", "--format", "audacity"),
            ],
            "evaluate": [
                *("evaluate", corpus, *model, "-o", "out.csv", "--figures", "figures"),
            ],
            "report": ["report", corpus, *model, "-o", "out", "--no-audio"],
        }


def set_up() -> None:
    """Let a model be evaluated in several parts, and import what forks may not read."""
    trials._CHUNK_SIZE = 4
    for module in pkgutil.walk_packages(skemotion.__path__, "skemotion."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("scipy.fft", "scipy.signal"):  # which the package imports late
        importlib.import_module(name)


class Command:
    """A command, and what it makes undisturbed."""

    def __init__(self, world: World, name: str, arguments: list[str]):
        self.world, self.name, self.arguments = world, name, arguments
        folder = world.new_folder()
        steps = Steps()
        self.done = run(arguments, folder, steps)
        self.made, self.n_steps = snapshot(folder), steps.count
        if not self.made or self.done.code not in (0, 1):
            raise RuntimeError(f"{name}: {self.done}")
        shutil.rmtree(folder)

    def try_fault(self, row: Row, told: str, prepare=None, *, end=None) -> Done:
        """Run it with a fault and then without, and note what is wrong."""
        told = f"{self.name}, {told}"
        folder = self.world.new_folder()
        done = run(self.arguments, folder, prepare)
        row.tried += 1
        row.check("Traceback" not in done.err, f"{told}: {done.err[-300:]}")
        row.check(done.code != -signal.SIGALRM, f"{told}: it hangs")
        for path, content in snapshot(folder).items():
            if path in self.made:
                row.check(content == self.made[path], f"{told}: {path} is half written")
            else:
                is_ours = ".partial" in path or ".skemotion-" in path
                row.check(is_ours, f"{told}: {path} is left")
                if done.code >= 0:
                    row.check(".skemotion-" not in path, f"{told}: {path} is left")
            top = folder / Path(path).parts[0]
            if ".partial" in top.name or top.name.startswith(".skemotion-"):
                row.check(not top.stat().st_mode & 0o077, f"{told}: {path} is open")
        self._check_rerun(row, told, folder)
        shutil.rmtree(folder, ignore_errors=True)
        return done

    def _check_rerun(self, row, told, folder):
        again = run(self.arguments, folder)
        whole = again.code == self.done.code or "exists: delete it" in again.err
        row.check(whole, f"{told}: the next run says {again.err[-300:]}")
        found = snapshot(folder)
        if found != self.made:
            names = found.keys() ^ self.made.keys() or [
                name for name in found if found[name] != self.made[name]
            ]
            row.check(False, f"{told}: the next run differs in {sorted(names)}")


def bound(command: Command, n: int | None) -> int | None:
    """Return how often to try a command: seldom, if it draws."""
    is_slow = command.name in ("evaluate", "report")
    return n and (max(n // 5, 1) if is_slow else n)


def choose(n_steps: int, n_tried: int | None) -> Sequence[int]:
    """Return all steps, or some that lie evenly."""
    if n_tried is None or n_tried >= n_steps:
        return range(n_steps)
    return sorted({round(x) for x in np.linspace(0, n_steps - 1, n_tried)})


def try_kills(commands: list[Command], n: int | None) -> Iterator[Row]:
    """Kill each command at its steps."""
    for command in commands:
        row = Row(
            f"kill -9 at a step of {command.name} that changes files",
            "whole outputs or none; the next run ends with the same bytes",
            possible=command.n_steps,
        )
        for step in choose(command.n_steps, bound(command, n)):
            done = command.try_fault(row, f"killed at {step}", Steps(step))
            row.check(done.code == -signal.SIGKILL, f"{command.name}: not killed")
        yield row


def try_kills_of_models(world: World, n: int | None) -> Iterator[Row]:
    """Kill what saves models over an older one."""
    scaler = SequenceScaler(scope="cell").fit(
        np.random.default_rng(0).normal(size=(9, 5, 4))
    )
    for name, model in {"m.joblib": world.model, "m.skemotion": scaler}.items():
        row = Row(
            f"kill -9 at a step of saving {name} over an older one",
            "the old model or the new one, whole",
        )

        def save(name=name, model=model):
            save_pipeline(model, name) if name == "m.joblib" else _save(model, name)

        folder = world.new_folder()
        steps = Steps()
        run_function(save, folder, steps)
        new = (folder / name).read_bytes()
        for step in choose(steps.count, n):
            row.tried += 1
            folder = world.new_folder()
            (folder / name).write_bytes(b"old")
            (folder / name).chmod(0o600)
            done = run_function(save, folder, Steps(step))
            row.check(done.code == -signal.SIGKILL, f"{name}: not killed at {step}")
            content = (folder / name).read_bytes()
            row.check(content in (b"old", new), f"{name}, killed at {step}: neither")
            done = run_function(save, folder)
            row.check(done.code == 0, f"{name}, after {step}: {done.err[-300:]}")
            row.check(snapshot(folder) == {name: new}, f"{name}, after {step}: left")
            mode = (folder / name).stat().st_mode & 0o777
            row.check(mode == 0o600, f"{name}: its mode becomes {mode:o}")
        yield row


def _save(model, name):
    from skemotion.persistence import save_model

    save_model(model, name)


def try_kills_of_caches(world: World, n: int | None) -> Row:
    """Kill what fills a cache."""
    row = Row(
        "kill -9 at a step that fills a cache",
        "no entry is half written; the next run ends with the same bytes",
    )
    arguments = [*world.commands()["extract"], "--cache", "cache"]
    folder, steps = world.new_folder(), Steps()
    run(arguments, folder, steps)
    made = snapshot(folder)
    for step in choose(steps.count, n):
        row.tried += 1
        folder = world.new_folder()
        run(arguments, folder, Steps(step))
        run(arguments, folder)
        found = snapshot(folder)
        for path in [path for path in found if "/.skemotion-" in path]:
            del found[path]  # `cache clear` deletes it
        row.check(
            found == made, f"cache, killed at {step}: {found.keys() ^ made.keys()}"
        )
        if (folder / "cache").exists():
            done = run(["cache", "clear", "cache"], folder)
            row.check(
                done.code == 0 and not list((folder / "cache").rglob("*")),
                f"cache, killed at {step}: not cleared: {done.err}",
            )
        shutil.rmtree(folder)
    return row


def try_signals(commands: list[Command], n: int | None) -> Iterator[Row]:
    """Stop each command by a signal at its steps."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        row = Row(
            f"{number.name} at steps that change files",
            f"one line, code {128 + number}, nothing left but what is resumed",
        )
        for command in commands:
            for step in choose(command.n_steps, bound(command, n)):
                done = command.try_fault(
                    row, f"{number.name} at {step}", Steps(step, send(number))
                )
                told = f"{command.name}, {number.name} at {step}: {done}"
                row.check(done.code == 128 + number, told)
                row.check(len(done.errors) == 1, told)
        yield row


def check_failure(row: Row, done: Done, told: str, *, says: str = "") -> None:
    """Note what is wrong unless a command has failed by one clear line."""
    told = f"{told}: {done}"
    row.check(done.code == 1, told)
    row.check(len(done.errors) == 1 or "cannot be read" in done.err, told)
    row.check(says in done.err and "unexpected" not in done.err, told)


def try_full_disks(commands: list[Command], n: int | None) -> Row:
    """Let no file grow beyond a size."""
    row = Row(
        "a disk that is full after so many bytes of a file",
        "one line that names the output; what was done is resumed",
    )
    for command in commands:
        largest = max(len(content or b"") for content in command.made.values())
        for size in choose(largest, bound(command, n)):
            done = command.try_fault(
                row, f"{size} bytes", limit(resource.RLIMIT_FSIZE, size)
            )
            if done.code != command.done.code or "file too large" in done.err:
                check_failure(
                    row, done, f"{command.name}, {size} bytes", says="file too large"
                )
    return row


def try_memory(commands: list[Command], n: int | None) -> Row:
    """Give each command little more memory than it has."""
    row = Row("limits of memory (address space)", "one line, or enough memory")
    for command in commands:
        for more in choose(2**26, bound(command, n or 20)):
            done = command.try_fault(
                row,
                f"{more} bytes more",
                lambda more=more: limit(resource.RLIMIT_AS, memory_in_use() + more)(),
            )
            if done.code != command.done.code:
                check_failure(row, done, f"{command.name}, {more} bytes more")
    return row


def try_open_files(commands: list[Command], n: int | None) -> Row:
    """Give each command few descriptors."""
    row = Row("limits of open files", "one line, or enough of them")
    for command in commands:
        for number in choose(40, bound(command, n)):
            done = command.try_fault(
                row, f"{number} files", limit(resource.RLIMIT_NOFILE, number)
            )
            if done.code != command.done.code or "oo many open" in done.err:
                check_failure(row, done, f"{command.name}, {number} files")
    return row


def try_read_only(world: World, commands: list[Command]) -> Row:
    """Run without the right to write."""
    row = Row(
        "folders that cannot be written, for outputs and for caches",
        "one line before any work; without its cache the work goes on",
    )
    if os.getuid():
        return row

    def lose_rights():
        os.setgid(65534)
        os.setuid(65534)

    world.folder.chmod(0o755)
    for command in commands:
        done = command.try_fault(row, "read-only", lose_rights)
        check_failure(
            row,
            done,
            command.name,
            says="ermission denied" if "allow" not in done.err else "allow",
        )
    arguments = [*world.commands()["extract"], "--cache", "cache"]
    for place in ("", "ab"):
        folder = world.new_folder()
        folder.chmod(0o777)
        (folder / "cache" / place).mkdir(parents=True)
        row.tried += 1
        done = run(arguments, folder, lose_rights)
        row.check("memory='cache' cannot be used" in done.err, f"cache: {done}")
        row.check((folder / "out.npy").exists(), f"cache: {done}")
    return row


def try_two_at_once(world: World, commands: list[Command], n: int) -> Row:
    """Let two processes write the same."""
    row = Row(
        "two processes that write one output, or fill one cache",
        "one goes on, the other says so or has the same; the output is whole",
    )
    from skemotion.cli import main

    for command in commands:
        for _ in range(n):
            row.tried += 1
            folder = world.new_folder()
            pair = [start(partial(main, command.arguments), folder) for _ in range(2)]
            both = [end(*each) for each in pair]
            for done in both:
                if done.code != command.done.code or "exists" in done.err:
                    check_failure(row, done, f"two of {command.name}")
            done = run(command.arguments, folder)
            row.check(
                snapshot(folder) == command.made,
                f"two of {command.name}: {both} {snapshot(folder).keys()}",
            )
            shutil.rmtree(folder)
    arguments = [*world.commands()["extract"], "--cache"]
    cache, whole = world.new_folder(), Command(world, "extract", arguments[:-1])
    for _ in range(n):
        row.tried += 1
        folders = [world.new_folder() for _ in range(2)]
        pair = [start(lambda: main([*arguments, str(cache)]), each) for each in folders]
        both = [end(*each) for each in pair]
        for folder, done in zip(folders, both, strict=True):
            row.check(snapshot(folder) == whole.made, f"two at a cache: {done}")
        run(["cache", "clear", str(cache)], cache)
    return row


def try_clocks(world: World, commands: list[Command]) -> Row:
    """Let clocks jump, and files be of the future."""
    row = Row("clocks that jump, files of 1970 and of the future", "the same bytes")
    jumps = {"back": -1e9, "forward": 1e9}

    def jump(seconds):
        def change():
            clock, calls = time.time, iter(range(10**9))
            time.time = lambda: clock() + seconds * (next(calls) % 2)

        return change

    for command in commands:
        for name, seconds in jumps.items():
            done = command.try_fault(row, f"clock jumps {name}", jump(seconds))
            row.check(done.code == command.done.code, f"{command.name}: {done}")
        for moment in (0, 2**33):
            row.tried += 1
            folder = world.new_folder()
            run(command.arguments, folder, Steps(command.n_steps * 2 // 3))
            for path in folder.rglob("*"):
                os.utime(path, (moment, moment))
            run(command.arguments, folder)
            row.check(snapshot(folder) == command.made, f"{command.name}, {moment}")
    return row


def try_streams(world: World, commands: list[Command]) -> Row:
    """Take standard streams away."""
    row = Row(
        "standard output that is closed, full, or that nobody reads",
        "one line, or none for a broken pipe; outputs are written all the same",
    )
    to_out = {
        "predict": [
            "predict",
            *world.paths[:3],
            "-m",
            str(world.folder / "model.joblib"),
        ],
        "predict json": [
            "predict",
            *world.paths[:3],
            "--format",
            "json",
            "-m",
            str(world.folder / "model.joblib"),
        ],
        "timeline": [
            "timeline",
            *world.paths[:3],
            "-m",
            str(world.folder / "model.joblib"),
        ],
        "evaluate": world.commands()["evaluate"][:4],
        "evaluate json": [*world.commands()["evaluate"][:4], "--format", "json"],
    }
    for name, arguments in to_out.items():
        folder = world.new_folder()
        done = run(arguments, folder, stdout=-1)
        row.tried += 1
        check_failure(row, done, f"{name} >&-", says="standard output is closed")
        full = os.open("/dev/full", os.O_WRONLY)
        done = run(arguments, folder, stdout=full)
        os.close(full)
        row.tried += 1
        check_failure(row, done, f"{name} >/dev/full", says="no space left")
        reader, writer = os.pipe()
        os.close(reader)
        done = run(arguments, folder, stdout=writer)
        os.close(writer)
        row.tried += 1
        row.check(done.code == 1 and not done.errors, f"{name} | true: {done}")
    for command in commands:
        for stdout in ("closed", "full", "pipe"):
            row.tried += 1
            folder = world.new_folder()
            reader, writer = os.pipe()
            os.close(reader)
            full = os.open("/dev/full", os.O_WRONLY)
            numbers = {"closed": -1, "full": full, "pipe": writer}
            done = run(command.arguments, folder, stdout=numbers[stdout])
            os.close(full)
            os.close(writer)
            row.check("Traceback" not in done.err, f"{command.name} {stdout}: {done}")
            run(command.arguments, folder)
            row.check(
                snapshot(folder) == command.made,
                f"{command.name}, output {stdout}: {done} {snapshot(folder).keys()}",
            )
    return row


def try_without_network(commands: list[Command]) -> Row:
    """Let every connection fail."""
    row = Row("no network", "the same bytes")

    def refuse(*args):
        raise AssertionError(f"connects to {args[1:]}")

    def cut():
        for name in ("connect", "connect_ex", "sendto"):
            socket.socket = type("S", (socket.socket,), {name: refuse})

    for command in commands:
        done = command.try_fault(row, "no network", cut)
        row.check(done.code == command.done.code, f"{command.name}: {done}")
    return row


SLOW = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from skemotion.feature_extraction import _extraction
_extraction._MANY_RECORDINGS = 1
from skemotion.cli import main
sys.exit(main(sys.argv[1:]))
"""


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has begun."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == pid and words[0] != "Z":
            found.append(int(path.parent.name))
    return found


def is_worker(pid: int) -> bool:
    """Tell whether a process is one of joblib's workers."""
    try:
        return b"popen_loky" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def wait_for(ask: Callable[[], object], seconds: float = 60.0):
    """Return what is first found, None if nothing is within the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := ask():
            return found
        time.sleep(0.05)
    return None


def try_workers(world: World, n: int) -> Iterator[Row]:
    """Kill workers, and whoever has started them."""
    big = world.folder / "big.txt"
    big.write_text("\n".join(world.paths * 150))
    arguments = [
        "extract",
        "--files-from",
        str(big),
        "-o",
        "out.npy",
        "--n-jobs",
        "2",
        "--chunk-size",
        "1000",
        "--set",
        "descriptors=extended",
    ]
    for who, number, code in (
        ("a worker", signal.SIGKILL, 1),
        ("the first process", signal.SIGTERM, 143),
        ("the first process", signal.SIGHUP, 129),
        ("the first process", signal.SIGINT, 130),
        ("the first process", signal.SIGKILL, -9),
    ):
        row = Row(
            f"{number.name} of {who}, with n_jobs=2",
            "one line; no process is left; the same command goes on",
        )
        for _ in range(n):
            row.tried += 1
            folder = world.new_folder()
            process = subprocess.Popen(
                [sys.executable, "-c", SLOW, *arguments],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )

            def at_work(pid=process.pid):
                found = [each for each in children_of(pid) if is_worker(each)]
                # A thread looks after the first process once there is work.
                begun = [each for each in found if _n_threads(each) > 1]
                return found if len(begun) == 2 else None

            found = wait_for(at_work)
            row.check(found, "no workers have begun")
            time.sleep(2 * random.random())
            children = children_of(process.pid)
            os.kill(found[0] if who == "a worker" else process.pid, number)
            _, err = process.communicate(timeout=120)
            done = Done(process.returncode, "", err)
            row.check(done.code == code, f"{who}: {done}")
            row.check(
                code == -9 or len(done.errors) == 1,
                f"{who}: {done}",
            )
            gone = wait_for(
                lambda children=children: (
                    not [
                        each
                        for each in children
                        if os.path.exists(f"/proc/{each}")
                        and b"python" in _command_line(each)
                    ]
                ),
                20,
            )
            row.check(gone, f"{who}, {number.name}: processes are left")
            left = list(
                Path("/dev/shm").glob(f"joblib_memmapping_folder_{process.pid}_*")
            )
            row.check(not left, f"{who}, {number.name}: {left}")
            shutil.rmtree(folder)
        yield row


def _n_threads(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def _command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def try_homes(world: World) -> Row:
    """Start it without a home, and without an environment."""
    row = Row("no HOME, a HOME that is nowhere, no environment", "the same bytes")
    arguments = world.commands()["predict"]
    whole = Command(world, "predict", arguments)
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    for name, environment in {
        "no environment": path,
        "HOME nowhere": {**path, "HOME": "/nowhere"},
        "HOME a file": {**path, "HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null"},
        "no folder for temporary files": {**path, "TMPDIR": "/nowhere"},
    }.items():
        row.tried += 1
        folder = world.new_folder()
        done = subprocess.run(
            [sys.executable, "-m", "skemotion", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        row.check(snapshot(folder) == whole.made, f"{name}: {done}")
        row.check("Traceback" not in done.stderr, f"{name}: {done}")
    return row


def try_all(folder: Path, n: int | None, *, processes: bool) -> list[Row]:
    """Try everything; `n` bounds how often each thing is, None does all."""
    set_up()
    world = World(folder)
    commands = [Command(world, *each) for each in world.commands().items()]
    writing, few = commands[:-1], n and max(n // 3, 1)  # a page takes long
    rows = [
        *_told(try_kills(commands, n)),
        *_told(try_kills_of_models(world, n)),
        *_told([try_kills_of_caches(world, n)]),
        *_told([try_full_disks(commands, n or 25)]),
        *_told(try_signals(writing, few or 25)),
        *_told([try_memory(writing, n)]),
        *_told([try_open_files(writing, n)]),
        *_told([try_read_only(world, commands)]),
        *_told([try_two_at_once(world, writing, few or 10)]),
        *_told([try_clocks(world, writing)]),
        *_told([try_streams(world, writing)]),
        *_told([try_without_network(commands)]),
    ]
    if processes:
        rows += [*_told(try_workers(world, few or 3)), *_told([try_homes(world)])]
    for row in rows:
        row.defects, row.mended = KNOWN.get(row.what, (0, ""))
    return rows


def _told(rows):
    for row in rows:
        print(f"{row.tried:5} {len(row.wrong):4} wrong  {row.what}", flush=True)
        for line in row.wrong[:5]:
            print(f"           {line[:1000]}", flush=True)
        yield row


def describe(row: Row) -> dict:
    """Return a row of the page."""
    what, happened = row.what, row.happened
    if row.possible and row.tried < row.possible:
        what += f" (of {row.possible} such steps)"
    if row.wrong:
        happened += f"; not so in {len(row.wrong)} trials: {row.wrong[0]:.200}"
    return {
        "what": what,
        "tried": row.tried,
        "happened": happened,
        "defects": row.defects + len(row.wrong),
        "mended": row.mended,
    }


def main() -> int:
    """Try it, and write what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, help="so many of each kind (default: all)")
    parser.add_argument("--slice", action="store_true", help="try, and write nothing")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        rows = try_all(Path(folder), options.most, processes=not options.slice)
    if not options.slice:
        write_json(
            options.out,
            {
                "title": "Faults of the machine",
                "command": " ".join([COMMAND, *sys.argv[1:]]),
                "rows": [describe(row) for row in rows],
            },
        )
    return int(any(row.wrong for row in rows))


if __name__ == "__main__":
    sys.exit(main())
