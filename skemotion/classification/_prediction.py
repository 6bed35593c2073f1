"""Prediction by a fitted network: what the classifiers of sequences have in common."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skemotion._validation._labels import check_scored
from skemotion._validation._sequences import validate_sequences
from skemotion.networks import Network


class SequencePredictorMixin(ClassifierMixin):
    """Mixin of classifiers that have a network as `estimator_` once they are fitted."""

    estimator_: Any
    classes_: NDArray
    n_frames_in_: int

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
        return self.estimator_.predict_proba(sequences)

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

    def score(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the accuracy of the predicted classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.
        y : array-like of shape (n_samples,)
            True classes.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each sequence counts.

        Returns
        -------
        float
            Share of the sequences that are recognised, between 0 and 1.

        Raises
        ------
        ValueError
            If X, y or weights are not as above, or y holds numbers where the
            classes are text.
        """
        sequences = self._check_X(X)
        y, sample_weight = check_scored(sequences, y, sample_weight, self.classes_)
        predicted = self.predict(X)
        return float(np.average(predicted == y, weights=sample_weight))

    @property
    def model_(self) -> Any:
        """The fitted :class:`keras.Model`."""
        check_is_fitted(self)
        return self.estimator_.model_

    @property
    def _network(self) -> Network:
        return self.estimator_.network_

    def _run_attention(self, X):
        """Return the attention of each frame, the mean over members."""
        sequences = self._check_X(X)
        return self._network.run(
            sequences, batch_size=self.estimator_.batch_size, output="attention"
        )

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

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags
