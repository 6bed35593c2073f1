"""Training and prediction by scikeras; the only module that imports it."""

import copy
import pickle
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
)

from skemotion._validation import draw_seed, validate_sequences
from skemotion.classification._seeding import seeded
from skemotion.model_selection import stratified_validation_split
from skemotion.networks import build_blstm, import_keras, without_retracing_log


class BaseBLSTMClassifier(ClassifierMixin, BaseEstimator):
    """What the classifiers with and without attention share.

    Warning: not to be used directly.
    """

    _attention: bool

    _parameter_constraints: dict = {
        "units": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "mask_padding": ["boolean"],
        "optimizer": [str, HasMethods("get_config")],
        "learning_rate": [
            Interval(Real, 0, None, closed="neither"),
            HasMethods("get_config"),
            None,
        ],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "patience": [Interval(Integral, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "callbacks": [list, tuple, HasMethods("on_epoch_end"), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        units=256,
        *,
        dropout=0.0,
        mask_padding=False,
        optimizer="adam",
        learning_rate=None,
        batch_size=32,
        epochs=30,
        early_stopping="auto",
        validation_fraction=0.1,
        patience=10,
        class_weight=None,
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        self.units = units
        self.dropout = dropout
        self.mask_padding = mask_padding
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences. Two dimensions are read as one feature per frame.
        y : array-like of shape (n_samples,)
            Class labels, of any type that scikit-learn takes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence in the loss, multiplied with
            `class_weight`.
        X_val : array-like of shape (n_val, n_frames, n_features), default=None
            Sequences that decide when training stops, instead of a fraction
            of X.
        y_val : array-like of shape (n_val,), default=None
            Their labels, each of which must be in y.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        self._validate_params()
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        seed = draw_seed(self.random_state)
        sequences, labels = validate_sequences(self, X, y, reset=True)
        check_classification_targets(labels)
        self.n_frames_in_ = sequences.shape[1]
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                "y holds the one class "
                f"{self.classes_[0]!r}; a classifier needs at least two classes."
            )
        weights = self._training_weights(sequences, labels, sample_weight)
        validation = self._check_validation(X_val, y_val)
        if validation is None and self.early_stopping is True:
            train, held_out = stratified_validation_split(
                codes, self.validation_fraction, random_state=seed
            )
            validation = _as_sequences(sequences[held_out]), codes[held_out]
            sequences, codes = sequences[train], codes[train]
            weights = None if weights is None else weights[train]
        self._train(_as_sequences(sequences), codes, weights, validation, seed)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), dtype float32
            In the order of ``classes_``; rows sum to 1.
        """
        sequences = self._check_X(X)
        with without_retracing_log():
            probabilities = self.estimator_.predict_proba(sequences)
        # scikeras drops the first dimension of a single row.
        return probabilities.reshape(len(sequences), -1)

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels of the type that `fit` was given.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    @property
    def model_(self):
        """The fitted :class:`keras.Model`."""
        check_is_fitted(self)
        return self.estimator_.model_

    def _check_X(self, X):
        check_is_fitted(self)
        X = validate_sequences(self, X, reset=False)
        if X.shape[1] != self.n_frames_in_:
            raise ValueError(
                f"X has {X.shape[1]} frames, but {type(self).__name__} was fitted on "
                f"{self.n_frames_in_}; extract all recordings with the same duration "
                "and hop_length."
            )
        return _as_sequences(X)

    def _training_weights(self, X, y, sample_weight):
        """Combine sample and class weights, or return None where there are none."""
        if sample_weight is None and self.class_weight is None:
            return None
        weights = _check_sample_weight(
            sample_weight, X, dtype=np.float32, ensure_non_negative=True
        )
        if self.class_weight is not None:
            weights = weights * compute_sample_weight(self.class_weight, y)
        return weights.astype(np.float32)

    def _check_validation(self, X_val, y_val):
        """Return validation sequences and their codes, or None."""
        if X_val is None and y_val is None:
            return None
        if X_val is None or y_val is None:
            raise ValueError("X_val and y_val must be given together.")
        if self.early_stopping is False:
            return None
        X_val = self._check_X_val(X_val)
        y_val = np.asarray(y_val)
        check_consistent_length(X_val, y_val)
        unknown = np.setdiff1d(y_val, self.classes_)
        if unknown.size:
            raise ValueError(
                f"y_val holds labels that y does not: {unknown.tolist()}; leave those "
                "recordings out, or add some of the class to the training set."
            )
        return X_val, np.searchsorted(self.classes_, y_val)

    def _check_X_val(self, X_val):
        X_val = validate_sequences(self, X_val, reset=False)
        if X_val.shape[1] != self.n_frames_in_:
            raise ValueError(
                f"X_val has {X_val.shape[1]} frames, but X has {self.n_frames_in_}."
            )
        return _as_sequences(X_val)

    def _train(self, X, codes, weights, validation, seed):
        import_keras()
        from scikeras.wrappers import KerasClassifier

        with seeded(seed), without_retracing_log():
            estimator = KerasClassifier(
                model=build_blstm,
                model__n_frames=X.shape[1],
                model__n_features=X.shape[2],
                model__n_classes=len(self.classes_),
                model__units=self.units,
                model__dropout=self.dropout,
                model__attention=self._attention,
                model__mask_padding=self.mask_padding,
                loss="sparse_categorical_crossentropy",
                metrics=["accuracy"],
                optimizer=self._make_optimizer(),
                callbacks=self._make_callbacks(validation is not None),
                batch_size=self.batch_size,
                epochs=self.epochs,
                verbose=int(self.verbose),
                predict__verbose=0,
            )
            options = {} if validation is None else {"validation_data": validation}
            estimator.fit(X, codes, sample_weight=weights, **options)
        # Callbacks hold on to the training; the fitted estimator must not.
        estimator.set_params(callbacks=None)
        estimator._initialize_callbacks()
        self.estimator_ = estimator
        self.history_ = {
            name: [float(value) for value in log]
            for name, log in estimator.history_.items()
        }

    def _make_optimizer(self):
        keras = import_keras()
        config = keras.optimizers.serialize(keras.optimizers.get(self.optimizer))
        optimizer = keras.optimizers.deserialize(config)
        if self.learning_rate is not None:
            optimizer.learning_rate = self.learning_rate
        return optimizer

    def _make_callbacks(self, stop_early):
        keras = import_keras()
        callbacks = copy.deepcopy(self.callbacks)
        if callbacks is None:
            callbacks = []
        elif not isinstance(callbacks, (list, tuple)):
            callbacks = [callbacks]
        callbacks = list(callbacks)
        if stop_early:
            callbacks.append(
                keras.callbacks.EarlyStopping(
                    monitor="val_loss",
                    patience=self.patience,
                    restore_best_weights=True,
                )
            )
        return callbacks

    def __getstate__(self) -> dict[str, Any]:
        # As bytes, so that Keras is loaded quietly, and before what needs it.
        state = super().__getstate__().copy()
        if "estimator_" in state:
            state["estimator_"] = pickle.dumps(state["estimator_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "estimator_" in state:
            import_keras()
            state = state | {"estimator_": pickle.loads(state["estimator_"])}
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags


def _as_sequences(X):
    """Give two-dimensional X its third axis, of one feature."""
    return X[:, :, np.newaxis] if X.ndim == 2 else X
