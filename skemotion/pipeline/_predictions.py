"""Predictions of recordings from those of their windows."""

from typing import Any

import numpy as np
from imblearn.pipeline import Pipeline
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, check_is_fitted

from skemotion._validation._labels import check_scored, has_columns
from skemotion.exceptions import AudioError
from skemotion.pipeline._answers import Answers, measure_of
from skemotion.pipeline._rules import find_rule, that_raises
from skemotion.pipeline._windows import WindowedRecordings


def last_has(method):
    def check(pipeline):
        getattr(pipeline._final_estimator, method)
        return True

    return check


class WindowedPipeline(Pipeline):
    """Pipeline whose predictions are of recordings of any length.

    `hop_duration` and `detect_speech` of the subclass decide, and `on_error` of the
    step that takes recordings. Where they are off, or where X are no recordings, it
    is imbalanced-learn's pipeline.
    """

    hop_duration: float | None
    detect_speech: bool

    @available_if(last_has("predict"))
    def predict(self, X: Any, **params: Any) -> NDArray:
        """Predict the class of each sample.

        Parameters
        ----------
        X : sequence of length n_samples
            What the first step takes.
        **params : dict
            As in :meth:`imblearn.pipeline.Pipeline.predict`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Where several windows of a recording are looked at, the class of the
            highest mean probability, or decision; a regressor's mean. Without
            speech, where that is looked for, and where a recording cannot be read
            and `on_error` is "warn", the first class, or NaN.
        """
        return self._answer("predict", X, params)

    @available_if(last_has("predict_proba"))
    def predict_proba(self, X: Any, **params: Any) -> NDArray:
        """Predict the probability of each class.

        Parameters
        ----------
        X : sequence of length n_samples
            What the first step takes.
        **params : dict
            As in :meth:`imblearn.pipeline.Pipeline.predict_proba`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Means over windows, where several are looked at. Without speech, where
            that is looked for, and where a recording cannot be read and `on_error`
            is "warn", all are the same.
        """
        return self._answer("predict_proba", X, params)

    @available_if(last_has("predict_log_proba"))
    def predict_log_proba(self, X: Any, **params: Any) -> NDArray:
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : sequence of length n_samples
            What the first step takes.
        **params : dict
            As in :meth:`imblearn.pipeline.Pipeline.predict_log_proba`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            That of :meth:`predict_proba`.
        """
        return self._answer("predict_log_proba", X, params)

    @available_if(last_has("decision_function"))
    def decision_function(self, X: Any, **params: Any) -> NDArray:
        """Compute the decision function of the last step.

        Parameters
        ----------
        X : sequence of length n_samples
            What the first step takes.
        **params : dict
            As in :meth:`imblearn.pipeline.Pipeline.decision_function`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Means over windows, where several are looked at. Without speech, where
            that is looked for, and where a recording cannot be read and `on_error`
            is "warn", zeros.
        """
        return self._answer("decision_function", X, params)

    @available_if(last_has("score"))
    def score(self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any):
        """Score the predictions: accuracy of a classifier, R² of a regressor.

        Parameters
        ----------
        X : sequence of length n_samples
            What the first step takes.
        y : array-like of shape (n_samples,), default=None
            What is right.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each sample counts.
        **params : dict
            As in :meth:`imblearn.pipeline.Pipeline.score`.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If windows are looked at, and the last step has a score of its own.
        """
        last = self._final_estimator
        of_columns = has_columns(y) and get_tags(last).target_tags.multi_output
        if is_classifier(last) and not of_columns:
            classes = getattr(last, "classes_", None)
            y, sample_weight = check_scored(X, y, sample_weight, classes)
        rule = find_rule(self)
        if rule is None:
            return super().score(X, y, sample_weight, **params)
        measure = measure_of(self._final_estimator)
        if get_config()["enable_metadata_routing"]:
            params = {"sample_weight": sample_weight, **params}
            to_last = self._route("score", params)[self.steps[-1][0]].get("score", {})
            sample_weight = to_last.get("sample_weight")
        answers = self._ask_of_windows("predict", X, params, rule, asked="score")
        y_pred = answers.collect()
        return float(measure(y, y_pred, sample_weight=sample_weight))

    def _answer(self, method, X, params):
        """Do what a method of the pipeline does, but with recordings as a whole."""
        rule = find_rule(self)
        if rule is None:
            return getattr(super(), method)(X, **params)
        return self._ask_of_windows(method, X, params, rule).collect()

    def _ask_of_windows(self, method, X, params, rule, *, asked=None, watch=None):
        """Ask the last step about the windows of each recording."""
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()
        check_is_fitted(self)
        recordings = WindowedRecordings(X, rule)
        routed = self._route(asked or method, params)
        to_last = routed.get(self.steps[-1][0], {}).get(asked or method, {})
        if asked == "score":  # its weights are of what is predicted
            to_last = {}
        answers = Answers(self._final_estimator, method, len(recordings), watch)
        for whole in recordings.batches():
            batch, Xt = self._transform_windows(whole, recordings, routed)
            if batch is None:
                continue
            for alone in (True, False):
                chosen = np.flatnonzero(batch.alone == alone)
                if chosen.size == 0:
                    continue
                rows = batch.rows[chosen]
                weights = None if alone else batch.weights[chosen]
                part = (
                    Xt if len(chosen) == len(batch.rows) else _safe_indexing(Xt, chosen)
                )
                answers.add(part, rows, weights, _take_rows(to_last, recordings, rows))
        recordings.warn()
        answers.silent = [*recordings.silent, *recordings.unreadable]
        return answers

    def _transform_windows(self, batch, recordings, routed):
        """Return the windows that can be read, and what the last step gets of them."""
        while batch is not None:
            Xt = batch.windows
            try:
                for _, name, transformer in self._iter(with_final=False):
                    params = routed.get(name, {}).get("transform", {})
                    params = _take_rows(params, recordings, batch.rows)
                    Xt = that_raises(transformer).transform(Xt, **params)
                return batch, Xt
            except AudioError as error:
                batch = recordings.note_failures(batch, error)
        return None, None

    def _route(self, method, params):
        """Return the parameters of each step's methods."""
        if get_config()["enable_metadata_routing"]:
            return process_routing(self, method, **params)
        return {self.steps[-1][0]: {method: params}}


def _take_rows(params, recordings, rows):
    """Take rows of the parameters that have a value for each recording."""
    return _check_method_params(recordings.recordings, params, indices=rows)
