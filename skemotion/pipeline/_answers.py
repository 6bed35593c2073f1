"""Answers about recordings, put together from answers about their windows."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import Pipeline

from skemotion.pipeline._means import WeightedMeans

# What of the last step is averaged for which method: the first that it has.
_AVERAGED = {
    "predict_proba": ["predict_proba"],
    "predict_log_proba": ["predict_proba"],
    "decision_function": ["decision_function"],
    "predict": ["predict_proba", "decision_function"],
}


class Answers:
    """What an estimator says to one method about recordings.

    Where a recording has one window, the answer about that is the answer. Else
    probabilities, decisions or a regressor's numbers are averaged.

    Parameters
    ----------
    estimator : estimator instance
        The last step of a pipeline, fitted.
    method : str
        The method that is asked for.
    n_rows : int
        How many recordings there are.
    watch : callable, default=None
        Gives a number for each window, of which there is a mean, too.

    Attributes
    ----------
    silent : list of int
        Rows that hold no speech, where speech is looked for, or cannot be read.
    """

    def __init__(
        self,
        estimator: Any,
        method: str,
        n_rows: int,
        watch: Callable[[Any], NDArray] | None = None,
    ):
        self._estimator = estimator
        self._method = method
        self._n_rows = n_rows
        self._pieces: list[tuple[Any, NDArray]] = []
        self._means = WeightedMeans()
        self._watch = watch
        self.silent: list[int] = []
        self._watched = WeightedMeans()

    def add(
        self,
        Xt: Any,
        rows: NDArray,
        weights: NDArray | None,
        params: Mapping[str, Any],
    ) -> None:
        """Add windows of some rows, as the steps before have transformed them.

        Weights are None for windows that are all there is of their recordings.
        """
        if self._watch is not None:
            counts = np.ones(len(rows)) if weights is None else weights
            self._watched.add(rows, counts, self._watch(Xt))
        if weights is None:
            self._pieces.append((rows, self._ask(self._method, Xt, params)))
            return
        method = self._averaged()
        if method != self._method:
            known = getattr(self._estimator, method)
            params = {name: params[name] for name in params if _takes(known, name)}
        self._means.add(rows, weights, self._ask(method, Xt, params))

    def collect(self) -> NDArray:
        """Return an answer for each row."""
        silent = self.silent
        pieces = [
            *self._pieces,
            *(([row], self._conclude(mean)[None]) for row, mean in self._means),
        ]
        if silent:
            neutral = self._neutral(pieces[0][1].shape[1:] if pieces else None)
            pieces.append((silent, np.stack([neutral] * len(silent))))
        dtype = np.result_type(*(values.dtype for _, values in pieces))
        collected = np.empty((self._n_rows, *pieces[0][1].shape[1:]), dtype=dtype)
        for rows, values in pieces:
            collected[rows] = values
        return collected

    def collect_watched(self) -> NDArray[np.float64]:
        """Return the mean of the numbers for each row; NaN where nothing was heard."""
        collected = np.full(self._n_rows, np.nan)
        for row, mean in self._watched:
            collected[row] = mean
        collected[self.silent] = np.nan
        return collected

    def _ask(self, method, Xt, params):
        found = getattr(self._estimator, method)(Xt, **params)
        if isinstance(found, (list, tuple)):
            raise ValueError(
                f"{method} of {type(self._estimator).__name__} gives several arrays, "
                "of which windows have no mean: set hop_duration=None, "
                'detect_speech=False and on_error="raise", or predict one target.'
            )
        return np.asarray(found)

    def _averaged(self):
        for method in _AVERAGED[self._method]:
            if hasattr(self._estimator, method):
                return method
        if is_classifier(self._estimator):
            raise ValueError(
                f"{type(self._estimator).__name__} has neither predict_proba nor "
                "decision_function, of which the mean over windows could be taken: set "
                "hop_duration=None, or take another classifier."
            )
        return self._method

    def _conclude(self, mean):
        """Turn a mean over windows into what the method gives."""
        dtype = self._means.dtype
        if self._method == "predict_log_proba":
            with np.errstate(divide="ignore"):
                return np.log(mean).astype(dtype)
        if self._method != "predict" or not is_classifier(self._estimator):
            return mean.astype(dtype)
        classes = self._estimator.classes_
        if mean.ndim == 0:
            return np.asarray(classes[int(mean > 0)])
        if mean.shape != (len(classes),):
            raise ValueError(
                f"{type(self._estimator).__name__} gives {mean.size} decisions for "
                f"{len(classes)} classes, so that their mean over windows names no "
                "class: set decision_function_shape='ovr', or hop_duration=None."
            )
        return np.asarray(classes[mean.argmax()])

    def _neutral(self, shape):
        """Return the answer about nothing that was heard."""
        if not is_classifier(self._estimator):
            return np.full(shape or (), np.nan)
        classes = self._estimator.classes_
        n_classes = len(classes)
        if self._method == "predict":
            return np.asarray(classes[0])
        if self._method == "decision_function":
            shape = shape if shape is not None else (n_classes,) * (n_classes > 2)
            return np.zeros(shape, dtype=np.float32)
        probabilities = np.full(n_classes, 1 / n_classes, dtype=np.float32)
        if self._method == "predict_log_proba":
            return np.log(probabilities)
        return probabilities


def _takes(method, name):
    parameters = inspect.signature(method).parameters.values()
    return any(
        parameter.name == name or parameter.kind is parameter.VAR_KEYWORD
        for parameter in parameters
    )


def measure_of(estimator: Any) -> Any:
    """Return the function that does what `score` of an estimator does.

    Raises
    ------
    ValueError
        If the estimator has a score of its own.
    """
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    score = type(estimator).score
    if score is ClassifierMixin.score:
        return accuracy_score
    if score is RegressorMixin.score:
        return r2_score
    raise ValueError(
        f"{type(estimator).__name__} has a score of its own, which does not know "
        "windows: score what predict returns, or set hop_duration=None, "
        'detect_speech=False and on_error="raise".'
    )
