"""Every public name that takes arrays, and right values of all its arguments.

Names are looked for, so that what is new is covered: estimators by `fit`, functions
and ``from_*`` of displays by what their parameters are called. What is not known
by its name is reported by :func:`find_unknown`.
"""

import copy
import functools
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from hypothesis import strategies as st
from odd_values import (
    Odd,
    odd_arrays,
    odd_labels,
    odd_parameters,
    odd_recordings,
    odd_weights,
)
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skemotion
from skemotion.classification._base import BaseSequenceClassifier

N, N_FRAMES, N_FEATURES = 12, 5, 3
RATE = 16000
_rng = np.random.default_rng(0)
_X = _rng.normal(size=(N, N_FRAMES, N_FEATURES))
_LABELS = np.resize(["anger", "fear", "sadness"], N)
_SPEAKERS = np.repeat(["03", "08", "09", "10"], 3)
_PROBA = _rng.dirichlet(np.ones(3), size=N)
_ATTENTION = _rng.dirichlet(np.ones(N_FRAMES), size=N)
_SIGNALS = 0.1 * _rng.normal(size=(N, 4800))
_CURVE = np.linspace(0.1, 1.0, 4)


class DenseNetwork(BaseEstimator):
    """The smallest network."""

    def __call__(self, n_frames, n_features, n_classes):
        import keras

        return keras.Sequential(
            [
                keras.Input((n_frames, n_features)),
                keras.layers.Flatten(),
                keras.layers.Dense(n_classes, activation="softmax"),
            ]
        )


class Kind(NamedTuple):
    """What an argument is: a right value, and a strategy of others."""

    value: Any
    odd: Callable[[Any], st.SearchStrategy[Odd]]


ARRAYS = {
    "X": Kind(_X, odd_arrays),
    "X_val": Kind(_X, odd_arrays),
    "y": Kind(_LABELS, odd_labels),
    "y_val": Kind(_LABELS, odd_labels),
    "y_true": Kind(_LABELS, odd_labels),
    "y_pred": Kind(np.roll(_LABELS, 1), odd_labels),
    "y_resampled": Kind(_LABELS, odd_labels),
    "classes": Kind(_LABELS[:3], odd_labels),
    "labels": Kind(_LABELS[:3], odd_labels),
    "groups": Kind(_SPEAKERS, odd_labels),
    "speakers": Kind(_SPEAKERS, odd_labels),
    "sources": Kind(np.arange(N), odd_labels),
    "sample_weight": Kind(np.linspace(0.5, 2.0, N), odd_weights),
    "y_proba": Kind(_PROBA, odd_arrays),
    "probabilities": Kind(_PROBA[0], odd_arrays),
    "attention": Kind(_ATTENTION, odd_arrays),
    "padding": Kind(_ATTENTION < 0.05, odd_arrays),
    "coverage": Kind(_CURVE, odd_arrays),
    "risk": Kind(_CURVE / 2, odd_arrays),
    "scores": Kind(-_CURVE, odd_arrays),
    "feature_names": Kind(np.array(["a", "b", "c"]), odd_labels),
    "input_features": Kind(np.array(["a", "b", "c"]), odd_labels),
    "class_names": Kind(np.array(["A", "B", "C"]), odd_labels),
    "recordings": Kind(_SIGNALS, odd_recordings),
    "recording": Kind(_SIGNALS[0], odd_recordings),
    "signal": Kind(_SIGNALS[0], odd_arrays),
}
# Right values of required arguments that are no arrays.
_OTHERS = {
    "sampling_rate": RATE,
    "validation_fraction": 0.3,
    "n_samples": 8,
    "index": 0,
}
# Where a name means another thing than elsewhere.
_OWN: dict[str, dict[str, Any]] = {
    "skemotion.inspection.RecordingDisplay.from_predictions": {"attention": None},
    "skemotion.model_selection.balanced_holdout": {"n_per_class": 1},
    "skemotion.inspection.AttentionDisplay.from_estimator": {"n_bins": 5},
    "skemotion.inspection.AttentionDisplay.from_predictions": {"n_bins": 5},
    "skemotion.inspection.attention_heatmap": {"n_bins": 5},
    # scikit-learn looks at these, in words of its own.
    "skemotion.inspection.SpeakerScoreDisplay.from_estimator": {"random_state": None},
    "skemotion.inspection.SpeakerScoreDisplay.from_predictions": {"random_state": None},
    "skemotion.inspection.sequence_permutation_importance": {"scoring": None},
}
# What else a message may call an argument.
_ALIASES = {
    "y": ("y_true",),
    "recordings": ("X", "recording"),
    "recording": ("X", "signal", "it"),
    "classify__sample_weight": ("sample_weight",),
    "X": ("recording", "recordings"),
}
# Arguments that are no single values, or that write files.
_UNTRIED = {
    *("ax", "cmap", "im_kw", "bar_kw", "line_kw", "kwargs", "params", "fit_params"),
    *(
        "estimator",
        "pipeline",
        "metric",
        "out",
        "folder",
        "path",
        "data_home",
        "memory",
    ),
    *("n_jobs", "timeline", "callbacks", "name", "verbose", "parameters"),
    *("occlusion", "colorbar", "silent", "frame_seconds", "iterators", "index"),
    *("steps", "transformer_list"),  # looked at by scikit-learn before any fit
}
WITHOUT_ARRAYS = {
    "skemotion.datasets.fetch_corpus",
    "skemotion.datasets.fetch_emodb",
    "skemotion.export.export_onnx",  # a network is built before anything is written
    "skemotion.runtime.load_exported",
    "skemotion.datasets.get_data_home",
    "skemotion.datasets.load_corpus",
    "skemotion.datasets.load_emodb",
    "skemotion.datasets.load_recordings",
    "skemotion.datasets.make_emotional_speech",
    "skemotion.feature_extraction.descriptor_set_version",
    "skemotion.persistence.skops_types",
    "skemotion.feature_extraction.name_weights",
    "skemotion.inspection.TimelineDisplay.from_predictions",
    "skemotion.inspection.TrainingHistoryDisplay.from_arrays",
    "skemotion.inspection.TrainingHistoryDisplay.from_estimator",
    "skemotion.iter_timeline",  # of blocks, tested with the timeline
    "skemotion.load_model",
    "skemotion.load_pretrained",
    "skemotion.make_emotion_pipeline",
    "skemotion.report.write_report",
    "skemotion.save_model",
    "skemotion.show_versions",
    "skemotion.timeline.write_timelines",
}


# Where NaN stands for what is not known, as is documented.
MAY_BE_NAN = (
    "skemotion.inspection.attention_heatmap",
    "skemotion.NoveltyDetector.rank_scores",
)


class Place(NamedTuple):
    """An argument of something public, all others being right."""

    owner: str
    argument: str
    call: Callable[[Any], Any]
    odd: st.SearchStrategy[Odd]

    def __str__(self):
        return f"{self.owner}({self.argument})"

    @property
    def names(self) -> tuple[str, ...]:
        """What a message may call it."""
        return (self.argument, *_ALIASES.get(self.argument, ()))


class Accepted(BaseException):
    """Training would begin: all arguments have been taken for right."""

    def __init__(self, classifier, X, codes, weights):
        super().__init__("training begins")
        self.classifier, self.X, self.codes, self.weights = (
            classifier,
            X,
            codes,
            weights,
        )


def _stop(self, X, codes, weights, *args, **named):
    raise Accepted(self, X, codes, weights)


def without_training():
    """Return a context in which no network is built: `Accepted` is raised instead."""
    return mock.patch.object(BaseSequenceClassifier, "_train", _stop)


def public_objects() -> dict[str, Any]:
    """Return all that is public, by its shortest name."""
    modules = [getattr(skemotion, name) for name in skemotion.__all__]
    modules = [module for module in modules if isinstance(module, ModuleType)]
    found, seen = {}, set()
    for module in (skemotion, *modules):
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value) and id(value) not in seen:
                seen.add(id(value))
                found[f"{module.__name__}.{name}"] = value
    return found


def _make_pipelines(cls):
    from skemotion import BLSTMClassifier, NoveltyDetector, SequenceScaler

    network = BLSTMClassifier(units=2, epochs=1, random_state=0)
    steps = [("scale", SequenceScaler()), ("classify", network)]
    detector = NoveltyDetector(n_splits=2)
    yield "", cls(steps, random_state=0, novelty_detector=detector)
    yield (
        " of flat vectors",
        cls(
            [
                ("summarise", skemotion.SequenceFunctionals()),
                ("classify", LogisticRegression()),
            ]
        ),
    )


_MAKERS: dict[str, Callable[[type], Iterator[tuple[str, Any]]]] = {
    "EmotionPipeline": _make_pipelines,
    "SequenceClassifier": lambda cls: iter([("", cls(DenseNetwork()))]),
    "SequenceUnion": lambda cls: iter(
        [("", cls([("a", "passthrough"), ("b", skemotion.SequenceScaler())]))]
    ),
    "SequenceScaler": lambda cls: iter(
        [("", cls()), (" of cells", cls(scope="cell", ignore_padding=True))]
    ),
}
_SMALL = {
    "units": 2,
    "epochs": 1,
    "random_state": 0,
    "duration": 0.3,
    "n_splits": 2,
    "n_copies": 1,
}


def make_estimators() -> dict[str, Any]:
    """Return small estimators of every public class, by its name."""
    found = {}
    for name, cls in public_objects().items():
        if inspect.isclass(cls) and (
            hasattr(cls, "fit") or hasattr(cls, "fit_resample")
        ):
            make = _MAKERS.get(cls.__name__, lambda cls: iter([("", cls())]))
            for suffix, estimator in make(cls):
                known = estimator.get_params(deep=False)
                small = {key: _SMALL[key] for key in _SMALL if key in known}
                if suffix == "" and "sampler" in known:
                    from imblearn.over_sampling import RandomOverSampler

                    small["sampler"] = RandomOverSampler()
                found[name + suffix] = estimator.set_params(**small)
    return found


def takes_recordings(estimator) -> bool:
    """Tell whether X are recordings."""
    return bool(estimator.__sklearn_tags__().input_tags.string)


def right_value(estimator, argument: str) -> Any:
    """Return a right value of an argument of an estimator's method."""
    if argument in ("X", "X_val") and takes_recordings(estimator):
        return list(_SIGNALS)
    return ARRAYS[argument].value


@functools.cache
def fitted(name: str) -> Any:
    """Return a fitted estimator, not to be changed."""
    estimator = clone(make_estimators()[name])
    if hasattr(estimator, "fit"):
        estimator.fit(right_value(estimator, "X"), _LABELS)
    return estimator


_CHANGING = ("fit", "partial_fit", "fit_transform", "fit_predict", "fit_resample")


def _methods(estimator) -> Iterator[tuple[str, list[str]]]:
    for name in dir(type(estimator)):
        method = (
            None
            if name.startswith(("_", "set_", "get_m"))
            else getattr(estimator, name, None)
        )
        if inspect.ismethod(method):
            arguments = [
                argument
                for argument in inspect.signature(method).parameters
                if argument in ARRAYS
            ]
            if arguments:
                yield name, arguments


def _ignored(estimator, name, argument):
    """Tell whether a method documents an argument as ignored."""
    doc = inspect.getdoc(getattr(type(estimator), name)) or ""
    return f"\n{argument} : ignored" in doc


def _places_of_estimators() -> Iterator[Place]:
    for name, estimator in make_estimators().items():
        for method, arguments in _methods(fitted(name)):
            for argument in arguments:
                if _ignored(estimator, method, argument):
                    continue
                if "Pipeline" in name and argument == "input_features":
                    continue  # its last step has no names
                yield _place_of(name, estimator, method, argument, arguments)
        if isinstance(estimator, BaseSequenceClassifier):
            yield _place_of(
                name, estimator, "fit", "y_val", ["X", "y", "X_val", "y_val"]
            )
    for argument in ("sample_weight",):
        name = "skemotion.EmotionPipeline"
        yield _place_of_step(name, argument)


def _place_of_step(name, argument):
    estimator = make_estimators()[name]

    def call(value):
        return clone(estimator).fit(_X, _LABELS, **{f"classify__{argument}": value})

    kind = ARRAYS[argument]
    return Place(f"{name}.fit", f"classify__{argument}", call, kind.odd(kind.value))


def _place_of(name, estimator, method, argument, arguments):
    right = right_value(estimator, argument)
    others = [each for each in ("X", "y", "classes") if each in arguments]
    if argument in ("X_val", "y_val"):
        others += ["X_val", "y_val"]

    def call(value):
        owner = clone(estimator) if method in _CHANGING else fitted(name)
        given = {each: right_value(estimator, each) for each in others}
        return getattr(owner, method)(**{**given, argument: value})

    heard = argument == "X" and takes_recordings(estimator)
    odd = (odd_recordings if heard else ARRAYS[argument].odd)(np.asarray(right))
    return Place(f"{name}.{method}", argument, call, odd)


def public_functions() -> dict[str, Callable]:
    """Return functions, and what makes displays, by name."""
    found = {}
    for name, value in public_objects().items():
        if not inspect.isclass(value):
            found[name] = value
        elif name.startswith("skemotion.inspection."):
            for method in dir(value):
                if method.startswith("from_"):
                    found[f"{name}.{method}"] = getattr(value, method)
    return {name: each for name, each in found.items() if "uar_scorer" not in name}


@functools.cache
def classifier() -> Any:
    """Return what functions are given as their estimator."""
    return fitted("skemotion.AttentionBLSTMClassifier")


@functools.cache
def speaking_pipeline() -> Any:
    """Return a fitted pipeline that takes recordings."""
    front = skemotion.SpeechFeatureExtractor(duration=0.3)
    network = skemotion.AttentionBLSTMClassifier(units=2, epochs=1, random_state=0)
    steps = [("extract", front), ("scale", skemotion.SequenceScaler())]
    pipeline = skemotion.EmotionPipeline([*steps, ("classify", network)])
    return pipeline.fit(list(_SIGNALS), _LABELS)


def _owner_of(name: str, argument: str, parameters) -> Any:
    if "ClassBalance" in name:
        return fitted("skemotion.SequenceSampler")
    if "adapt" in name:
        return make_pipeline(
            skemotion.SequenceFunctionals(),
            fitted_scaler(),
            LogisticRegression(),
        ).fit(_X, _LABELS)
    if argument == "pipeline" or "recording" in parameters:
        return speaking_pipeline()
    return classifier()


def fitted_scaler():
    """Return a scaler of scikit-learn."""
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def _right_arguments(name, parameters) -> dict[str, Any]:
    given = {}
    for argument, parameter in parameters.items():
        if argument in ("estimator", "pipeline"):
            given[argument] = _owner_of(name, argument, parameters)
        elif parameter.default is parameter.empty and argument in ARRAYS:
            given[argument] = ARRAYS[argument].value
        elif parameter.default is parameter.empty and argument in _OTHERS:
            given[argument] = _OTHERS[argument]
    if "adapt" in name:
        given["recordings"] = _X
    given.update(_OWN.get(name, {}))
    return given


def _places_of_functions(*, of_arrays: bool) -> Iterator[Place]:
    for name, function in public_functions().items():
        if name in WITHOUT_ARRAYS:
            continue
        parameters = inspect.signature(function).parameters
        given = _right_arguments(name, parameters)
        for argument in parameters:
            if argument in _UNTRIED or given.get(argument, 0) is None:
                continue
            if (argument in ARRAYS) != of_arrays:
                continue
            if of_arrays:
                right = given.get(argument, ARRAYS[argument].value)
                odd = ARRAYS[argument].odd(np.asarray(right))
            else:
                odd = odd_parameters()
            call = functools.partial(_call, function, given, argument)
            yield Place(name, argument, call, odd)


def _call(function, given, argument, value):
    try:
        return function(**{**given, argument: value})
    finally:
        _close_figures()


def _close_figures():
    import sys

    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def find_unknown() -> list[str]:
    """Return functions without a known argument, or with an unknown required one."""
    unknown = []
    for name, function in public_functions().items():
        parameters = inspect.signature(function).parameters
        required = {
            argument
            for argument, parameter in parameters.items()
            if parameter.default is parameter.empty
            and parameter.kind is not parameter.VAR_KEYWORD
        }
        known = {*ARRAYS, *_OTHERS, "estimator", "pipeline"}
        if name not in WITHOUT_ARRAYS and (
            not parameters.keys() & ARRAYS.keys() or required - known
        ):
            unknown.append(name)
    return unknown


@functools.cache
def places() -> list[Place]:
    """Return all arguments that are arrays, of all that is public."""
    return [*_places_of_estimators(), *_places_of_functions(of_arrays=True)]


@functools.cache
def parameters_of_functions() -> list[Place]:
    """Return all other arguments of functions."""
    return list(_places_of_functions(of_arrays=False))


@functools.cache
def parameters_of_estimators() -> list[Place]:
    """Return all parameters of estimators, tried through `fit`."""
    found = []
    for name, estimator in make_estimators().items():
        for parameter in sorted(estimator.get_params(deep=False).keys() - _UNTRIED):
            call = functools.partial(_fit_with, estimator, parameter)
            found.append(Place(name, parameter, call, odd_parameters()))
    return found


def _fit_with(estimator, parameter, value):
    changed = copy.copy(clone(estimator))
    changed.set_params(**{parameter: value})
    X = right_value(estimator, "X")
    if hasattr(changed, "fit_resample"):
        return changed.fit_resample(X, _LABELS)
    return changed.fit(X, _LABELS)
