"""Sphinx configuration."""

import skemotion

project = "skemotion"
author = "skemotion developers"
copyright = "2026, skemotion developers"
release = version = skemotion.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
]
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
autodoc_typehints = "none"
# Docstrings that come from scikit-learn refer to its glossary.
suppress_warnings = ["ref.term"]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = "skemotion"
html_theme_options = {"show_toc_level": 2, "navbar_align": "left"}


def skip_members_of_others(app, what, name, obj, skip, options):
    """Leave out what scikit-learn, imbalanced-learn and Python document."""
    module = getattr(getattr(obj, "fget", obj), "__module__", None) or ""
    return skip or not module.startswith("skemotion")


def setup(app):
    app.connect("autodoc-skip-member", skip_members_of_others)
