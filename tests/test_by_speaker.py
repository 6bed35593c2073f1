"""Training sets of which every speaker is standardised."""

import numpy as np
import pytest
from imblearn.pipeline import Pipeline

from skemotion import SpeechAugmenter, SpeechFeatureExtractor
from skemotion._by_speaker import extract_standardized, make_standardized_set
from skemotion.datasets import make_emotional_speech


@pytest.fixture(scope="module")
def speech():
    data = make_emotional_speech(2, n_texts=1, random_state=0)
    return list(data.signals), data.target, data.speakers


def make_pipeline(augment):
    extract = SpeechFeatureExtractor(duration=6.0, normalize="peak")
    return Pipeline([("augment", augment), ("extract", extract)])


def test_recordings_come_first_as_without_copies(speech):
    recordings, y, speakers = speech
    pipeline = make_pipeline(SpeechAugmenter(n_copies=2, random_state=0))
    X, labels, groups = make_standardized_set(pipeline, recordings, y, speakers)
    n = len(recordings)
    alone = extract_standardized(pipeline["extract"], recordings, speakers)
    np.testing.assert_array_equal(X[:n], alone)
    assert labels.tolist() == 3 * y.tolist()
    assert groups.tolist() == 3 * speakers.tolist()


def test_each_round_of_copies_is_standardised_by_itself(speech):
    recordings, y, speakers = speech
    pipeline = make_pipeline(SpeechAugmenter(n_copies=2, random_state=0))
    X, _, groups = make_standardized_set(pipeline, recordings, y, speakers)
    n = len(recordings)
    for start in range(0, 3 * n, n):
        for speaker in np.unique(speakers):
            rows = X[start : start + n][groups[start : start + n] == speaker]
            frames = rows[np.any(rows != 0, axis=2)]
            # Frames of padding were left out of mean and deviation.
            np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-3)


@pytest.mark.parametrize("augment", ["passthrough", None])
def test_without_copies(speech, augment):
    recordings, y, speakers = speech
    X, labels, _ = make_standardized_set(
        make_pipeline(augment), recordings, y, speakers
    )
    assert len(X) == len(labels) == len(recordings)
