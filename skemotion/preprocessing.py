"""Scaling of sequences."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skemotion._output import SequenceTransformerMixin
from skemotion._validation import validate_sequences

__all__ = ["SequenceScaler", "padding_mask"]

_RMS_COLUMN = 5


def padding_mask(
    X: NDArray, *, energy_feature: int = _RMS_COLUMN, padding_side: str = "left"
) -> NDArray[np.bool_]:
    """Mark the frames that are digital silence added to short recordings.

    Padding is the run of frames at `padding_side` whose energy is exactly 0.
    At least one frame of every recording counts as real.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences before scaling.
    energy_feature : int, default=5
        Column of the root mean square.
    padding_side : {"left", "right"}, default="left"
        Where the padding stands.

    Returns
    -------
    ndarray of shape (n_samples, n_frames), dtype bool
        True for padding.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.preprocessing import padding_mask
    >>> energy = np.array([[[0.0], [0.0], [0.2], [0.0]]])
    >>> padding_mask(energy, energy_feature=0)
    array([[ True,  True, False, False]])
    """
    silent = X[:, :, energy_feature] == 0
    if padding_side == "right":
        silent = silent[:, ::-1]
    silent = np.logical_and.accumulate(silent, axis=1)
    silent[:, -1] = False
    return silent[:, ::-1] if padding_side == "right" else silent


class SequenceScaler(OneToOneFeatureMixin, SequenceTransformerMixin, BaseEstimator):
    """Standardise sequences to zero mean and unit variance.

    Parameters
    ----------
    scope : {"feature", "cell"}, default="feature"
        What shares a mean and a deviation: all frames of a feature, or each
        cell of frame and feature on its own, which treats the sequences as
        flat vectors.

    keep_padding : bool, default=False
        Whether to leave padding alone. If True, the statistics are those of
        the real frames, and padded frames come out as exactly 0 in every
        feature, so that a classifier can mask them.

    energy_feature : int, default=5
        Column of the root mean square, by which padding is recognised: frames
        at the beginning, or at the end, where it is exactly 0. Only used if
        `keep_padding` is True.

    padding_side : {"left", "right"}, default="left"
        Where the padding stands. Only used if `keep_padding` is True.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,) or (n_frames, n_features)
        Mean of each feature or cell.

    scale_ : ndarray of shape (n_features,) or (n_frames, n_features)
        Standard deviation of each feature or cell, 1 where it is constant.

    n_features_in_ : int
        Number of features per frame seen during `fit`.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for two-dimensional X with column names.

    See Also
    --------
    SpeechFeatureExtractor : Makes the sequences.
    sklearn.preprocessing.StandardScaler : The same for flat features.

    Notes
    -----
    Two-dimensional X of shape (n_samples, n_frames) is read as one feature per
    frame position, as :class:`~sklearn.preprocessing.StandardScaler` does:
    each column is standardised, whatever the `scope`, and nothing is padding.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import SequenceScaler
    >>> X = np.random.default_rng(0).normal(3.0, 2.0, size=(20, 157, 46))
    >>> scaled = SequenceScaler().fit_transform(X)
    >>> scaled.shape, scaled.dtype
    ((20, 157, 46), dtype('float32'))
    >>> bool(abs(scaled.mean()) < 1e-3)
    True
    """

    _parameter_constraints: dict = {
        "scope": [StrOptions({"feature", "cell"})],
        "keep_padding": ["boolean"],
        "energy_feature": [Interval(Integral, 0, None, closed="left")],
        "padding_side": [StrOptions({"left", "right"})],
    }

    def __init__(
        self,
        *,
        scope="feature",
        keep_padding=False,
        energy_feature=_RMS_COLUMN,
        padding_side="left",
    ):
        self.scope = scope
        self.keep_padding = keep_padding
        self.energy_feature = energy_feature
        self.padding_side = padding_side

    def fit(self, X: ArrayLike, y=None):
        """Compute the mean and the deviation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.
        y : ignored
            Present for API consistency.

        Returns
        -------
        self : SequenceScaler
        """
        self._validate_params()
        sequences = validate_sequences(self, X, reset=True)
        padding = self._find_padding(sequences)
        real = None if padding is None else ~padding[..., np.newaxis]
        per_feature = self.scope == "feature" and sequences.ndim == 3
        axis = (0, 1) if per_feature else 0
        self.mean_, self.scale_ = _moments(sequences, real, axis)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Standardise sequences.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.

        Returns
        -------
        ndarray of the shape of X, dtype float32
        """
        check_is_fitted(self)
        sequences = validate_sequences(self, X, reset=False)
        if self.mean_.ndim == 2 and sequences.shape[1:] != self.mean_.shape:
            raise ValueError(
                f"X has {sequences.shape[1]} frames, but SequenceScaler(scope='cell') "
                f"was fitted on {self.mean_.shape[0]}; extract all recordings with "
                "the same duration."
            )
        scaled = ((sequences - self.mean_) / self.scale_).astype(np.float32)
        padding = self._find_padding(sequences)
        if padding is not None:
            scaled[padding] = 0.0
        return scaled

    def _find_padding(self, X):
        """Return the mask of padding, or None if it is to be treated like the rest."""
        if not self.keep_padding or X.ndim == 2:
            return None
        if self.energy_feature >= X.shape[2]:
            raise ValueError(
                f"energy_feature={self.energy_feature} is no column of X with "
                f"{X.shape[2]} features; name the column of the root mean square."
            )
        return padding_mask(
            X, energy_feature=self.energy_feature, padding_side=self.padding_side
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _moments(X, real, axis):
    """Return mean and non-zero deviation over the real frames, in double precision."""
    where = True if real is None else np.broadcast_to(real, X.shape)
    count = np.maximum(np.sum(np.broadcast_to(where, X.shape), axis=axis), 1)
    mean = X.sum(axis=axis, dtype=np.float64, where=where) / count
    deviation = np.square(X - mean).sum(axis=axis, where=where) / count
    scale = np.sqrt(deviation)
    # Rounding leaves a constant with a deviation of a few units in the last place.
    scale[scale <= 10 * np.finfo(np.float32).eps * np.abs(mean)] = 1.0
    return mean, scale
