"""What docstrings say of parameters is what signatures have."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

API = Path(__file__).parents[1] / "docs" / "api.rst"
_PARAMETERS = re.compile(
    r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n--|\Z)", re.MULTILINE | re.DOTALL
)
_ENTRY = re.compile(r"^([*\w][*\w, ]*?) : (.*)$", re.MULTILINE)
_DEFAULT = re.compile(r"default=(.*)$")
_STARS = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def find_public():
    """Return all classes and functions that the page of the API lists, by name."""
    listed = re.findall(r"^ {4}([\w.]+)$", API.read_text("utf-8"), re.MULTILINE)
    found = {}
    for name in listed:
        module, _, last = f"skemotion.{name}".rpartition(".")
        thing = getattr(importlib.import_module(module), last, None)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            found[name] = thing
    return found


PUBLIC = find_public()
METHODS = {
    f"{name}.{method}": getattr(thing, method)
    for name, thing in PUBLIC.items()
    if inspect.isclass(thing)
    for method, made in vars(thing).items()
    if not method.startswith("_")
    if isinstance(made, (classmethod, staticmethod)) or inspect.isfunction(made)
}
ALL = PUBLIC | METHODS


def documented(thing):
    """Return what a docstring says of each parameter, by its name."""
    section = _PARAMETERS.search(inspect.cleandoc(thing.__doc__))
    entries = _ENTRY.findall(section[1]) if section else []
    return {name: said for names, said in entries for name in names.split(", ")}


def parameters_of(thing):
    """Return the default of each parameter, by its name."""
    try:
        parameters = inspect.signature(thing).parameters
    except ValueError:  # of exceptions without parameters of their own
        return {}
    return {
        _STARS.get(parameter.kind, "") + name: parameter.default
        for name, parameter in parameters.items()
        if name != "self"
    }


def is_default(said, default):
    if callable(default):
        return said == default.__name__
    if repr(default) == "<factory>":  # of a data class, which makes one each time
        return said in ("{}", "[]")
    try:
        return ast.literal_eval(said) == default
    except (ValueError, SyntaxError):
        return said == repr(default)


@pytest.mark.parametrize("name", ALL)
def test_parameters_are_documented_with_their_defaults(name):
    found, expected = documented(ALL[name]), parameters_of(ALL[name])
    assert list(found) == list(expected)
    for parameter, default in expected.items():
        said = _DEFAULT.search(found[parameter])
        if said is not None:
            assert is_default(said[1], default), f"{parameter}: {said[1]}"
        elif found[parameter] != "ignored":
            assert default is inspect.Parameter.empty, f"{parameter}: {default}"


@pytest.mark.parametrize("name", PUBLIC)
def test_all_that_is_public_has_an_example(name):
    assert ">>> " in PUBLIC[name].__doc__
