"""Fitting the scalers of a model to recordings of another kind, without labels."""

import copy
import os
import warnings
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import Bunch, _safe_indexing, gen_batches
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import _num_samples, check_is_fitted

from skemotion._sequences import (
    find_loudness,
    is_passed_by,
    names_behind,
    takes_recordings,
)
from skemotion._speakers._standardized import SpeakerStandardized
from skemotion._validation._arrays import as_plain_array, count_rows
from skemotion._validation._parameters import validate_params
from skemotion._validation._rows import as_indexable
from skemotion.audio import check_recordings, recording_name
from skemotion.audio._unreadable import warn_unreadable
from skemotion.classification._blstm import BaseBLSTMClassifier
from skemotion.exceptions import AdaptationWarning, AudioError
from skemotion.pipeline._rules import find_rule
from skemotion.pipeline._windows import WindowedRecordings, WindowRule
from skemotion.preprocessing import SequenceScaler

__all__ = ["adapt"]

_Model = TypeVar("_Model", bound=BaseEstimator)

# Where the curve of benchmarks/adaptation.py has flattened.
_ENOUGH = 50
_FEWEST = 2
_STREAMING = (MaxAbsScaler, MinMaxScaler, StandardScaler)
_FLAT = (*_STREAMING, RobustScaler)
_SCALERS = (SequenceScaler, SpeakerStandardized, *_FLAT)


@validate_params(
    {
        "pipeline": [HasMethods(["fit", "predict"])],
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
    }
)
def adapt(pipeline: _Model, recordings: Any, *, chunk_size: int = 256) -> _Model:
    """Adapt a fitted pipeline to recordings of another kind, without labels.

    Another microphone, room, telephone line or language shifts and stretches
    the features of all recordings alike. This estimates the scalers of a
    pipeline anew, on recordings of the kind that is to be predicted, and leaves
    all else as it was trained.

    No label is looked at, but the recordings are: it is unsupervised domain
    adaptation, and transductive where the same recordings are predicted
    afterwards. Name it so where numbers stand that were reached with it.

    Parameters
    ----------
    pipeline : estimator
        A fitted :class:`EmotionPipeline`, a pipeline of imbalanced-learn or
        scikit-learn, or a :class:`~sklearn.ensemble.VotingClassifier` of such.
        What is estimated anew are :class:`SequenceScaler`,
        :class:`~sklearn.preprocessing.StandardScaler`,
        :class:`~sklearn.preprocessing.MinMaxScaler`,
        :class:`~sklearn.preprocessing.MaxAbsScaler` and
        :class:`~sklearn.preprocessing.RobustScaler`, among its steps and within
        pipelines, unions and votes that are its steps; and the moments by which
        a network with `functionals_units` standardises functionals. In a
        pipeline that ``skemotion train --by-speaker`` has fitted, the
        recordings must be of one voice, by which their features are
        standardised; all else stays.

    recordings : sequence of recordings, or array-like
        What `pipeline` predicts: recordings as :class:`SpeechFeatureExtractor`
        takes them, or sequences of shape (n_samples, n_frames, n_features) for
        a pipeline without a front end. They should all come from one setting,
        in which emotions occur about as often as where the model was trained:
        if all are angry, anger is taken for the setting. Recordings without
        sound are left out. At least two are needed, and a warning is given
        below 50.

    chunk_size : int, default=256
        How many recordings are held in memory at a time.

    Returns
    -------
    estimator
        A fitted pipeline of the same kind. `pipeline` is not changed, and they
        share what the classifier has learnt. Its attribute ``adapted_to_`` is
        the number of recordings that it was adapted to; joblib and
        :func:`save_model` keep it.

    Raises
    ------
    ValueError
        If no step is such a scaler; if one is in an estimator of another kind
        than those above; or if fewer than two recordings have sound.
    TypeError
        If `recordings` is a single one, or an iterator.
    AudioError
        If recordings cannot be read. It names all of them. If `on_error` of the
        step that takes them is "warn", they are left out.
    sklearn.exceptions.NotFittedError
        If the pipeline is not fitted.

    Warns
    -----
    AdaptationWarning
        If there are fewer than 50 recordings.
    UnreadableWarning
        If recordings are left out that cannot be read.

    See Also
    --------
    SequenceScaler.partial_fit : What is done to one scaler.
    skemotion.preprocessing.speaker_standardize : Standardises in training, too.

    Notes
    -----
    It takes one pass over the recordings for each scaler, since one behind
    another has to see what that makes of them: two for the recommended recipe,
    whose network has moments of its own. A pass extracts all features
    anew, unless the extractor's `memory` keeps them. Only RobustScaler, which
    sorts, is shown all rows at once: one for each recording, where it stands
    behind :class:`SequenceFunctionals`.

    With ``scope="cell"``, a :class:`SequenceScaler` has moments for each frame,
    which take several times as many recordings.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from skemotion import SequenceFunctionals, adapt
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(100, 20, 3)), np.repeat(["anger", "sadness"], 50)
    >>> X[50:] -= 1.0
    >>> model = make_pipeline(SequenceFunctionals(), StandardScaler(), SVC()).fit(X, y)
    >>> elsewhere = 0.5 * X + 4.0  # by another microphone
    >>> model.score(elsewhere, y)
    0.5
    >>> adapted = adapt(model, elsewhere)
    >>> adapted.score(elsewhere, y), adapted.adapted_to_
    (1.0, 100)
    """
    check_is_fitted(pipeline)
    recordings = _check_recordings(pipeline, recordings)
    names = getattr(pipeline, "feature_names", None)
    adaptation = _Adaptation(recordings, names, chunk_size)
    adapted = adaptation.adapt(pipeline)
    n_recordings = adaptation.n_recordings
    if n_recordings is None:
        raise ValueError(
            f"{type(pipeline).__name__} has no step that can be adapted: train it with "
            "a SequenceScaler in front of the classifier, or with a StandardScaler "
            "behind SequenceFunctionals."
        )
    warn_unreadable(adaptation.unreadable, recordings, ", and are left out")
    if n_recordings < _ENOUGH:
        warnings.warn(
            f"adapted to {n_recordings} recordings, where {_ENOUGH} or more of one "
            "setting are wanted: with few, what is particular to them is taken for the "
            "setting, and predictions can become worse than without.",
            AdaptationWarning,
            stacklevel=3,  # validate_params stands between
        )
    adapted.adapted_to_ = n_recordings
    return adapted


def _check_recordings(pipeline, recordings):
    """Return what can be sliced and gone through again."""
    single_or_iterator = isinstance(recordings, (str, os.PathLike)) or hasattr(
        recordings, "__next__"
    )
    if _begins_with_recordings(pipeline) or single_or_iterator:
        recordings = check_recordings(recordings, iterators=False)
    else:
        recordings = as_indexable(recordings)
        if isinstance(recordings, (list, tuple)) or issparse(recordings):
            recordings = as_plain_array(recordings, "recordings")
    _check_number(count_rows(recordings, "recordings"))
    return recordings


def _begins_with_recordings(estimator):
    if isinstance(estimator, VotingClassifier):
        return any(map(_begins_with_recordings, estimator.estimators_))
    if not isinstance(estimator, Pipeline):
        return takes_recordings(estimator)
    steps = (step for _, step in estimator.steps if not is_passed_by(step))
    return _begins_with_recordings(next(steps, None))


def _check_number(n_recordings):
    if n_recordings < _FEWEST:
        raise ValueError(
            f"adapting takes at least {_FEWEST} recordings with sound, better "
            f"{_ENOUGH}, but there {'is' if n_recordings == 1 else 'are'} "
            f"{n_recordings}: one alone would be standardised by itself."
        )


class _Adaptation:
    """One walk through a model, from its first step to its last.

    Parameters
    ----------
    recordings : sequence
        What the model is given.
    names : sequence of str or None
        What the features are called, if these are sequences.
    chunk_size : int
        Recordings in a chunk.

    Attributes
    ----------
    n_recordings : int or None
        Recordings with sound; None as long as no scaler has been met.
    unreadable : dict of int to str
        The reason for each row that cannot be read, and is left out.
    """

    def __init__(self, recordings: Any, names: Any, chunk_size: int):
        self._recordings = recordings
        self._names = names
        self._chunk_size = chunk_size
        # Which windows of them are looked at. None: what the first step sees.
        self._rule: WindowRule | None = None
        self.n_recordings: int | None = None
        self.unreadable: dict[int, str] = {}

    def adapt(self, estimator: Any, before: Sequence[Any] = ()) -> Any:
        """Return an estimator with scalers of its own, estimated anew.

        Parameters
        ----------
        estimator : estimator instance or str
            Fitted.
        before : sequence of transformers
            What recordings go through until they reach it.

        Returns
        -------
        estimator instance or str
        """
        if isinstance(estimator, Pipeline):
            return self._adapt_pipeline(estimator, before)
        if isinstance(estimator, FeatureUnion):
            return self._adapt_union(estimator, before)
        if isinstance(estimator, VotingClassifier):
            return self._adapt_vote(estimator, before)
        if isinstance(estimator, _SCALERS):
            return self._adapt_scaler(estimator, before)
        if isinstance(estimator, BaseBLSTMClassifier) and estimator._reads_functionals:
            return estimator._standardised_by(self._follow(before))
        _refuse_hidden_scalers(estimator)
        return copy.copy(estimator)

    def _adapt_pipeline(self, pipeline, before):
        adapted, path = copy.copy(pipeline), list(before)
        outer = self._rule
        if not path:
            self._rule = find_rule(pipeline) or outer
        by_speaker = any(
            isinstance(step, SpeakerStandardized) for _, step in pipeline.steps
        )
        adapted.steps = []
        for name, step in pipeline.steps:
            # Behind that mark, all has been trained on what is standardised so.
            if not by_speaker or isinstance(step, SpeakerStandardized):
                step = self.adapt(step, path)
            else:
                step = copy.copy(step)
            adapted.steps.append((name, step))
            if not is_passed_by(step):
                path.append(step)
        self._rule = outer
        return adapted

    def _adapt_union(self, union, before):
        adapted = copy.copy(union)
        adapted.transformer_list = [
            (name, self.adapt(transformer, before))
            for name, transformer in union.transformer_list
        ]
        return adapted

    def _adapt_vote(self, vote, before):
        adapted = copy.copy(vote)
        adapted.named_estimators_ = Bunch(
            **{
                name: self.adapt(voter, before)
                for name, voter in vote.named_estimators_.items()
            }
        )
        voters = adapted.named_estimators_.values()
        adapted.estimators_ = [voter for voter in voters if not is_passed_by(voter)]
        return adapted

    def _adapt_scaler(self, scaler, before):
        chunks = self._follow(before)
        if isinstance(scaler, RobustScaler):
            return clone(scaler).fit(_join(list(chunks)))
        if isinstance(scaler, SpeakerStandardized):
            names = names_behind([("", step) for step in before])
            fresh = SequenceScaler(ignore_padding=True)
            return _fit_in_parts(fresh, chunks, feature_names=names)
        if isinstance(scaler, SequenceScaler):
            return _fit_in_parts(scaler._without_moments(), chunks)
        return _fit_in_parts(clone(scaler), chunks)

    def _follow(self, path: Sequence[Any]) -> Iterator[Any]:
        """Yield what comes out of some steps, chunk by chunk; count recordings."""
        failures: list[tuple[str, str]] = []
        n_recordings = 0
        for start, chunk in self._chunks():
            try:
                for X, n_new in self._look_at(chunk, path, start):
                    n_recordings += n_new
                    if _num_samples(X):
                        yield X
            except AudioError as error:
                failures += _rename(error.failures, chunk, start)
        if failures:
            raise AudioError(failures)
        _check_number(n_recordings)
        self.n_recordings = n_recordings

    def _look_at(self, chunk, path, start) -> Iterator[tuple[Any, int]]:
        """Yield what comes of a chunk, in parts, and how many recordings are new."""
        if self._rule is None:
            X = _transform(chunk, path, self._names)
            yield X, _num_samples(X)
            return
        recordings = WindowedRecordings(chunk, self._rule)
        last = -1
        for batch in recordings.batches():
            heard = np.flatnonzero(batch.weights)
            try:
                windows = [batch.windows[place] for place in heard]
                X = _transform(windows, path, self._names)
            except AudioError as error:
                recordings.note_failures(batch, error)
                continue
            rows = batch.rows[heard]
            yield X, len(np.unique(rows[rows > last]))
            last = batch.rows[-1]
        for row, reason in recordings.unreadable.items():
            self.unreadable[start + row] = reason

    def _chunks(self) -> Iterator[tuple[int, Any]]:
        """Yield the position of the first recording of a chunk, and the chunk."""
        for part in gen_batches(_num_samples(self._recordings), self._chunk_size):
            yield part.start, _safe_indexing(self._recordings, part)


def _transform(X, path, names):
    """Take recordings through some steps, and leave out those without sound."""
    X = _with_sound(X, names)
    for number, step in enumerate(path, start=1):
        if not _num_samples(X):
            return X
        X = step.transform(X)
        if takes_recordings(step):
            X = _with_sound(X, names_behind([("", one) for one in path[:number]]))
    return X


def _with_sound(X: Any, names: Any) -> Any:
    """Leave out sequences without a single real frame."""
    if not isinstance(X, np.ndarray) or X.ndim != 3:
        return X
    loudness = find_loudness(names)
    values = X if loudness is None else X[:, :, [loudness]]
    has_sound = np.any(values, axis=(1, 2))
    return X if has_sound.all() else X[has_sound]


def _rename(failures, chunk, start):
    """Give recordings without a name their place among all, not in the chunk."""
    places = {
        recording_name(recording, index): recording_name(recording, start + index)
        for index, recording in enumerate(chunk)
    }
    return [(places.get(name, name), reason) for name, reason in failures]


def _fit_in_parts(scaler, chunks, **params):
    for chunk in chunks:
        scaler.partial_fit(chunk, **params)
    return scaler


def _join(chunks):
    if hasattr(chunks[0], "iloc"):  # of a transformer that puts out tables
        import pandas as pd

        return pd.concat(chunks)
    return np.concatenate(chunks)


def _refuse_hidden_scalers(estimator):
    if isinstance(estimator, str) or not hasattr(estimator, "get_params"):
        return
    for name, value in estimator.get_params().items():
        if isinstance(value, _SCALERS):
            raise ValueError(
                f"{type(estimator).__name__} holds a scaler, {name}, which cannot be "
                "adapted there, but only in pipelines, unions and votes. Adapt the "
                "pipelines within it one by one, such as best_estimator_ of a search."
            )
