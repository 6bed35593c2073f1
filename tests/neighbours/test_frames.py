"""Data frames of pandas and of polars: recordings, labels, speakers and weights."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skemotion import (
    EmotionPipeline,
    SequenceFunctionals,
    SpeechAugmenter,
    SpeechFeatureExtractor,
)
from skemotion.datasets import load_recordings


@pytest.fixture(params=["pandas", "polars"])
def library(request):
    return pytest.importorskip(request.param, reason="optional, in extra 'test'")


@pytest.fixture
def frame(library, speech):
    return library.DataFrame(
        {
            "path": speech.paths.tolist(),
            "emotion": speech.target.tolist(),
            "speaker": speech.speakers.tolist(),
        }
    )


def test_pipeline(unfitted, fitted, frame, speech):
    """All at once, with speakers held out, gives what lists of strings give."""
    pipeline = clone(unfitted).fit(frame, frame["emotion"], groups=frame["speaker"])
    expected = fitted.predict_proba(speech.paths)
    np.testing.assert_array_equal(pipeline.predict_proba(frame), expected)
    np.testing.assert_array_equal(pipeline.predict_proba(frame["path"]), expected)
    score = fitted.score(speech.paths, speech.target)
    assert pipeline.score(frame, frame["emotion"]) == score


def test_folds_and_searches(frame, speech):
    pipeline = make_pipeline(SpeechFeatureExtractor(), SequenceFunctionals(), SVC())
    folds = LeaveOneGroupOut()
    expected = cross_val_predict(
        pipeline, speech.paths, speech.target, groups=speech.speakers, cv=folds
    )
    found = cross_val_predict(
        pipeline, frame, frame["emotion"], groups=frame["speaker"], cv=folds
    )
    np.testing.assert_array_equal(found, expected)
    search = GridSearchCV(pipeline, {"svc__C": [1, 10]}, cv=folds)
    search.fit(frame, frame["emotion"], groups=frame["speaker"])
    assert set(search.predict(frame)) <= set(speech.target)


def test_weights(unfitted, frame, library, speech):
    weights = np.linspace(0.5, 1.5, len(speech.paths)).tolist()
    pipeline = clone(unfitted).set_params(balance="passthrough")
    expected = (
        clone(pipeline)
        .fit(speech.paths, speech.target, classify__sample_weight=weights)
        .predict_proba(speech.paths)
    )
    pipeline.fit(
        frame, frame["emotion"], classify__sample_weight=library.Series(weights)
    )
    np.testing.assert_array_equal(pipeline.predict_proba(frame), expected)


def test_copies(frame, speech):
    X, y = SpeechAugmenter(1, random_state=0).fit_resample(frame, frame["emotion"])
    assert len(X) == len(y) == 2 * len(speech.paths)
    assert list(y) == [*speech.target, *speech.target]


def test_corpora(frame, speech):
    found = load_recordings(frame)
    assert found.paths.tolist() == speech.paths.tolist()
    assert found.target.tolist() == speech.target.tolist()
    assert found.speakers.tolist() == speech.speakers.tolist()


def test_set_output(library, speech):
    """Sequences have three dimensions, and stay arrays; functionals have columns."""
    steps = EmotionPipeline(  # which hands on the names of the descriptors
        [
            ("extract", SpeechFeatureExtractor()),
            ("functionals", SequenceFunctionals(["mean"])),
        ]
    )
    expected = steps.fit_transform(speech.paths)
    steps.set_output(transform=library.__name__)
    assert isinstance(steps[:1].transform(speech.paths), np.ndarray)
    table = steps.transform(speech.paths)
    assert isinstance(table, library.DataFrame)
    assert list(table.columns) == steps.get_feature_names_out().tolist()
    np.testing.assert_array_equal(table.to_numpy(), expected)


def test_a_frame_that_is_not_computed_yet(fitted, speech):
    polars = pytest.importorskip("polars", reason="optional, in extra 'test'")
    lazy = polars.LazyFrame({"path": speech.paths.tolist()})
    with pytest.raises(TypeError, match=r"LazyFrame.*pass X\.collect\(\)"):
        SpeechFeatureExtractor().transform(lazy)
    with pytest.raises(TypeError, match=r"LazyFrame.*pass X\.collect\(\)"):
        fitted.predict(lazy)
