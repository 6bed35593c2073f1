"""How unlike the training data a recording is."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.blas import dsymv
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.decomposition import PCA
from sklearn.model_selection import GroupKFold, KFold
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skemotion._sequences import (
    LOUDNESS_CONSTRAINTS,
    learn_padding,
    mark_real,
    real_bounds,
    summarise,
)
from skemotion._typing import RandomState
from skemotion._validation._arrays import as_numbers
from skemotion._validation._labels import check_labels
from skemotion._validation._parameters import fit_context
from skemotion._validation._rows import check_same_length
from skemotion._validation._sequences import validate_sequences
from skemotion.feature_extraction._blas import one_blas_thread

__all__ = ["NoveltyDetector"]

FUNCTIONALS = ("mean", "std")
_MANY = 10  # times the components that are looked for
_FEWEST = 4  # so that all but a fold have a mean and a spread
# Of these a sequence of 157 frames fills 100 MB in double precision.
_CELLS_AT_A_TIME = 2**23


class NoveltyDetector(OutlierMixin, BaseEstimator):
    """Tell how unlike the training data a sequence is.

    Each sequence is reduced to the mean and the deviation of its features over
    time. The distance from the centre of the training data is measured along
    the principal components, and across them, in units of the spread in
    training. What is usual for a voice that was not trained on is learnt by
    leaving speakers out: a distance is compared with those of the recordings of
    each speaker from all others.

    Parameters
    ----------
    n_components : int, default=60
        Most principal components along which the distance is measured. There
        are at most half as many as sequences, so that some spread is left
        across them.

    contamination : float, default=0.05
        Part of the training sequences, each with its speaker left out, that
        `predict` would call novel. It sets the limit, `offset_`.

    n_splits : int, default=10
        Most folds in which training sequences are left out: whole speakers, if
        there are two or more, of whom none has nearly all sequences.

    ignore_padding : bool, default=True
        Whether to leave padding out: the runs of digital silence at either end
        of a recording.

    loudness : str, int or None, default=None
        Name or column of the root mean square, by which padding is recognised,
        as in :class:`SequenceScaler`. Only used if `ignore_padding` is True.

    random_state : int, RandomState instance or None, default=None
        Shares sequences out to folds, where no speakers are given.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_statistics,), dtype float64
        Mean and deviation of each statistic: of each feature's mean and
        deviation over time.

    components_ : ndarray of shape (n_components, n_statistics), dtype float32
        The principal components of the scaled statistics.

    variances_ : ndarray of shape (n_components,), dtype float64
        Variance along each.

    residual_ : float
        Mean square of what is left across them, in training. 0 if nothing is.

    distances_ : ndarray of shape (n_samples,), dtype float64
        Distances of the training sequences from the others, their speaker left
        out, in ascending order.

    offset_ : float
        The score at the limit: `predict` calls novel what has a lower one.

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
    EmotionPipeline : Has one look at what reaches its classifier.
    sklearn.covariance.EllipticEnvelope : Distances of flat vectors.

    Notes
    -----
    In the words of scikit-learn this is novelty detection: the training data
    are taken to be clean.

    The squared distance is the mean of the squared components, each over its
    variance, plus the squared residual over its mean in training. Process
    control knows the two as Hotelling's T² and Q [1]_: the first notices what
    has more of what recordings differ by, the second what is of another kind.

    Rows of two-dimensional X, such as those of :class:`SequenceFunctionals`, are
    measured as they are, each column as a statistic.

    References
    ----------
    .. [1] J. E. Jackson and G. S. Mudholkar, "Control Procedures for Residuals
       Associated With Principal Component Analysis", Technometrics 21, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import NoveltyDetector
    >>> rng = np.random.default_rng(0)
    >>> X, speakers = rng.normal(size=(40, 50, 8)), np.repeat(list("abcd"), 10)
    >>> detector = NoveltyDetector().fit(X, groups=speakers)
    >>> strange = 3 * rng.normal(size=(2, 50, 8))
    >>> detector.predict(strange)
    array([-1, -1])
    >>> detector.novelty(strange)
    array([1., 1.])
    """

    # Where metadata routing is on, these are asked for without a set_fit_request.
    __metadata_request__fit = {"feature_names": True, "groups": True, "sources": True}

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "n_splits": [Interval(Integral, 2, None, closed="left")],
        "ignore_padding": ["boolean"],
        "loudness": LOUDNESS_CONSTRAINTS,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 60,
        *,
        contamination: float = 0.05,
        n_splits: int = 10,
        ignore_padding: bool = True,
        loudness: int | str | None = None,
        random_state: RandomState = None,
    ):
        self.n_components = n_components
        self.contamination = contamination
        self.n_splits = n_splits
        self.ignore_padding = ignore_padding
        self.loudness = loudness
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        groups: ArrayLike | None = None,
        sources: ArrayLike | None = None,
        feature_names: ArrayLike | None = None,
    ) -> "NoveltyDetector":
        """Learn what is usual.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences, four at least.
        y : ignored
            Present for API consistency.
        groups : array-like of shape (n_samples,), default=None
            Speakers. Without, sequences are left out at random: new voices are
            stranger than those, so more of them are called novel.
        sources : array-like of shape (n_samples,), default=None
            Which recording each sequence stems from, where some are copies to
            which something was done. The first of each recording is taken for the
            real one; the others are learnt from, but do not set the limit. None
            means that all are real.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features; :class:`EmotionPipeline` gives them. Ignored
            if X has two dimensions.

        Returns
        -------
        self : NoveltyDetector

        Raises
        ------
        ValueError
            If there are too few sequences, `groups` is of another length or
            lacks a name, there is no such loudness, or padding cannot be
            recognised.
        """
        if groups is not None:
            check_same_length(X, groups=groups)
            groups = check_labels(groups, "groups")
        if sources is not None:
            check_same_length(X, sources=sources)
            sources = check_labels(sources, "sources")
            if len(np.unique(sources)) < 2:
                raise ValueError(
                    "sources names one recording for all of X, but NoveltyDetector "
                    "leaves some out to learn from others: give it two or more."
                )
        sequences = validate_sequences(self, X, reset=True, feature_names=feature_names)
        if len(sequences) < _FEWEST:
            raise ValueError(
                f"X has n_samples={len(sequences)}, but NoveltyDetector needs "
                f"{_FEWEST} or more to learn what is usual."
            )
        learn_padding(self, sequences)
        statistics = self._summarise(sequences)
        with one_blas_thread():  # of two, one mostly waits for the other, and turns
            self._learn(statistics)
            self.distances_ = np.sort(self._leave_out(statistics, groups, sources))
        limit = np.quantile(self.distances_, 1 - self.contamination)
        # A limit of 0 would have no multiples.
        self.offset_ = -float(max(limit, np.finfo(np.float32).tiny))
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute how usual sequences are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences. The number of frames may differ from that in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), dtype float64
            The negative distance: the higher, the more usual.
        """
        check_is_fitted(self)
        sequences = validate_sequences(self, X, reset=False)
        return -self._measure(self._summarise(sequences))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute how far sequences are from the limit.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples,), dtype float64
            ``score_samples(X) - offset_``: negative for what is novel.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.intp]:
        """Tell which sequences are like the training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples,), dtype int
            1 for what is, -1 for what is novel.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def novelty(self, X: ArrayLike) -> NDArray[np.float64]:
        """Compute which part of the training data is less strange.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_frames, n_features)
            Sequences.

        Returns
        -------
        ndarray of shape (n_samples,), dtype float64
            Part of the training sequences, each with its speaker left out, that
            have a higher score. Of speakers that were not trained on, it is
            spread evenly between 0 and 1; 1 is stranger than all of training.
        """
        return self.rank_scores(self.score_samples(X))

    def rank_scores(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Turn scores of `score_samples`, or means of them, into novelty.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            The scores.

        Returns
        -------
        ndarray of shape (n_samples,), dtype float64
            As :meth:`novelty` returns it; NaN for NaN.
        """
        check_is_fitted(self)
        distances = -as_numbers(
            scores, "scores", dtype=np.float64, n_dims=1, allow_nan=True
        )
        ranks = np.searchsorted(self.distances_, distances)
        return np.where(np.isnan(distances), np.nan, ranks / len(self.distances_))

    def _summarise(self, X):
        """Return mean and deviation over the real frames, some sequences at a time."""
        if X.ndim == 2:
            return X
        n_rows = max(_CELLS_AT_A_TIME // (X.shape[1] * X.shape[2]), 1)
        blocks = (X[start : start + n_rows] for start in range(0, len(X), n_rows))
        return np.concatenate(
            [summarise(block, self._mark_real(block), FUNCTIONALS) for block in blocks]
        )

    def _mark_real(self, X):
        if not self.ignores_padding_:
            return np.ones(X.shape[:2], dtype=bool)
        return mark_real(real_bounds(X, self.loudness_), X.shape[1])

    def _learn(self, statistics):
        """Set the attributes by which a distance is measured."""
        self.mean_ = statistics.mean(axis=0, dtype=np.float64)
        scale = statistics.std(axis=0, dtype=np.float64)
        # Rounding leaves a constant with a deviation of a few units in the last place.
        scale[scale <= 10 * np.finfo(np.float32).eps * np.abs(self.mean_)] = 1.0
        self.scale_ = scale
        scaled = (statistics - self.mean_) / self.scale_
        n_components = min(self.n_components, scaled.shape[1], len(scaled) // 2)
        components, variances = _find_components(scaled, n_components)
        self.components_ = components.astype(np.float32)
        along, across = _split(scaled, self.components_)
        self.variances_ = _shrink(variances, along)
        across = across.mean()
        noise = np.finfo(np.float32).eps * scaled.shape[1]
        self.residual_ = float(across) if across > noise else 0.0

    def _measure(self, statistics):
        scaled = (statistics - self.mean_) / self.scale_
        along, across = _split(scaled, self.components_)
        squares = (along**2 / self.variances_).mean(axis=1)
        if self.residual_:
            squares += across / self.residual_
        return np.sqrt(squares)

    def _leave_out(self, statistics, groups, sources):
        """Return the distance of each real sequence from those in the other folds."""
        if sources is None:
            sources = np.arange(len(statistics))
        _, real, numbers = np.unique(sources, return_index=True, return_inverse=True)
        of_real = statistics[real]
        distances = np.empty(len(real))
        groups = None if groups is None else groups[real]
        for train, test in self._split_folds(of_real, groups):
            others = NoveltyDetector(self.n_components)
            others._learn(statistics[np.isin(numbers, train)])
            distances[test] = others._measure(of_real[test])
        return distances

    def _split_folds(self, statistics, groups):
        n_samples = len(statistics)
        if groups is not None:
            _, counts = np.unique(groups, return_counts=True)
            if len(counts) > 1 and n_samples - counts.max() >= _FEWEST - 1:
                by_speaker = GroupKFold(min(self.n_splits, len(counts)))
                return by_speaker.split(statistics, groups=groups)
        n_splits = min(self.n_splits, n_samples)
        by_chance = KFold(n_splits, shuffle=True, random_state=self.random_state)
        return by_chance.split(statistics)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _find_components(scaled, n_components):
    """Return the same components, and the variances along them, as soon as may be."""
    is_tall = len(scaled) > scaled.shape[1]
    is_few = n_components < min(scaled.shape) / _MANY and scaled.any()
    if is_tall and is_few:
        return _find_few(scaled, n_components)
    solver = "arpack" if is_few else "covariance_eigh" if is_tall else "full"
    with np.errstate(invalid="ignore"):  # shares of no variance
        pca = PCA(n_components, svd_solver=solver, random_state=0).fit(scaled)
    return pca.components_, pca.explained_variance_


def _find_few(scaled, n_components):
    """Find components one after the other by products with half of the covariance."""
    covariance = scaled.T @ scaled / (len(scaled) - 1)
    n_statistics = len(covariance)
    operator = LinearOperator(
        covariance.shape,
        matvec=lambda vector: dsymv(1.0, covariance.T, vector),
        dtype=covariance.dtype,
    )
    start = np.random.default_rng(0).uniform(-1, 1, n_statistics)
    variances, vectors = eigsh(operator, n_components, v0=start)
    components = vectors.T[::-1]
    # As those of PCA are turned.
    largest = np.abs(components).argmax(axis=1, keepdims=True)
    signs = np.sign(np.take_along_axis(components, largest, axis=1))
    return signs * components, variances[::-1]


def _split(scaled, components):
    """Return what lies along the components, and the square of what does not."""
    along = scaled @ components.T
    across = np.square(scaled - along @ components).sum(axis=1)
    return along, across


def _shrink(variances, along):
    """Draw variances to their mean, as far as Ledoit and Wolf find best.

    Those of few sequences differ more than those of all that could be drawn, and
    the smallest would weigh too much.
    """
    weight = ledoit_wolf_shrinkage(along)
    shrunk = (1 - weight) * variances + weight * variances.mean()
    return np.maximum(shrunk, np.finfo(np.float32).eps)
