"""Results of benchmarks say what they were made with, and are never mixed."""

import json
from argparse import Namespace

import numpy as np
import pytest

RUN = {"protocol": "loso", "recipe": "recommended", "model": "attention"}
EXTENDED = {"post", "extended"}


@pytest.fixture
def benchmark(benchmark, monkeypatch, tmp_path):
    """A function that imports a benchmark, whose results are in `tmp_path`."""
    runs = benchmark("_runs")
    monkeypatch.setattr(runs, "RESULTS", tmp_path)
    runs.summarise.cache_clear()
    yield benchmark
    runs.summarise.cache_clear()


@pytest.fixture
def revisions(benchmark):
    return benchmark("_revisions")


@pytest.mark.parametrize(
    ("protocol", "recipe", "model", "parts"),
    [
        (
            "loso",
            "recommended",
            "attention",
            {"network", "copies", "encoder", "novelty"},
        ),
        ("loso", "recommended", "svm", {"copies", "encoder"}),
        ("loso", "recommended", "lda", {"encoder"}),
        ("loso", "descriptors", "attention", {"network", "copies", *EXTENDED}),
        ("loso", "descriptors", "vote", {"network", "copies", *EXTENDED}),
        ("loso", "descriptors", "svm", {"copies", *EXTENDED}),
        ("loso", "descriptors", "lda", EXTENDED),
        ("loso-speaker", "descriptors", "attention", {"network", "copies", *EXTENDED}),
        ("loso-speaker", "recommended", "svm", {"copies", "encoder"}),
        ("loso-speaker", "without-copies", "svm", EXTENDED),
        ("loso", "without-copies-longer", "blstm", {"network", *EXTENDED}),
        ("loso", "with-post-descriptors", "attention", {"network", "copies", "post"}),
        ("loso", "with-post-descriptors+without-copies", "lda", {"post"}),
    ],
)
def test_parts_of_a_run(revisions, protocol, recipe, model, parts):
    found = revisions.current_revision(protocol, recipe, model)
    # There, what is classified was extracted before.
    common = {"padding"} if protocol == "loso-speaker" else {"padding", "windows"}
    assert {part.split()[0] for part in found} == parts | common


def test_others_use_none_of_our_parts(revisions):
    assert revisions.current_revision("loso", "opensmile-compare", "svm") == {}
    post = revisions.current_revision("post", "post", "attention")
    assert set(post) == {"network", "post descriptors"}


def test_stale_by_any_part(revisions):
    current = revisions.current_revision(*RUN.values())
    assert revisions.find_outdated({**RUN, "revision": current}) == []
    for part in current:
        older = {**current, part: current[part] - 1}
        assert revisions.find_outdated({**RUN, "revision": older}) == [part]
    # A file that names no versions is of the first.
    assert "network" in revisions.find_outdated(RUN)


def test_openSMILE_agrees_with_all_and_the_stale_not_with_the_current(revisions):
    current = {**RUN, "revision": revisions.current_revision(*RUN.values())}
    other = {"protocol": "loso", "recipe": "opensmile-compare", "model": "svm"}
    assert revisions.agree(RUN, other)
    assert revisions.agree(current, other)
    assert revisions.agree(RUN, RUN)
    assert not revisions.agree(RUN, current)


def test_stale_runs_are_not_taken(benchmark, revisions, tmp_path):
    runs = benchmark("_runs")
    path = tmp_path / "run.json"
    assert runs.load_current(path) is None
    path.write_text(json.dumps(RUN))
    assert runs.load_current(path) is None
    described = runs.describe(Namespace(**RUN), RUN["model"], 0)
    runs.write(path, described)
    assert runs.load_current(path) == described


def test_names_of_parts_of_runs_follow_versions(benchmark, revisions, monkeypatch):
    runs, args = benchmark("_runs"), Namespace(**RUN)
    before = runs.name_revision(args, "attention")
    of_lda = runs.name_revision(args, "lda")
    monkeypatch.setitem(revisions.CURRENT, "network", 99)
    revisions.current_revision.cache_clear()
    try:
        assert runs.name_revision(args, "attention") != before
        assert runs.name_revision(args, "lda") == of_lda
    finally:
        revisions.current_revision.cache_clear()


def store(runs, seed, right, revision=None, **changes):
    """Keep a run in which `right` of four recordings are told right."""
    names = [f"{speaker}a{number}.wav" for speaker in ("03", "08") for number in "12"]
    fold = {
        "classes": ["anger", "fear"],
        "recordings": names,
        "y_true": ["anger", "fear"] * 2,
        "probabilities": [[1, 0], [0, 1], [1, 0], [0, 1]][:right]
        + [[0, 1], [1, 0], [0, 1], [1, 0]][right:],
        "epochs": 1,
        "best_epoch": 1,
        "seconds": 1,
    }
    run = {**RUN, **changes, "seed": seed, "folds": [fold]}
    if revision is not None:
        run["revision"] = revision
    args = Namespace(**{**RUN, **changes})
    runs.write(runs.run_path(args, args.model, seed), run)


def test_rows_never_mix_versions(benchmark, revisions):
    runs, current = benchmark("_runs"), revisions.current_revision(*RUN.values())
    store(runs, 0, right=4)
    store(runs, 1, right=2)
    (row,) = runs.markdown_table().splitlines()[2:3]
    assert row.startswith("| loso | recommended (stale) | attention | 2 | 0.750 (0.500")
    assert "emodb.py` makes them again" in runs.markdown_table()

    runs.summarise.cache_clear()
    store(runs, 0, right=3, revision=current)
    rows = runs.markdown_table().splitlines()
    assert len(rows) == 3
    assert rows[2].startswith("| loso | recommended | attention | 1 | 0.750 |")


def test_comparisons_never_mix_versions(benchmark, revisions):
    runs, ablations = benchmark("_runs"), benchmark("ablations")
    for seed in (0, 1):
        store(runs, seed, right=4)
        store(runs, seed, right=2, model="blstm")
    (row,) = ablations.markdown_table().splitlines()[2:3]
    assert row.startswith(
        "| loso | recommended (stale) | blstm | recommended | 2 | -50"
    )

    store(runs, 0, 4, revision=revisions.current_revision(*RUN.values()))
    (row,) = ablations.markdown_table().splitlines()[2:3]
    assert row.startswith(
        "| loso | recommended (stale) | blstm | recommended | 1 | -50"
    )

    store(runs, 1, 4, revision=revisions.current_revision(*RUN.values()))
    (row,) = ablations.markdown_table().splitlines()[2:]
    assert "| 0 | of several versions | not compared |" in row


def test_curves_of_adaptation(benchmark):
    adaptation = benchmark("adaptation")
    assert adaptation._draw(9, "all", 1).tolist() == list(range(9))
    assert len(set(adaptation._draw(99, 20, 1))) == 20
    assert not (adaptation._draw(99, 20, 1) == adaptation._draw(99, 20, 2)).all()
    curves = {
        "clean": {"0": [0.5], "5": [0.4, 0.6]},
        "noise": {"0": [0.2], "5": [0.3, 0.5]},
        "room": {"0": [0.4], "5": [0.5, 0.5]},
    }
    found = {"revision": {"padding": 1}, "scores": {"scalers": curves}}
    table = adaptation.markdown_table({"descriptors svm pairs": found})
    assert "(stale), scalers | clean | 50.0 | 50.0 |" not in table
    assert "scalers (stale) | room | 40.0 | 50.0 |" in table
    assert "mean of the degraded | 30.0 | 45.0 |" in table
    assert "earlier versions of: padding" in table


def test_weights_that_ship_are_rounded(benchmark):
    """To seven bits behind the point; what is added stays as it is."""
    shorten = benchmark("train_pretrained").shorten
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(40, 50)) * 10.0 ** rng.uniform(-3, 3, (40, 50))
    matrix = matrix.astype(np.float16)
    rounded = shorten(matrix)
    assert rounded.dtype == np.float16
    error = np.abs(rounded.astype(np.float64) - matrix)
    smallest = 2.0**-14  # which have all bits
    relative = error / np.maximum(np.abs(matrix), smallest)
    assert 2**-9 < relative.max() <= 2**-8
    np.testing.assert_array_equal(shorten(rounded), rounded)
    assert not (rounded.view(np.uint16) & 0b111).any()
    np.testing.assert_array_equal(shorten(matrix.astype(np.float32)), rounded)
    for kept in (matrix[0], np.resize(matrix, (1500, 50))):
        np.testing.assert_array_equal(shorten(kept), kept, strict=True)
