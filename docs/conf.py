"""Sphinx configuration."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from inventories import make_mapping

import skemotion

# The gallery runs on synthetic speech, wherever it is built; .ci/gallery runs it on
# EMO-DB.
os.environ.pop("SKEMOTION_EMODB", None)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

project = "skemotion"
author = "skemotion developers"
copyright = "2026, skemotion developers"
release = version = skemotion.__version__

extensions = [
    "command_line",
    "mathml",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
nitpicky = True
default_role = "literal"  # as in docstrings of scikit-learn
smartquotes_action = "qe"  # options keep their two dashes
# numpydoc refers to it, and scikit-learn documents it.
nitpick_ignore = [("py:obj", "n_features_in_")]

autodoc_typehints = "none"
autosummary_generate = True
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"

intersphinx_mapping = make_mapping(HERE / "_inventories", HERE / "_build/inventories")

# Prompts and outputs are not copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "gallery_order.ByList",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skemotion",),
    "reference_url": {"skemotion": None},
    "reset_modules": ("matplotlib", "gallery_order.set_style"),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "capture_repr": ("_repr_html_",),
    "default_thumb_file": str(HERE / "_static/recording.png"),
    "remove_config_comments": True,
    "show_signature": False,
    "write_computation_times": False,  # its page asks a server for scripts
    "min_reported_time": 600,
    "plot_gallery": os.environ.get("SKEMOTION_DOCS_GALLERY", "1") != "0",
}

html_theme = "pydata_sphinx_theme"
html_title = "skemotion"
html_static_path = ["_static"]
html_css_files = ["skemotion.css"]
html_theme_options = {
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "logo": {"text": "skemotion"},
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_show_sourcelink = False
# Pages without pages below them have nothing to show there.
html_sidebars = {"index": [], "evaluation": []}


def skip_members_of_others(app, what, name, obj, skip, options):
    """Leave out what scikit-learn, imbalanced-learn and Python document."""
    module = getattr(getattr(obj, "fget", obj), "__module__", None) or ""
    return skip or not module.startswith("skemotion")


def setup(app):
    app.connect("autodoc-skip-member", skip_members_of_others)
