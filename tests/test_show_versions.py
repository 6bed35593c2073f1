"""What a report of a bug has to tell."""

import sys
from importlib.metadata import version

import skemotion


def test_system_packages_and_threads(capsys):
    assert skemotion.show_versions() is None
    output = capsys.readouterr().out
    lines = [line.strip() for line in output.splitlines()]
    assert f"executable: {sys.executable}" in lines
    assert f"skemotion: {version('skemotion')}" in lines
    for name in ("tensorflow", "keras", "scikeras", "librosa", "scikit-learn"):
        assert f"{name}: {version(name)}" in lines
    assert "num_threads: " in output


def test_missing_packages_are_none(capsys, monkeypatch):
    monkeypatch.setattr("skemotion._show_versions._PACKAGES", ["no-such-package"])
    skemotion.show_versions()
    assert "no-such-package: None" in capsys.readouterr().out
