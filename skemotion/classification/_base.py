"""Parameters and training: what the classifiers of sequences have in common."""

import copy
import os
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skemotion._typing import File, RandomState
from skemotion._validation._labels import check_labels
from skemotion._validation._parameters import draw_seed, fit_context
from skemotion._validation._rows import check_same_length
from skemotion._validation._sequences import validate_sequences
from skemotion.classification._callbacks import copy_callbacks, make_stopping
from skemotion.classification._optimizer import serialize_optimizer
from skemotion.classification._prediction import SequencePredictorMixin
from skemotion.classification._schedule import make_schedule
from skemotion.classification._weights import check_class_weight, training_weights
from skemotion.model_selection import stratified_validation_split
from skemotion.networks import import_keras

if TYPE_CHECKING:
    from typing_extensions import Self


class BaseSequenceClassifier(SequencePredictorMixin, BaseEstimator):
    """What all classifiers of sequences share; subclasses say which network.

    Warning: not to be used directly.
    """

    history_: dict[str, list[float]]

    _parameter_constraints: dict = {
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
        "checkpoint": [str, os.PathLike, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
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
        self.checkpoint = checkpoint
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _make_architecture(self, n_frames: int, n_features: int, n_classes: int) -> Any:
        """Return the network that the parameters describe."""
        raise NotImplementedError

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> "Self":
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

        Raises
        ------
        ValueError
            If X, y or weights are not as above, if there is a `checkpoint` and no
            `random_state`, or if training diverges.
        TypeError
            If there is a `checkpoint`, and a callback remembers what it cannot hold.
        """
        resume = self.warm_start and hasattr(self, "estimator_")
        self._check_checkpoint()
        seed = draw_seed(self.random_state)
        sequences, codes, weights = self._check_training_set(
            X, y, sample_weight, reset=not resume
        )
        validation = self._check_validation(X_val, y_val)
        if not (resume and hasattr(self, "_split_seed")):
            self._split_seed = seed
        if validation is None and self.early_stopping is True:
            (sequences, codes, weights), validation = self._hold_out(
                sequences, codes, weights
            )
        callbacks = self._make_callbacks(validation is not None)
        self._train(
            sequences,
            codes,
            weights,
            validation,
            seed,
            self.epochs,
            callbacks,
            resume,
            checkpoint=self.checkpoint,
        )
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> "Self":
        """Train for one epoch, from where the last training ended.

        The step size is that of `learning_rate`: `schedule` goes through the
        epochs of a `fit`, which are not known here.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.
        y : array-like of shape (n_samples,)
            Class labels.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur. Needed in the first call; later
            ones must name the same, or none.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence in the loss, multiplied with
            `class_weight`, which cannot be "balanced" here.

        Returns
        -------
        self : object
            The classifier, trained for an epoch more.

        Raises
        ------
        ValueError
            If `classes` are missing or others than before, X, y or weights are
            not as above, or training diverges.
        """
        resume = hasattr(self, "estimator_")
        if not resume and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None:
            classes = np.unique(check_labels(classes, "classes", min_classes=2))
            if resume and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"classes={classes.tolist()} are not those of the first call to "
                    f"partial_fit or fit, {self.classes_.tolist()}; leave them out, "
                    "or begin anew with a clone."
                )
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all labels at once: give partial_fit a "
                "dict, or sample_weight."
            )
        seed = draw_seed(self.random_state)
        sequences, codes, weights = self._check_training_set(
            X, y, sample_weight, classes=classes, reset=not resume
        )
        callbacks = copy_callbacks(self.callbacks)
        self._train(sequences, codes, weights, None, seed, 1, callbacks, resume)
        return self

    def forget_checkpoint(self) -> None:
        """Delete what `checkpoint` has kept of the last `fit` in this process.

        To be called once the fitted classifier is saved.
        """
        check_is_fitted(self)
        if self._network.checkpoint is not None:
            self._network.checkpoint.remove()

    @property
    def _reads_functionals(self) -> bool:
        return self._network.reads_functionals()

    def _standardised_by(self, chunks):
        """Return a copy whose functionals are standardised by chunks of sequences."""
        other = copy.deepcopy(self)
        other._network.standardise(other._check_X(chunk) for chunk in chunks)
        return other

    def _check_training_set(self, X, y, sample_weight, *, classes=None, reset):
        """Return sequences, codes of the labels, and weights or None."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        sequences, labels = validate_sequences(self, X, y, reset=reset)
        if reset and classes is None:
            labels = check_labels(labels, min_classes=2)
        else:
            labels = check_labels(labels)
        if reset:
            if hasattr(self, "estimator_"):
                del self.estimator_  # its classes are others
            self.n_frames_in_ = sequences.shape[1]
            self.classes_ = np.unique(labels if classes is None else classes)
        check_class_weight(self.class_weight, self.classes_)
        codes = self._encode(labels, "y")
        weights = training_weights(sequences, labels, sample_weight, self.class_weight)
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

    def _check_validation(self, X_val, y_val):
        """Return validation sequences and their codes, or None."""
        if X_val is None and y_val is None:
            return None
        if X_val is None or y_val is None:
            raise ValueError("X_val and y_val must be given together.")
        if self.early_stopping is False:
            return None
        X_val = self._check_frames(
            validate_sequences(self, X_val, reset=False, name="X_val"), name="X_val"
        )
        check_same_length(X_val, of="X_val", y_val=y_val)
        return X_val, self._encode(check_labels(y_val, "y_val"), "y_val")

    def _hold_out(self, sequences, codes, weights):
        """Return the rest of a training set, and the part that is held out of it."""
        # By the same seed in every fit, so that what one has trained on does
        # not decide when the next one stops.
        train, held_out = stratified_validation_split(
            codes, self.validation_fraction, random_state=self._split_seed
        )
        weights = None if weights is None else weights[train]
        validation = sequences[held_out], codes[held_out]
        return (sequences[train], codes[train], weights), validation

    def _check_checkpoint(self):
        if self.checkpoint is not None and self.random_state is None:
            raise ValueError(
                "checkpoint needs a random_state other than None, by which the same "
                "training is found again: give an int."
            )

    def _train(
        self,
        X,
        codes,
        weights,
        validation,
        seed,
        epochs,
        callbacks,
        resume,
        checkpoint=None,
    ):
        if resume:
            estimator = self.estimator_
            estimator.batch_size = self.batch_size
            n_trained = len(self.history_["loss"])
        else:
            estimator = self._make_estimator(X, seed)
            n_trained = 0
        estimator.fit(
            X,
            codes,
            sample_weight=weights,
            validation=validation,
            epochs=epochs,
            callbacks=callbacks,
            verbose=int(self.verbose),
            seed=seed + n_trained,  # another order in every epoch
            checkpoint=checkpoint,
        )
        self.estimator_ = estimator
        self._extend_history(estimator.history_, resume)

    def _make_estimator(self, X, seed=0):
        """Wrap a network for sequences of this shape, with weights of its own."""
        from skemotion.classification._scikeras import make_estimator

        _, n_frames, n_features = X.shape
        architecture = self._make_architecture(n_frames, n_features, len(self.classes_))
        optimizer = serialize_optimizer(self.optimizer, self.learning_rate)
        return make_estimator(
            architecture, optimizer, self.label_smoothing, self.batch_size, seed=seed
        )

    def _extend_history(self, new, resume):
        old = self.history_ if resume else {}
        self.history_ = {
            name: old.get(name, []) + new.get(name, []) for name in {**old, **new}
        }

    def _make_callbacks(self, stop_early):
        callbacks = copy_callbacks(self.callbacks)
        if self.schedule is not None:
            peak = self._find_peak_rate()
            callbacks.append(make_schedule(self.schedule, peak, self.epochs))
        if stop_early:
            callbacks.append(make_stopping(self.patience))
        return callbacks

    def _find_peak_rate(self):
        """Return the step size that a schedule goes out from."""
        if hasattr(self, "estimator_") and self.warm_start:
            return self._network.learning_rate
        optimizer = serialize_optimizer(self.optimizer, self.learning_rate)
        return optimizer["config"]["learning_rate"]

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Pickles of earlier versions lack the parameters that came later.
        super().__setstate__(self._default_parameters() | state)

    def _default_parameters(self) -> dict[str, Any]:
        return type(self)().get_params(deep=False)

    def _restore(self, weights, *, shape, classes, history):
        """Become fitted on sequences of a shape without training.

        The shape is that of the network's input; `n_features_in_` must be set.
        """
        self.n_frames_in_, self.classes_, self.history_ = shape[0], classes, history
        import_keras()
        self.estimator_ = self._make_estimator(np.empty((0, *shape), np.float32))
        self._network.set_weights(weights)
