"""Speakers left out, and training sets of which every speaker is standardised."""

import numpy as np
import pytest
from imblearn.pipeline import Pipeline

from skemotion import SpeechAugmenter, SpeechFeatureExtractor
from skemotion._speakers._left_out import (
    leave_speaker_pairs_out,
    leave_speakers_and_texts_out,
    leave_speakers_out,
)
from skemotion._speakers._standardized import (
    extract_standardized,
    make_standardized_set,
)
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


NAMES = ["b", "a", "b", "c", "a", "c", "d", "d"]


def test_every_speaker_is_left_out_once():
    splits = leave_speakers_out(NAMES)
    assert [test.tolist() for _, test in splits] == [[1, 4], [0, 2], [3, 5], [6, 7]]
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(len(NAMES)))


def test_groups_of_speakers_are_left_out_once():
    y = ["joy", "fear"] * 4
    splits = leave_speakers_out(NAMES, y, 2, random_state=0)
    assert len(splits) == 2
    names = np.array(NAMES)
    for train, test in splits:
        assert not set(names[train]) & set(names[test])
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(8))
    again = leave_speakers_out(NAMES, y, 2, random_state=0)
    assert [test.tolist() for _, test in again] == [test.tolist() for _, test in splits]


def test_every_two_speakers_are_left_out():
    splits = leave_speaker_pairs_out(NAMES)
    assert len(splits) == 6
    for train, test in splits:
        assert len(set(np.array(NAMES)[test])) == 2
        assert len(train) + len(test) == len(NAMES)


def test_neither_speaker_nor_text_is_trained_on():
    names, texts = np.array(NAMES), np.array(["x", "x", "y", "y", "y", "x", "x", "x"])
    splits = leave_speakers_and_texts_out(names, texts)
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(8))
    for train, test in splits:
        assert len(set(names[test])) == len(set(texts[test])) == 1
        assert not set(names[train]) & set(names[test])
        assert not set(texts[train]) & set(texts[test])
