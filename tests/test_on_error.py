"""Recordings that cannot be read: one error, or work that goes on without them."""

import io
import pickle
import warnings

import joblib
import numpy as np
import pytest
import soundfile
from imblearn.pipeline import Pipeline as ImbalancedPipeline
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skemotion import (
    EmotionPipeline,
    NoveltyDetector,
    SequenceFunctionals,
    SequenceScaler,
    SequenceUnion,
    SpeechAugmenter,
    SpeechEncoder,
    SpeechFeatureExtractor,
    adapt,
    load_model,
    save_model,
)
from skemotion.datasets import make_emotional_speech
from skemotion.exceptions import AudioError, TruncationWarning, UnreadableWarning
from skemotion.inspection import occlusion_over_time

RATE = 16000
NAN_REASON = "it holds NaN or infinite samples"


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(n_speakers=2, n_texts=2, random_state=0)


def break_off(path, speech, share):
    """Write a FLAC whose header is good, and which is damaged from somewhere on."""
    soundfile.write(path, np.concatenate(speech.signals[:8]), RATE)
    assert soundfile.info(path).duration > 10
    content = bytearray(path.read_bytes())
    start = int(share * len(content))
    content[start : start + 300] = bytes(300)
    path.write_bytes(content)
    return str(path)


@pytest.fixture
def broken(speech, tmp_path):
    return break_off(tmp_path / "broken.flac", speech, 0.2)


@pytest.fixture
def mixed(speech, broken):
    """Recordings with bad ones at 1, 4 and 6, and labels."""
    X = [(signal, RATE) for signal in speech.signals[:14]]
    X[1], X[4], X[6] = "gone.wav", np.full(100, np.nan), broken
    return X, np.array(speech.target[:14])


def front(name, weights=None, **how):
    if name == "encoder":
        return SpeechEncoder(weights=str(weights), layer=1, **how)
    return SpeechFeatureExtractor(**how)


def make(on_error="warn", front=None, **how):
    front = SpeechFeatureExtractor(on_error=on_error) if front is None else front
    steps = [
        ("extract", front),
        ("scale", SequenceScaler(ignore_padding=True)),
        ("functionals", SequenceFunctionals()),
        ("standardise", StandardScaler()),
        ("classify", LogisticRegression(max_iter=1000)),
    ]
    return EmotionPipeline(steps, **how)


def unreadable(caught):
    return [w.message for w in caught if w.category is UnreadableWarning]


def recorded():
    return warnings.catch_warnings(record=True)


@pytest.mark.parametrize("name", ["descriptors", "encoder"])
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_rows_are_zeros_and_the_others_are_as_ever(name, n_jobs, mixed, encoder_file):
    X, _ = mixed
    transformer = front(name, encoder_file, on_error="warn", n_jobs=n_jobs).fit(X)
    with pytest.warns(UnreadableWarning, match="3 of 14 recordings cannot") as caught:
        found = transformer.transform(X)
    (warning,) = unreadable(caught)
    assert warning.rows == [1, 4, 6]
    assert warning.failures[:2] == [("gone.wav", "no such file"), ("X[4]", NAN_REASON)]
    assert "breaks off while decoding" in warning.failures[2][1]
    assert all(part in str(warning) for part in ("row 1 (gone.wav", "row 4 (X[4]"))
    assert caught[0].filename == __file__
    good = [row for row in range(14) if row not in warning.rows]
    assert not found[warning.rows].any()
    assert (found[good] != 0).any(axis=(1, 2)).all()
    expected = front(name, encoder_file).fit(X).transform([X[row] for row in good])
    np.testing.assert_array_equal(found[good], expected)


@pytest.mark.parametrize("name", ["descriptors", "encoder"])
def test_by_default_one_error_names_all_and_how_to_go_on(name, mixed, encoder_file):
    X, _ = mixed
    transformer = front(name, encoder_file)
    assert transformer.on_error == "raise"
    # What can be seen without decoding comes first.
    with pytest.raises(AudioError) as caught:
        transformer.fit(X).transform(X)
    assert [name for name, _ in caught.value.failures] == ["gone.wav"]
    with pytest.raises(AudioError) as caught:
        transformer.transform([*X[2:5], X[6], X[4]])
    names = [name for name, _ in caught.value.failures]
    assert names == ["X[2]", X[6], "X[4]"]
    text = str(caught.value).splitlines()
    assert text[0] == "3 recordings cannot be read:"
    assert 'on_error="warn"' in text[-1]
    assert "skemotion check" in text[-1]
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("X", [["gone.wav"], ["gone.wav", np.full(9, np.inf)]])
def test_nothing_but_unreadable_rows(X):
    extractor = SpeechFeatureExtractor(on_error="warn")
    with pytest.warns(UnreadableWarning, match=f"{len(X)} of {len(X)} recordings"):
        found = extractor.transform(X)
    assert found.shape == (len(X), 157, 46)
    assert not found.any()


def test_other_values_are_refused():
    with pytest.raises(ValueError, match="'on_error' parameter"):
        SpeechFeatureExtractor(on_error="ignore").fit(["a.wav"])


def test_a_file_object_that_is_no_audio():
    extractor = SpeechFeatureExtractor(on_error="warn")
    with pytest.warns(UnreadableWarning, match=r"row 0 \(X\[0\]: it is text"):
        found = extractor.transform([io.BytesIO(b"hello"), np.ones(RATE)])
    assert found.any(axis=(1, 2)).tolist() == [False, True]


def test_warning_comes_from_union_and_processes(mixed):
    X, _ = mixed
    union = SequenceUnion(
        [
            ("a", SpeechFeatureExtractor(on_error="warn")),
            ("b", SpeechFeatureExtractor(on_error="warn", normalize="peak")),
        ]
    )
    with recorded() as caught:
        warnings.simplefilter("always")
        found = union.fit_transform(X)
    assert [w.rows for w in unreadable(caught)] == [[1, 4, 6]] * 2
    assert not found[[1, 4, 6]].any()


def test_plain_pipelines_go_on_and_are_told_what_they_train_on(mixed):
    X, y = mixed
    pipeline = make_pipeline(
        SpeechFeatureExtractor(on_error="warn"),
        SequenceFunctionals(),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )
    with pytest.warns(UnreadableWarning, match="should not be trained on"):
        pipeline.fit(X, y)
    with pytest.warns(UnreadableWarning):
        assert np.isfinite(pipeline.predict_proba(X)).all()


def without(values, rows=(1, 4, 6)):
    return [value for row, value in enumerate(values) if row not in rows]


@pytest.mark.parametrize("augmented", [False, True])
def test_unreadable_rows_are_not_trained_on(mixed, augmented):
    X, y = mixed
    pipeline = make(novelty_detector=NoveltyDetector())
    if augmented:
        augment = SpeechAugmenter(1, effects=("noise",), random_state=0)
        pipeline.steps.insert(0, ("augment", augment))
    with pytest.warns(UnreadableWarning, match="left out of training") as caught:
        pipeline.fit(X, y, groups=np.arange(14))
    (warning,) = unreadable(caught)
    assert warning.rows == [1, 4, 6]
    readable = without(X)
    expected = clone(pipeline).fit(readable, without(y), groups=without(range(14)))
    for method in ("predict_proba", "novelty"):
        np.testing.assert_array_equal(
            getattr(pipeline, method)(readable), getattr(expected, method)(readable)
        )


def test_weights_and_frames_of_pandas_go_with_their_rows(mixed, tmp_path, broken):
    pandas = pytest.importorskip("pandas")
    X, y = mixed
    paths = []
    for row, recording in enumerate(X):
        path = str(tmp_path / f"{row}.wav")
        if row not in (1, 4, 6):
            soundfile.write(path, recording[0], RATE)
        paths.append(path)
    paths[6] = broken
    frame = pandas.DataFrame({"path": paths}, index=np.arange(14) * 2)
    weights = np.linspace(0.1, 3, 14)
    pipeline = make()
    with pytest.warns(UnreadableWarning, match="3 of 14"):
        pipeline.fit(frame, pandas.Series(y), classify__sample_weight=weights)
    expected = make().fit(
        without(paths), without(y), classify__sample_weight=np.array(without(weights))
    )
    readable = without(paths)
    np.testing.assert_array_equal(
        pipeline.predict_proba(readable), expected.predict_proba(readable)
    )


def test_too_little_is_left_to_train_on(mixed):
    X, y = mixed
    with pytest.raises(AudioError, match="gone.wav"):
        make().fit(["gone.wav", "away.wav"], ["a", "b"])
    bad = np.unique(y)[1:]
    X = ["gone.wav" if label in bad else each for each, label in zip(X, y, strict=True)]
    with (
        pytest.warns(UnreadableWarning),
        pytest.raises(ValueError, match="y holds the one class"),
    ):
        make().fit(X, y)


@pytest.fixture(scope="module")
def fitted(speech):
    return make().fit(speech.signals, speech.target)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"hop_duration": 2.5},
        {"detect_speech": True},
        {"hop_duration": 2.5, "detect_speech": True},
    ],
)
def test_no_emotion_is_predicted_for_unreadable_rows(mixed, fitted, how):
    X, _ = mixed
    pipeline = clone(fitted).set_params(**how)
    pipeline.steps = fitted.steps
    n_classes = len(pipeline.classes_)
    readable = without(X)
    with pytest.warns(UnreadableWarning, match="as likely there") as caught:
        found = pipeline.predict_proba(X)
    (warning,) = unreadable(caught)
    assert warning.rows == [1, 4, 6]
    np.testing.assert_array_equal(found[[1, 4, 6]], np.float32(1 / n_classes))
    np.testing.assert_allclose(
        without(found), pipeline.predict_proba(readable), atol=1e-12
    )
    with pytest.warns(UnreadableWarning):
        labels = pipeline.predict(X)
    assert labels[[1, 4, 6]].tolist() == [pipeline.classes_[0]] * 3
    assert without(labels) == pipeline.predict(readable).tolist()
    with pytest.warns(UnreadableWarning):
        assert not pipeline.decision_function(X)[[1, 4, 6]].any()
    with pytest.warns(UnreadableWarning):
        assert 0 <= pipeline.score(X, labels) <= 1


def test_a_front_that_refuses_what_was_decoded(fitted, speech):
    loud = np.float32(speech.signals[0]) * 1e20
    X = [speech.signals[1], (loud, RATE), speech.signals[2]]
    with pytest.warns(UnreadableWarning, match="its largest sample is") as caught:
        found = fitted.predict_proba(X)
    assert unreadable(caught)[0].rows == [1]
    expected = fitted.predict_proba([X[0], X[2]])
    np.testing.assert_allclose(found[[0, 2]], expected, atol=1e-12)
    assert np.ptp(found[1]) == 0


def test_novelty_of_what_cannot_be_read_is_not_known(mixed, speech, tmp_path):
    X, _ = mixed
    X[6] = break_off(tmp_path / "late.flac", speech, 0.9)  # of which windows are read
    pipeline = make(novelty_detector=NoveltyDetector(), hop_duration=2.5)
    pipeline.fit(speech.signals, speech.target)
    with pytest.warns(UnreadableWarning):
        novelty = pipeline.novelty(X)
    assert np.flatnonzero(np.isnan(novelty)).tolist() == [1, 4, 6]


def test_what_breaks_off_late_costs_no_other(fitted, speech, tmp_path):
    broken = break_off(tmp_path / "late.flac", speech, 0.9)
    with pytest.warns(TruncationWarning):  # of its first seconds all can be read
        assert np.ptp(fitted.predict_proba([broken])) > 0
    long = np.concatenate(speech.signals[:8])
    X = [(long, RATE), broken, (long[::-1].copy(), RATE)]
    pipeline = clone(fitted).set_params(hop_duration=0.05)
    pipeline.steps = fitted.steps
    with pytest.warns(UnreadableWarning, match="1 of 3"):
        found = pipeline.predict_proba(X)
    np.testing.assert_allclose(
        found[[0, 2]], pipeline.predict_proba([X[0], X[2]]), atol=1e-12
    )
    assert np.ptp(found[1]) == 0


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_cross_validation_has_a_score_in_each_fold(mixed, n_jobs):
    X, y = [*mixed[0]] * 2, np.tile(mixed[1], 2)
    with recorded():
        warnings.simplefilter("always")
        scores = cross_validate(make(), X, y, cv=2, n_jobs=n_jobs)["test_score"]
        assert np.isfinite(scores).all()
        search = GridSearchCV(make(), {"classify__C": [0.1, 1.0]}, cv=2)
        assert np.isfinite(search.fit(X, y).cv_results_["mean_test_score"]).all()


def test_where_scores_are_nan_it_is_said_how_to_go_on(mixed):
    X, y = [*mixed[0]] * 2, np.tile(mixed[1], 2)
    X = [
        each if row == 1 or row % 14 not in (1, 4, 6) else X[0]
        for row, each in enumerate(X)
    ]
    with recorded() as caught:
        warnings.simplefilter("always")
        scores = cross_validate(make("raise"), X, y, cv=2)["test_score"]
    assert np.isnan(scores).all()
    texts = [str(w.message) for w in caught if 'on_error="warn"' in str(w.message)]
    assert len(texts) == 2  # of the fit, and of the score
    assert all("gone.wav: no such file" in text for text in texts)
    with pytest.raises(AudioError, match='on_error="warn"'):
        cross_validate(make("raise"), X, y, cv=2, error_score="raise")


def test_adapting_leaves_them_out(mixed, fitted):
    X, _ = mixed
    with recorded() as caught:
        warnings.simplefilter("always")
        adapted = adapt(fitted, X, chunk_size=3)
    (warning,) = unreadable(caught)
    assert warning.rows == [1, 4, 6]
    assert "are left out" in str(warning)
    assert adapted.adapted_to_ == 11
    with recorded():
        warnings.simplefilter("always")
        expected = adapt(fitted, without(X))
    readable = without(X)
    np.testing.assert_allclose(
        adapted.predict_proba(readable), expected.predict_proba(readable), rtol=1e-5
    )


def test_a_look_at_what_cannot_be_read_is_an_error(fitted):
    with pytest.raises(AudioError, match="gone.wav"):
        occlusion_over_time(fitted, "gone.wav")


def test_old_pickles_and_bundles(fitted, tmp_path, speech):
    old = clone(fitted["extract"])
    del old.__dict__["on_error"]
    assert old.get_params()["on_error"] == "raise"
    with pytest.raises(AudioError):
        old.transform(["gone.wav"])
    joblib.dump(fitted, tmp_path / "model.joblib")
    assert joblib.load(tmp_path / "model.joblib")["extract"].on_error == "warn"


def test_pipelines_of_others_are_left_as_they_are(mixed, fitted):
    X, _ = mixed
    other = ImbalancedPipeline(fitted.steps)
    with pytest.warns(UnreadableWarning, match="rows of zeros"):
        assert np.isfinite(other.predict_proba(X)).all()


def test_steps_without_labels_are_not_fitted_on_them_either(mixed):
    X, _ = mixed
    steps = [
        ("extract", SpeechFeatureExtractor(on_error="warn")),
        ("scale", SequenceScaler()),
    ]
    with pytest.warns(UnreadableWarning, match="left out of training"):
        found = EmotionPipeline(steps).fit(X)["scale"]
    expected = EmotionPipeline(steps).fit(without(X))["scale"]
    np.testing.assert_array_equal(found.mean_, expected.mean_)


def test_bundles_keep_what_is_done(speech, tmp_path):
    pipeline = EmotionPipeline(
        [
            ("extract", SpeechFeatureExtractor(on_error="warn")),
            ("scale", SequenceScaler()),
        ]
    ).fit(speech.signals[:4], speech.target[:4])
    save_model(pipeline, tmp_path / "model.skemotion")
    assert load_model(tmp_path / "model.skemotion")["extract"].on_error == "warn"
    pipeline.set_params(extract__on_error="raise")
    save_model(pipeline, tmp_path / "other.skemotion")
    assert load_model(tmp_path / "other.skemotion")["extract"].on_error == "raise"
