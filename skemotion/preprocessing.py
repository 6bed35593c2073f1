"""Scaling of sequences."""

import copy
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skemotion._sequences import (
    LOUDNESS_CONSTRAINTS,
    SequenceOneToOneMixin,
    all_real_bounds,
    compute_moments,
    empty_like,
    find_padding,
    find_padding_column,
    learn_padding,
    merge_moments,
    resolve_loudness,
    standardize,
    to_scale,
)
from skemotion._validation._labels import check_labels
from skemotion._validation._parameters import fit_context, validate_params
from skemotion._validation._rows import check_same_length
from skemotion._validation._sequences import (
    as_sequences,
    check_feature_names,
    validate_sequences,
)

__all__ = ["SequenceScaler", "padding_mask", "speaker_standardize"]


@validate_params(
    {
        "X": "no_validation",
        "loudness": [Interval(Integral, 0, None, closed="left"), None],
    }
)
def padding_mask(X: ArrayLike, loudness: int | None = None) -> NDArray[np.bool_]:
    """Mark the frames that are padding.

    Padding are the runs of digital silence at either end of a recording: the
    zeros that make short recordings as long as others, and those that a
    recording comes with. One frame of every recording counts as real.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences.
    loudness : int or None, default=None
        Column of the root mean square: frames in which it is exactly 0 are
        silent, as in sequences of :class:`~skemotion.SpeechFeatureExtractor`.
        None means that those are silent which are 0 in every feature, as
        :class:`~skemotion.SequenceScaler` leaves them.

    Returns
    -------
    ndarray of shape (n_samples, n_frames), dtype bool
        True for padding.

    Raises
    ------
    TypeError, ValueError
        If X are no sequences, or `loudness` is none of their columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.preprocessing import padding_mask
    >>> energy = np.array([[[0.0], [0.0], [0.2], [0.0], [0.1], [0.0]]])
    >>> padding_mask(energy)
    array([[ True,  True, False, False, False,  True]])
    """
    sequences = as_sequences(X, "padding_mask")
    column = resolve_loudness(loudness, None, sequences.shape[2])
    return find_padding(sequences, column)


@validate_params(
    {
        "X": ["array-like"],
        "speakers": ["array-like"],
        "ignore_padding": ["boolean"],
        "loudness": LOUDNESS_CONSTRAINTS,
        "feature_names": ["array-like", None],
    },
)
def speaker_standardize(
    X: ArrayLike,
    speakers: ArrayLike,
    *,
    ignore_padding: bool = True,
    loudness: str | int | None = None,
    feature_names: ArrayLike | None = None,
) -> NDArray[np.float32]:
    """Standardise the features of each recording by those of its own speaker.

    It takes away how a voice sounds on the whole, and leaves how it changes.
    Labels are not looked at, but it is transductive: a recording is seen
    relative to all others of its speaker that are given, so it is only for
    where several recordings of each voice are at hand when emotions are
    predicted. Name it so in reports.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_frames, n_features)
        Sequences, as :class:`~skemotion.SpeechFeatureExtractor` returns them.
    speakers : array-like of shape (n_samples,)
        Who speaks in each.
    ignore_padding : bool, default=True
        Whether the statistics are those of the real frames, and padded frames
        come out as exactly 0 in every feature. If False, padding is treated
        like the rest.
    loudness : str, int or None, default=None
        Name or column of the root mean square, by which padding is recognised,
        as in :class:`SequenceScaler`.
    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features, as
        :meth:`~skemotion.SpeechFeatureExtractor.get_feature_names_out` gives
        them. None means not known.

    Returns
    -------
    ndarray of the shape of X, dtype float32
        Each feature has zero mean and unit variance over the frames of each
        speaker; a feature that is constant for a speaker becomes 0.

    Raises
    ------
    ValueError
        If X has not three dimensions, holds NaN or infinity, or `speakers` is
        of another length or lacks a name; if there is no such loudness, or
        padding cannot be recognised without it.

    See Also
    --------
    SequenceScaler : Standardises all recordings alike, by those of training.

    Notes
    -----
    It is done before cross-validation, not by a step of a pipeline, since a
    step does not know whose recordings it transforms. Where whole speakers are
    left out, this gives exactly what doing it in each fold would give, because
    the numbers of one speaker depend on no other. Where a speaker is both
    trained on and tested, it does not.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.preprocessing import speaker_standardize
    >>> X = np.random.default_rng(0).uniform(1.0, 2.0, size=(6, 157, 46))
    >>> X[3:] *= 10  # a louder voice
    >>> speakers = ["03", "03", "03", "08", "08", "08"]
    >>> standardized = speaker_standardize(X, speakers, loudness=5)
    >>> standardized.shape, standardized.dtype
    ((6, 157, 46), dtype('float32'))
    >>> bool(abs(standardized[:3].std() - standardized[3:].std()) < 1e-3)
    True
    """
    sequences = as_sequences(X, "speaker_standardize")
    check_same_length(sequences, speakers=speakers)
    names = check_labels(speakers, "speakers")
    bounds = None
    if ignore_padding:
        known = check_feature_names(feature_names, sequences.shape[2])
        column = resolve_loudness(loudness, known, sequences.shape[2])
        column = find_padding_column(sequences, column)
        bounds = all_real_bounds(sequences, column)
    standardized = empty_like(X, sequences.shape)
    for speaker in np.unique(names):
        rows = np.flatnonzero(names == speaker)
        _, mean, variance = compute_moments(sequences, rows, bounds, axis=(0, 1))
        scale = to_scale(mean, variance)
        standardize(sequences, rows, bounds, mean, scale, standardized)
    return standardized


class SequenceScaler(SequenceOneToOneMixin, BaseEstimator):
    """Standardise sequences to zero mean and unit variance.

    Parameters
    ----------
    scope : {"feature", "cell"}, default="feature"
        What shares a mean and a deviation: all frames of a feature, or each
        cell of frame and feature on its own, which treats the sequences as
        flat vectors.

    ignore_padding : bool, default=False
        Whether to leave padding alone: the runs of digital silence at either
        end of a recording. If True, the statistics are those of the real
        frames, and padded frames come out as exactly 0 in every feature, so
        that a classifier can mask them.

    loudness : str, int or None, default=None
        Name or column of the root mean square: a frame is silent where it is
        exactly 0. None takes the feature that is called ``"rms"``, or, in a
        :class:`SequenceUnion`, ``"<transformer>__rms"``; if none is, frames
        are silent that are 0 in every feature. Names are known behind an
        extractor in an :class:`EmotionPipeline`, or if `fit` is given them;
        the pipelines of scikit-learn and imbalanced-learn hand none on. There
        the column is found by padding that `fit` sees: it is 0 in frames that
        are repeated at an end. Only used if `ignore_padding` is True.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,) or (n_frames, n_features)
        Mean of each feature or cell.

    var_ : ndarray of shape (n_features,) or (n_frames, n_features)
        Variance of each feature or cell.

    scale_ : ndarray of shape (n_features,) or (n_frames, n_features)
        Standard deviation of each feature or cell, 1 where it is constant.

    n_samples_seen_ : int or ndarray of shape (n_frames, 1)
        Number of frames behind the moments, padding left out if it is ignored;
        of each position, if each cell is on its own. Of two-dimensional X, the
        number of sequences.

    ignores_padding_ : bool
        Whether padding is left alone: if `ignore_padding` is set, and X has
        three dimensions.

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
    sklearn.preprocessing.StandardScaler : The same for flat features.

    Notes
    -----
    Two-dimensional X of shape (n_samples, n_frames) is read as one feature per
    frame position, as :class:`~sklearn.preprocessing.StandardScaler` does:
    each column is standardised, whatever the `scope`, and nothing is padding.

    A memory-mapped X is read a few rows at a time. If it is larger than
    scikit-learn's ``working_memory`` (:func:`sklearn.set_config`), `transform`
    returns an array that is mapped to a temporary file as well.

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

    # Where metadata routing is on, names are asked for without a set_fit_request.
    __metadata_request__fit = {"feature_names": True}
    __metadata_request__partial_fit = {"feature_names": True}

    n_samples_seen_: Any
    mean_: NDArray[np.float64]
    var_: NDArray[np.float64]

    _parameter_constraints: dict = {
        "scope": [StrOptions({"feature", "cell"})],
        "ignore_padding": ["boolean"],
        "loudness": LOUDNESS_CONSTRAINTS,
    }

    def __init__(
        self,
        *,
        scope: Literal["feature", "cell"] = "feature",
        ignore_padding: bool = False,
        loudness: int | str | None = None,
    ):
        self.scope = scope
        self.ignore_padding = ignore_padding
        self.loudness = loudness

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: Any = None, feature_names: ArrayLike | None = None
    ) -> "SequenceScaler":
        """Compute the mean and the deviation.

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
        self : SequenceScaler

        Raises
        ------
        ValueError
            If `loudness` is no feature, or padding is to be left alone but
            cannot be recognised: recordings begin or end with repeated frames,
            none of which is silent.
        """
        sequences = validate_sequences(self, X, reset=True, feature_names=feature_names)
        learn_padding(self, sequences)
        self._has_padding = False
        return self._merge(sequences)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: ArrayLike, y: Any = None, feature_names: ArrayLike | None = None
    ) -> "SequenceScaler":
        """Compute the mean and the deviation of all X that have been given so far.

        Chunk by chunk it gives what `fit` gives in one go, to rounding.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.
        y : ignored
            Present for API consistency.
        feature_names : array-like of str of shape (n_features,), default=None
            As in :meth:`fit`. Only looked at in the first call.

        Returns
        -------
        self : SequenceScaler

        Raises
        ------
        ValueError
            As in :meth:`fit`; if X has another shape than before; or if it is
            not known of how many frames the moments are, as in a scaler that
            was loaded from a bundle.
        """
        first = not hasattr(self, "n_features_in_")
        sequences = validate_sequences(
            self, X, reset=first, feature_names=feature_names
        )
        if first or self._may_find_padding():
            learn_padding(self, sequences)
        if not first and not hasattr(self, "n_samples_seen_"):
            raise ValueError(
                "of how many frames the mean and deviation are is not known, since "
                "this scaler comes from a bundle or an earlier version: fit it anew."
            )
        seen = None
        if not first:
            self._check_frames(sequences)
            seen = self.n_samples_seen_, self.mean_, self.var_
        return self._merge(sequences, seen)

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
        self._check_frames(sequences)
        scaled = empty_like(X, sequences.shape)
        rows, bounds = np.arange(len(sequences)), self._find_bounds(sequences)
        standardize(sequences, rows, bounds, self.mean_, self.scale_, scaled)
        return scaled

    def _find_bounds(self, X):
        return all_real_bounds(X, self.loudness_) if self.ignores_padding_ else None

    def _may_find_padding(self):
        """Tell whether padding has not been met yet, nor is its column known."""
        unknown = self.ignores_padding_ and self.loudness_ is None
        return unknown and not getattr(self, "_has_padding", True)

    def _check_frames(self, X):
        if self.mean_.ndim == 2 and X.shape[1:] != self.mean_.shape:
            raise ValueError(
                f"X has {X.shape[1]} frames, but SequenceScaler(scope='cell') "
                f"was fitted on {self.mean_.shape[0]}; extract all recordings with "
                "the same duration."
            )

    def _without_moments(self):
        """Return a copy that knows features, frames and padding, and no more."""
        fresh = copy.copy(self)
        fresh.n_samples_seen_ = 0
        fresh.mean_ = fresh.var_ = np.zeros_like(self.mean_)
        return fresh

    def _merge(self, X, seen=None):
        """Take more sequences into the moments."""
        per_feature = self.scope == "feature" and X.ndim == 3
        axis = (0, 1) if per_feature else 0
        bounds = self._find_bounds(X)
        count, mean, variance = compute_moments(X, np.arange(len(X)), bounds, axis)
        if seen is not None:
            count, mean, variance = merge_moments(seen, (count, mean, variance))
        self.n_samples_seen_, self.mean_, self.var_ = count, mean, variance
        self.scale_ = to_scale(mean, variance)
        padded = bounds is not None and bool(np.any(bounds != [0, X.shape[1]]))
        self._has_padding = getattr(self, "_has_padding", False) or padded
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
