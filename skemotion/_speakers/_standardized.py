"""Training on features standardised by speaker, and the mark of such a pipeline."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from skemotion._sequences import SequenceTransformerMixin
from skemotion.preprocessing import speaker_standardize


def make_standardized_set(
    pipeline: Pipeline, recordings: Any, y: Any, speakers: Any
) -> tuple[NDArray[np.float32], NDArray, NDArray]:
    """Make what the sequence steps of a pipeline train on, speaker by speaker.

    The copies that a step "augment" adds are standardised apart from the
    recordings themselves, so that each speaker has every recording once in what is
    standardised together. Labels are not looked at.

    Parameters
    ----------
    pipeline : Pipeline
        With a step "extract", and perhaps a step "augment" in front of it.
    recordings : sequence of length n_recordings
        What it would be fitted on.
    y, speakers : ndarray of shape (n_recordings,)
        Class and speaker of each.

    Returns
    -------
    X : ndarray of shape (n_rows, n_frames, n_features), dtype float32
        The recordings first, then their copies.
    y, speakers : ndarray of shape (n_rows,)
        Of the rows of X.
    """
    sources = np.arange(len(recordings))
    augment = pipeline.named_steps.get("augment")
    if hasattr(augment, "fit_resample"):
        augment = clone(augment)
        recordings, _ = augment.fit_resample(recordings, y)
        sources = augment.sample_indices_
    X = extract_standardized(
        pipeline["extract"], recordings, np.asarray(speakers)[sources], sources
    )
    return X, np.asarray(y)[sources], np.asarray(speakers)[sources]


def extract_standardized(
    extract: Any, recordings: Any, speakers: Any, sources: Any = None
) -> NDArray[np.float32]:
    """Extract features, and standardise them by speaker.

    Parameters
    ----------
    extract : transformer
        From recordings to sequences; it is fitted.
    recordings : sequence of length n_rows
        Recordings, and copies of them.
    speakers : ndarray of shape (n_rows,)
        Who speaks.
    sources : ndarray of shape (n_rows,), dtype intp, default=None
        The recording that each row stems from. None: no row is a copy.

    Returns
    -------
    ndarray of shape (n_rows, n_frames, n_features), dtype float32
    """
    rounds = _count_before(np.arange(len(speakers)) if sources is None else sources)
    _, groups = np.unique(speakers, return_inverse=True)
    return speaker_standardize(
        extract.fit_transform(recordings),
        groups * (rounds.max() + 1) + rounds,
        feature_names=getattr(extract, "get_feature_names_out", lambda: None)(),
    )


def _count_before(values):
    """Return how often each value stands in front of its place."""
    order = np.argsort(values, kind="stable")
    in_order = np.asarray(values)[order]
    is_first = np.r_[True, in_order[1:] != in_order[:-1]]
    starts = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    counts = np.empty(len(order), dtype=np.intp)
    counts[order] = np.arange(len(order)) - starts
    return counts


def fit_standardized(pipeline: Any, recordings: Any, y: Any, speakers: Any) -> Any:
    """Fit the sequence steps of a pipeline on features standardised by speaker.

    Parameters
    ----------
    pipeline : EmotionPipeline
        Of which the extractor is fitted, too.
    recordings, y, speakers
        As :func:`make_standardized_set` takes them.

    Returns
    -------
    EmotionPipeline
        The sequence steps, which predict from features that are standardised so.
    """
    X, y, groups = make_standardized_set(pipeline, recordings, y, speakers)
    return pipeline.sequence_steps.fit(X, y, groups=groups)


class SpeakerStandardized(SequenceTransformerMixin, BaseEstimator):
    """Step that stands for what no step can do, and says so when it is reached.

    The steps behind it were fitted on features from
    :func:`skemotion.preprocessing.speaker_standardize`, which needs to know
    whose recordings it is given. Without it their predictions would be wrong,
    and nobody would notice.
    """

    def fit(self, X, y=None):
        """Do nothing.

        Parameters
        ----------
        X : ignored
            Present for API consistency.
        y : ignored
            Present for API consistency.

        Returns
        -------
        self : SpeakerStandardized
        """
        return self

    def transform(self, X):
        """Refuse to guess who speaks.

        Parameters
        ----------
        X : ignored
            Present for API consistency.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            "this model was trained on features standardised by speaker: use "
            "skemotion predict --one-speaker, or in Python, for each speaker, "
            "skemotion.adapt(model, paths).predict(paths)."
        )

    def __sklearn_is_fitted__(self):
        return True
