"""What the commands that train have in common."""

import shlex
import sys
from ast import literal_eval
from difflib import get_close_matches
from pathlib import Path

import joblib

from skemotion import make_emotion_pipeline
from skemotion._files import atomic_path
from skemotion.cli._checks import check_folder
from skemotion.cli._options import RECIPE
from skemotion.cli._terminal import is_verbose, shows_progress
from skemotion.networks import import_keras

BUNDLE = ".skemotion"


def make_pipeline(options):
    """Build the pipeline that the options ask for, showing progress."""
    if options.cache:
        check_folder(options.cache)
    pipeline = make_emotion_pipeline(
        options.recipe,
        n_jobs=options.n_jobs,
        memory=options.cache,
        random_state=options.seed,
        verbose=int(shows_progress()),
    )
    return set_parameters(pipeline, options.settings)


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
    words = [] if options.recipe == RECIPE else ["--recipe", options.recipe]
    for name, value in options.settings:
        words += ["--set", f"{name}={_as_text(value)}"]
    for label, emotion in options.label_map:
        words += ["--map", f"{label}={emotion}"]
    if options.seed:
        words += ["--seed", str(options.seed)]
    if options.n_jobs != 1:
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


def watch_training(pipeline, label="train"):
    """Show epochs as they end; `unwatch` before the pipeline is saved."""
    if not (shows_progress() or is_verbose()):
        return pipeline
    if "classify__callbacks" not in pipeline.get_params():
        return pipeline
    epochs = pipeline["classify"].epochs

    def show(epoch, logs):
        state = f"{label}: epoch {epoch + 1} of {epochs}, loss {logs['loss']:.3f}"
        if is_verbose():
            print(f"skemotion: {state}", file=sys.stderr, flush=True)
        else:
            print(f"\r{state} ", end="", file=sys.stderr, flush=True)

    def end(logs):
        if not is_verbose():
            print(file=sys.stderr)

    callback = import_keras().callbacks.LambdaCallback(
        on_epoch_end=show, on_train_end=end
    )
    return pipeline.set_params(classify__callbacks=callback)


def save_pipeline(pipeline, path):
    """Write a pipeline, without what shows progress, to a bundle or a joblib file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unwatch(pipeline)
    if path.suffix == BUNDLE:
        from skemotion.persistence import save_model

        save_model(pipeline, path)
        return
    with atomic_path(path) as temporary:
        joblib.dump(pipeline, temporary)


def unwatch(pipeline):
    """Take what shows progress off a pipeline."""
    silent = {"classify__callbacks": None, "extract__verbose": 0}
    known = pipeline.get_params()
    return pipeline.set_params(**{key: silent[key] for key in silent if key in known})
