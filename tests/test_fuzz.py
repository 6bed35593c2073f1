"""Damaged files of all kinds: the right result or the documented error, nothing else.

``benchmarks/fuzz.py`` does the same by the hundred thousand.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "fuzz.py"
N_INPUTS = {"bundle": 60, "audio": 300}
TARGETS = (
    *("archive", "audio", "bundle", "cache", "fold", "frame", "journal", "table"),
    "weights",
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.fixture(params=TARGETS)
def name(request):
    return request.param


@pytest.fixture
def fuzz(benchmark):
    return benchmark("fuzz")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "here"
    place.mkdir()
    return place


@pytest.fixture
def seeds(fuzz, name, tmp_path):
    fuzz.keep_seeds(tmp_path, name)
    return fuzz.load_seeds(tmp_path, name)


def test_all_targets_are_here(fuzz):
    assert set(TARGETS) == set(fuzz.TARGETS)


def test_whole_files_are_read(fuzz, name, seeds, place):
    """So that what is damaged is not refused for another reason."""
    outcomes = [fuzz.run_watched(fuzz.TARGETS[name], each, place) for each in seeds]
    n_read = outcomes.count(fuzz.RIGHT)
    assert n_read >= {"audio": 100, "table": 2}.get(name, len(seeds))


def test_damaged_files(fuzz, name, seeds, place, capfd):
    target = fuzz.TARGETS[name]
    for number in range(len(seeds), len(seeds) + N_INPUTS.get(name, 200)):
        content = fuzz.make_input(name, 1, number, seeds)
        fuzz.run_watched(target, content, place)
    assert capfd.readouterr() == ("", "")


def test_files_that_hypothesis_damages(fuzz, name, seeds, place):
    target = fuzz.TARGETS[name]

    @given(rng=st.randoms(use_true_random=False))
    @settings(
        max_examples=10 if name == "bundle" else 40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def run(rng):
        content = target.mutate(rng.choice(seeds), rng, seeds)
        fuzz.run_watched(target, content, place)

    run()


def test_an_input_is_made_again(fuzz, tmp_path):
    fuzz.keep_seeds(tmp_path, "table")
    seeds = fuzz.load_seeds(tmp_path, "table")
    once, again = (
        [fuzz.make_input("table", 0, number, seeds) for number in range(50)]
        for _ in range(2)
    )
    assert once == again
    assert len(set(once)) > 40


def call(folder, *options):
    command = [sys.executable, str(SCRIPT), "--folder", str(folder), *options]
    subprocess.run(command, check=True, capture_output=True)


def test_a_run_goes_on_and_is_collected(tmp_path):
    for n_inputs in ("20", "35"):
        call(tmp_path, "--target", "cache", "--inputs", n_inputs)
    assert json.loads((tmp_path / "cache-0.json").read_text())["done"] == 35
    call(tmp_path, "--collect", "--output", str(tmp_path / "results.json"))
    (row,) = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert row["tried"] == 35
    assert row["defects"] == 0


def test_a_crash_and_a_hang_are_kept_with_their_inputs(
    fuzz, tmp_path, monkeypatch, capsys
):
    fuzz.keep_seeds(tmp_path, "cache")
    ends = iter([(-11, "Segmentation fault"), (1, "Timeout (0:00:20)!\n"), (0, "")])

    def start(options, name, first, last):
        code, said = next(ends)
        return (first + 2 if code else last, 2, 0, 0), code, said

    monkeypatch.setattr(fuzz, "start_worker", start)
    monkeypatch.setattr(
        sys, "argv", ["fuzz.py", "--folder", str(tmp_path), "--inputs", "9"]
    )
    options = fuzz.parse()
    fuzz.drive(options, "cache")
    kinds = json.loads((tmp_path / "kinds-cache.json").read_text())
    assert kinds == {"signal 11": 1, "hang": 1}
    assert (tmp_path / "defects" / "cache-0-2").exists()
    assert (tmp_path / "defects" / "cache-0-5").exists()
    assert json.loads((tmp_path / "cache-0.json").read_text())["n_defects"] == 2
