"""The transformer that turns sequences into flat vectors of statistics."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from skemotion._sequences import (
    FUNCTIONALS,
    LOUDNESS_CONSTRAINTS,
    check_functionals,
    learn_padding,
    mark_real,
    real_bounds,
    summarise,
)
from skemotion._validation._parameters import fit_context
from skemotion._validation._sequences import check_input_features, validate_sequences


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
        Whether to leave padding out: the runs of digital silence at either end
        of a recording.

    loudness : str, int or None, default=None
        Name or column of the root mean square: a frame is silent where it is
        exactly 0. None takes the feature that is called ``"rms"``, or, in a
        :class:`SequenceUnion`, ``"<transformer>__rms"``; if none is, frames
        are silent that are 0 in every feature. Names are known in an
        :class:`EmotionPipeline`, or if `fit` is given them; the pipelines of
        scikit-learn and imbalanced-learn hand none on. There the column is
        found by padding that `fit` sees: it is 0 in frames that are repeated
        at an end. Only used if `ignore_padding` is True.

    Attributes
    ----------
    functionals_ : tuple of str
        What is computed.

    ignores_padding_ : bool
        Whether padding is left out: if `ignore_padding` is set, and X has three
        dimensions.

    loudness_ : int or None
        Column by which padding is recognised. None if it is by frames that are
        0 in every feature, or not at all.

    n_features_in_ : int
        Number of features per frame seen during `fit`.

    n_dims_in_ : int
        Number of dimensions of X seen during `fit`.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where they are known.

    See Also
    --------
    SpeechFeatureExtractor : Makes the sequences.
    skemotion.preprocessing.padding_mask : Finds the padding.

    Notes
    -----
    Columns are ordered by feature: all functionals of the first, then all of
    the second.

    Padding is recognised in sequences as they are extracted, if the column of
    the root mean square is known, and as
    ``SequenceScaler(ignore_padding=True)`` leaves them: 0 in every feature. A
    scaler that shifts the padding hides it, and `fit` says so. Most classifiers
    want the functionals themselves scaled, by
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

    # Where metadata routing is on, names are asked for without a set_fit_request.
    __metadata_request__fit = {"feature_names": True}

    _parameter_constraints: dict = {
        "functionals": [tuple, list],
        "ignore_padding": ["boolean"],
        "loudness": LOUDNESS_CONSTRAINTS,
    }

    def __init__(
        self,
        functionals: Sequence[str] = FUNCTIONALS,
        *,
        ignore_padding: bool = True,
        loudness: int | str | None = None,
    ):
        self.functionals = functionals
        self.ignore_padding = ignore_padding
        self.loudness = loudness

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: Any = None, feature_names: ArrayLike | None = None
    ) -> "SequenceFunctionals":
        """Check the parameters and remember the shape of a frame.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.
        y : ignored
            Present for API consistency.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features; :class:`EmotionPipeline` gives them. Ignored
            if X has two dimensions.

        Returns
        -------
        self : SequenceFunctionals

        Raises
        ------
        ValueError
            If `loudness` is no feature, or padding is to be left out but cannot
            be recognised: recordings begin or end with repeated frames, none of
            which is silent.
        """
        check_functionals(self.functionals)
        sequences = validate_sequences(self, X, reset=True, feature_names=feature_names)
        self.functionals_ = tuple(self.functionals)
        learn_padding(self, sequences)
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
        if sequences.ndim == 2:
            sequences = sequences[:, :, np.newaxis]
        return summarise(sequences, self._find_frames(sequences), self.functionals_)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
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
        check_input_features(input_features)
        features = _check_feature_names_in(self, input_features)
        if self.n_dims_in_ == 2:
            return np.asarray(self.functionals_, dtype=object)
        names = [
            f"{feature}_{name}" for feature in features for name in self.functionals_
        ]
        return np.asarray(names, dtype=object)

    def _find_frames(self, X):
        """Return the mask of the frames that count."""
        if not self.ignores_padding_:
            return np.ones(X.shape[:2], dtype=bool)
        return mark_real(real_bounds(X, self.loudness_), X.shape[1])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
