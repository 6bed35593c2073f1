"""The classifier for a network of one's own."""

import multiprocessing
import pickle
import sys
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if

from skemotion._typing import File, RandomState
from skemotion.classification import _docs
from skemotion.classification._base import BaseSequenceClassifier
from skemotion.networks import CustomNetwork, import_keras

if TYPE_CHECKING:
    from typing_extensions import Self

_N_PROBED = 8
_TOLERANCE = 1e-3


def _has_attention(classifier):
    """Tell whether there is attention, which is not known before `fit`."""
    return not hasattr(classifier, "estimator_") or classifier._network.has_attention()


@_docs.fill_in(
    training=_docs.TRAINING.format(attention=", and\n        so is their attention"),
    attributes=_docs.ATTRIBUTES,
)
class SequenceClassifier(BaseSequenceClassifier):
    """Classifier of sequences by a Keras network of one's own.

    All but the network is as in :class:`AttentionBLSTMClassifier`: labels of
    any type, early stopping on real recordings, class and sample weights,
    schedules, members, seeds, `warm_start`, `partial_fit` and joblib.

    Parameters
    ----------
    network : callable
        A function ``network(n_frames, n_features, n_classes)``, all int, that
        returns a functional or Sequential :class:`keras.Model`, not compiled,
        from sequences of shape (batch, n_frames, n_features) to probabilities
        of shape (batch, n_classes): its last layer is a softmax. Or an object
        that is called like one and has `get_params` and `set_params`, such as
        a :class:`~sklearn.base.BaseEstimator` with a method `__call__`, whose
        parameters are then reached as ``network__units`` in `set_params` and
        in grids. Padding comes as frames of zeros. A layer named "attention"
        that puts out (batch, n_frames) gives :meth:`attention`.

    <training>

    Attributes
    ----------
    <attributes>

    See Also
    --------
    AttentionBLSTMClassifier : The network of this package.

    Notes
    -----
    Functions are pickled by their name: for joblib to find one in another
    process, it must be defined at the top level of a module that can be
    imported there. A portable bundle (:func:`~skemotion.save_model`) holds no
    network but those of this package.

    Layers and initializers need no seed: they get theirs from `random_state`,
    unless `network` itself seeds the process. Each call makes its layers anew;
    only those that are not trainable, such as the lower part of a network
    trained elsewhere, may be shared by several calls.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import SequenceClassifier
    >>> def build_gru(n_frames, n_features, n_classes):
    ...     import keras
    ...
    ...     return keras.Sequential(
    ...         [
    ...             keras.Input((n_frames, n_features)),
    ...             keras.layers.GRU(8),
    ...             keras.layers.Dense(n_classes, activation="softmax"),
    ...         ]
    ...     )
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 10, 3))
    >>> y = np.where(X.mean(axis=(1, 2)) > 0, "happiness", "sadness")
    >>> classifier = SequenceClassifier(build_gru, epochs=3, random_state=0)
    >>> classifier.fit(X, y).predict_proba(X).shape
    (40, 2)
    """

    _parameter_constraints: dict = {
        "network": [callable],
        **BaseSequenceClassifier._parameter_constraints,
    }

    def __init__(
        self,
        network: Any,
        *,
        n_members: int = 1,
        label_smoothing: float = 0.0,
        optimizer: Any = "adam",
        learning_rate: Any = None,
        schedule: Literal["one_cycle", "cosine"] | None = None,
        batch_size: int = 32,
        epochs: int = 30,
        early_stopping: bool | Literal["auto"] = "auto",
        validation_fraction: float = 0.1,
        patience: int = 10,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        callbacks: Any = None,
        checkpoint: File | None = None,
        warm_start: bool = False,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        super().__init__(
            n_members=n_members,
            label_smoothing=label_smoothing,
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            batch_size=batch_size,
            epochs=epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            class_weight=class_weight,
            callbacks=callbacks,
            checkpoint=checkpoint,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.network = network

    @available_if(_has_attention)
    def attention(self, X: ArrayLike) -> NDArray:
        """Return what the layer named "attention" puts out.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples, n_frames), dtype float32
        """
        weights = self._run_attention(X)
        if weights.ndim == 3 and weights.shape[2] == 1:
            weights = weights[:, :, 0]
        expected = len(weights), self.n_frames_in_
        if weights.shape != expected:
            raise ValueError(
                "the layer named 'attention' must put out a weight for each frame, of "
                f"shape (batch, {self.n_frames_in_}); it puts out (batch, "
                f"{', '.join(map(str, weights.shape[1:]))}). Give it another name, or "
                "name the layer that holds the weights."
            )
        return weights

    def set_params(self, **params: Any) -> "Self":
        """Set parameters of the classifier, and of a network that has any.

        Parameters
        ----------
        **params : dict
            Values by name, such as ``epochs=5`` or ``network__units=16``.

        Returns
        -------
        self : SequenceClassifier
        """
        network = params.get("network", self.network)
        nested = [name for name in params if name.startswith("network__")]
        if nested and (isinstance(network, type) or not hasattr(network, "set_params")):
            kind = "class" if isinstance(network, type) else "plain function"
            raise ValueError(
                f"{', '.join(nested)} cannot be set, for network is a {kind} without "
                "parameters. Give an object with get_params and set_params, "
                "such as a BaseEstimator with a method __call__."
            )
        return super().set_params(**params)

    def _make_architecture(self, n_frames, n_features, n_classes):
        if isinstance(self.network, (type, import_keras().layers.Layer)):
            raise TypeError(
                f"network must be a function that builds a model, or an object that is "
                f"called like one; got {self.network!r}: of a class, give an instance, "
                "and of a model or a layer, a function that makes it anew."
            )
        return CustomNetwork(
            # A copy, which setting network__units afterwards does not change.
            clone(self.network, safe=False),
            int(n_frames),
            int(n_features),
            int(n_classes),
            int(self.n_members),
        )

    def _make_estimator(self, X, seed=0):
        estimator = super()._make_estimator(X, seed)
        rows = X[:_N_PROBED]
        probabilities = estimator.predict_proba(rows)
        low, high = probabilities.min(), probabilities.max()
        sums = probabilities.sum(axis=1)
        if low < 0 or high > 1 or not np.allclose(sums, 1, atol=_TOLERANCE):
            raise ValueError(
                "network must put out probabilities, between 0 and 1 with rows that "
                f"sum to 1: before training, its outputs lie between {low:.3g} and "
                f"{high:.3g}, and rows sum to {sums.min():.3g} to {sums.max():.3g}. "
                "End in a Dense layer with activation='softmax'."
            )
        return estimator

    def __getstate__(self):
        # The estimator first, which says why where its network cannot be pickled.
        state = super().__getstate__()
        return {name: state[name] for name in sorted(state, key="estimator_".__ne__)}

    def __reduce__(self):
        network = self.network
        named = network if hasattr(network, "__qualname__") else type(network)
        names = getattr(named, "__module__", ""), getattr(named, "__qualname__", "")
        return _begin, (type(self), *names), self.__getstate__()

    def _default_parameters(self):
        return type(self)(None).get_params(deep=False)


def _begin(cls, module, name):
    """Make an empty classifier, if its network will be found in this process.

    joblib's workers are sent what a script defines along with its name.
    """
    is_worker = multiprocessing.parent_process() is not None
    of_a_script = module == "__main__" and name.isidentifier()
    if of_a_script and not is_worker and not hasattr(sys.modules["__main__"], name):
        raise pickle.UnpicklingError(
            f"network was {name!r} of a script, which this process does not have: "
            "define it at the top level of a module that can be imported in both, "
            "fit there, and dump again."
        )
    return cls.__new__(cls)
