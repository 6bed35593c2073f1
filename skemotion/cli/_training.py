"""What the commands that train have in common."""

import sys
from pathlib import Path

import joblib

from skemotion import make_emotion_pipeline
from skemotion._files import atomic_path
from skemotion.cli._terminal import on_terminal
from skemotion.networks import import_keras


def make_pipeline(options):
    """Build the pipeline that the options ask for, showing progress."""
    pipeline = make_emotion_pipeline(
        options.recipe,
        n_jobs=options.n_jobs,
        memory=options.cache,
        random_state=options.seed,
        verbose=int(on_terminal()),
    )
    return pipeline.set_params(**dict(options.settings))


def watch_training(pipeline, label="train"):
    """Show epochs as they end; `unwatch` before the pipeline is saved."""
    if on_terminal() and "classify__callbacks" in pipeline.get_params():
        epochs = pipeline["classify"].epochs

        def show(epoch, logs):
            line = f"\r{label}: epoch {epoch + 1}/{epochs}, loss {logs['loss']:.3f} "
            print(line, end="", file=sys.stderr, flush=True)

        callback = import_keras().callbacks.LambdaCallback(
            on_epoch_end=show, on_train_end=lambda logs: print(file=sys.stderr)
        )
        pipeline.set_params(classify__callbacks=callback)
    return pipeline


def save_pipeline(pipeline, path):
    """Write a pipeline, without what shows progress, to a file of joblib."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        joblib.dump(unwatch(pipeline), temporary)


def unwatch(pipeline):
    """Take what shows progress off a pipeline."""
    silent = {"classify__callbacks": None, "extract__verbose": 0}
    known = pipeline.get_params()
    return pipeline.set_params(**{key: silent[key] for key in silent if key in known})
