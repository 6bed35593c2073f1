"""More than one machine: a real cluster of dask, of two worker processes."""

import os

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skemotion import (
    BLSTMClassifier,
    EmotionPipeline,
    SequenceFunctionals,
    SequenceScaler,
    SpeechEncoder,
    SpeechFeatureExtractor,
)
from skemotion.datasets import make_emotional_speech

distributed = pytest.importorskip("distributed")
pytest.importorskip("joblib", minversion="1.4", reason="extra 'distributed' needs it")


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    return make_emotional_speech(n_speakers=2, n_texts=1, folder=folder, random_state=0)


@pytest.fixture(scope="module")
def expected(speech):
    return SpeechFeatureExtractor().transform(speech.paths)


def uses_of_extraction(client):
    """Map each worker process to whether it has loaded what extracts."""

    def look():
        import sys

        return os.getpid(), "skemotion.feature_extraction._descriptors" in sys.modules

    return dict(client.run(look).values())


def test_extraction(client, speech, expected):
    with joblib.parallel_config(backend="dask"):
        X = SpeechFeatureExtractor(n_jobs=2).transform(speech.paths)
    # Workers have one thread for sums that the local process splits among its own.
    np.testing.assert_allclose(X, expected, rtol=1e-4, atol=1e-4)
    used = uses_of_extraction(client)
    assert len(used) == 2
    assert os.getpid() not in used
    assert any(used.values())


def test_encoder(client, speech):
    encoder = SpeechEncoder(layer=1, frame_step=5, n_jobs=2)
    expected = encoder.fit_transform(speech.paths[:2])
    with joblib.parallel_config(backend="dask"):
        X = encoder.fit_transform(speech.paths[:2])
    # A graph of TensorFlow does not travel: it stays here, and so do the numbers.
    np.testing.assert_array_equal(X, expected)


def test_folds_with_an_encoder(client, speech):
    pipeline = EmotionPipeline(
        [
            ("extract", SpeechEncoder(layer=1, frame_step=5)),
            ("scale", SequenceScaler()),
            ("classify", BLSTMClassifier(units=3, epochs=1, random_state=0)),
        ],
        validation_fraction=None,
    )
    with joblib.parallel_config(backend="dask"):
        results = cross_validate(
            pipeline,
            speech.paths,
            speech.target,
            groups=speech.speakers,
            cv=LeaveOneGroupOut(),
            n_jobs=2,
            error_score="raise",
            return_estimator=True,
        )
    test = speech.speakers == np.unique(speech.speakers)[0]
    local = clone(pipeline).fit(speech.paths[~test], speech.target[~test])
    np.testing.assert_allclose(
        results["estimator"][0].predict_proba(speech.paths[test]),
        local.predict_proba(speech.paths[test]),
        rtol=1e-4,
    )


def test_unreadable_recordings_come_back_by_name(client, speech, tmp_path):
    torn = tmp_path / "torn.flac"
    torn.write_bytes(b"fLaC")
    from skemotion import AudioError

    with (
        joblib.parallel_config(backend="dask"),
        pytest.raises(AudioError, match=r"torn\.flac"),
    ):
        SpeechFeatureExtractor(n_jobs=2).transform([*speech.paths[:3], str(torn)])


def test_grid_search(client, speech):
    pipeline = make_pipeline(
        SpeechFeatureExtractor(),
        SequenceScaler(ignore_padding=True, loudness=5),
        SequenceFunctionals(),
        SVC(),
    )
    search = GridSearchCV(pipeline, {"svc__C": [0.1, 1.0]}, cv=2, n_jobs=2)
    local = search.fit(speech.paths, speech.target).cv_results_["mean_test_score"]
    with joblib.parallel_config(backend="dask"):
        search.fit(speech.paths, speech.target)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], local)
