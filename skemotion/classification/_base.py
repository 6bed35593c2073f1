"""Training and prediction: what the classifiers have in common."""

import copy
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
from skemotion.classification._scikeras import (
    dump_estimator,
    load_estimator,
    make_estimator,
    ready_to_train,
    settings_of,
)
from skemotion.model_selection import stratified_validation_split
from skemotion.networks import (
    fed_by_batches,
    import_keras,
    ordered_variables,
    run_forward,
    seeded,
    without_retracing_log,
)


class BaseBLSTMClassifier(ClassifierMixin, BaseEstimator):
    """What the classifiers with and without attention share.

    Warning: not to be used directly.
    """

    _attention: bool
    estimator_: Any
    history_: dict[str, list[float]]

    _parameter_constraints: dict = {
        "units": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "mask_padding": ["boolean"],
        "frame_step": [Interval(Integral, 1, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "functionals_units": [Interval(Integral, 1, None, closed="left"), None],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "optimizer": [str, HasMethods("get_config")],
        "learning_rate": [
            Interval(Real, 0, None, closed="neither"),
            HasMethods("get_config"),
            None,
        ],
        "schedule": [StrOptions({"one_cycle", "cosine"}), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "patience": [Interval(Integral, 0, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "callbacks": [list, tuple, HasMethods("on_epoch_end"), None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        units=256,
        *,
        dropout=0.0,
        mask_padding=False,
        frame_step=1,
        noise=0.0,
        functionals_units=None,
        n_members=1,
        label_smoothing=0.0,
        optimizer="adam",
        learning_rate=None,
        schedule=None,
        batch_size=32,
        epochs=30,
        early_stopping="auto",
        validation_fraction=0.1,
        patience=10,
        class_weight=None,
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.units = units
        self.dropout = dropout
        self.mask_padding = mask_padding
        self.frame_step = frame_step
        self.noise = noise
        self.functionals_units = functionals_units
        self.n_members = n_members
        self.label_smoothing = label_smoothing
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch_size = batch_size
        self.epochs = epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.warm_start = warm_start
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
            `class_weight`. The loss of a batch is the weighted sum over its
            sequences, divided by how many there are, not by their weights: in
            one full batch, weights with a mean of 1 equal repeated rows, and
            weights twice as large a step of twice the size. Sequences of
            weight 0 are left out before batches are made; those of a
            validation set all weigh the same.
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
        resume = self.warm_start and hasattr(self, "estimator_")
        seed = self._draw_seed(resume)
        sequences, codes, weights = self._check_training_set(
            X, y, sample_weight, reset=not resume
        )
        validation = self._check_validation(X_val, y_val)
        if validation is None and self.early_stopping is True:
            train, held_out = stratified_validation_split(
                codes, self.validation_fraction, random_state=seed
            )
            validation = sequences[held_out], codes[held_out]
            sequences, codes = sequences[train], codes[train]
            weights = None if weights is None else weights[train]
        self._train(sequences, codes, weights, validation, seed, self.epochs, resume)
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ):
        """Train for one epoch, from where the last training ended.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.
        y : array-like of shape (n_samples,)
            Class labels.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur. Needed in the first call, and
            ignored in later ones.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence in the loss, multiplied with
            `class_weight`, which cannot be "balanced" here.

        Returns
        -------
        self : object
            The classifier, trained for an epoch more.
        """
        self._validate_params()
        resume = hasattr(self, "estimator_")
        if not resume and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all labels at once: give partial_fit a "
                "dict, or sample_weight."
            )
        seed = self._draw_seed(resume)
        sequences, codes, weights = self._check_training_set(
            X, y, sample_weight, classes=classes, reset=not resume
        )
        self._train(sequences, codes, weights, None, seed, 1, resume)
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
        return self._run_forward(X)

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

    def _run_forward(self, X, layer=None):
        """Return what the network, or one of its layers, makes of sequences."""
        sequences = self._check_X(X)
        import_keras()
        return run_forward(
            self.estimator_.model_,
            settings_of(self.estimator_)["network"],
            sequences,
            batch_size=self.batch_size,
            layer=layer,
        )

    def _draw_seed(self, resume):
        """Draw a seed; one of its own for every epoch at which training resumes."""
        seed = draw_seed(self.random_state)
        return seed + (len(self.history_["loss"]) if resume else 0)

    def _check_X(self, X):
        check_is_fitted(self)
        return self._check_frames(validate_sequences(self, X, reset=False))

    def _check_frames(self, X, name="X"):
        """Compare the number of frames, and give X three dimensions."""
        if X.shape[1] != self.n_frames_in_:
            raise ValueError(
                f"{name} has {X.shape[1]} frames, but {type(self).__name__} was fitted "
                f"on {self.n_frames_in_}; extract all recordings with the same "
                "duration and hop_length."
            )
        return X[:, :, np.newaxis] if X.ndim == 2 else X

    def _check_training_set(self, X, y, sample_weight, *, classes=None, reset):
        """Return sequences, codes of the labels, and weights or None."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        sequences, labels = validate_sequences(self, X, y, reset=reset)
        check_classification_targets(labels)
        if reset:
            self.n_frames_in_ = sequences.shape[1]
            self.classes_ = np.unique(labels if classes is None else classes)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds the one class {self.classes_[0]!r}; a classifier needs at "
                "least two classes."
            )
        codes = self._encode(labels, "y")
        weights = self._training_weights(sequences, labels, sample_weight)
        return self._check_frames(sequences), codes, weights

    def _encode(self, labels, name):
        """Turn labels into positions in ``classes_``."""
        unknown = np.setdiff1d(labels, self.classes_)
        if unknown.size:
            raise ValueError(
                f"{name} holds labels that were not trained on: {unknown.tolist()}; "
                "leave those recordings out, or train on all classes from the start."
            )
        return np.searchsorted(self.classes_, labels)

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
        X_val = self._check_frames(
            validate_sequences(self, X_val, reset=False), name="X_val"
        )
        check_consistent_length(X_val, y_val)
        return X_val, self._encode(np.asarray(y_val), "y_val")

    def _train(self, X, codes, weights, validation, seed, epochs, resume):
        import_keras()
        options = {} if validation is None else {"validation_data": validation}
        with seeded(seed), without_retracing_log():
            estimator = (
                self.estimator_ if resume else make_estimator(self._settings(X.shape))
            )
            training = {
                "callbacks": self._make_callbacks(validation is not None, epochs),
                "batch_size": self.batch_size,
                "epochs": epochs,
                "verbose": int(self.verbose),
            }
            with ready_to_train(estimator, training):
                feed = fed_by_batches(
                    estimator.model_, seed=seed, standardise=not resume
                )
                with feed:
                    estimator.fit(X, codes, sample_weight=weights, **options)
        self.estimator_ = estimator
        self._extend_history(estimator.history_, resume)

    def _extend_history(self, new, resume):
        old = self.history_ if resume else {}
        self.history_ = {
            name: old.get(name, []) + [float(value) for value in new.get(name, [])]
            for name in {**old, **new}
        }

    def _settings(self, shape):
        """Describe network and optimizer in what JSON can hold."""
        network = {
            "n_frames": shape[1],
            "n_features": shape[2],
            "n_classes": len(self.classes_),
            "units": self.units,
            "dropout": self.dropout,
            "attention": self._attention,
            "mask_padding": self.mask_padding,
            "frame_step": self.frame_step,
            "noise": self.noise,
            "functionals_units": self.functionals_units,
            "n_members": self.n_members,
        }
        return {
            "network": network,
            "optimizer": self._optimizer_settings(),
            "label_smoothing": self.label_smoothing,
        }

    def _optimizer_settings(self):
        keras = import_keras()
        settings = keras.optimizers.serialize(keras.optimizers.get(self.optimizer))
        if self.learning_rate is not None:
            optimizer = keras.optimizers.deserialize(settings)
            optimizer.learning_rate = self.learning_rate
            settings = keras.optimizers.serialize(optimizer)
        return settings

    def _make_callbacks(self, stop_early, epochs):
        keras = import_keras()
        callbacks = copy.deepcopy(self.callbacks)
        if callbacks is None:
            callbacks = []
        elif not isinstance(callbacks, (list, tuple)):
            callbacks = [callbacks]
        callbacks = list(callbacks)
        if self.schedule is not None:
            rates = _learning_rates(self.schedule, self._peak_rate(), epochs)
            callbacks.append(
                keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch])
            )
        if stop_early:
            callbacks.append(
                keras.callbacks.EarlyStopping(
                    monitor="val_loss",
                    patience=self.patience,
                    restore_best_weights=True,
                )
            )
        return callbacks

    def _peak_rate(self):
        rate = self._optimizer_settings()["config"]["learning_rate"]
        if isinstance(rate, dict):
            raise ValueError(
                f"schedule={self.schedule!r} sets the step size of every epoch, but "
                "learning_rate is a schedule of its own; give a number, or "
                "schedule=None."
            )
        return rate

    def __getstate__(self) -> dict[str, Any]:
        # As arrays, since pickles of Keras and scikeras are bound to a version.
        state = super().__getstate__().copy()
        if "estimator_" in state:
            state["estimator_"] = dump_estimator(state["estimator_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "estimator_" in state:
            state = state | {"estimator_": load_estimator(state["estimator_"])}
        # Pickles of earlier versions lack the parameters that came later.
        super().__setstate__(type(self)().get_params(deep=False) | state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    def _restore(self, weights, *, shape, classes, history):
        """Become fitted on sequences of a shape without training.

        The shape is that of the network's input; `n_features_in_` must be set.
        """
        import_keras()
        self.n_frames_in_, self.classes_, self.history_ = shape[0], classes, history
        with seeded(0):
            estimator = make_estimator(self._settings((0, *shape)))
        variables = ordered_variables(estimator.model_)
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)
        self.estimator_ = estimator


def _learning_rates(schedule, peak, epochs):
    """Return the step size of every epoch."""
    warm_up = max(round(0.3 * epochs), 1) if schedule == "one_cycle" else 0
    rising = 0.5 - 0.5 * np.cos(np.pi * (np.arange(warm_up) + 0.5) / max(warm_up, 1))
    falling = np.arange(epochs - warm_up) + 0.5
    falling = 0.5 + 0.5 * np.cos(np.pi * falling / max(epochs - warm_up, 1))
    return (peak * np.concatenate([rising, falling])[:epochs]).tolist()
