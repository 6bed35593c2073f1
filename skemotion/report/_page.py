"""The page, from a template in which nothing that is filled in can be code."""

import base64
import hashlib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from skemotion._version import __version__


def render_page(**content: Any) -> bytes:
    """Fill the template.

    Parameters
    ----------
    **content
        What the template names.

    Returns
    -------
    bytes
        HTML in UTF-8. What cannot be encoded, as the undecodable bytes in a
        file's name, is a question mark.
    """
    from markupsafe import Markup

    script = _read("page.js")
    page = load_engine().get_template("page.html.j2")
    text = page.render(
        **content,
        style=Markup(_read("page.css")),
        script=Markup(script),
        # Scripts and handlers other than this one are not run, wherever they are.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        version=__version__,
        today=date.today().isoformat(),
    )
    return text.encode(errors="replace")


@cache
def load_engine() -> Any:
    """Return the environment of templates, which escapes all that is filled in.

    Raises
    ------
    ImportError
        If Jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as error:
        raise ImportError(
            'A report needs Jinja2: pip install "skemotion[report]".'
        ) from error
    engine = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters |= {"duration": _say_duration, "score": _say_score}
    return engine


def _read(name):
    return (files("skemotion.report") / "templates" / name).read_text(encoding="utf-8")


def _say_duration(seconds):
    return _in_units(seconds).replace(" ", "\N{NO-BREAK SPACE}")


def _in_units(seconds):
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def _say_score(value):
    return f"{value:.3f}"
