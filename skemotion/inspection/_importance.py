"""How much a model depends on each feature of the frames."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.inspection import permutation_importance
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils import Bunch
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skemotion._validation._arrays import as_numbers, as_plain_array
from skemotion._validation._labels import check_scored
from skemotion._validation._parameters import validate_params
from skemotion._validation._sequences import check_names
from skemotion._workers import deaths_in_words


@validate_params(
    {
        "estimator": [HasMethods(["fit"])],
        "X": ["array-like"],
        "y": ["array-like"],
        "scoring": [
            StrOptions(set(get_scorer_names())),
            callable,
            list,
            tuple,
            dict,
            None,
        ],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "feature_names": ["array-like", None],
        "feature_groups": [Mapping, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "sample_weight": ["array-like", None],
    }
)
def sequence_permutation_importance(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    scoring: str | Callable | Sequence[str] | Mapping[str, Callable] | None = None,
    n_repeats: int = 5,
    feature_names: ArrayLike | None = None,
    feature_groups: Mapping[str, ArrayLike] | None = None,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    sample_weight: ArrayLike | None = None,
) -> Bunch | dict[str, Bunch]:
    """Measure by how much a score falls when features are permuted.

    A feature of all recordings is permuted among them [1]_: each recording gets
    the whole course of that feature, over all frames, from another one. For
    each feature this is done `n_repeats` times. It is what
    :func:`sklearn.inspection.permutation_importance` does for flat vectors,
    and done by it.

    Parameters
    ----------
    estimator : fitted estimator
        A classifier of sequences. Of a pipeline with an extractor, take the
        steps behind it, :attr:`skemotion.EmotionPipeline.sequence_steps`.

    X : array-like of shape (n_samples, n_frames, n_features)
        Sequences, best of recordings that the estimator was not trained on.

    y : array-like of shape (n_samples,)
        True classes.

    scoring : str, callable, list, tuple or dict, default=None
        The score, as in scikit-learn. None takes that of the estimator. Several
        are computed from the same predictions if a list, tuple or dict names
        them.

    n_repeats : int, default=5
        Number of permutations of each feature.

    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features, as
        :meth:`~skemotion.SpeechFeatureExtractor.get_feature_names_out` gives
        them. None stands for ``"x0"``, ``"x1"`` and so on.

    feature_groups : dict of str to list of int or of str, default=None
        Columns, or their names in `feature_names`, that are permuted together,
        by the name of the group. None takes each feature for itself.

    n_jobs : int, default=None
        Number of features worked on at the same time, by joblib. None means 1
        unless in a :obj:`joblib.parallel_config` context, -1 means all
        processors.

    random_state : int, RandomState instance or None, default=None
        Determines the permutations. All features are permuted in the same ways.

    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each recording in the score.

    Returns
    -------
    :class:`~sklearn.utils.Bunch` or dict of such
        With the attributes

        importances_mean : ndarray of shape (n_features,)
            Mean over permutations of the score lost.
        importances_std : ndarray of shape (n_features,)
            Standard deviation over permutations.
        importances : ndarray of shape (n_features, n_repeats)
            The score lost at each permutation.
        feature_names : ndarray of shape (n_features,), dtype object
            What the rows stand for: features, or groups.

        If `scoring` names several scores, a dict with a bunch for each.

    Raises
    ------
    ValueError
        If `X` is not three-dimensional, or names and groups do not fit it.
    WorkerError
        If a worker process dies.

    See Also
    --------
    sklearn.inspection.permutation_importance : The same for flat vectors.

    Notes
    -----
    Features that stand in for each other, as neighbouring MFCCs do, all seem
    unimportant when permuted one by one: permute them as a group.

    Padding moves with a feature's course, so that a frame may be padding in one
    feature and not in others. What the estimator reads from the padding, above
    all the duration of a recording, is counted with the feature permuted. Where
    :class:`~skemotion.SequenceFunctionals` follow, the root mean square also
    decides for all other features which frames are padding; there, the ordinary
    permutation importance of the functionals says more.

    References
    ----------
    .. [1] L. Breiman, "Random Forests", Machine Learning 45(1), 2001, pp. 5-32.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skemotion.feature_extraction import SequenceFunctionals
    >>> from skemotion.inspection import sequence_permutation_importance
    >>> X = np.random.default_rng(0).normal(size=(40, 20, 3))
    >>> X[20:, :, 1] += 2.0
    >>> y = ["calm"] * 20 + ["angry"] * 20
    >>> functionals = SequenceFunctionals(["mean"], ignore_padding=False)
    >>> classifier = make_pipeline(functionals, LogisticRegression()).fit(X, y)
    >>> result = sequence_permutation_importance(
    ...     classifier, X, y, feature_names=["pitch", "energy", "rate"], random_state=0
    ... )
    >>> result.feature_names[result.importances_mean.argmax()]
    'energy'
    """
    sequences = _check_sequences(X)
    y, sample_weight = check_scored(sequences, y, sample_weight)
    names = _check_names(feature_names, sequences.shape[2])
    if feature_groups is None:
        groups = {name: [column] for column, name in enumerate(names)}
    else:
        groups = {
            name: _check_columns(name, columns, names)
            for name, columns in feature_groups.items()
        }
        if not groups:
            raise ValueError("feature_groups is empty; give at least one group.")

    sources = np.tile(np.arange(len(sequences))[:, np.newaxis], len(groups))
    with deaths_in_words(n_jobs):
        result = permutation_importance(
            estimator,
            sources,
            y,
            scoring=partial(
                _score_rearranged,
                sequences=sequences,
                groups=list(groups.values()),
                scorer=check_scoring(estimator, scoring=scoring),
            ),
            n_repeats=n_repeats,
            n_jobs=n_jobs,
            random_state=random_state,
            sample_weight=sample_weight,
        )
    for bunch in result.values() if _is_multimetric(result) else [result]:
        bunch.feature_names = np.array(list(groups), dtype=object)
    return result


def _score_rearranged(
    estimator, sources, y, *, sequences, groups, scorer, **score_params
):
    """Score on sequences whose group j comes from the recordings sources[:, j]."""
    rearranged = sequences.copy()
    moved = (sources != np.arange(len(sources))[:, np.newaxis]).any(axis=0)
    for j in np.flatnonzero(moved):
        columns = groups[j]
        rearranged[:, :, columns] = sequences[:, :, columns][sources[:, j]]
    return scorer(estimator, rearranged, y, **score_params)


def _check_sequences(X):
    X = as_plain_array(X, "X")
    if X.ndim != 3 or 0 in X.shape:
        raise ValueError(
            "X must be sequences of shape (n_samples, n_frames, n_features), got shape "
            f"{X.shape}. Of recordings, extract the features and give the steps behind "
            "the extractor (sequence_steps of an EmotionPipeline); for flat vectors "
            "there is sklearn.inspection.permutation_importance."
        )
    return as_numbers(X, "X", dtype=None, allow_nan=True)


def _check_names(feature_names, n_features):
    """Return the names of all columns as a list."""
    if feature_names is None:
        return [f"x{column}" for column in range(n_features)]
    names = check_names(feature_names, "feature_names")
    if len(names) != n_features or len(set(names)) != n_features:
        raise ValueError(
            f"feature_names must name each of the {n_features} features of X once, got "
            f"{len(names)} names, {len(set(names))} of them different."
        )
    return names


def _check_columns(group, columns, names):
    """Return a group's columns as a list of int."""
    found = []
    for column in np.atleast_1d(np.asarray(columns, dtype=object)).tolist():
        if column in names:
            found.append(names.index(column))
        elif not isinstance(column, bool) and column in range(len(names)):
            found.append(int(column))
        else:
            raise ValueError(
                f"feature_groups[{group!r}] holds {column!r}, which is neither a name "
                f"in feature_names nor a column from 0 to {len(names) - 1}."
            )
    if not found:
        raise ValueError(f"feature_groups[{group!r}] is empty; give it a column.")
    return found


def _is_multimetric(result):
    return not isinstance(result, Bunch)
