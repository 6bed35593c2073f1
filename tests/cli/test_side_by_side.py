"""Folds in processes: how many, and that nothing else differs."""

import pytest
from joblib import effective_n_jobs

from skemotion.cli import _side_by_side, main
from skemotion.cli._labels import load_labelled
from skemotion.cli._main import make_parser
from skemotion.cli._side_by_side import count_processes, free_memory
from skemotion.cli._trials import prepare_trial
from skemotion.feature_extraction._cache import FeatureCache

GIB = 2**30


@pytest.mark.parametrize(
    ("n_jobs", "n_folds", "n_rows", "n_epochs", "expected"),
    [
        (None, 10, 100, 30, 4),  # as many as there are processors
        (None, 3, 100, 90, 3),
        (None, 10, 4000, 5, 2),  # what memory has room for
        (None, 10, 10**6, 1, 1),
        (None, 10, 100, 1, 1),  # too little to do
        (None, 1, 100, 90, 1),
        (None, 0, 100, 30, 1),
        (3, 10, 10**6, 1, 3),  # as asked for
        (1, 10, 100, 30, 1),
        (8, 10, 100, 1, 8),
        (8, 2, 100, 1, 2),
        (-1, 100, 10**6, 1, effective_n_jobs(-1)),
    ],
)
def test_processes(n_jobs, n_folds, n_rows, n_epochs, expected, monkeypatch):
    monkeypatch.setattr(_side_by_side, "cpu_count", lambda: 4)
    monkeypatch.setattr(_side_by_side, "free_memory", lambda: 9 * GIB)
    assert count_processes(n_jobs, n_folds, n_rows, n_epochs) == expected


def test_what_folds_share_is_extracted_in_parts(corpus, tmp_path):
    arguments = ["evaluate", str(corpus / "table.csv"), "--recipe", "descriptors"]
    options = make_parser().parse_args([*arguments, "--set", "augment__n_copies=1"])
    trial = prepare_trial(load_labelled(options.corpus, []), options)
    n_rows = trial.count_rows()
    n_entries = []
    for part in range(2):
        trial.extract(0, tmp_path, part, 2)
        n_entries.append(FeatureCache(tmp_path).info().n_entries)
    assert n_entries == [n_rows // 2, n_rows]
    trial.extract(0, tmp_path, 0, 1)
    assert FeatureCache(tmp_path).info().n_entries == n_rows


@pytest.mark.parametrize(
    ("limit", "used", "expected"),
    [("max", 0, 8 * GIB), (3 * GIB, GIB, 2 * GIB), (GIB, 2 * GIB, 0)],
)
def test_memory_of_a_container(limit, used, expected, tmp_path, monkeypatch):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    8388608 kB\n")
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    monkeypatch.setattr(_side_by_side, "_MEMINFO", meminfo)
    monkeypatch.setattr(_side_by_side, "_CGROUP", tmp_path)
    assert free_memory() == expected


def test_memory_where_nothing_tells(tmp_path, monkeypatch):
    monkeypatch.setattr(_side_by_side, "_MEMINFO", tmp_path / "none")
    assert free_memory() > 0


@pytest.mark.filterwarnings("default:.*are longer than")
def test_folds_side_by_side_are_the_same(corpus, tiny, tmp_path, capfd):
    command = ["evaluate", str(corpus / "table.csv"), *tiny]
    # Recordings that are cut, of which each fold warns.
    command += ["--set", "extract__duration=1.0", "--set", "hop_duration=None"]
    said = {}
    for n_jobs in "12":
        out = tmp_path / f"out{n_jobs}.csv"
        assert main([*command, "--n-jobs", n_jobs, "-o", str(out)]) == 0
        captured = capfd.readouterr()
        said[n_jobs] = captured.out.replace(str(out), "OUT"), captured.err
        assert {path.name for path in tmp_path.glob(f"out{n_jobs}*")} == {out.name}
    assert (tmp_path / "out1.csv").read_bytes() == (tmp_path / "out2.csv").read_bytes()
    note = "2 folds at a time, each in a process of its own\n"
    assert said["2"][0] == note + said["1"][0]
    assert sorted(said["1"][1].splitlines()) == sorted(said["2"][1].splitlines())
    assert "longer than duration=1.0 s" in said["1"][1]


def test_an_error_in_a_fold_is_said_once(corpus, tiny, tmp_path, capfd):
    command = ["evaluate", str(corpus / "table.csv"), *tiny, "--n-jobs", "2"]
    diverging = ["--set", "classify__learning_rate=1e30", "--set", "classify__epochs=3"]
    assert main([*command, *diverging, "--set", "classify__schedule=None"]) == 1
    err = capfd.readouterr().err
    assert err.startswith("skemotion evaluate: error: training diverged")
    assert len(err.splitlines()) == 1
