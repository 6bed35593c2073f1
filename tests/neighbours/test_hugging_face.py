"""Audio columns of Hugging Face datasets, as paths and as what files hold."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from skemotion import SpeechFeatureExtractor

datasets = pytest.importorskip("datasets", reason="optional, in extra 'test'")
pytestmark = [
    # Arrow's threads and sockets of the hub outlive what has opened them.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module", params=["path", "bytes"])
def table(request, speech):
    audio = speech.paths.tolist()
    if request.param == "bytes":
        audio = [{"path": path, "bytes": Path(path).read_bytes()} for path in audio]
    rows = {"audio": audio, "label": speech.target, "speaker": speech.speakers}
    table = datasets.Dataset.from_dict(rows)
    return table.cast_column("audio", datasets.Audio(decode=False))


def test_columns_are_recordings(table, speech):
    expected = SpeechFeatureExtractor().transform(speech.paths)
    for X in (table["audio"], table[:]["audio"]):
        np.testing.assert_array_equal(SpeechFeatureExtractor().transform(X), expected)


def test_pipelines(table, unfitted, fitted, speech):
    pipeline = clone(unfitted).fit(
        table["audio"], table["label"], groups=table["speaker"]
    )
    np.testing.assert_array_equal(
        pipeline.predict_proba(table["audio"]), fitted.predict_proba(speech.paths)
    )


def test_rows_are_no_recordings(table):
    """The table itself is none, and says which column may be."""
    with pytest.raises((TypeError, ValueError), match="audio"):
        SpeechFeatureExtractor().transform(table)
