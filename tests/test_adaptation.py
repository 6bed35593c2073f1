"""Adapting to other recordings: scalers that are fitted by hand are the oracle."""

import copy
import io
import warnings

import imblearn.pipeline
import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn.pipeline
import soundfile
from scipy.signal import butter, sosfilt
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.utils import Bunch

from skemotion import (
    AttentionBLSTMClassifier,
    EmotionPipeline,
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
from skemotion._speakers._standardized import SpeakerStandardized
from skemotion.datasets import make_emotional_speech
from skemotion.exceptions import AdaptationWarning, AudioError
from skemotion.preprocessing import speaker_standardize

# Some recordings are longer than what is looked at, on purpose.
pytestmark = pytest.mark.filterwarnings(
    "ignore::skemotion.exceptions.TruncationWarning"
)

RNG = np.random.default_rng(0)
SIGNALS = [RNG.normal(size=2500 + 40 * i).astype(np.float32) for i in range(60)]
OTHERS = [0.1 * np.cumsum(signal)[: 4000 - 20 * i] for i, signal in enumerate(SIGNALS)]
y = np.repeat(["anger", "fear", "sadness"], 20)
X = RNG.normal(size=(60, 9, 4)).astype(np.float32)
X[20:40, :, 1] += 1.5
X[40:, :, 2] += 1.5
SHIFTED = (0.4 * X + [5.0, -3.0, 0.0, 2.0]).astype(np.float32)
SMALL = {"duration": 0.3, "n_mfcc": 2, "n_mels": 8, "n_jobs": 1}


def make_network(**parameters):
    return AttentionBLSTMClassifier(
        units=2, epochs=1, ignore_padding=True, random_state=0, **parameters
    )


def make_spoken(classifier, kind=EmotionPipeline, **options):
    extract, scale = SpeechFeatureExtractor(**SMALL), SequenceScaler(**options)
    pipeline = kind([("extract", extract), ("scale", scale), ("classify", classifier)])
    if kind is EmotionPipeline:
        pipeline.set_params(validation_fraction=None)
    return pipeline


@pytest.fixture(scope="module")
def spoken():
    pipeline = make_spoken(make_network(functionals_units=3), ignore_padding=True)
    return pipeline.fit(SIGNALS, y)


@pytest.fixture(scope="module")
def adapted(spoken):
    return adapt(spoken, OTHERS, chunk_size=7)


def by_hand(steps, recordings):
    """Fit what stands before the classifier again, on all recordings at once."""
    return EmotionPipeline(
        [(name, clone(step)) for name, step in steps], validation_fraction=None
    ).fit_transform(recordings)


def test_equals_a_scaler_that_is_fitted_by_hand(spoken, adapted):
    expected = by_hand(spoken.steps[:2], OTHERS)
    np.testing.assert_allclose(adapted[:2].transform(OTHERS), expected, atol=1e-5)
    assert adapted.adapted_to_ == adapted.sequence_steps.adapted_to_ == 60
    functionals = adapted["classify"]._network._batches(expected, 60).functionals
    layer = adapted["classify"].model_.get_layer("functionals")
    np.testing.assert_allclose(layer.moving_mean, functionals.mean(axis=0), atol=1e-4)
    variance = functionals.var(axis=0)
    scaled = np.where(variance > 1e-12, variance, 1)
    np.testing.assert_allclose(layer.moving_variance, scaled, rtol=1e-3)


def test_the_old_pipeline_stays_as_it_was(spoken):
    before = spoken.predict_proba(SIGNALS)
    parameters = str(spoken.get_params())
    adapted = adapt(spoken, OTHERS)
    adapted.set_params(extract__n_jobs=2, classify__batch_size=7)
    assert str(spoken.get_params()) == parameters
    np.testing.assert_array_equal(spoken.predict_proba(SIGNALS), before, strict=True)
    assert not hasattr(spoken, "adapted_to_")
    assert np.abs(adapted.predict_proba(SIGNALS) - before).max() > 1e-3


def test_chunks_make_no_difference(spoken, adapted):
    whole = adapt(spoken, OTHERS).predict_proba(OTHERS)
    np.testing.assert_allclose(adapted.predict_proba(OTHERS), whole, atol=1e-5)


def test_saved_with_the_model(adapted, tmp_path):
    expected = adapted.predict_proba(OTHERS)
    joblib.dump(adapted, tmp_path / "model.joblib")
    save_model(adapted, tmp_path / "model.skemotion")
    for loaded in (
        joblib.load(tmp_path / "model.joblib"),
        load_model(tmp_path / "model.skemotion"),
    ):
        np.testing.assert_array_equal(loaded.predict_proba(OTHERS), expected)
        assert loaded.adapted_to_ == 60
        again = adapt(loaded, SIGNALS[:50])
        assert again.adapted_to_ == 50


def test_a_clone_or_a_new_fit_is_not_adapted(adapted):
    fresh = clone(adapted)
    assert not hasattr(fresh, "adapted_to_")
    with pytest.raises(NotFittedError):
        adapt(fresh, OTHERS)
    again = copy.copy(adapted).fit(SIGNALS, y)
    assert not hasattr(again, "adapted_to_")


@pytest.mark.parametrize(
    "scaler", [StandardScaler(), RobustScaler(), MinMaxScaler(), MaxAbsScaler()]
)
@pytest.mark.parametrize(
    "kind", [EmotionPipeline, sklearn.pipeline.Pipeline, imblearn.pipeline.Pipeline]
)
def test_scalers_of_scikit_learn_in_any_pipeline(scaler, kind):
    head = make_pipeline(SequenceFunctionals(), scaler, SVC())
    pipeline = make_spoken(head, kind, ignore_padding=True).fit(SIGNALS, y)
    adapted = adapt(pipeline, OTHERS, chunk_size=11)
    assert type(adapted) is kind
    steps = [*pipeline.steps[:2], *head.steps[:2]]
    expected = by_hand(steps, OTHERS)
    found = adapted["classify"][:2].transform(adapted[:2].transform(OTHERS))
    np.testing.assert_allclose(found, expected, atol=2e-4)
    assert adapted["classify"][-1].support_vectors_ is head[-1].support_vectors_


def test_a_shift_is_undone():
    pipeline = EmotionPipeline(
        [("scale", SequenceScaler()), ("classify", SVC_on_means())],
        validation_fraction=None,
    )
    pipeline.fit(X[::2], y[::2])
    assert pipeline.score(SHIFTED[1::2], y[1::2]) < 0.5
    with pytest.warns(AdaptationWarning, match="adapted to 30 recordings, where"):
        adapted = adapt(pipeline, SHIFTED[1::2])
    assert adapted.score(SHIFTED[1::2], y[1::2]) > 0.9


def SVC_on_means():
    return make_pipeline(SequenceFunctionals(["mean"], ignore_padding=False), SVC())


def test_a_telephone_is_undone_for_synthetic_speech():
    speech = make_emotional_speech(n_speakers=4, n_texts=3, random_state=0)
    pipeline = EmotionPipeline(
        [
            ("extract", SpeechFeatureExtractor(n_jobs=1, normalize="peak")),
            ("scale", SequenceScaler(ignore_padding=True)),
            ("functionals", SequenceFunctionals()),
            ("standardise", StandardScaler()),
            ("classify", SVC()),
        ],
        validation_fraction=None,
    )
    train = speech.speakers != speech.speakers[-1]
    pipeline.fit(speech.signals[train], speech.target[train])
    phoned = [telephone(signal) for signal in speech.signals[~train]]
    before = pipeline.score(phoned, speech.target[~train])
    with pytest.warns(AdaptationWarning):
        adapted = adapt(pipeline, phoned)
    assert adapted.score(phoned, speech.target[~train]) > before + 0.3


def telephone(signal):
    band = butter(6, (300, 3400), btype="bandpass", fs=16_000, output="sos")
    return sosfilt(band, signal).astype(np.float32)


def test_nested_in_pipelines_and_unions():
    def make():
        views = [("a", SequenceScaler()), ("b", make_pipeline(SequenceScaler()))]
        flat = [("one", make_pipeline(SequenceFunctionals(), StandardScaler()))]
        flat.append(("two", SequenceFunctionals(["mean"])))
        return [("views", SequenceUnion(views)), ("flat", FeatureUnion(flat))]

    pipeline = EmotionPipeline([*make(), ("classify", SVC())], validation_fraction=None)
    adapted = adapt(pipeline.fit(X, y), SHIFTED, chunk_size=16)
    expected = by_hand(make(), SHIFTED)
    np.testing.assert_allclose(adapted[:-1].transform(SHIFTED), expected, atol=1e-4)


def test_a_vote_of_pipelines():
    voters = [
        ("one", make_pipeline(SequenceScaler(), SVC_on_means())),
        ("two", make_pipeline(SequenceFunctionals(), StandardScaler(), SVC())),
        ("none", "drop"),
    ]
    vote = VotingClassifier(voters).fit(X, y)
    adapted = adapt(vote, SHIFTED)
    for name, voter in voters[:2]:
        expected = clone(voter).fit(SHIFTED, y)[:-1].transform(SHIFTED)
        found = adapted.named_estimators_[name][:-1].transform(SHIFTED)
        np.testing.assert_allclose(found, expected, atol=1e-4)
    assert vote.score(SHIFTED, y) < 0.5
    assert adapted.score(SHIFTED, y) > 0.9
    heard = VotingClassifier([("a", make_spoken(SVC_on_means(), ignore_padding=True))])
    assert (
        adapt(heard.fit(np.array(SIGNALS, dtype=object), y), OTHERS).adapted_to_ == 60
    )


def test_two_dimensions_and_tables():
    table = pd.DataFrame(X[:, 0], columns=list("abcd"))
    pipeline = make_pipeline(SequenceScaler(), LogisticRegression()).fit(table, y)
    shifted = 3 * table + 1
    adapted = adapt(pipeline, shifted, chunk_size=13)
    expected = StandardScaler().fit_transform(shifted)
    np.testing.assert_allclose(adapted[0].transform(shifted), expected, atol=1e-5)
    robust = make_pipeline(RobustScaler(), LogisticRegression())
    robust.set_output(transform="pandas").fit(table, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        adapted = adapt(robust, shifted, chunk_size=13)
        adapted.predict(shifted)
    np.testing.assert_allclose(adapted[0].center_, np.median(shifted, axis=0))


def test_cells():
    pipeline = make_pipeline(SequenceScaler(scope="cell"), SVC_on_means()).fit(X, y)
    adapted = adapt(pipeline, SHIFTED, chunk_size=13)
    expected = SequenceScaler(scope="cell").fit(SHIFTED)
    np.testing.assert_allclose(adapted[0].mean_, expected.mean_, atol=1e-5)
    np.testing.assert_allclose(adapted[0].scale_, expected.scale_, atol=1e-5)
    with pytest.raises(ValueError, match="has 8 frames"):
        adapt(pipeline, SHIFTED[:, :8])


def test_padding_is_recognised_as_in_training():
    """By a column that was found by padding, of which the others have none."""
    padded = np.abs(X) + 0.1
    padded[:, :3] = 8.0
    padded[:, :3, 2] = 0.0
    pipeline = make_pipeline(SequenceScaler(ignore_padding=True), SVC_on_means())
    adapted = adapt(pipeline.fit(padded, y), np.abs(SHIFTED) + 0.1)
    assert adapted[0].loudness_ == 2
    assert (adapted[0].transform(padded)[:, :3] == 0).all()


def test_recordings_without_sound_are_left_out(spoken):
    silent = [np.zeros(3000, dtype=np.float32)] * 8
    adapted = adapt(
        spoken, [*silent, *OTHERS[:30], *silent, *OTHERS[30:]], chunk_size=8
    )
    expected = adapt(spoken, OTHERS)
    assert adapted.adapted_to_ == 60
    np.testing.assert_allclose(adapted["scale"].mean_, expected["scale"].mean_)
    with pytest.raises(ValueError, match="at least 2 .* there are 0"):
        adapt(spoken, silent)
    with pytest.raises(ValueError, match="at least 2 .* there is 1:"):
        adapt(spoken, [silent[0], OTHERS[0]])


def test_all_unreadable_recordings_are_named_at_once(spoken, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("no audio")
    recordings = [OTHERS[0], "gone.wav", OTHERS[1], text, OTHERS[2], [np.nan, 1.0]]
    with pytest.raises(AudioError) as caught:
        adapt(spoken, recordings, chunk_size=2)
    names = [name for name, _ in caught.value.failures]
    assert names == ["gone.wav", str(text), "X[5]"]


@pytest.mark.parametrize(
    ("recordings", "error", "message"),
    [
        ("a.wav", TypeError, "for the single one"),
        (iter(OTHERS), TypeError, "is an iterator"),
        ([], ValueError, "no recordings"),
        (OTHERS[:1], ValueError, "at least 2 recordings"),
    ],
)
def test_other_than_several_recordings(spoken, recordings, error, message):
    with pytest.raises(error, match=message):
        adapt(spoken, recordings)


def test_nothing_to_adapt():
    pipeline = make_pipeline(SequenceFunctionals(), SVC()).fit(X, y)
    with pytest.raises(ValueError, match="Pipeline has no step that can be adapted"):
        adapt(pipeline, SHIFTED)
    head = BaggingClassifier(make_pipeline(StandardScaler(), SVC()), n_estimators=2)
    hidden = make_pipeline(SequenceFunctionals(), head).fit(X, y)
    with pytest.raises(ValueError, match="BaggingClassifier holds a scaler"):
        adapt(hidden, SHIFTED)
    scaled = make_pipeline(SequenceScaler(), SVC_on_means())
    search = GridSearchCV(scaled, {"sequencescaler__scope": ["feature"]}).fit(X, y)
    with pytest.raises(ValueError, match="best_estimator_"):
        adapt(search, SHIFTED)
    assert adapt(search.best_estimator_, SHIFTED).score(SHIFTED, y) > 0.9


def test_files_in_memory_are_read_in_each_pass(spoken):
    files = []
    for signal in OTHERS:
        file = io.BytesIO()
        soundfile.write(file, signal, 16_000, format="WAV", subtype="FLOAT")
        file.seek(0)
        files.append(file)
    adapted, expected = adapt(spoken, files), adapt(spoken, OTHERS)
    np.testing.assert_allclose(adapted["scale"].mean_, expected["scale"].mean_)


def test_few_recordings_are_warned_of_where_it_was_called(spoken):
    with pytest.warns(AdaptationWarning, match="50 or more") as caught:
        adapt(spoken, OTHERS[:49])
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        adapt(spoken, OTHERS[:50])


def test_steps_of_training_are_passed_by():
    head = make_pipeline(SequenceFunctionals(), SVC())
    steps = make_spoken(head, ignore_padding=True).steps
    augmenter = SpeechAugmenter(random_state=0)
    for first in (augmenter, "passthrough"):
        pipeline = EmotionPipeline([("augment", first), *steps])
        adapted = adapt(pipeline.fit(SIGNALS, y), OTHERS)
        assert adapted.adapted_to_ == 60


def test_of_one_voice_it_is_speaker_standardize(spoken):
    extract, rest = spoken["extract"], spoken.steps[1:]
    mark = ("by_speaker", SpeakerStandardized())
    model = EmotionPipeline([("extract", extract), mark, *rest])
    adapted = adapt(model, OTHERS, chunk_size=9)
    standardized = speaker_standardize(
        extract.transform(OTHERS),
        np.zeros(60),
        feature_names=extract.get_feature_names_out(),
    )
    expected = spoken.sequence_steps.predict_proba(standardized)
    np.testing.assert_allclose(adapted.predict_proba(OTHERS), expected, atol=1e-4)
    assert adapted["scale"].mean_ is spoken["scale"].mean_


# Windows


def windows_of(recordings, seconds, hop):
    """Cut recordings until a window has reached the end of each."""
    n, step = round(16_000 * seconds), round(16_000 * hop)
    return [
        signal[start : start + n]
        for signal in recordings
        for start in range(0, len(signal), step)
        if start == 0 or start - step + n < len(signal)
    ]


@pytest.fixture(scope="module")
def by_windows(spoken):
    windowed = copy.copy(spoken).set_params(hop_duration=0.15)
    assert windowed["extract"].duration == 0.3
    return windowed


LONG = [np.concatenate([signal, signal[::-1]]) for signal in OTHERS]


@pytest.mark.parametrize("chunk_size", [1, 7, 256])
def test_all_windows_are_adapted_to(by_windows, spoken, chunk_size):
    assert min(map(len, LONG)) > 0.3 * 16_000
    adapted = adapt(by_windows, LONG, chunk_size=chunk_size)
    windows = windows_of(LONG, 0.3, 0.15)
    assert len(windows) > 2 * len(LONG) - 10
    expected = adapt(spoken, windows)
    assert adapted.adapted_to_ == len(LONG)
    assert expected.adapted_to_ == len(windows)
    np.testing.assert_allclose(
        adapted["scale"].mean_, expected["scale"].mean_, rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(
        adapted["scale"].scale_, expected["scale"].scale_, rtol=1e-4
    )
    np.testing.assert_allclose(
        adapted["classify"].model_.get_layer("functionals").moving_mean,
        expected["classify"].model_.get_layer("functionals").moving_mean,
        atol=1e-3,
    )
    first_alone = adapt(spoken, LONG)
    assert np.abs(first_alone["scale"].mean_ - adapted["scale"].mean_).max() > 1e-3


def test_windows_of_pipelines_that_vote(by_windows, spoken):
    """Each is adapted to what it looks at."""
    vote = VotingClassifier([("all", by_windows), ("first", spoken)], voting="soft")
    vote.estimators_ = [by_windows, spoken]
    vote.named_estimators_ = Bunch(all=by_windows, first=spoken)
    vote.classes_ = spoken.classes_
    adapted = adapt(vote, LONG)
    assert adapted.adapted_to_ == len(LONG)
    for name, member in (("all", by_windows), ("first", spoken)):
        np.testing.assert_array_equal(
            adapted.named_estimators_[name]["scale"].mean_,
            adapt(member, LONG)["scale"].mean_,
        )


@pytest.mark.parametrize("detect_speech", [False, True])
def test_windows_without_sound_are_left_out(by_windows, detect_speech):
    speech = make_emotional_speech(n_speakers=1, n_texts=2, random_state=0).signals
    silent = np.zeros(20_000, dtype=np.float32)
    recordings = [silent, *speech[:7], silent, *speech[7:], silent[:100]]
    # A pause that is longer than a window, too.
    paused = [np.concatenate([speech[0], silent, speech[0]]), *speech[1:]]
    model = copy.copy(by_windows).set_params(detect_speech=detect_speech)
    with pytest.warns(AdaptationWarning, match="adapted to 14 recordings"):
        expected = adapt(model, speech)
    with pytest.warns(AdaptationWarning, match="adapted to 14 recordings"):
        adapted = adapt(model, recordings, chunk_size=4)
    assert adapted.adapted_to_ == expected.adapted_to_ == 14
    np.testing.assert_allclose(
        adapted["scale"].mean_, expected["scale"].mean_, rtol=1e-5, atol=1e-8
    )
    with pytest.warns(AdaptationWarning, match="adapted to 14 recordings"):
        adapted = adapt(model, paused)
    np.testing.assert_allclose(
        adapted["scale"].mean_, expected["scale"].mean_, rtol=0.2, atol=0.05
    )
    with pytest.raises(ValueError, match="at least 2 .* there are 0"):
        adapt(model, [silent] * 5)
    with pytest.raises(ValueError, match="at least 2 .* there is 1:"):
        adapt(model, [silent, speech[0], silent])


def test_unreadable_windows_are_named_by_their_recordings(by_windows, tmp_path):
    broken = LONG[2].copy()
    broken[-5] = np.nan
    recordings = [LONG[0], "gone.wav", LONG[1], broken, LONG[3], [np.inf, 1.0]]
    with pytest.raises(AudioError) as caught:
        adapt(by_windows, recordings, chunk_size=2)
    names = [name for name, _ in caught.value.failures]
    assert names == ["gone.wav", "X[3]", "X[5]"]


# An encoder


def test_through_an_encoder(encoder_file, tmp_path):
    encoder = SpeechEncoder(
        weights=encoder_file, layer=(1, 3), duration=0.2, frame_step=2
    )
    pipeline = EmotionPipeline(
        [
            ("extract", encoder),
            ("scale", SequenceScaler(ignore_padding=True)),
            ("classify", make_network(functionals_units=3)),
        ],
        validation_fraction=None,
        hop_duration=0.1,
    ).fit(SIGNALS, y)
    before = pipeline.predict_proba(OTHERS)
    silent = np.zeros(5000, dtype=np.float32)
    adapted = adapt(pipeline, [*OTHERS, silent], chunk_size=16)
    assert adapted.adapted_to_ == 60
    frames = encoder.transform(windows_of(OTHERS, 0.2, 0.1))
    expected = SequenceScaler(ignore_padding=True).fit(frames)
    np.testing.assert_allclose(adapted["scale"].mean_, expected.mean_, atol=1e-4)
    np.testing.assert_allclose(adapted["scale"].scale_, expected.scale_, rtol=1e-4)
    assert np.abs(adapted.predict_proba(OTHERS) - before).max() > 1e-3
    np.testing.assert_array_equal(pipeline.predict_proba(OTHERS), before)
    save_model(adapted, tmp_path / "model.skemotion")
    np.testing.assert_array_equal(
        load_model(tmp_path / "model.skemotion").predict_proba(OTHERS),
        adapted.predict_proba(OTHERS),
    )
