"""What a classifier attends to in each of many samples, and what it predicts."""

import warnings
from typing import Any, Literal

import numpy as np

from skemotion._sequences import find_padding
from skemotion.audio import check_recordings
from skemotion.exceptions import NoSpeechWarning
from skemotion.inspection._attention_over_time import attend, spread
from skemotion.inspection._estimators import last_step, transform_before_last
from skemotion.pipeline._rules import find_fronts


def attend_to_samples(
    estimator: Any, X: Any, time: Literal["input", "speech"], n_bins: int
) -> tuple[Any, Any, Any]:
    """Return attention, predictions, and what is padding if that is to be left out.

    Parameters
    ----------
    estimator : fitted classifier or Pipeline
        The classifier, or the last step of the pipeline, has a method `attention`.
    X : array-like of shape (n_samples, n_frames, n_features) or recordings
        What the estimator predicts from.
    time : {"input", "speech"}
        What attention is over.
    n_bins : int
        Into how many shares the speech of recordings is divided.

    Returns
    -------
    attention : ndarray of shape (n_samples, n_frames) or (n_samples, n_bins)
        Of recordings, those without speech are left out where `time` is "speech".
    y_pred : ndarray of shape (n_samples,)
        Predicted class of each.
    padding : ndarray of the shape of attention, dtype bool, or None
        None unless `time` is "speech".
    """
    if time == "speech" and find_fronts(estimator):
        attention, y_pred = _attend_to_shares(estimator, X, n_bins)
        return attention, y_pred, np.zeros(attention.shape, dtype=bool)
    classifier = last_step(estimator)
    sequences = transform_before_last(estimator, X)
    attention = classifier.attention(sequences)
    y_pred = classifier.predict(sequences)
    return attention, y_pred, find_padding(sequences) if time == "speech" else None


def _attend_to_shares(pipeline, X, n_bins):
    """Return attention to shares of each recording with speech, and predictions."""
    X = check_recordings(X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSpeechWarning)
        y_pred = pipeline.predict(X)
    courses = attend(pipeline, X)
    attended = np.array([len(course.weights) > 0 for course in courses])
    if not attended.any():
        raise ValueError("There is nothing to draw: no recording holds speech.")
    shares = [
        spread(course.edges, course.weights, np.linspace(*course.bounds, n_bins + 1))
        for course in courses
        if len(course.weights)
    ]
    return np.array(shares), y_pred[attended]
