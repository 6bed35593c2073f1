"""What the commands that train have in common."""

import sys
from pathlib import Path

import joblib

from skemotion import make_emotion_pipeline
from skemotion._files import atomic_path
from skemotion.cli._checks import check_folder
from skemotion.cli._model_files import is_bundle_name
from skemotion.cli._settings import set_parameters
from skemotion.cli._terminal import is_verbose, shows_progress
from skemotion.networks import import_keras


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
    if is_bundle_name(path):
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
