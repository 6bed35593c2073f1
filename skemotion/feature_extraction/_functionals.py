"""The transformer that turns sequences into flat vectors of statistics."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from skemotion._sequences import FUNCTIONALS, check_functionals, summarise
from skemotion._validation import validate_sequences
from skemotion.preprocessing import padding_mask


class SequenceFunctionals(TransformerMixin, BaseEstimator):
    """Summarise sequences by statistics over time, for classifiers of flat vectors.

    Each feature of a sequence is reduced to a few numbers, its functionals
    [1]_, such as its mean and its slope. Support vector machines, boosted
    trees and all other classifiers of scikit-learn work on the result.

    Parameters
    ----------
    functionals : tuple or list of str, \
            default=("mean", "std", "p5", "p25", "p50", "p75", "p95", "slope", \
            "mean_abs_diff")
        What to compute over the frames of each feature:

        - ``"mean"`` and ``"std"``, the deviation with division by n;
        - ``"p0"`` to ``"p100"``, percentiles as :func:`numpy.percentile`
          interpolates them; ``"p0"`` is the minimum, ``"p50"`` the median;
        - ``"slope"`` of the least-squares line, per frame;
        - ``"mean_abs_diff"``, the mean absolute difference of neighbouring
          frames.

    ignore_padding : bool, default=True
        Whether to leave out the frames that pad short recordings.

    energy_feature : int, default=5
        Column of the root mean square, by which padding is recognised. Only
        used if `ignore_padding` is True.

    padding_side : {"left", "right"}, default="left"
        Where the padding stands. Only used if `ignore_padding` is True.

    Attributes
    ----------
    n_features_in_ : int
        Number of features per frame seen during `fit`.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for two-dimensional X with column names.

    See Also
    --------
    SpeechFeatureExtractor : Makes the sequences.
    skemotion.preprocessing.padding_mask : Finds the padding.

    Notes
    -----
    Columns are ordered by feature: all functionals of the first, then all of
    the second.

    Padding is recognised in sequences as they are extracted, and as
    ``SequenceScaler(keep_padding=True)`` leaves them: there, too, the column
    of the root mean square is exactly 0. A scaler that shifts the padding hides
    it. Most classifiers want the functionals themselves scaled, by
    :class:`~sklearn.preprocessing.StandardScaler`.

    A single frame has deviation, slope and difference 0.

    Two-dimensional X of shape (n_samples, n_frames) is read as sequences of
    one feature without padding. `n_features_in_` is then the number of frames,
    and the columns are named by functional alone.

    References
    ----------
    .. [1] B. Schuller, S. Steidl and A. Batliner, "The INTERSPEECH 2009 Emotion
       Challenge", Proc. Interspeech 2009, pp. 312-315.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from skemotion import SequenceFunctionals
    >>> X = np.random.default_rng(0).normal(size=(20, 157, 46))
    >>> X[10:, :, 7] += 1.0
    >>> y = ["calm"] * 10 + ["angry"] * 10
    >>> functionals = SequenceFunctionals()
    >>> functionals.fit_transform(X).shape
    (20, 414)
    >>> functionals.get_feature_names_out()[:3]
    array(['x0_mean', 'x0_std', 'x0_p5'], dtype=object)
    >>> classifier = make_pipeline(functionals, StandardScaler(), SVC()).fit(X, y)
    >>> classifier.score(X, y)
    1.0
    """

    _parameter_constraints: dict = {
        "functionals": [tuple, list],
        "ignore_padding": ["boolean"],
        "energy_feature": [Interval(Integral, 0, None, closed="left")],
        "padding_side": [StrOptions({"left", "right"})],
    }

    def __init__(
        self,
        functionals=FUNCTIONALS,
        *,
        ignore_padding=True,
        energy_feature=5,
        padding_side="left",
    ):
        self.functionals = functionals
        self.ignore_padding = ignore_padding
        self.energy_feature = energy_feature
        self.padding_side = padding_side

    def fit(self, X: ArrayLike, y=None):
        """Check the parameters and remember the shape of a frame.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.
        y : ignored
            Present for API consistency.

        Returns
        -------
        self : SequenceFunctionals
        """
        self._validate_params()
        check_functionals(self.functionals)
        sequences = validate_sequences(self, X, reset=True)
        self._univariate = sequences.ndim == 2
        if (
            self.ignore_padding
            and not self._univariate
            and self.energy_feature >= self.n_features_in_
        ):
            raise ValueError(
                f"energy_feature={self.energy_feature} is no column of X with "
                f"{self.n_features_in_} features; name the column of the root mean "
                "square, or set ignore_padding=False."
            )
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Compute the functionals.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences. The number of frames may differ from that in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features * n_functionals), dtype float32
        """
        check_is_fitted(self)
        sequences = validate_sequences(self, X, reset=False)
        if self._univariate != (sequences.ndim == 2):
            raise ValueError(
                f"X has {sequences.ndim} dimensions, but SequenceFunctionals was "
                f"fitted on {2 if self._univariate else 3}."
            )
        if self._univariate:
            sequences = sequences[:, :, np.newaxis]
        return summarise(sequences, self._find_frames(sequences), self.functionals)

    def get_feature_names_out(self, input_features=None):
        """Name the columns, such as ``"rms_mean"``.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the features of a frame, as
            :meth:`~skemotion.SpeechFeatureExtractor.get_feature_names_out`
            gives them. In a pipeline they are handed on. None stands for
            ``"x0"``, ``"x1"`` and so on.

        Returns
        -------
        ndarray of shape (n_features * n_functionals,), dtype object
        """
        check_is_fitted(self)
        features = _check_feature_names_in(self, input_features)
        if self._univariate:
            return np.asarray(self.functionals, dtype=object)
        names = [
            f"{feature}_{name}" for feature in features for name in self.functionals
        ]
        return np.asarray(names, dtype=object)

    def _find_frames(self, X):
        """Return the mask of the frames that count."""
        if self._univariate or not self.ignore_padding:
            return np.ones(X.shape[:2], dtype=bool)
        return ~padding_mask(
            X, energy_feature=self.energy_feature, padding_side=self.padding_side
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
