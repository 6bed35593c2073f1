"""The pipeline that holds out real recordings."""

import os
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils._user_interface import _print_elapsed_time
from sklearn.utils.validation import (
    _check_method_params,
    _is_arraylike,
    _num_samples,
    has_fit_parameter,
)

from skemotion._sequences import hand_on_names, names_behind, takes_recordings
from skemotion._speakers._standardized import SpeakerStandardized
from skemotion._typing import Memory, RandomState
from skemotion._validation._labels import check_labels, check_sample_weight, has_columns
from skemotion._validation._parameters import fit_context
from skemotion._validation._rows import as_indexable, check_same_length
from skemotion.audio import check_recordings
from skemotion.audio._unreadable import (
    find_unreadable,
    raise_unreadable,
    warn_unreadable,
)
from skemotion.model_selection import stratified_validation_split
from skemotion.pipeline._novelty import NoveltyPipeline
from skemotion.pipeline._rules import DEFAULT_RATE, find_fronts, goes_on_without

_FITTING = ("fit", "fit_transform")


class EmotionPipeline(NoveltyPipeline):
    """Pipeline that holds out real recordings for early stopping.

    It is an imbalanced-learn pipeline whose `fit` sets a part of the
    recordings aside before any step sees them. The steps are fitted on the
    rest; the part set aside is transformed by them, passes the samplers by,
    and reaches the last step as `X_val` and `y_val`. So nothing synthetic, and
    nothing that a scaler or a sampler has learnt from, decides when training
    stops.

    Nothing is held out if the last step's `fit` takes no `X_val` or is given
    one, or if its `early_stopping` is False.

    Steps that want to know what the features are called, such as
    :class:`SequenceScaler`, are told what the steps before them say in
    `get_feature_names_out`.

    Predictions look at all of a recording, if `hop_duration` is set: `predict`,
    `predict_proba`, `predict_log_proba`, `decision_function` and `score`, but not
    `transform` of a part.

    Where the step that takes recordings has ``on_error="warn"``, those that cannot be
    read are left out of `fit`, with their labels, groups and weights, and no emotion
    is predicted for them: all classes are as likely, as they are without speech, and
    `predict`, which has to name one, names the first. Each time,
    :class:`~skemotion.exceptions.UnreadableWarning` names them.

    With a `novelty_detector`, it is less sure of what is unlike its training data:
    :meth:`novelty` tells how unlike a recording is, and from the limit of the
    detector on, :meth:`predict_proba` pulls the probabilities to equal ones, nearly
    fully from 1.6 times the limit on. The predicted class stays.

    Parameters
    ----------
    steps : list of (str, estimator) tuples
        As in :class:`imblearn.pipeline.Pipeline`.

    validation_fraction : float or None, default=0.1
        Part of the recordings to hold out. None holds out nothing.

    random_state : int, RandomState instance or None, default=None
        Decides which recordings are held out.

    feature_names : list of str, default=None
        Names of the features of X, where X are sequences; parts of a pipeline,
        such as :attr:`sequence_steps`, know them. None means not known.

    hop_duration : float, default=None
        From the begin of one window to that of the next, in seconds. Windows are of
        the `duration` of the step that takes recordings. Their probabilities are
        averaged, each weighted by its length. None looks at the first window alone.

    detect_speech : bool, default=False
        Whether to look for speech. Windows are then weighted by how long someone
        speaks in them. Where nobody does, all classes are as likely, and
        :class:`~skemotion.exceptions.NoSpeechWarning` names the rows.

    novelty_detector : estimator, default=None
        A :class:`NoveltyDetector` that is not fitted. A clone of it is fitted on
        what the last step is trained on, if of each row it is known which recording
        it stems from, as of the copies of :class:`SpeechAugmenter`. Behind other
        samplers it is fitted on the real recordings, which go through the steps
        once more for it. None leaves probabilities as they are.

    transform_input : list of str, default=None
        As in :class:`imblearn.pipeline.Pipeline`.

    memory : str or object with the joblib.Memory interface, default=None
        Cache of fitted transformers, as in scikit-learn's pipeline. The cache
        of features is a parameter of :class:`SpeechFeatureExtractor`.

    verbose : bool, default=False
        Whether to print the time that each step takes.

    Attributes
    ----------
    adapted_to_ : int
        Number of recordings that :func:`adapt` has adapted the pipeline to. Not
        there where it has not.

    novelty_detector_ : estimator
        The fitted detector. Not there without `novelty_detector`.

    See Also
    --------
    make_emotion_pipeline : Builds one with a tested recipe.
    adapt : Fits a trained one to recordings of another kind, without labels.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import BLSTMClassifier, EmotionPipeline, SequenceScaler
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(40, 10, 3)), np.repeat(["anger", "sadness"], 20)
    >>> pipeline = EmotionPipeline(
    ...     [
    ...         ("scale", SequenceScaler()),
    ...         ("classify", BLSTMClassifier(units=4, epochs=2, random_state=0)),
    ...     ],
    ...     random_state=0,
    ... )
    >>> sorted(pipeline.fit(X, y)["classify"].history_)
    ['accuracy', 'loss', 'val_accuracy', 'val_loss']
    """

    # Where metadata routing is on, groups are asked for without a set_fit_request.
    __metadata_request__fit = {"groups": True}

    _parameter_constraints: dict = {
        **NoveltyPipeline._parameter_constraints,
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "random_state": ["random_state"],
        "feature_names": ["array-like", None],
        "hop_duration": [Interval(Real, 0, None, closed="neither"), None],
        "detect_speech": ["boolean"],
        "novelty_detector": [HasMethods(["fit", "score_samples", "rank_scores"]), None],
    }

    def __init__(
        self,
        steps: Any,
        *,
        validation_fraction: Any = 0.1,
        random_state: RandomState = None,
        feature_names: Any = None,
        hop_duration: float | None = None,
        detect_speech: bool = False,
        novelty_detector: Any = None,
        transform_input: list[str] | None = None,
        memory: Memory | None = None,
        verbose: bool = False,
    ):
        super().__init__(
            steps, transform_input=transform_input, memory=memory, verbose=verbose
        )
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.feature_names = feature_names
        self.hop_duration = hop_duration
        self.detect_speech = detect_speech
        self.novelty_detector = novelty_detector

    # Steps of a pipeline have their parameters validated by themselves.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        **params: Any,
    ) -> "EmotionPipeline":
        """Fit all steps, stopping the last one early on held-out recordings.

        Parameters
        ----------
        X : sequence of length n_samples
            What the first step takes: recordings for
            :class:`SpeechFeatureExtractor`.
        y : array-like of shape (n_samples,), default=None
            Class labels. None, where the last step takes none.
        groups : array-like of shape (n_samples,), default=None
            Speakers. Where given, no speaker is both trained on and held out.
        **params : dict
            Parameters of the steps' `fit`, as in imbalanced-learn's pipeline.
            No step behind a sampler takes one with a value for each row of
            `X`, such as `sample_weight`. Where the last step is given `X_val`,
            as ``classify__X_val``, it gets these as they are: what the steps
            before it would make of them, unless `transform_input` names
            ``"X_val"``. Then nothing is held out.

        Returns
        -------
        self : EmotionPipeline

        Raises
        ------
        ValueError
            Before any recording is opened: if X, y, groups or sample weights
            differ in length, if labels or groups are missing, of more than one
            dimension, of different kinds or continuous, if there is one class
            only, or if a step behind a sampler is given a value for each row
            of `X`.
        AudioError
            If recordings cannot be read, or none can where `on_error` of the step
            that takes them is "warn".

        Warns
        -----
        UnreadableWarning
            If recordings cannot be read, and `on_error` is "warn". They are left
            out, with their labels, groups and weights.
        """
        X, y = as_indexable(X), self._check_rows(X, y, groups)
        groups = None if groups is None else check_labels(groups, "groups")
        routed = self._check_method_params(method="fit", props=params)
        self._check_params_of_rows(X, routed)
        kept = self._find_readable(X)
        if kept is not None:
            n_given = _num_samples(X)
            X = _safe_indexing(check_recordings(X), kept)
            y = None if y is None else _safe_indexing(y, kept)
            groups = None if groups is None else _safe_indexing(groups, kept)
            params = _take_rows(params, kept, n_given)
            self._check_rows(X, y, groups)
        with self._keep_rows() as rows:
            if self._holds_out(routed):
                trained = self._fit_holding_out(X, y, groups, params)
                X = _safe_indexing(X, trained)
                groups = None if groups is None else _safe_indexing(groups, trained)
            else:
                super().fit(X, y, **params)
        names = self._names_before(len(self.steps) - 1)
        self._fit_detector(X, groups, names, *rows)
        return self

    def _find_readable(self, X):
        """Return the rows to go on with; None if all, or if all must be readable."""
        fronts = find_fronts(self)
        if not goes_on_without(fronts):
            return None
        recordings = check_recordings(X)
        durations: list[Any] = [getattr(front, "duration", None) for front in fronts]
        failures = find_unreadable(
            recordings,
            sampling_rate=getattr(fronts[0], "sampling_rate", DEFAULT_RATE),
            duration=None if None in durations else max(durations),
            n_jobs=getattr(fronts[0], "n_jobs", None),
        )
        if len(failures) == len(recordings):
            raise_unreadable(failures, recordings, hint="")
        warn_unreadable(failures, recordings, ", and are left out of training")
        if not failures:
            return None
        return np.setdiff1d(np.arange(len(recordings)), list(failures))

    def _fit_holding_out(self, X, y, groups, params):
        train, held_out = stratified_validation_split(
            y,
            self.validation_fraction,
            groups=groups,
            random_state=self.random_state,
        )
        X_val, y_val = _safe_indexing(X, held_out), _safe_indexing(y, held_out)
        X, y = _safe_indexing(X, train), _safe_indexing(y, train)
        params = _take_rows(params, train, _num_samples(X) + len(held_out))
        self._fit_with_validation(X, y, X_val, y_val, params)
        return train

    @property
    def sequence_steps(self) -> "EmotionPipeline":
        """The part that takes sequences: the steps behind the extractor.

        It shares the steps with the whole, fitted or not, and knows the names
        of the features. What stands before it, up to the last step that takes
        recordings or is called ``"extract"``, makes the sequences.
        """
        front = [
            number
            for number, (name, step) in enumerate(self.steps, start=1)
            if name == "extract"
            or takes_recordings(step)
            or isinstance(step, SpeakerStandardized)
        ]
        return self[max(front, default=0) :]

    def _check_rows(self, X, y, groups=None):
        """Check what belongs together before any work; return y, plain if labels."""
        if isinstance(X, (str, os.PathLike)):
            check_recordings(X)  # says which list was meant
        check_same_length(X, y=y, groups=groups)
        if groups is not None:
            check_labels(groups, "groups")
        last = self._final_estimator
        predicts = hasattr(last, "fit")
        if y is None:
            if predicts and is_classifier(last):
                raise ValueError(
                    f"{type(self).__name__} requires y to be passed, but the target y "
                    "is None."
                )
            return None
        if predicts and (is_regressor(last) or _predicts_columns(last, y)):
            return y
        return check_labels(y, min_classes=2 if predicts and is_classifier(last) else 1)

    def _holds_out(self, routed):
        last = self._final_estimator
        return (
            self.validation_fraction is not None
            and hasattr(last, "fit")
            and has_fit_parameter(last, "X_val")
            and getattr(last, "early_stopping", True) is not False
            and routed[self.steps[-1][0]].get("fit", {}).get("X_val") is None
        )

    def _check_params_of_rows(self, X, routed):
        sampler = None
        for _, name, step in self._iter(filter_resample=False):
            methods = [routed[name].get(method, {}) for method in _FITTING]
            for parameter, value in {**methods[0], **methods[1]}.items():
                if sampler is not None:
                    _refuse_values_of_rows(parameter, value, X, name, sampler)
                weighs = parameter.rpartition("__")[2] == "sample_weight"
                if weighs and value is not None:
                    check_sample_weight(value, X, dtype=np.float64)
            if hasattr(step, "fit_resample"):
                sampler = name

    def _fit(self, X, y=None, routed_params=None, raw_params=None):
        # Every way of fitting comes by here.
        y = self._check_rows(X, y)
        if hasattr(self, "adapted_to_"):
            del self.adapted_to_
        self._forget_detector()
        Xt, yt = super()._fit(X, y, routed_params, raw_params=raw_params)
        self._note_rows(Xt)
        return Xt, yt

    def _fit_with_validation(self, X, y, X_val, y_val, params):
        """Do what imbalanced-learn's `fit` does, with its own private methods."""
        routed = self._check_method_params(method="fit", props=params)
        X, y = self._fit(X, y, routed, raw_params=params)
        last = len(self.steps) - 1
        with _print_elapsed_time("Pipeline", self._log_message(last)):
            X_val = self._transform_rows(X_val)
            last_params = self._get_metadata_for_step(
                step_idx=last, step_params=routed[self.steps[-1][0]], all_params=params
            )["fit"]
            validation = {"X_val": X_val, "y_val": y_val}
            self._final_estimator.fit(X, y, **{**last_params, **validation})

    def _get_metadata_for_step(self, *, step_idx, step_params, all_params):
        # It is asked for right before each step is fitted, behind fitted ones.
        step_params = super()._get_metadata_for_step(
            step_idx=step_idx, step_params=step_params, all_params=all_params
        )
        return hand_on_names(
            self.steps[step_idx][1], step_params, self._names_before(step_idx)
        )

    def _names_before(self, step_idx):
        """Return the names of the features that a step gets, None if not known."""
        names = self.feature_names
        names = None if names is None else np.asarray(names, dtype=object)
        return names_behind(self.steps[:step_idx], names)

    def __getitem__(self, ind):
        part = super().__getitem__(ind)
        if isinstance(ind, slice):
            part.validation_fraction = self.validation_fraction
            part.random_state = self.random_state
            part.hop_duration = self.hop_duration
            part.detect_speech = self.detect_speech
            names = self._names_before(range(len(self.steps))[ind].start)
            part.feature_names = None if names is None else names.tolist()
            if hasattr(self, "adapted_to_"):
                part.adapted_to_ = self.adapted_to_
            if part.steps and part.steps[-1] is self.steps[-1]:  # sees the same
                part._take_detector(self)
        return part

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Pickles may be older than a parameter.
        added = {"hop_duration": None, "detect_speech": False}
        super().__setstate__({**added, **state})

    def get_metadata_routing(self) -> Any:
        """Return the routing of the steps, and the request for `groups`.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
        """
        return super().get_metadata_routing().add_self_request(self)


def _predicts_columns(estimator, y):
    return has_columns(y) and get_tags(estimator).target_tags.multi_output


def _take_rows(params, rows, n_samples):
    """Take rows of the parameters that have a value for each, but not of names."""
    names = {name: params[name] for name in params if name.endswith("feature_names")}
    others = {name: as_indexable(params[name]) for name in params if name not in names}
    return names | _check_method_params(np.empty(n_samples), others, indices=rows)


def _refuse_values_of_rows(parameter, value, X, step, sampler):
    """Raise for a value per row, even if a sampler that reorders keeps the length."""
    others = ("X_val", "y_val", "feature_names")
    if parameter in others or not _is_arraylike(value):
        return
    if _num_samples(value) == _num_samples(X):
        raise ValueError(
            f"{parameter} has a value for each of the {_num_samples(X)} rows of X, but "
            f"sampler {sampler!r} changes the number of rows, or their order, before "
            f"{step!r} is fitted: drop the sampler ({sampler}='passthrough') or use "
            "class_weight."
        )
