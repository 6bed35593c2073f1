"""Balancing of classes by resampling sequences."""

import warnings
from numbers import Integral

import numpy as np
from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE
from imblearn.utils import check_target_type
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods

from skemotion._validation import validate_sequences
from skemotion.exceptions import ResamplingWarning

__all__ = ["SequenceSampler"]


class SequenceSampler(BaseSampler):
    """Apply any imbalanced-learn sampler to sequences.

    Each sequence is flattened to one vector, the sampler resamples the
    vectors, and the result gets its three dimensions back. In an
    imbalanced-learn pipeline it acts in `fit` alone, so that no resampled
    recording is ever predicted or scored.

    Parameters
    ----------
    sampler : imbalanced-learn sampler, default=None
        What resamples. None means SMOTE [1]_ with five neighbours.

    random_state : int, RandomState instance or None, default=None
        Given to the sampler where the sampler has a `random_state` that is
        None. Pass an int for reproducible results.

    Attributes
    ----------
    sampler_ : sampler
        The fitted sampler.

    sampling_strategy_ : dict
        Number of new sequences of each class, or what the sampler makes of its
        `sampling_strategy`.

    n_features_in_ : int
        Number of features per frame.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for two-dimensional X with column names.

    See Also
    --------
    imblearn.over_sampling.SMOTE : The default sampler.
    SequenceScaler : To be used before, since distances decide the neighbours.

    Notes
    -----
    `k_neighbors` of the sampler is lowered where a class to be over-sampled
    holds fewer recordings than that, as it happens in small folds, with a
    :class:`~skemotion.exceptions.ResamplingWarning`. SMOTE between two padded
    frames that are exactly 0 gives 0 again.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE:
       Synthetic Minority Over-sampling Technique", Journal of Artificial
       Intelligence Research 16, 2002, pp. 321-357.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import SequenceSampler
    >>> X = np.random.default_rng(0).normal(size=(30, 157, 46))
    >>> y = ["anger"] * 20 + ["disgust"] * 10
    >>> X_balanced, y_balanced = SequenceSampler(random_state=0).fit_resample(X, y)
    >>> X_balanced.shape
    (40, 157, 46)
    >>> y_balanced.count("disgust")
    20
    """

    _parameter_constraints: dict = {
        "sampler": [HasMethods("fit_resample"), None],
        "random_state": ["random_state"],
    }

    def __init__(self, sampler=None, *, random_state=None):
        self.sampler = sampler
        self.random_state = random_state

    def fit(self, X, y):
        """Check X and y, and the sampler against them, without resampling.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        self : SequenceSampler
        """
        super().fit(X, y)
        self.sampler_ = self._make_sampler(check_target_type(y))
        return self

    def fit_resample(self, X, y):
        """Resample sequences.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        X_resampled : array of shape (n_samples_new, n_frames, n_features)
            Of the kind of `X`, with float32 values. Over-samplers put the new
            sequences behind the given.
        y_resampled : of the kind of `y`, of length n_samples_new
            Their labels.

        Raises
        ------
        ValueError
            If a class to be over-sampled has one recording only and the
            sampler interpolates between neighbours.
        """
        return super().fit_resample(X, y)

    # What the base class checks y against is up to the sampler inside.
    @property
    def sampling_strategy(self):
        """The sampler's own strategy."""
        return getattr(self._get_sampler(), "sampling_strategy", "auto")

    @property
    def _sampling_type(self):
        return getattr(self._get_sampler(), "_sampling_type", "bypass")

    def _get_sampler(self):
        return SMOTE() if self.sampler is None else self.sampler

    def _check_X_y(self, X, y):
        y, is_one_vs_all = check_target_type(y, indicate_one_vs_all=True)
        X, y = validate_sequences(self, X, y, reset=True)
        return X, y, is_one_vs_all

    def _fit_resample(self, X, y):
        self.sampler_ = self._make_sampler(y)
        flat, y = self.sampler_.fit_resample(X.reshape(len(X), -1), y)
        return flat.reshape(-1, *X.shape[1:]), y

    def _make_sampler(self, y):
        sampler = clone(self._get_sampler())
        parameters = sampler.get_params()
        if self.random_state is not None and parameters.get("random_state", 0) is None:
            sampler.set_params(random_state=self.random_state)
        return _clip_neighbors(sampler, self.sampling_strategy_, y)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = False
        return tags


def _clip_neighbors(sampler, n_new, y):
    """Lower `k_neighbors` to what the smallest class to be over-sampled holds."""
    names = [
        name
        for name, value in sampler.get_params().items()
        if name.rpartition("__")[2] == "k_neighbors" and isinstance(value, Integral)
    ]
    labels, sizes = np.unique(y, return_counts=True)
    counts = {
        label: size
        for label, size in zip(labels.tolist(), sizes.tolist(), strict=True)
        if n_new.get(label, 0) > 0
    }
    if not names or not counts:
        return sampler
    smallest = min(counts, key=lambda label: counts[label])
    if counts[smallest] == 1:
        raise ValueError(
            f"class {smallest!r} has one recording, and {type(sampler).__name__} "
            "interpolates between two of the same class: add recordings, leave the "
            "class out, or use imblearn.over_sampling.RandomOverSampler."
        )
    for name in names:
        _lower(sampler, name, counts[smallest] - 1, smallest)
    return sampler


def _lower(sampler, name, n_neighbors, label):
    wanted = sampler.get_params()[name]
    if wanted > n_neighbors:
        warnings.warn(
            f"{name}={wanted} lowered to {n_neighbors}: class {label!r} has "
            f"{n_neighbors + 1} recordings.",
            ResamplingWarning,
            stacklevel=6,
        )
        sampler.set_params(**{name: n_neighbors})
