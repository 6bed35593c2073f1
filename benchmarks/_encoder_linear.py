"""Linear heads on mean and deviation of an encoder's frames."""

import numpy as np
from _encoder_frames import copies_of
from scipy.linalg import eigh
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC, LinearSVC

HEADS = {
    "svm": lambda C=0.01, **kw: SVC(kernel="linear", C=C, **kw),
    "svm-balanced": lambda C=0.01: SVC(kernel="linear", C=C, class_weight="balanced"),
    "rbf": lambda C=3.0: SVC(C=C, class_weight="balanced"),
    "ovr": lambda C=0.001: LinearSVC(C=C, class_weight="balanced"),
    "lda": lambda shrinkage="auto": LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage=shrinkage, priors=np.full(7, 1 / 7)
    ),
    "logistic": lambda C=0.001: LogisticRegression(
        C=C, class_weight="balanced", max_iter=300
    ),
}


class LinearTrial:
    """A linear head with a way to standardise what it reads.

    Parameters
    ----------
    front : str
        Encoder and blocks.
    head : str
        Key of ``HEADS``, with ``settings``.
    statistics : sequence of {"mean", "std"}
    standardise : {"train", "speaker"}
        Moments of the training set, or of each speaker in training too.
    drop : dict
        Part of the features with the highest F ratio that is dropped: "sex",
        "speaker" (over recordings of the same emotion), "channel" (between
        clean recordings and their copies).
    wccn : bool
        Whether to whiten what differs between speakers within emotions.
    nap : dict
        Directions that are projected out: of "speaker", "channel" how many.
    copies : int or list of str
        Copies of every recording that are trained on too, or conditions.
    """

    def __init__(
        self,
        front,
        head="svm",
        *,
        statistics=("mean", "std"),
        standardise="train",
        drop=None,
        wccn=None,
        nap=None,
        copies=0,
        **settings,
    ):
        self.front, self.head, self.settings = front, head, settings
        self.statistics, self.standardise = statistics, standardise
        self.drop, self.wccn, self.nap, self.copies = drop, wccn, nap, copies

    def read(self, data, condition):
        return data.moments(condition, self.front, self.statistics)

    def fit(self, data, train, seed=0, y=None):
        """Return a function from features and `adapt` to probabilities or votes."""
        y = data.y if y is None else y
        X = self.read(data, "clean")[train]
        labels, speakers, is_man = y[train], data.speakers[train], data.is_man[train]
        names = copies_of(self.copies)
        copies = [self.read(data, name)[train] for name in names]
        mean, scale = _moments(np.concatenate([X, *copies]))
        per_speaker = self.standardise == "speaker"

        def standardise(X, names=None):
            if per_speaker and names is not None:
                return by_speaker(X, names)
            return (X - mean) / scale

        Z = np.concatenate([standardise(part, speakers) for part in (X, *copies)])
        target = np.tile(labels, 1 + len(copies))
        change = self._change(
            Z, target, np.tile(speakers, 1 + len(copies)), is_man, data, train, X
        )
        head = HEADS[self.head](**self.settings).fit(Z @ change, target)

        def predict(X, names=None):
            """Adapted to each speaker if their names are given."""
            Z = by_speaker(X, names) if names is not None else (X - mean) / scale
            return _soft(head, Z @ change, data.classes)

        return predict

    def _change(self, Z, y, speakers, is_man, data, train, X):
        """Return a matrix that features are multiplied with."""
        n = Z.shape[1]
        keep = np.ones(n, bool)
        for what, part in (self.drop or {}).items():
            if what == "channel":
                others = self.read(data, "copy0")[train]
                difference = (others - X) / Z.std(axis=0)
                ratio = np.abs(difference).mean(axis=0) / X.std(axis=0)
            else:
                groups = {"sex": np.resize(is_man, len(y)), "speaker": speakers}[what]
                ratio = _f_ratio(_without(Z, y), groups)
            keep &= ratio <= np.quantile(ratio, 1 - part)
        change = np.diag(keep.astype(float))[:, keep]
        if self.wccn is not None:
            inner = _between(Z, y, speakers)
            covariance = (
                ledoit_wolf(inner)[0]
                if self.wccn == "auto"
                else (
                    (1 - self.wccn) * np.cov(inner.T)
                    + self.wccn * np.trace(np.cov(inner.T)) / n * np.eye(n)
                )
            )
            values, vectors = eigh(covariance)
            change = vectors / np.sqrt(np.maximum(values, 1e-9)) @ vectors.T @ change
            change *= np.sqrt(n / np.square(Z @ change).sum(axis=1).mean())
        for what, count in (self.nap or {}).items():
            if what == "channel":
                rows = (self.read(data, "copy0")[train] - X) / X.std(axis=0)
            else:
                rows = _between(Z, y, speakers)
            _, _, directions = np.linalg.svd(rows, full_matrices=False)
            directions = directions[:count]
            change = (np.eye(n) - directions.T @ directions) @ change
        return change


def by_speaker(X, names):
    """Standardise the features of each speaker by their own recordings."""
    Z = np.empty_like(X)
    for name in np.unique(names):
        rows = names == name
        mean, scale = _moments(X[rows])
        Z[rows] = (X[rows] - mean) / scale
    return Z


def _moments(X):
    scale = X.std(axis=0)
    return X.mean(axis=0), np.where(scale > 1e-6, scale, 1.0)


def _without(Z, y):
    Z = Z.copy()
    for label in np.unique(y):
        Z[y == label] -= Z[y == label].mean(axis=0)
    return Z


def _between(Z, y, speakers):
    """Return how the mean of each speaker and emotion is from the emotion's."""
    rows = []
    for label in np.unique(y):
        own = y == label
        centre = Z[own].mean(axis=0)
        for speaker in np.unique(speakers[own]):
            rows.append(Z[own & (speakers == speaker)].mean(axis=0) - centre)
    return np.array(rows)


def _f_ratio(Z, groups):
    total = Z.var(axis=0)
    between = sum(
        (groups == g).mean() * np.square(Z[groups == g].mean(axis=0))
        for g in np.unique(groups)
    )
    return between / np.maximum(total, 1e-12)


def _soft(head, Z, classes):
    if hasattr(head, "predict_proba"):
        proba = head.predict_proba(Z)
    else:
        proba = np.zeros((len(Z), len(head.classes_)))
        predicted = np.searchsorted(head.classes_, head.predict(Z))
        proba[np.arange(len(Z)), predicted] = 1
    whole = np.zeros((len(Z), len(classes)))
    whole[:, np.searchsorted(classes, head.classes_)] = proba
    return whole
