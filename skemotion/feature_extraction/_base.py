"""What the transformers that take recordings have in common."""

import os
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skemotion._messages import Remarks, warn_user
from skemotion._sequences import SequenceTransformerMixin
from skemotion.audio import check_audio, check_recordings, recording_name
from skemotion.audio._unreadable import raise_unreadable, warn_unreadable
from skemotion.feature_extraction._cache import FeatureCache
from skemotion.feature_extraction._extraction import Describe, extract

_MARKED = (
    ", so that rows of zeros, which are padding, stand for them, and should not be "
    "trained on"
)


class RecordingTransformer(SequenceTransformerMixin, BaseEstimator):
    """From recordings to sequences of equal length, recording by recording."""

    _parameter_constraints: dict = {
        "duration": [Interval(Real, 0, None, closed="neither")],
        "padding_side": [StrOptions({"left", "right"})],
        "normalize": [StrOptions({"peak"}), None],
        "n_jobs": [Integral, None],
        "memory": [None, str, os.PathLike, HasMethods("cache")],
        "verbose": ["verbose"],
        "on_error": [StrOptions({"raise", "warn"})],
    }
    on_error = "raise"  # in pickles that are older than it, too

    def _extract(
        self,
        X: Any,
        describe: Describe,
        settings: dict[str, Any],
        threads_only: bool = False,
    ) -> NDArray[np.float32]:
        """Describe every recording, or do about those that cannot be read as is said.

        In place of these, there are rows of zeros, which are padding everywhere.
        """
        recordings = check_recordings(X)
        failures = _probe(recordings)
        if self.on_error == "raise":
            raise_unreadable(failures, recordings)
        rows = [row for row in range(len(recordings)) if row not in failures]
        outcomes = extract(
            [recordings[row] for row in rows],
            describe,
            settings,
            n_jobs=self.n_jobs,
            memory=_open_memory(self.memory),
            threads_only=threads_only,
        )
        sequences = np.zeros((len(recordings), *settings["shape"]), dtype=np.float32)
        remarks = Remarks()
        outcomes = self._with_progress(outcomes, len(rows))
        for row, outcome in zip(rows, outcomes, strict=True):
            if isinstance(outcome, ValueError):
                failures[row] = str(outcome)
                continue
            sequences[row] = outcome.values
            remarks.note(recording_name(recordings[row], row), outcome.findings)
        if self.on_error == "raise":
            raise_unreadable(failures, recordings)
        warn_unreadable(failures, recordings, _MARKED)
        n_given = sum(not callable(recording) for recording in recordings)
        remarks.tell(n_given, self.duration)
        return sequences

    def _check_parameters(self):
        """Validate the parameters, which `transform` reads as they are now."""
        if not get_config()["skip_parameter_validation"]:
            self._validate_params()

    def _with_progress(self, outcomes, n_recordings):
        if not self.verbose:
            return outcomes
        from tqdm import tqdm

        return tqdm(outcomes, total=n_recordings, desc="extract", unit="rec")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _probe(recordings):
    """Map the index of each recording that is seen to be unreadable to why."""
    failures = {}
    for index, recording in enumerate(recordings):
        try:
            check_audio(recording)
        except ValueError as error:
            failures[index] = str(error)
    return failures


def _open_memory(memory):
    """Return the cache of a folder, if it can be had; other kinds as they are."""
    if not isinstance(memory, (str, os.PathLike)):
        return memory
    cache = FeatureCache(memory)
    try:
        cache.create()
    except OSError as error:
        reason = error.strerror or error
        warn_user(
            UserWarning(
                f"memory={os.fspath(memory)!r} cannot be used ({reason}): features "
                "are computed, but not kept there. Name a folder that can be written."
            )
        )
        return None
    return cache
