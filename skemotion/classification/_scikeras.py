"""A network in the wrapper of scikeras; the only module that imports it."""

import numpy as np

from skemotion._version import __version__
from skemotion.networks import Network, import_keras

import_keras()  # before scikeras does, which would let TensorFlow write its notes

from scikeras.wrappers import KerasClassifier  # noqa: E402 - after import_keras, which is silent


class NetworkClassifier(KerasClassifier):
    """scikeras' classifier, which trains a :class:`~skemotion.networks.Network`.

    Its labels are integers. Whatever scikeras offers goes through the network:
    `fit` and `partial_fit` as well as `predict`, `predict_proba` and `score`.
    """

    def _build_keras_model(self):
        self.network_ = Network(
            self.model__architecture,
            self.model__optimizer,
            self.model__label_smoothing,
            seed=self.model__seed,
        )
        return self.network_.model

    def _fit_keras_model(
        self, X, y, sample_weight, warm_start, epochs, initial_epoch, **options
    ):
        options = {"batch_size": self.batch_size, "seed": 0} | options
        history = self.network_.train(
            X, np.ravel(y), sample_weight, epochs=epochs, **options
        )
        self.history_ = {
            name: [float(value) for value in values] for name, values in history.items()
        }
        self.classes_ = np.arange(self.network_.architecture.n_classes)

    def predict_proba(self, X, **options):
        # scikeras' own turns the one row of a single sequence into a vector.
        return self._predict_raw(X, **options)

    def _predict_raw(self, X, **options):
        X, _ = self._validate_data(np.asarray(X, dtype=np.float32))
        return self.network_.run(X, **{"batch_size": self.batch_size} | options)

    def __getstate__(self):
        if not hasattr(self, "network_"):  # a clone
            return super().__getstate__()
        # As arrays, since pickles of Keras and scikeras are bound to a version.
        return {
            "architecture": self.model__architecture,
            "optimizer": self.model__optimizer,
            "label_smoothing": self.model__label_smoothing,
            "batch_size": self.batch_size,
            "history": self.history_,
            "versions": _versions(),
            **self.network_.get_state(),
        }

    def __setstate__(self, state):
        if "architecture" not in state:
            super().__setstate__(state)
            return
        names = "architecture", "optimizer", "label_smoothing", "batch_size"
        try:
            made = make_estimator(*(state[name] for name in names))
            self.__dict__.update(made.__dict__)
            self.network_.set_state(state)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"a classifier pickled under {state['versions']} cannot be loaded "
                f"under {_versions()}: {error}. Load it there, and carry it over by "
                "skemotion.save_model."
            ) from error
        self.history_ = state["history"]

    def become_initialized(self):
        """Build the network, and know all classes, seen in y or not."""
        architecture = self.model__architecture
        codes = np.arange(architecture.n_classes)
        shape = len(codes), architecture.n_frames, architecture.n_features
        self.initialize(np.zeros(shape, dtype=np.float32), codes)
        self.classes_, self.history_ = codes, {}
        return self


def make_estimator(architecture, optimizer, label_smoothing, batch_size, *, seed=0):
    """Wrap a network that is not trained yet.

    Parameters
    ----------
    architecture, optimizer, label_smoothing, seed
        As :class:`~skemotion.networks.Network` takes them.
    batch_size : int
        Sequences in a step, and in prediction.

    Returns
    -------
    NetworkClassifier
    """
    return NetworkClassifier(
        model=Network,
        warm_start=True,  # so that fit trains what is there
        batch_size=batch_size,
        verbose=0,
        model__architecture=architecture,
        model__optimizer=optimizer,
        model__label_smoothing=label_smoothing,
        model__seed=seed,
    ).become_initialized()


def _versions():
    keras = import_keras()
    policy = keras.config.dtype_policy().name
    return f"skemotion {__version__} and Keras {keras.__version__} ({policy})"
