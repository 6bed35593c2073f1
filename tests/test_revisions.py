"""Numbers of recorded results do not change unless their version does.

The versions are those of ``benchmarks/_revisions.py``, by which results are stale.
"""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("part", ["copies", "training"])
def test_numbers_are_those_of_their_version(part, monkeypatch):
    monkeypatch.syspath_prepend(DATA)
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    make_revisions = importlib.import_module("make_revisions")
    current = importlib.import_module("_revisions").CURRENT
    frozen = json.loads((DATA / "revisions.json").read_text())[part]
    assert frozen["version"] == current[part], "run tests/data/make_revisions.py"
    np.testing.assert_allclose(
        make_revisions.PARTS[part](),
        frozen["numbers"],
        rtol=1e-4,
        atol=1e-4,
        err_msg="recorded results are stale: give the part another version in "
        "benchmarks/_revisions.py, and run tests/data/make_revisions.py",
    )
