"""Which column tells padding, as the parameters of estimators ask for it."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval

# What the parameter `loudness` of an estimator may be.
LOUDNESS_CONSTRAINTS = [str, Interval(Integral, 0, None, closed="left"), None]
_LOUDNESS = "rms"
_ROWS_AT_A_TIME = 256  # X may be larger than the memory


def find_loudness(
    names: Sequence[str] | NDArray | None, name: str = _LOUDNESS
) -> int | None:
    """Return the first column that holds the loudness, None if none does.

    Parameters
    ----------
    names : sequence of str or None
        Names of the features, such as ``"rms"``, or ``"post__rms"`` where a
        union has put the transformer's name in front. None means not known.
    name : str, default="rms"
        What the loudness is called, with the transformer's name or without.

    Returns
    -------
    int or None
    """
    known = [] if names is None else [str(each) for each in names]
    for column, each in enumerate(known):
        if name in (each, each.rpartition("__")[2]):
            return column
    return None


def resolve_loudness(
    loudness: str | int | None,
    names: Sequence[str] | NDArray | None,
    n_features: int,
) -> int | None:
    """Return the column of the loudness that a parameter asks for.

    Parameters
    ----------
    loudness : str, int or None
        A name, a column, or None for the one that is called ``"rms"``.
    names : sequence of str or None
        Names of the features. None means not known.
    n_features : int
        How many there are.

    Returns
    -------
    int or None
        None if `loudness` is, and no feature is known to be the root mean
        square.

    Raises
    ------
    ValueError
        If there is no such column, or a name is given and none is known.
    """
    if loudness is None:
        return find_loudness(names)
    if not isinstance(loudness, str):
        if not 0 <= loudness < n_features:
            raise ValueError(
                f"loudness={loudness} is no column of X with {n_features} features; "
                "name the column of the root mean square, or set ignore_padding=False."
            )
        return int(loudness)
    if names is None:
        raise ValueError(
            f"loudness={loudness!r} is a name, but the names of the features are not "
            "known: EmotionPipeline hands them on; elsewhere give the column as an "
            "int, or the names as feature_names."
        )
    column = find_loudness(names, loudness)
    if column is None:
        raise ValueError(
            f"loudness={loudness!r} is none of the {n_features} features: "
            f"{', '.join(map(str, names))}."
        )
    return column


def learn_padding(estimator, X: NDArray) -> None:
    """Set ``ignores_padding_`` and ``loudness_`` of an estimator in its `fit`.

    Parameters
    ----------
    estimator : estimator instance
        With the parameters `ignore_padding` and `loudness`, and with
        ``feature_names_in_`` where names are known.
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences. Of two dimensions, nothing is padding.

    Raises
    ------
    ValueError
        If there is no such loudness, or padding cannot be recognised.
    """
    estimator.ignores_padding_ = bool(estimator.ignore_padding) and X.ndim == 3
    estimator.loudness_ = None
    if estimator.ignores_padding_:
        names = getattr(estimator, "feature_names_in_", None)
        known = resolve_loudness(estimator.loudness, names, X.shape[2])
        estimator.loudness_ = find_padding_column(X, known)


def find_padding_column(X: NDArray, loudness: int | None) -> int | None:
    """Return the column by which padding is recognised.

    It is that of the loudness where this is known. Where it is not, and yet no
    frame at an end of a recording is 0 in every feature, padding is looked for:
    it repeats a frame, so it is recognised by the first column that is 0 in frames
    that stand twice at an end, and never negative. All descriptors of the post but
    the MFCCs are so.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_frames, n_features)
        Sequences. Only the two frames at either end are looked at.
    loudness : int or None
        Column of the root mean square. None if it is not known.

    Returns
    -------
    int or None
        None for frames that are 0 in every feature.

    Raises
    ------
    ValueError
        If recordings look padded, and there is no such column, as behind a
        scaler that has shifted it.
    """
    if X.shape[1] < 2:
        return loudness
    n_repeated = 0
    may_be_loudness = loudness is not None
    for batch in gen_batches(len(X), _ROWS_AT_A_TIME):
        block = X[batch]
        outer, inner = block[:, [0, -1]], block[:, [1, -2]]
        repeated = (outer == inner).all(axis=2).any(axis=1)
        if loudness is not None:
            outer = outer[:, :, [loudness]]
            may_be_loudness &= outer.min() >= 0
        if may_be_loudness or not outer.any(axis=2).all():
            return loudness
        varies = (block[repeated] != block[repeated, :1]).any(axis=(1, 2))
        n_repeated += int(np.count_nonzero(varies))
    if n_repeated == 0:
        return loudness
    column = _find_silent_column(X) if loudness is None else None
    if column is None:
        raise ValueError(
            f"{n_repeated} of {len(X)} sequences begin or end with repeated frames, as "
            "padding is, but no column is 0 there: the loudness was scaled before. "
            "Name its column by loudness, scale by SequenceScaler("
            "ignore_padding=True), or set ignore_padding=False."
        )
    return column


def _find_silent_column(X):
    """Return the first column that is 0 in repeated frames, and never negative."""
    is_silent = np.ones(X.shape[2], dtype=bool)
    for batch in gen_batches(len(X), _ROWS_AT_A_TIME):
        block = X[batch]
        varies = (block != block[:, :1]).any(axis=(1, 2))
        for outer, inner in ((0, 1), (-1, -2)):
            repeated = (block[:, outer] == block[:, inner]).all(axis=1) & varies
            is_silent &= (block[repeated, outer] == 0).all(axis=0)
        is_silent &= (block >= 0).all(axis=(0, 1))
    return int(is_silent.argmax()) if is_silent.any() else None
