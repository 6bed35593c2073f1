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
from skemotion.exceptions import AudioError
from skemotion.feature_extraction._cache import FeatureCache
from skemotion.feature_extraction._extraction import Describe, extract


class RecordingTransformer(SequenceTransformerMixin, BaseEstimator):
    """From recordings to sequences of equal length, recording by recording."""

    _parameter_constraints: dict = {
        "duration": [Interval(Real, 0, None, closed="neither")],
        "padding_side": [StrOptions({"left", "right"})],
        "normalize": [StrOptions({"peak"}), None],
        "n_jobs": [Integral, None],
        "memory": [None, str, os.PathLike, HasMethods("cache")],
        "verbose": ["verbose"],
    }

    def _extract(
        self,
        X: Any,
        describe: Describe,
        settings: dict[str, Any],
        threads_only: bool = False,
    ) -> NDArray[np.float32]:
        """Describe every recording, or name all that cannot be read."""
        recordings = check_recordings(X)
        _raise_failures(_probe(recordings), recordings)
        outcomes = extract(
            recordings,
            describe,
            settings,
            n_jobs=self.n_jobs,
            memory=_open_memory(self.memory),
            threads_only=threads_only,
        )
        sequences = np.empty((len(recordings), *settings["shape"]), dtype=np.float32)
        failures, remarks = {}, Remarks()
        outcomes = self._with_progress(outcomes, len(recordings))
        for index, outcome in enumerate(outcomes):
            if isinstance(outcome, ValueError):
                failures[index] = str(outcome)
                continue
            sequences[index] = outcome.values
            remarks.note(recording_name(recordings[index], index), outcome.findings)
        _raise_failures(failures, recordings)
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


def _raise_failures(failures, recordings):
    if failures:
        raise AudioError(
            (recording_name(recordings[index], index), reason)
            for index, reason in failures.items()
        )


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
