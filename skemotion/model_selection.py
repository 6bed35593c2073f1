"""Splits of real recordings: a balanced test set, rows for early stopping."""

import warnings
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from skemotion._validation._labels import check_labels
from skemotion._validation._parameters import draw_seed, validate_params
from skemotion._validation._rows import check_same_length

__all__ = ["Holdout", "balanced_holdout", "stratified_validation_split"]

_N_GROUPS_SOLVED_EXACTLY = 100


class Holdout(NamedTuple):
    """Row numbers of a split; every row is in exactly one of the three.

    Parameters
    ----------
    train : ndarray of shape (n_train,), dtype int
        Rows to train on.
    test : ndarray of shape (n_test,), dtype int
        Rows to test on.
    dropped : ndarray of shape (n_dropped,), dtype int
        Rows of held-out groups that the test set has no room for. To train on
        them would show the model the voices, or texts, of the test set.
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    dropped: NDArray[np.intp]


@validate_params(
    {
        "y": ["array-like"],
        "n_per_class": [Interval(Integral, 1, None, closed="left")],
        "groups": ["array-like", None],
        "random_state": ["random_state"],
    }
)
def balanced_holdout(
    y: ArrayLike,
    n_per_class: int = 20,
    groups: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Holdout:
    """Hold out a test set with the same number of recordings of every class.

    The rows are brought into a random order, and the first `n_per_class` of
    each class are the test set. With `groups`, whole groups are held out: the
    test set comes from these, and no row of theirs is trained on.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class of each recording.
    n_per_class : int, default=20
        Number of test recordings per class.
    groups : array-like of shape (n_samples,), default=None
        Speaker, or text, of each recording. As few groups as needed are held
        out, give or take the random choice among them.
    random_state : int, RandomState instance or None, default=None
        Determines the order of rows and the choice of groups.

    Returns
    -------
    Holdout
        Named tuple of integer arrays ``(train, test, dropped)``, each in the
        random order. `dropped` is empty without `groups`.

    Raises
    ------
    ValueError
        If a class has fewer than ``n_per_class + 1`` recordings, if no choice
        of groups leaves every class its test recordings and at least one to
        train on, or if `y` and `groups` are not
        1-D labels of equal length.

    See Also
    --------
    stratified_validation_split : Hold out a fraction for early stopping.
    sklearn.model_selection.LeaveOneGroupOut : Test on every speaker in turn.

    Notes
    -----
    The choice of groups is an integer programme: group :math:`g` costs
    :math:`1 + u_g` with :math:`u_g` uniform on [0, 1), and the cheapest set of
    groups is taken that holds `n_per_class` rows of every class and leaves one
    row of every class outside. With more than 100 groups, a set within a tenth
    of the lowest cost will do.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.model_selection import balanced_holdout
    >>> y = np.array(["anger"] * 5 + ["sadness"] * 3)
    >>> train, test, dropped = balanced_holdout(y, n_per_class=2, random_state=0)
    >>> print(sorted(y[test].tolist()), len(train), len(dropped))
    ['anger', 'anger', 'sadness', 'sadness'] 4 0
    """
    codes, classes = _encode(y, "y")
    group_codes, group_names = _encode_groups(groups, y)
    rng = check_random_state(random_state)
    counts = np.bincount(codes)
    for name, count in zip(classes, counts, strict=True):
        if count <= n_per_class:
            raise ValueError(
                f"Class {name!s} has {count} recordings; n_per_class={n_per_class} "
                f"needs at least {n_per_class + 1}, so that one is left to train on. "
                "Lower n_per_class, or add recordings."
            )
    order = rng.permutation(len(codes))
    held_out = np.ones(len(codes), dtype=bool)
    if group_codes is not None:
        table = np.zeros((len(group_names), len(classes)), dtype=int)
        np.add.at(table, (group_codes, codes), 1)
        held_out = _choose_groups(table, n_per_class, classes, rng)[group_codes]
    candidates = order[held_out[order]]
    chosen = _first_of_each_class(codes[candidates], np.full(len(classes), n_per_class))
    test, remaining = candidates[chosen], candidates[~chosen]
    if groups is None:
        return Holdout(remaining, test, np.empty(0, dtype=order.dtype))
    return Holdout(order[~held_out[order]], test, remaining)


@validate_params(
    {
        "y": ["array-like"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "groups": ["array-like", None],
        "random_state": ["random_state"],
    }
)
def stratified_validation_split(
    y: ArrayLike,
    validation_fraction: float,
    *,
    groups: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Hold out real recordings for early stopping, before any resampling.

    Every class keeps at least one recording to train on: a class of a single
    recording, or of a single group, is never held out. Beyond that the classes
    are held out in proportion.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class of each recording.
    validation_fraction : float
        Share of recordings to hold out, between 0 and 1. At least one is.
    groups : array-like of shape (n_samples,), default=None
        Speaker of each recording. Whole groups are held out, so the share is
        met only as far as groups allow, and is not more than about a half.
    random_state : int, RandomState instance or None, default=None
        Determines the choice.

    Returns
    -------
    train : ndarray of shape (n_train,), dtype int
        Rows to train on, ascending.
    validation : ndarray of shape (n_validation,), dtype int
        Rows to validate on, ascending.

    Raises
    ------
    ValueError
        If every class has one recording only, if there is one group only, if
        any group held out would take a class away from training, or if `y` and
        `groups` are not 1-D labels of equal length.

    Notes
    -----
    With `groups`, the held-out part is a fold of
    :class:`~sklearn.model_selection.StratifiedGroupKFold` (a single group,
    where no fold will do) that leaves every class to train on: one of those
    whose share is nearest to the wanted one, in steps of a tenth, and among
    these one that lacks the fewest classes.

    Examples
    --------
    >>> from skemotion.model_selection import stratified_validation_split
    >>> y = ["anger", "anger", "anger", "anger", "fear", "fear", "disgust"]
    >>> train, validation = stratified_validation_split(y, 0.3, random_state=0)
    >>> sorted(y[i] for i in validation)
    ['anger', 'fear']
    """
    codes, classes = _encode(y, "y")
    group_codes, _ = _encode_groups(groups, y)
    rng = check_random_state(random_state)
    if np.bincount(codes).max() < 2:
        raise ValueError(
            "Every class has one recording only, so that none can be held out for "
            "validation. Add recordings, or train without validation."
        )
    if group_codes is None:
        in_validation = _stratified_rows(codes, validation_fraction, rng)
    else:
        in_validation = _stratified_groups(
            codes, group_codes, validation_fraction, classes, rng
        )
    return np.flatnonzero(~in_validation), np.flatnonzero(in_validation)


def _encode(values, name):
    """Return an integer per row, and the sorted distinct values."""
    names, codes = np.unique(check_labels(values, name), return_inverse=True)
    return codes, names


def _encode_groups(groups, y):
    """Do so with what may be None, and has one entry for each of y."""
    if groups is None:
        return None, None
    check_same_length(y, of="y", groups=groups)
    return _encode(groups, "groups")


def _first_of_each_class(codes, n_wanted):
    """Mark the first ``n_wanted[c]`` places of every class c."""
    chosen = np.zeros(len(codes), dtype=bool)
    for code, n_rows in enumerate(n_wanted):
        chosen[np.flatnonzero(codes == code)[:n_rows]] = True
    return chosen


def _choose_groups(table, n_per_class, classes, rng):
    """Mark the groups to hold out, given the rows per group and class."""
    costs = 1 + rng.uniform(size=len(table))
    chosen = _cheapest_groups(table, n_per_class, costs)
    if chosen is not None:
        return chosen
    for n_classes in range(1, len(classes) + 1):
        if _cheapest_groups(table[:, :n_classes], n_per_class, costs) is None:
            break
    name, in_class = classes[n_classes - 1], table[:, n_classes - 1]
    raise ValueError(
        f"No choice of whole groups holds out {n_per_class} recordings of every class "
        f"and leaves at least one of each to train on: it fails at class {name!s} "
        f"({in_class.sum()} recordings in {np.count_nonzero(in_class)} groups). Lower "
        "n_per_class, or add groups."
    )


def _cheapest_groups(table, n_per_class, costs):
    """Solve for the groups to hold out; None where there is no solution."""
    # With many groups the proof that a choice is the cheapest takes minutes.
    gap = 0.0 if len(costs) <= _N_GROUPS_SOLVED_EXACTLY else 0.1
    solution = milp(
        costs,
        integrality=np.ones(len(costs)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(table.T, n_per_class, table.sum(axis=0) - 1),
        options={"mip_rel_gap": gap},
    )
    return None if solution.x is None else solution.x > 0.5


def _stratified_rows(codes, fraction, rng):
    """Mark rows in proportion to their classes, by largest remainders."""
    counts = np.bincount(codes)
    n_wanted = np.floor(fraction * counts).astype(int)
    n_missing = max(1, round(fraction * len(codes))) - n_wanted.sum()
    remainders = np.where(n_wanted < counts - 1, fraction * counts - n_wanted, -1.0)
    # Random numbers break ties, so that no class is favoured by its name.
    ranking = np.lexsort((rng.uniform(size=len(counts)), -remainders))
    n_open = np.count_nonzero(remainders >= 0)
    n_wanted[ranking[: min(n_missing, n_open)]] += 1
    order = rng.permutation(len(codes))
    in_validation = np.zeros(len(codes), dtype=bool)
    in_validation[order] = _first_of_each_class(codes[order], n_wanted)
    return in_validation


def _stratified_groups(codes, group_codes, fraction, classes, rng):
    """Mark the rows of one fold of groups that leaves every class to train on."""
    n_groups = group_codes.max() + 1
    if n_groups < 2:
        raise ValueError(
            "Validation by group needs at least two groups, got 1. Add recordings "
            "of other speakers, or leave groups out."
        )
    largest_class = np.bincount(codes).max()
    n_splits = int(min(max(2, np.rint(1 / fraction)), n_groups, largest_class))
    stratified = StratifiedGroupKFold(
        n_splits, shuffle=True, random_state=draw_seed(rng)
    )
    for splitter in (stratified, LeaveOneGroupOut()):
        folds = _admissible_folds(splitter, codes, group_codes, len(classes))
        if folds:
            rng.shuffle(folds)
            return min(folds, key=lambda fold: _fold_defects(fold, codes, fraction))
    lonely = [
        str(name)
        for code, name in enumerate(classes)
        if len(np.unique(group_codes[codes == code])) == 1
    ]
    raise ValueError(
        "Every group holds all recordings of some class, so that none can be held "
        f"out for validation: {', '.join(lonely)}. Add recordings of other speakers, "
        "or leave groups out."
    )


def _admissible_folds(splitter, codes, group_codes, n_classes):
    """List the folds, as masks, that empty no class and are not empty."""
    folds = []
    with warnings.catch_warnings():
        # Classes with fewer rows than folds are expected here.
        warnings.simplefilter("ignore", UserWarning)
        for train, validation in splitter.split(codes, codes, group_codes):
            if len(validation) and len(np.unique(codes[train])) == n_classes:
                folds.append(np.isin(np.arange(len(codes)), validation))
    return folds


def _fold_defects(fold, codes, fraction):
    """Tenths by which the share is off, and number of distinct classes, negated."""
    return int(10 * abs(fold.mean() - fraction)), -len(np.unique(codes[fold]))
