"""What is evaluated: a recipe, trained anew for each fold, or a trained model."""

import copy
import time
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skemotion.audio import cache_key_of
from skemotion.cli._checks import check_counts, check_pipeline
from skemotion.cli._corpus import known_corpus
from skemotion.cli._folds import Fold
from skemotion.cli._labels import check_known
from skemotion.cli._model_names import comes_with_package, find_file
from skemotion.cli._models import (
    fit_by_speaker,
    is_by_speaker,
    load_model,
    predict_by_speaker,
    set_extraction,
)
from skemotion.cli._protocols import divide
from skemotion.cli._training import make_pipeline, unwatch, watch_training
from skemotion.cli._warnings import silence_noted
from skemotion.pipeline._recipe_table import DEFAULT_RECIPE

_CHUNK_SIZE = 64
_TRANSDUCTIVE = (
    "Transductive: features are standardised, without labels, over all recordings of "
    "the same speaker, those that are tested among them."
)


class Trial(Protocol):
    """What both kinds have.

    Attributes
    ----------
    words, caveats
        As `protocol` and `caveats` of :class:`skemotion.report._evaluation.Evaluation`.
    classes : ndarray of shape (n_classes,)
        The columns of probabilities.
    parts : list of ndarray
        The rows that are tested together.
    by_fold : bool
        Whether the parts are folds, for each of which a pipeline is trained. Then
        there are the other methods of :class:`RecipeTrial`, too.
    """

    words: str
    caveats: list[str]
    classes: NDArray[np.str_]
    parts: list[NDArray[np.intp]]
    by_fold: bool

    def run(self, number: int, features: Path) -> Fold:
        """Test a part, where `features` is a folder to keep features in."""


def prepare_trial(corpus: Any, options: Any) -> Trial:
    """Return what is to be evaluated, once it is known that it can be."""
    return (ModelTrial if options.model else RecipeTrial)(corpus, options)


class RecipeTrial:
    """A recipe that is trained on each fold's other recordings."""

    by_fold = True

    def __init__(self, corpus: Any, options: Any):
        protocol = divide(corpus, options)
        check_counts(corpus.target, options.corpus)
        self._pipeline = make_pipeline(options)
        self._corpus, self._protocol = corpus, protocol
        self._cache, self._by_speaker = options.cache, options.by_speaker
        train, _ = protocol.splits[0]
        check_pipeline(
            self._pipeline, options.settings, corpus.target[train], self._groups(train)
        )
        self.words = protocol.words
        self.caveats = [*protocol.caveats, *[_TRANSDUCTIVE] * options.by_speaker]
        self.classes = corpus.target_names
        self.parts = [test for _, test in protocol.splits]

    def count_rows(self) -> int:
        """Return how many recordings, with copies, a fold trains on at most."""
        n_copies = self._pipeline.get_params().get("augment__n_copies", 0)
        return max(len(train) for train, _ in self._protocol.splits) * (1 + n_copies)

    def count_epochs(self) -> int:
        """Return how often a fold trains on each of them, at most."""
        return self._pipeline.get_params().get("classify__epochs", 1)

    def for_worker(self) -> "RecipeTrial":
        """Return one that takes no further workers, and shows no progress."""
        other = copy.copy(self)
        other._pipeline = unwatch(clone(self._pipeline))
        if "extract__n_jobs" in other._pipeline.get_params():
            other._pipeline.set_params(extract__n_jobs=None)
        return other

    def extract(self, number: int, features: Path, part: int, n_parts: int) -> None:
        """Extract one of some parts of what a fold trains on, to be found again."""
        train, _ = self._protocol.splits[number]
        recordings, target = self._corpus.paths[train], self._corpus.target[train]
        pipeline = self._make_pipeline(features)
        if pipeline["extract"].memory is None:
            return
        augment = pipeline.named_steps.get("augment")
        if hasattr(augment, "fit_resample"):
            recordings, _ = augment.fit_resample(recordings, target)
        # Other copies are made anew for every fold.
        lasting = [
            each for each in recordings if not callable(each) or cache_key_of(each)
        ]
        if mine := lasting[part::n_parts]:
            pipeline["extract"].fit_transform(mine)

    def run(self, number: int, features: Path) -> Fold:
        """Train a pipeline, and test it on what it has not heard."""
        start = time.perf_counter()
        train, test = self._protocol.splits[number]
        pipeline = self._make_pipeline(features)
        watch_training(pipeline, f"fold {number + 1} of {len(self.parts)}")
        ask = self._ask_voices if self._by_speaker else self._ask
        pipeline, found, is_silent = ask(pipeline, train, test)
        probabilities = np.zeros((len(test), len(self.classes)))
        probabilities[:, np.searchsorted(self.classes, pipeline.classes_)] = found
        return Fold(
            test,
            probabilities,
            is_silent,
            _plain_history(pipeline),
            time.perf_counter() - start,
        )

    def _make_pipeline(self, features):
        pipeline = clone(self._pipeline)
        if not self._cache:
            pipeline.set_params(extract__memory=str(features))
        return pipeline

    def _groups(self, rows):
        groups = self._protocol.groups
        return None if groups is None else groups[rows]

    def _ask(self, pipeline, train, test):
        paths, target = self._corpus.paths, self._corpus.target
        pipeline.fit(paths[train], target[train], groups=self._groups(train))
        with silence_noted() as silent:
            found = pipeline.predict_proba(paths[test])
        return pipeline, found, _as_mask(silent, len(test))

    def _ask_voices(self, pipeline, train, test):
        """Do so with features relative to all recordings of their speakers."""
        paths, speakers = self._corpus.paths, self._corpus.speakers
        target = self._corpus.target[train]
        pipeline = fit_by_speaker(pipeline, paths[train], target, speakers[train])
        voices = np.flatnonzero(np.isin(speakers, speakers[test]))
        with silence_noted() as silent:
            found = predict_by_speaker(pipeline, paths[voices], speakers[voices])
        rows = np.searchsorted(voices, test)
        return pipeline, found[rows], _as_mask(silent, len(voices))[rows]


class ModelTrial:
    """A model that was trained before, on other recordings."""

    by_fold = False

    def __init__(self, corpus: Any, options: Any):
        _refuse_training(options)
        path = find_file(options.model)
        model = load_model(path)
        if is_by_speaker(model) != options.by_speaker:
            known = "without" if options.by_speaker else "with"
            raise ValueError(
                f"{options.model} was trained {known} --by-speaker, and is evaluated "
                "so."
            )
        check_known(corpus, model.classes_, model=options.model, name=options.corpus)
        self._model = set_extraction(model, options)
        self._corpus, self._by_speaker = corpus, options.by_speaker
        rows = np.arange(len(corpus.paths))
        size = len(rows) if options.by_speaker else _CHUNK_SIZE
        self.words = f"{options.model} on all recordings of {options.corpus}."
        self.caveats = [
            *_tell_training(path, options),
            *_tell_adaptation(model),
            *[_TRANSDUCTIVE] * options.by_speaker,
        ]
        self.classes = np.array([str(label) for label in model.classes_])
        self.parts = [rows[start : start + size] for start in range(0, len(rows), size)]

    def run(self, number: int, features: Path) -> Fold:
        """Test the model on some recordings."""
        rows, paths = self.parts[number], self._corpus.paths
        with silence_noted() as silent:
            if self._by_speaker:
                found = predict_by_speaker(self._model, paths, self._corpus.speakers)
            else:
                found = self._model.predict_proba(paths[rows])
        return Fold(
            rows, np.asarray(found, dtype=np.float64), _as_mask(silent, len(rows))
        )


def _as_mask(rows, n_rows):
    mask = np.zeros(n_rows, dtype=bool)
    mask[list(rows)] = True
    return mask


def _plain_history(pipeline):
    history = getattr(pipeline.steps[-1][1], "history_", {})
    return {name: [float(value) for value in history[name]] for name in history}


def _refuse_training(options):
    """Complain about options that a trained model has no use for."""
    given = {
        "--protocol": options.protocol,
        "--folds": options.folds,
        "--n-per-class": options.n_per_class,
        "--set": options.settings,
        "--recipe": options.recipe != DEFAULT_RECIPE,
        "--seed": options.seed,
    }
    useless = [name for name, value in given.items() if value]
    if useless:
        verb = "says" if len(useless) == 1 else "say"
        options.usage_error(
            f"{' and '.join(useless)} {verb} how to train, and --model is trained "
            "already: leave out the one or the other"
        )


def _tell_training(path, options):
    if comes_with_package(path) and known_corpus(options.corpus) == "emodb":
        return [
            f"{options.model} was trained on all recordings of EMO-DB: this says "
            "nothing about others."
        ]
    return [
        "This is honest only if none of them, and none of their speakers, was trained "
        "on."
    ]


def _tell_adaptation(model):
    n_recordings = getattr(model, "adapted_to_", None)
    if n_recordings is None:
        return []
    return [
        f"Adapted, without labels, to {n_recordings} recordings: transductive, if "
        "they are among these."
    ]
