"""What a pipeline does about recordings that are unlike its training data."""

import warnings
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted

from skemotion._sequences import hand_on_names
from skemotion.exceptions import AudioWarning
from skemotion.pipeline._confidence import pull_to_equal
from skemotion.pipeline._predictions import WindowedPipeline, last_has
from skemotion.pipeline._rules import find_rule

_PULLED = ("predict_proba", "predict_log_proba")


def _has_detector(pipeline):
    if pipeline.novelty_detector is None and not hasattr(pipeline, "novelty_detector_"):
        raise AttributeError(
            f"this {type(pipeline).__name__} does not tell what is unlike its training "
            "data: set novelty_detector, for instance to NoveltyDetector(), and fit."
        )
    return True


class NoveltyPipeline(WindowedPipeline):
    """Pipeline that is less sure of what is unlike its training data.

    `novelty_detector` of the subclass decides. Where it is None, or was when the
    pipeline was fitted, it is as without.
    """

    novelty_detector: Any = None  # in pickles that are older than it, too

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
            Where a `novelty_detector` was fitted, pulled to equal probabilities
            for what is unlike the training data. The order of the classes stays.
        """
        return super().predict_proba(X, **params)

    @available_if(_has_detector)
    def novelty(self, X: Any) -> NDArray[np.float64]:
        """Compute how unlike the training data each sample is.

        Parameters
        ----------
        X : sequence of length n_samples
            What the first step takes.

        Returns
        -------
        ndarray of shape (n_samples,), dtype float64
            Between 0 and 1: part of the training recordings, each with its
            speaker left out, that are less strange, as
            :meth:`NoveltyDetector.novelty` has it.
        """
        check_is_fitted(self, "novelty_detector_")
        if find_rule(self) is not None:
            return self.predict_with_novelty(X)[1]
        return self.novelty_detector_.novelty(self._transform_rows(X))

    @available_if(_has_detector)
    def predict_with_novelty(
        self, X: Any, **params: Any
    ) -> tuple[NDArray, NDArray[np.float64]]:
        """Predict probabilities, and how unlike the training data each sample is.

        It extracts features once, where :meth:`predict_proba` and
        :meth:`novelty` do so twice.

        Parameters
        ----------
        X : sequence of length n_samples
            What the first step takes.
        **params : dict
            As in :meth:`predict_proba`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            As :meth:`predict_proba` returns them.
        novelty : ndarray of shape (n_samples,), dtype float64
            As :meth:`novelty` returns it.
        """
        return self._predict_pulled("predict_proba", X, params)

    def _answer(self, method, X, params):
        """Pull probabilities, where there is a detector."""
        if method not in _PULLED or not hasattr(self, "novelty_detector_"):
            return super()._answer(method, X, params)
        probabilities, _ = self._predict_pulled(method, X, params)
        if method == "predict_proba":
            return probabilities
        with np.errstate(divide="ignore"):
            return np.log(probabilities)

    def _predict_pulled(self, method, X, params):
        check_is_fitted(self, "novelty_detector_")
        detector = self.novelty_detector_
        probabilities, scores = self._look(method, X, params)
        pulled = pull_to_equal(probabilities, scores, detector.offset_)
        return pulled, detector.rank_scores(scores)

    def _look(self, method, X, params):
        """Return what the last step and the detector make of each row."""
        rule = find_rule(self)
        if rule is not None:
            watch = self.novelty_detector_.score_samples
            answers = self._ask_of_windows(
                "predict_proba", X, params, rule, asked=method, watch=watch
            )
            return answers.collect(), answers.collect_watched()
        routed = self._route(method, params)
        X = self._transform_rows(X, routed)
        of_last = routed.get(self.steps[-1][0], {}).get(method, {})
        probabilities = self._final_estimator.predict_proba(X, **of_last)
        return probabilities, self.novelty_detector_.score_samples(X)

    def _transform_rows(self, X, routed=None):
        for _, name, transformer in self._iter(with_final=False):
            of_step = (routed or {}).get(name, {}).get("transform", {})
            X = transformer.transform(X, **of_step)
        return X

    def _take_detector(self, other):
        """Share the detector of a pipeline with the same last step."""
        self.novelty_detector = other.novelty_detector
        if hasattr(other, "novelty_detector_"):
            self.novelty_detector_ = other.novelty_detector_

    def _forget_detector(self):
        if hasattr(self, "novelty_detector_"):
            del self.novelty_detector_

    @contextmanager
    def _keep_rows(self):
        """Give a list that holds what the last step was trained on behind the block."""
        self._kept: list[Any] = []
        try:
            yield self._kept
        finally:
            del self._kept

    def _note_rows(self, X):
        if hasattr(self, "_kept") and self.novelty_detector is not None:
            self._kept[:] = [X]

    def _fit_detector(self, X, groups, names, rows=None):
        """Fit the detector on what the last step has been trained on."""
        if self.novelty_detector is None:
            return
        detector = clone(self.novelty_detector)
        params = hand_on_names(detector, {}, names).get("fit", {})
        sources = self._find_sources(X)
        if sources is None or rows is None:
            rows, sources = self._transform_again(X), np.arange(_num_samples(X))
        if groups is not None:
            groups = np.asarray(groups)[sources]
        self.novelty_detector_ = detector.fit(
            rows, groups=groups, sources=sources, **params
        )

    def _find_sources(self, X):
        """Return the row of X that each row of training stems from, if it is known."""
        sources = np.arange(_num_samples(X))
        for _, _, step in self._iter(with_final=False, filter_resample=False):
            if hasattr(step, "fit_resample"):
                if not hasattr(step, "sample_indices_"):
                    return None
                sources = sources[step.sample_indices_]
        return sources

    def _transform_again(self, X):
        with warnings.catch_warnings():
            # The steps have said it when they were fitted.
            warnings.simplefilter("ignore", AudioWarning)
            return self._transform_rows(X)
