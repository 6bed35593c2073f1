"""The script that breaks the package on purpose: what it leaves out, and where."""

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = '''"""Words."""
import numpy as np


def sort(values: list | None = None, *, by=1) -> list | None:
    """Sort values by something."""
    if by < 0:
        raise ValueError(f"by is {by + 1}")
    values = list(values)
    values.sort(key=abs, reverse=True)
    return {"values": values, "n": len(values)}
'''


def test_what_is_left_out(benchmark):
    mutations = benchmark("_mutations")
    left_out = {change(SOURCE) for *_, change in mutations._left_out(ast.parse(SOURCE))}
    assert left_out == {
        SOURCE.replace("values = list(values)", "pass"),
        SOURCE.replace("values.sort(key=abs, reverse=True)", "pass"),
        SOURCE.replace("key=abs,", ""),
        SOURCE.replace("reverse=True", ""),
        SOURCE.replace('"values": values,', ""),
        SOURCE.replace('"n": len(values)', ""),
    }
    assert all(map(mutations.is_code, left_out))
    assert not mutations.is_code("f(,)")
    assert not mutations.is_code(None)


def test_annotations_and_words_of_errors_are_left_alone(benchmark):
    pytest.importorskip("cosmic_ray")
    lines = [
        position.line
        for position in benchmark("_mutations").find_positions(SOURCE)
        if position.kind == "ReplaceBinaryOperator"
    ]
    assert lines == []


def test_every_module_has_tests_that_are_there(benchmark):
    tests_of = benchmark("_mutant_tests").tests_of
    for package in benchmark("mutants").PACKAGES:
        modules = sorted((ROOT / "skemotion" / package).glob("*.py"))
        assert modules
        for module in modules:
            stages = tests_of(module.relative_to(ROOT).as_posix())
            files = [file for stage in stages for file in stage]
            assert files
            assert all((ROOT / file).is_file() for file in files)


def test_what_was_judged_is_a_mutant_of_what_is_there(benchmark):
    judged = benchmark("mutants").JUDGED.read_text("utf-8")
    for name, reason in json.loads(judged).items():
        module, _, change = name.partition(": ")
        before, _, after = change.partition(" -> ")
        source = (ROOT / module.partition(":")[0]).read_text("utf-8")
        assert " ".join(before.split()) in " ".join(source.split())
        assert before != after
        assert reason
