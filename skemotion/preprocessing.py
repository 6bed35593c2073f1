"""Scaling of sequences."""

import tempfile
from numbers import Integral

import numpy as np
import sklearn
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin
from sklearn.utils import check_array, column_or_1d, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skemotion._sequences import SequenceTransformerMixin
from skemotion._validation import validate_sequences

__all__ = ["SequenceScaler", "padding_mask", "speaker_standardize"]

_RMS_COLUMN = 5
_ROWS_AT_A_TIME = 256


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


@validate_params(
    {
        "X": ["array-like"],
        "speakers": ["array-like"],
        "keep_padding": ["boolean"],
        "energy_feature": [Interval(Integral, 0, None, closed="left")],
        "padding_side": [StrOptions({"left", "right"})],
    },
    prefer_skip_nested_validation=True,
)
def speaker_standardize(
    X: ArrayLike,
    speakers: ArrayLike,
    *,
    keep_padding: bool = True,
    energy_feature: int = _RMS_COLUMN,
    padding_side: str = "left",
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
        Sequences, as :class:`SpeechFeatureExtractor` returns them.
    speakers : array-like of shape (n_samples,)
        Who speaks in each.
    keep_padding : bool, default=True
        Whether the statistics are those of the real frames, and padded frames
        come out as exactly 0 in every feature. If False, padding is treated
        like the rest.
    energy_feature : int, default=5
        Column of the root mean square, by which padding is recognised.
    padding_side : {"left", "right"}, default="left"
        Where the padding stands.

    Returns
    -------
    ndarray of the shape of X, dtype float32
        Each feature has zero mean and unit variance over the frames of each
        speaker; a feature that is constant for a speaker becomes 0.

    Raises
    ------
    ValueError
        If X has not three dimensions, holds NaN or infinity, or `speakers` is
        of another length.

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
    >>> standardized = speaker_standardize(X, ["03", "03", "03", "08", "08", "08"])
    >>> standardized.shape, standardized.dtype
    ((6, 157, 46), dtype('float32'))
    >>> bool(abs(standardized[:3].std() - standardized[3:].std()) < 1e-3)
    True
    """
    sequences: NDArray = check_array(X, dtype=np.float32, allow_nd=True, input_name="X")
    if sequences.ndim != 3:
        raise ValueError(
            "speaker_standardize expects X of shape (n_samples, n_frames, n_features), "
            f"as SpeechFeatureExtractor returns it; got shape {sequences.shape}."
        )
    names = column_or_1d(speakers)
    check_consistent_length(sequences, names)

    def find_padding(block):
        return _find_padding(block, keep_padding, energy_feature, padding_side)

    standardized = _empty_like(X, sequences.shape)
    for speaker in np.unique(names):
        rows = np.flatnonzero(names == speaker)
        mean, scale = _moments(sequences, rows, find_padding, axis=(0, 1))
        _standardize(sequences, rows, find_padding, mean, scale, standardized)
    return standardized


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
        per_feature = self.scope == "feature" and sequences.ndim == 3
        axis = (0, 1) if per_feature else 0
        rows = np.arange(len(sequences))
        self.mean_, self.scale_ = _moments(sequences, rows, self._find_padding, axis)
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
        scaled = _empty_like(X, sequences.shape)
        rows = np.arange(len(sequences))
        _standardize(
            sequences, rows, self._find_padding, self.mean_, self.scale_, scaled
        )
        return scaled

    def _find_padding(self, block):
        return _find_padding(
            block, self.keep_padding, self.energy_feature, self.padding_side
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _find_padding(X, keep_padding, energy_feature, padding_side):
    """Return the mask of padding, or None if it is to be treated like the rest."""
    if not keep_padding or X.ndim == 2:
        return None
    if energy_feature >= X.shape[2]:
        raise ValueError(
            f"energy_feature={energy_feature} is no column of X with {X.shape[2]} "
            "features; name the column of the root mean square."
        )
    return padding_mask(X, energy_feature=energy_feature, padding_side=padding_side)


def _moments(X, rows, find_padding, axis):
    """Return mean and non-zero deviation over the real frames, in double precision."""
    total = count = squares = 0.0
    for block, _ in _blocks(X, rows):
        where = _real_cells(block, find_padding)
        total = total + block.sum(axis=axis, dtype=np.float64, where=where)
        count = count + np.sum(where, axis=axis)
    count = np.maximum(count, 1)
    mean = total / count
    for block, _ in _blocks(X, rows):
        where = _real_cells(block, find_padding)
        squares = squares + np.square(block - mean).sum(axis=axis, where=where)
    scale = np.sqrt(squares / count)
    # Rounding leaves a constant with a deviation of a few units in the last place.
    scale[scale <= 10 * np.finfo(np.float32).eps * np.abs(mean)] = 1.0
    return mean, scale


def _standardize(X, rows, find_padding, mean, scale, out):
    for block, chosen in _blocks(X, rows):
        standardized = ((block - mean) / scale).astype(np.float32)
        padding = find_padding(block)
        if padding is not None:
            standardized[padding] = 0.0
        out[chosen] = standardized


def _real_cells(block, find_padding):
    padding = find_padding(block)
    real = True if padding is None else ~padding[..., np.newaxis]
    return np.broadcast_to(real, block.shape)


def _blocks(X, rows):
    """Yield a few rows at a time: X may be larger than the memory."""
    for batch in gen_batches(len(rows), _ROWS_AT_A_TIME):
        yield X[rows[batch]], rows[batch]


def _empty_like(X, shape):
    """Allocate a result: in a temporary file where X is itself mapped, and large."""
    n_bytes = np.prod(shape, dtype=np.int64) * np.dtype(np.float32).itemsize
    limit = sklearn.get_config()["working_memory"] * 2**20
    if not isinstance(X, np.memmap) or n_bytes <= limit:
        return np.empty(shape, dtype=np.float32)
    # The mapping outlives the file object, and gives the disk space back.
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
