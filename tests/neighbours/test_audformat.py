"""Tables of audformat: files, segments, labels and speakers."""

import numpy as np
import pytest
from sklearn.base import clone

from skemotion import SpeechFeatureExtractor

audformat = pytest.importorskip("audformat", reason="optional, in extra 'test'")
# What older versions of it call, NumPy and pandas have deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def database(speech):
    database = audformat.Database("speech")
    names = speech.target_names.tolist()
    database.schemes["emotion"] = audformat.Scheme("str", labels=names)
    table = audformat.Table(audformat.filewise_index(speech.paths.tolist()))
    database["files"] = table
    for name, scheme in (("emotion", "emotion"), ("speaker", None)):
        table[name] = audformat.Column(scheme_id=scheme)
    table["emotion"].set(speech.target.tolist())
    table["speaker"].set(speech.speakers.tolist())
    ends = [0.5] * len(speech.paths)
    segments = audformat.segmented_index(speech.paths.tolist(), [0.0] * len(ends), ends)
    database["segments"] = audformat.Table(segments)
    return database


def test_tables_of_files(database, unfitted, fitted, speech):
    table = database["files"]
    frame = table.get()
    pipeline = clone(unfitted).fit(frame, frame["emotion"], groups=frame["speaker"])
    expected = fitted.predict_proba(speech.paths)
    for X in (frame, table.index, table["emotion"].get().index):
        np.testing.assert_array_equal(pipeline.predict_proba(X), expected)


def test_tables_of_segments(database, speech):
    index = database["segments"].index
    found = SpeechFeatureExtractor().transform(index)
    expected = SpeechFeatureExtractor().transform(
        [(path, 0.0, 0.5) for path in speech.paths]
    )
    np.testing.assert_array_equal(found, expected)
