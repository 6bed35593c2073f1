"""What --set says, set in an estimator, and said again."""

import shlex
from ast import literal_eval
from difflib import get_close_matches

from skemotion.pipeline._recipe_table import DEFAULT_RECIPE


def set_parameters(estimator, settings):
    """Set what --set names, or say what comes near it."""
    known = estimator.get_params()
    for name, value in settings:
        if name not in known:
            raise ValueError(f"--set {name}={value}: {_nearest(name, known)}")
    # What is left out is left out first.
    for name, value in sorted(settings, key=lambda pair: pair[0].count("__")):
        try:
            estimator.set_params(**{name: value})
        except (AttributeError, TypeError, ValueError) as error:
            step = name.partition("__")[0]
            if name == step or hasattr(estimator.get_params().get(step), "get_params"):
                raise
            raise ValueError(
                f"--set {name}={value}: {step} is left out, so that it has no "
                "parameters."
            ) from error
    return estimator


def _nearest(name, known):
    near = get_close_matches(name, known, 3, 0.85)
    if near:
        return f"there is no such parameter. Near it are {', '.join(near)}."
    step, _, _ = name.partition("__")
    inside = sorted(each for each in known if each.startswith(f"{step}__"))
    listed = inside or sorted(each for each in known if "__" not in each)
    what = f"Those of {step}" if inside else "What can be set"
    return f"there is no such parameter. {what} are {', '.join(listed)}."


def training_words(options):
    """Return the options that make the same pipeline, as words of a shell."""
    words = [] if options.recipe == DEFAULT_RECIPE else ["--recipe", options.recipe]
    for name, value in options.settings:
        words += ["--set", f"{name}={_as_text(value)}"]
    for label, emotion in options.label_map:
        words += ["--map", f"{label}={emotion}"]
    if options.seed:
        words += ["--seed", str(options.seed)]
    if options.n_jobs not in (None, 1):
        words += ["--n-jobs", str(options.n_jobs)]
    if options.cache:
        words += ["--cache", options.cache]
    return shlex.join(words)


def _as_text(value):
    if not isinstance(value, str):
        return repr(value)
    try:
        literal_eval(value)
    except (SyntaxError, ValueError):
        return value
    return repr(value)
