"""Balancing of classes by resampling sequences."""

import warnings
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from imblearn.base import BaseSampler
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import NearMiss
from imblearn.utils import check_sampling_strategy, check_target_type
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods

from skemotion._typing import RandomState
from skemotion._validation._arrays import as_plain_array
from skemotion._validation._labels import check_labels, has_columns
from skemotion._validation._sequences import check_input_features, validate_sequences
from skemotion.exceptions import ResamplingWarning

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["SequenceSampler"]

_NEIGHBORS = {"k_neighbors", "m_neighbors", "n_neighbors", "n_neighbors_ver3"}


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
        Given to the sampler, and to what is nested in it such as the `smote` of
        SMOTEENN, where there is a `random_state` that is None. Pass an int for
        reproducible results.

    Attributes
    ----------
    sampler_ : sampler
        The fitted sampler.

    sampling_strategy_ : dict
        Number of new sequences of each class, or what the sampler makes of its
        `sampling_strategy`.

    n_features_in_ : int
        Number of features per frame.

    n_dims_in_ : int
        Number of dimensions of X.

    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for two-dimensional X with column names.

    See Also
    --------
    imblearn.over_sampling.SMOTE : The default sampler.
    SequenceScaler : To be used before, since distances decide the neighbours.

    Notes
    -----
    Numbers of neighbours are lowered where there are not so many recordings to
    choose them from, as it happens in small folds, with a
    :class:`~skemotion.exceptions.ResamplingWarning`: `k_neighbors` of SMOTE and
    its kin, and `n_neighbors` of ADASYN, to those of the smallest class that is
    over-sampled; `m_neighbors`, and `n_neighbors` of samplers that clean, to
    those of all. So it is in samplers that are nested in others, and for
    neighbours given as an estimator with `n_neighbors`.

    SMOTE between two padded frames that are exactly 0 gives 0 again. Labels in
    an array of pandas come back in one of NumPy.

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

    def __init__(self, sampler: Any = None, *, random_state: RandomState = None):
        self.sampler = sampler
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> "Self":
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
        y = _plain_labels(y)
        super().fit(X, y)
        self.sampler_ = self._make_sampler(check_target_type(y))
        return self

    def fit_resample(
        self, X: ArrayLike, y: ArrayLike
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
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
            sampler interpolates between neighbours, or if labels are missing,
            continuous or of different kinds.
        """
        labels = _plain_labels(y)
        # The base class gives lists and series back as what they came.
        keeps_kind = isinstance(y, list) or hasattr(y, "iloc")
        return super().fit_resample(X, y if keeps_kind else labels)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features, which stay as they are.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names. None stands for those of `fit`, or ``"x0"``, ``"x1"`` and so on.

        Returns
        -------
        ndarray of shape (n_features,), dtype object
        """
        check_input_features(input_features)
        return super().get_feature_names_out(input_features)

    # What the base class checks y against is up to the sampler inside.
    @property
    def sampling_strategy(self) -> Any:
        """The sampler's own strategy."""
        return getattr(self._get_sampler(), "sampling_strategy", "auto")

    @property
    def _sampling_type(self):
        return getattr(self._get_sampler(), "_sampling_type", "bypass")

    def _get_sampler(self):
        return SMOTE() if self.sampler is None else self.sampler

    def _check_X_y(self, X, y):
        y = as_plain_array(y, "y") if has_columns(y) else y
        y, is_one_vs_all = check_target_type(y, indicate_one_vs_all=True)
        X, y = validate_sequences(self, X, y, reset=True)
        return X, y, is_one_vs_all

    def _fit_resample(self, X, y):
        self.sampler_ = self._make_sampler(y)
        flat, y = self.sampler_.fit_resample(X.reshape(len(X), -1), y)
        return flat.reshape(-1, *X.shape[1:]), y

    def _make_sampler(self, y):
        sampler = _with_own_smote(clone(self._get_sampler()))
        if self.random_state is not None:
            _set_random_states(sampler, self.random_state)
        for part in _parts(sampler):
            _clip_neighbors(sampler, part, y)
        return sampler

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = False
        return tags


def _plain_labels(y):
    """Return labels as a plain array, and columns of ones and zeros as they are."""
    if y is None:
        raise ValueError(
            "SequenceSampler requires y to be passed, but the target y is None."
        )
    return as_plain_array(y, "y") if has_columns(y) else check_labels(y)


def _with_own_smote(sampler):
    """Give samplers that make their SMOTE in `fit_resample` one that can be set."""
    if isinstance(sampler, (SMOTEENN, SMOTETomek)) and sampler.smote is None:
        smote = SMOTE(
            sampling_strategy=sampler.sampling_strategy,
            random_state=sampler.random_state,
        )
        sampler.set_params(smote=smote)
    return sampler


def _set_random_states(sampler, random_state):
    """Seed a sampler, and all that is nested in it, where there is no seed."""
    parameters = sampler.get_params()
    nameless = [
        name
        for name in sorted(parameters)
        if name.rpartition("__")[2] == "random_state" and parameters[name] is None
    ]
    rng = check_random_state(random_state)
    for name in nameless:
        own = name == "random_state"
        seed = random_state if own else rng.randint(np.iinfo(np.int32).max)
        sampler.set_params(**{name: seed})


class _Part(NamedTuple):
    """A sampler within a sampler; its parameters have a prefix there."""

    prefix: str
    sampler: Any


def _parts(sampler):
    """List a sampler and those that are nested in it."""
    nested = [
        _Part(f"{name}__", value)
        for name, value in sampler.get_params().items()
        if hasattr(value, "fit_resample")
    ]
    return [_Part("", sampler), *nested]


class _Pool(NamedTuple):
    """What neighbours are chosen from: a class, or all recordings (None)."""

    label: Any
    size: int
    holds_itself: bool = True  # the recording whose neighbours are looked for


def _clip_neighbors(whole, part, y):
    """Lower the numbers of neighbours of one sampler to what there is."""
    parameters = part.sampler.get_params(deep=False)
    for name in sorted(parameters.keys() & _NEIGHBORS):
        pool = _find_pool(part.sampler, name, y)
        if pool is None or parameters[name] is None:
            continue
        if pool.size == 1 and pool.holds_itself:
            raise ValueError(_describe_lonely(part.sampler, pool, name))
        if isinstance(parameters[name], Integral):
            _lower(whole, part.prefix + name, pool.size - pool.holds_itself, pool)
        elif hasattr(parameters[name], "n_neighbors"):
            # Such an estimator counts the recording itself among its neighbours.
            _lower(whole, f"{part.prefix}{name}__n_neighbors", pool.size, pool)


def _find_pool(sampler, name, y):
    """Return what the neighbours of a parameter are chosen from, if anything."""
    labels, counts = np.unique(y, return_counts=True)
    sizes = dict(zip(labels.tolist(), counts.tolist(), strict=True))
    everything = _Pool(None, len(y))
    if isinstance(sampler, NearMiss):
        smallest = min(sizes, key=lambda label: sizes[label])
        return _Pool(smallest, sizes[smallest], holds_itself=False)
    if getattr(sampler, "_sampling_type", None) != "over-sampling":
        return everything
    if name == "m_neighbors" or getattr(sampler, "kind", None) == "borderline-2":
        return everything
    n_new = _count_new(sampler, y)
    grown = [label for label in sizes if n_new.get(label, 0) > 0]
    if not grown:
        return None
    smallest = min(grown, key=lambda label: sizes[label])
    return _Pool(smallest, sizes[smallest])


def _count_new(sampler, y):
    try:
        return check_sampling_strategy(sampler.sampling_strategy, y, "over-sampling")
    except ValueError:  # it may fit the rows that samplers before it leave
        return {}


def _describe_lonely(sampler, pool, name):
    if pool.label is None:
        return f"{name} of {type(sampler).__name__} needs more than one recording."
    return (
        f"class {pool.label!r} has one recording, and {type(sampler).__name__} "
        "interpolates between two of the same class: add recordings, leave the class "
        "out, or use imblearn.over_sampling.RandomOverSampler."
    )


def _lower(sampler, name, n_neighbors, pool):
    wanted = sampler.get_params()[name]
    if wanted <= n_neighbors:
        return
    among = "X has" if pool.label is None else f"class {pool.label!r} has"
    warnings.warn(
        f"{name}={wanted} lowered to {n_neighbors}: {among} {pool.size} recordings.",
        ResamplingWarning,
        stacklevel=6,
    )
    sampler.set_params(**{name: n_neighbors})
