"""The versions of ``.ci/newest.txt`` are those of all dependencies, within bounds."""

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LOCK = ROOT / ".ci" / "newest.txt"

pytestmark = [
    pytest.mark.skipif(sys.version_info < (3, 11), reason="reads TOML by tomllib"),
    pytest.mark.skipif(not LOCK.exists(), reason="no repository"),
]


@pytest.fixture(scope="module")
def lines():
    text = LOCK.read_text(encoding="utf-8").splitlines()
    return [line for line in text if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def locked(lines):
    pairs = [line.split("==") for line in lines]
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.fixture(scope="module")
def required():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [
        Requirement(text)
        for group in [project["dependencies"], *extras]
        for text in group
    ]


def test_versions_are_pinned_and_from_no_other_place(lines, locked):
    """No address, path or option, which would bind the lock to a machine."""
    assert all(
        re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines
    )
    assert len(locked) == len(lines)
    assert "skemotion" not in locked


def test_every_dependency_is_locked_within_its_bounds(required, locked):
    assert len(required) > 20
    for requirement in required:
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {LOCK.name}"
        assert requirement.specifier.contains(version, prereleases=True), (
            f"{requirement} does not admit {version}"
        )


def test_oldest_versions_are_the_lowest_bounds():
    """``.ci/oldest.txt`` tries just what pyproject.toml promises."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    bounds = {
        canonicalize_name(name): version
        for name, version in (text.split(">=") for text in needed)
    }
    text = (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8")
    pairs = re.findall(r"^([\w.-]+)==(\S+)$", text.partition("\n\n")[0], re.MULTILINE)
    oldest = {canonicalize_name(name): version for name, version in pairs}
    assert {name: Version(each) for name, each in oldest.items()} == {
        name: Version(each) for name, each in bounds.items()
    }
