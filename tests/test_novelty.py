"""How unlike the training data a recording is, and what a pipeline does about it."""

import joblib
import numpy as np
import pytest
import sklearn
from imblearn.over_sampling import RandomOverSampler
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    EmotionPipeline,
    NoveltyDetector,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    SpeechAugmenter,
    SpeechFeatureExtractor,
)
from skemotion import novelty as novelty_module
from skemotion.datasets import make_emotional_speech
from skemotion.pipeline._confidence import pull_to_equal

N_FEATURES = 6
SPEAKERS = np.repeat(list("abcdefgh"), 20)
y = np.resize(["anger", "calm", "fear"], len(SPEAKERS))


def speak(seed, n_recordings=20, shift=0.0):
    """Make sequences of one voice, which has a mean and a liveliness of its own."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(size=N_FEATURES)
    X = rng.normal(mean, rng.uniform(0.8, 1.2), size=(n_recordings, 30, N_FEATURES))
    return (X + 0.3 * rng.normal(size=(n_recordings, 1, N_FEATURES)) + shift).astype(
        np.float32
    )


X = np.concatenate([speak(seed) for seed in range(8)])
NEW = np.concatenate([speak(seed) for seed in range(100, 140)])
STRANGE = speak(200, shift=20.0)


@pytest.fixture(scope="module")
def detector():
    return NoveltyDetector().fit(X, groups=SPEAKERS)


def test_new_voices_are_flagged_as_often_as_asked_for(detector):
    assert np.mean(detector.predict(NEW) == -1) < 0.15
    by_chance = NoveltyDetector(random_state=0).fit(X)
    # Other recordings of the same voices are no measure of what voices differ by.
    assert np.mean(by_chance.predict(NEW) == -1) > 0.3


def test_strange_sequences_are_novel(detector):
    np.testing.assert_array_equal(detector.predict(STRANGE), -1)
    np.testing.assert_array_equal(detector.novelty(STRANGE), 1)


@pytest.mark.parametrize("change", ["more of the same", "of another kind"])
def test_both_parts_of_the_distance_count(change):
    rng = np.random.default_rng(0)
    kind, other = rng.normal(size=(2, N_FEATURES))
    frames = rng.normal(size=(60, 1, 1)) * kind + 0.1 * rng.normal(size=(60, 9, 6))
    detector = NoveltyDetector(n_components=1, random_state=0).fit(frames)
    added = 9 * kind if change == "more of the same" else 2 * other
    assert (detector.predict(frames[:5] + added) == -1).all()


def test_novelty_is_the_part_of_left_out_sequences_that_are_less_strange(detector):
    scores = detector.score_samples(NEW)
    expected = [np.mean(detector.distances_ < -score) for score in scores]
    np.testing.assert_allclose(detector.novelty(NEW), expected)
    assert np.isnan(detector.rank_scores([np.nan, -1.0])).tolist() == [True, False]


def test_limit_is_that_of_sequences_whose_speaker_is_left_out():
    detector = NoveltyDetector(contamination=0.25).fit(X, groups=SPEAKERS)
    left_out = []
    for speaker in np.unique(SPEAKERS):
        own = np.equal(SPEAKERS, speaker)
        others = NoveltyDetector(random_state=0).fit(X[~own])
        left_out.extend(-others.score_samples(X[own]))
    np.testing.assert_allclose(detector.distances_, np.sort(left_out))
    assert detector.offset_ == -np.quantile(left_out, 0.75)
    assert np.mean(-detector.distances_ < detector.offset_) == 0.25


def test_decision_is_the_score_above_the_limit(detector):
    decision = detector.decision_function(NEW)
    np.testing.assert_array_equal(
        decision, detector.score_samples(NEW) - detector.offset_
    )
    np.testing.assert_array_equal(detector.predict(NEW), np.where(decision < 0, -1, 1))


def test_padding_changes_nothing(detector):
    padded = np.pad(NEW, ((0, 0), (7, 3), (0, 0)))
    np.testing.assert_allclose(
        detector.score_samples(padded), detector.score_samples(NEW), rtol=1e-5
    )
    seen = NoveltyDetector(ignore_padding=False).fit(X, groups=SPEAKERS)
    assert np.abs(seen.score_samples(padded) - seen.score_samples(NEW)).max() > 0.1


def test_rows_of_two_dimensions_are_taken_as_they_are(detector):
    functionals = SequenceFunctionals(("mean", "std")).fit(X)
    flat = NoveltyDetector().fit(functionals.transform(X), groups=SPEAKERS)
    np.testing.assert_allclose(
        flat.score_samples(functionals.transform(NEW)), detector.score_samples(NEW)
    )


def test_blocks_change_nothing(detector, monkeypatch):
    monkeypatch.setattr(novelty_module, "_CELLS_AT_A_TIME", 400)
    again = NoveltyDetector().fit(X, groups=SPEAKERS)
    np.testing.assert_array_equal(again.score_samples(NEW), detector.score_samples(NEW))


def test_many_sequences_are_measured_like_few():
    rng = np.random.default_rng(0)
    few, many = (rng.normal(size=(n, 20, 4)) for n in (60, 2000))
    limits = [
        -NoveltyDetector(random_state=0).fit(some).offset_ for some in (few, many)
    ]
    assert limits[1] < limits[0] < 2 * limits[1]


def test_voice_with_nearly_all_sequences_is_not_left_out():
    groups = ["a"] * (len(X) - 1) + ["b"]
    assert np.isfinite(NoveltyDetector().fit(X, groups=groups).offset_)


def test_equal_sequences_have_a_limit():
    detector = NoveltyDetector(random_state=0).fit(np.ones((6, 5, 2)))
    assert detector.offset_ < 0
    assert detector.predict(np.ones((1, 5, 2))) == [1]
    assert detector.predict(np.full((1, 5, 2), 2.0)) == [-1]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (SPEAKERS[:-1], "groups has 159"),
        ([None, *SPEAKERS[1:]], "groups holds None"),
    ],
)
def test_bad_groups(groups, message):
    with pytest.raises(ValueError, match=message):
        NoveltyDetector().fit(X, groups=groups)


def test_too_few_sequences():
    with pytest.raises(ValueError, match="n_samples=3, but NoveltyDetector needs 4"):
        NoveltyDetector().fit(X[:3])


PROBABILITIES = np.array([[0.9, 0.06, 0.04], [0.9, 0.06, 0.04]], dtype=np.float32)


def pull(times_the_limit):
    return pull_to_equal(PROBABILITIES[:1], np.array([-2.0 * times_the_limit]), -2.0)


@pytest.mark.parametrize("times", [0.0, 0.5, 1.0, np.nan])
def test_confidence_stays_within_the_limit(times):
    pulled = pull(times)
    assert pulled.dtype == np.float32
    np.testing.assert_array_equal(pulled, PROBABILITIES[:1])


def test_confidence_falls_from_the_limit_on():
    confidence = [pull(times).max() for times in (1.0, 1.1, 1.3, 1.5, 1.6, 50.0)]
    assert (np.diff(confidence[:-1]) < 0).all()
    assert confidence[2] == pytest.approx(0.5 * 0.9 + 0.5 / 3)
    assert confidence[-1] == pytest.approx(0.05 * 0.9 + 0.95 / 3)


@pytest.mark.parametrize("times", [1.2, 2.0, 1e9])
def test_order_of_the_classes_stays(times):
    pulled = pull(times)
    np.testing.assert_array_equal(pulled.argsort(), PROBABILITIES[:1].argsort())
    assert pulled.sum() == pytest.approx(1)


def make_pipeline_with(detector, classifier=None):
    return EmotionPipeline(
        [
            ("scale", SequenceScaler(ignore_padding=True)),
            ("balance", SequenceSampler(RandomOverSampler(random_state=0))),
            ("functionals", SequenceFunctionals()),
            ("classify", classifier or LinearDiscriminantAnalysis()),
        ],
        novelty_detector=detector,
    )


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline_with(NoveltyDetector()).fit(X, y, groups=SPEAKERS)


@pytest.fixture(scope="module")
def plain():
    return make_pipeline_with(None).fit(X, y)


def test_detector_sees_what_reaches_the_last_step(pipeline):
    reached = X
    for step in ("scale", "functionals"):
        reached = pipeline[step].transform(reached)
    expected = NoveltyDetector().fit(reached, groups=SPEAKERS)
    np.testing.assert_array_equal(
        pipeline.novelty_detector_.distances_, expected.distances_
    )
    assert not hasattr(pipeline.novelty_detector, "offset_")


def test_probabilities_are_pulled_and_classes_stay(pipeline, plain):
    everything = np.concatenate([X, NEW, STRANGE])
    before, after = (each.predict_proba(everything) for each in (plain, pipeline))
    np.testing.assert_array_equal(
        pipeline.predict(everything), plain.predict(everything)
    )
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    usual = pipeline.novelty(everything) < 0.9
    assert 100 < usual.sum() < len(usual)
    np.testing.assert_array_equal(after[usual], before[usual])
    assert after[-len(STRANGE) :].max() < 0.4
    np.testing.assert_array_equal(
        pipeline.predict_log_proba(NEW), np.log(after[160:-20])
    )


def test_novelty_and_probabilities_at_once(pipeline):
    probabilities, novelty = pipeline.predict_with_novelty(NEW)
    np.testing.assert_array_equal(probabilities, pipeline.predict_proba(NEW))
    np.testing.assert_array_equal(novelty, pipeline.novelty(NEW))
    assert novelty.shape == (len(NEW),)


def test_the_detector_sees_what_is_trained_on():
    network = BLSTMClassifier(units=2, epochs=1, random_state=0)
    pipeline = EmotionPipeline(
        [("scale", SequenceScaler()), ("classify", network)],
        novelty_detector=NoveltyDetector(),
        random_state=0,
    ).fit(X, y, groups=SPEAKERS)
    assert len(pipeline.novelty_detector_.distances_) == 140  # one voice is held out
    assert (pipeline.predict_proba(STRANGE).max(axis=1) < 0.5).all()


def test_part_and_copy_of_a_pipeline_keep_the_detector(pipeline, tmp_path):
    part = pipeline[1:]
    scaled = pipeline["scale"].transform(NEW)
    np.testing.assert_array_equal(
        part.predict_proba(scaled), pipeline.predict_proba(NEW)
    )
    assert not hasattr(pipeline[:-1], "novelty_detector_")
    joblib.dump(pipeline, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(loaded.novelty(NEW), pipeline.novelty(NEW))


def test_refit_without_a_detector_forgets_it(plain):
    again = make_pipeline_with(NoveltyDetector()).fit(X, y)
    again.set_params(novelty_detector=None).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(NEW), plain.predict_proba(NEW))
    assert not hasattr(again, "novelty")


def test_what_has_no_detector_says_so(plain):
    with pytest.raises(AttributeError) as raised:
        plain.novelty(NEW)
    assert "set novelty_detector" in str(raised.value.__cause__)
    with pytest.raises(NotFittedError):
        make_pipeline_with(NoveltyDetector()).novelty(NEW)
    fitted = clone(plain).fit(X, y).set_params(novelty_detector=NoveltyDetector())
    with pytest.raises(NotFittedError):
        fitted.predict_with_novelty(NEW)


def test_parameters_of_the_detector_are_reached(pipeline):
    copied = clone(pipeline).set_params(novelty_detector__contamination=0.5)
    copied.fit(X, y, groups=SPEAKERS)
    assert copied.novelty_detector_.offset_ > pipeline.novelty_detector_.offset_
    with pytest.raises(ValueError, match="'novelty_detector' parameter"):
        make_pipeline_with(StandardScaler()).fit(X, y)


class Chooser(ClassifierMixin, BaseEstimator):
    """Classifier whose probabilities can be asked to be sharper."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X, sharpness=1.0):
        return np.tile(np.eye(3)[0] * sharpness, (len(X), 1))


def test_parameters_of_the_last_step_are_handed_on():
    pipeline = make_pipeline_with(NoveltyDetector(), Chooser()).fit(X, y)
    assert pipeline.predict_proba(X[:4], sharpness=0.5).max() == 0.5
    with sklearn.config_context(enable_metadata_routing=True):
        chooser = Chooser().set_predict_proba_request(sharpness=True)
        pipeline = make_pipeline_with(NoveltyDetector(), chooser).fit(X, y)
        assert pipeline.predict_proba(X[:4], sharpness=0.5).max() == 0.5
        with pytest.raises(TypeError):
            pipeline.predict_proba(X, other=1)


def test_names_of_the_features_reach_the_detector():
    names = ["mfcc_1", "rms", *"abcd"]
    positive = np.abs(X)
    pipeline = EmotionPipeline(
        [
            (
                "functionals",
                make_pipeline(SequenceFunctionals(), LinearDiscriminantAnalysis()),
            )
        ],
        feature_names=names,
        novelty_detector=NoveltyDetector(),
    ).fit(positive, y)
    assert pipeline.novelty_detector_.loudness_ == 1


def test_copies_are_learnt_from_but_set_no_limit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 20, 4))
    speakers, sources = np.repeat(list("abcd"), 10), np.tile(np.arange(40), 2)
    noisy = X + 2 * rng.normal(size=X.shape)
    alone = NoveltyDetector().fit(X, groups=speakers)
    with_copies = NoveltyDetector().fit(
        np.concatenate([X, noisy]), groups=np.tile(speakers, 2), sources=sources
    )
    assert with_copies.distances_.shape == (40,)
    heard = X[:10] + 2 * rng.normal(size=(10, 20, 4))
    assert (alone.predict(heard) == -1).mean() > (
        with_copies.predict(heard) == -1
    ).mean()
    # With a recording, its copies are left out: else it would be like itself.
    twice = np.concatenate([X, X])
    twins = NoveltyDetector(random_state=0).fit(twice)
    known = NoveltyDetector(random_state=0).fit(twice, sources=sources)
    assert known.distances_.mean() > 1.05 * twins.distances_.mean()


def test_a_pipeline_shows_copies_to_its_detector():
    speech = make_emotional_speech(n_speakers=2, n_texts=1, random_state=0)
    seen = {}

    class Watching(NoveltyDetector):
        def fit(self, X, y=None, groups=None, sources=None, feature_names=None):
            seen.update(shape=X.shape, sources=sources, groups=groups)
            return super().fit(X, groups=groups, sources=sources)

    pipeline = EmotionPipeline(
        [
            ("augment", SpeechAugmenter(1, random_state=0)),
            ("extract", SpeechFeatureExtractor(duration=1.0)),
            ("scale", SequenceScaler()),
            ("classify", AttentionBLSTMClassifier(2, epochs=1, random_state=0)),
        ],
        validation_fraction=None,
        novelty_detector=Watching(ignore_padding=False),
    )
    n = len(speech.signals)
    signals = [signal[:16000] for signal in speech.signals]
    pipeline.fit(signals, speech.target, groups=speech.speakers)
    assert seen["shape"][0] == 2 * n
    np.testing.assert_array_equal(seen["sources"], np.tile(np.arange(n), 2))
    np.testing.assert_array_equal(seen["groups"], np.tile(speech.speakers, 2))
    assert not hasattr(pipeline, "_kept")


def test_how_components_are_found_changes_nothing(monkeypatch):
    X = np.random.default_rng(0).normal(size=(80, 100)) * np.linspace(3, 1, 100)
    few = NoveltyDetector(n_components=5, random_state=0).fit(X)
    monkeypatch.setattr(novelty_module, "_MANY", np.inf)
    full = NoveltyDetector(n_components=5, random_state=0).fit(X)
    np.testing.assert_allclose(few.score_samples(X), full.score_samples(X), rtol=1e-5)
    assert few.offset_ == pytest.approx(full.offset_, rel=1e-5)
