"""Networks in the wrapper of scikeras; the only module that imports it."""

import contextlib

import numpy as np

from skemotion._version import __version__
from skemotion.networks import (
    build_compiled_blstm,
    build_trainer,
    import_keras,
    seeded,
    trained_twin,
)


def make_estimator(settings):
    """Build a scikeras estimator that knows all classes, seen in y or not."""
    from scikeras.wrappers import KerasClassifier

    estimator = KerasClassifier(
        model=build_compiled_blstm,
        predict__verbose=0,
        warm_start=True,
        model__network=settings["network"],
        model__optimizer=settings["optimizer"],
        model__label_smoothing=settings.get("label_smoothing", 0.0),
    )
    network = settings["network"]
    codes = np.arange(network["n_classes"])
    rows = np.zeros((len(codes), network["n_frames"], network["n_features"]), "f")
    return estimator.initialize(rows, codes)


@contextlib.contextmanager
def ready_to_train(estimator, training):
    """Lend an estimator a traced network, and what only its training needs."""
    network = estimator.model_
    try:
        with trained_twin(network, build_trainer, settings_of(estimator)) as twin:
            estimator.model_ = twin
            estimator.set_params(**training)
            estimator._initialize_callbacks()
            yield
    finally:
        # Callbacks hold on to the training; the fitted estimator must not.
        estimator.model_ = network
        estimator.set_params(callbacks=None)
        estimator._initialize_callbacks()


def settings_of(estimator):
    """Return what the network of a scikeras estimator was built from."""
    parameters = estimator.get_params(deep=False)
    names = ("network", "optimizer", "label_smoothing")
    return {name: parameters[f"model__{name}"] for name in names}


def dump_estimator(estimator):
    """Turn a fitted scikeras estimator into plain arrays and settings."""
    model = estimator.model_
    return {
        "settings": settings_of(estimator),
        "variables": [variable.numpy() for variable in model.variables],
        "optimizer_variables": [
            variable.numpy() for variable in model.optimizer.variables
        ],
        "versions": _versions(),
    }


def load_estimator(state):
    """Undo :func:`dump_estimator`, or say where that would succeed."""
    import_keras()
    try:
        with seeded(0):
            estimator = make_estimator(state["settings"])
        model = estimator.model_
        _assign(model.variables, state["variables"])
        _assign(model.optimizer.variables, state["optimizer_variables"])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"a classifier pickled under {state['versions']} cannot be loaded under "
            f"{_versions()}: {error}. Load it there, and carry it over by "
            "skemotion.save_model."
        ) from error
    return estimator


def _assign(variables, values):
    found, expected = (
        [tuple(one.shape) for one in many] for many in (values, variables)
    )
    if found != expected:
        raise ValueError(f"its arrays have shapes {found} where {expected} are needed")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _versions():
    keras = import_keras()
    return f"skemotion {__version__} and Keras {keras.__version__}"
