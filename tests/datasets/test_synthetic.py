from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skemotion.datasets import load_recordings, make_emotional_speech
from skemotion.datasets._synthesis import MODAL_VOICE, PHONES, speak

EMOTIONS = ["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]
SAMPLING_RATE = 16000


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(n_speakers=6, n_texts=2, random_state=0)


def assert_same_signals(actual, expected):
    for a, b in zip(actual, expected, strict=True):
        assert_array_equal(a, b)


class Measures(NamedTuple):
    pitch: float  # semitones above 100 Hz
    pitch_range: float  # semitones
    final_pitch: float  # semitones, the end of the last vowel above its beginning
    periodicity: float  # 1 is periodic
    duration: float  # seconds
    level: float  # dB
    brightness: float  # dB, energy above 1 kHz relative to that below


def measure(signal):
    """Estimate from the audio alone, pitch by autocorrelation."""
    window = np.hanning(960)
    frames = sliding_window_view(signal.astype(float), len(window))[::80]
    spectra = np.abs(np.fft.rfft(frames * window, 2048)) ** 2
    freqs = np.fft.rfftfreq(2048, 1 / SAMPLING_RATE)
    voice = (freqs > 45) & (freqs < 1000)

    shortest, longest = SAMPLING_RATE // 500, SAMPLING_RATE // 45
    correlation = np.fft.irfft(spectra * voice)[:, :longest]
    taper = np.correlate(window, window, "full")[len(window) - 1 :]
    lags = shortest + correlation[:, shortest:].argmax(axis=1)
    periodicity = np.take_along_axis(correlation, lags[:, np.newaxis], axis=1)[:, 0]
    periodicity /= correlation[:, 0] * taper[lags] / taper[0]

    energy = spectra[:, voice].sum(axis=1)
    voiced = (energy > 0.05 * energy.max()) & (lags > shortest)
    semitones = 12 * np.log2(SAMPLING_RATE / lags[voiced] / 100)
    bright = spectra[voiced][:, (freqs > 1000) & (freqs < 5000)].sum()
    return Measures(
        pitch=np.median(semitones),
        pitch_range=np.subtract(*np.percentile(semitones, [90, 10])),
        final_pitch=np.median(semitones[-12:-4]) - np.median(semitones[-45:-30]),
        periodicity=np.median(periodicity[voiced]),
        duration=len(signal) / SAMPLING_RATE,
        level=10 * np.log10(np.mean(signal.astype(float) ** 2)),
        brightness=10 * np.log10(bright / energy[voiced].sum()),
    )


@pytest.fixture(scope="module")
def measures(corpus):
    return np.array([measure(signal) for signal in corpus.signals])


@pytest.fixture(scope="module")
def relative(corpus, measures):
    """Mean difference from the neutral recordings of the same speakers and texts."""
    means = {name: measures[corpus.target == name].mean(axis=0) for name in EMOTIONS}
    return {name: Measures(*(means[name] - means["neutral"])) for name in EMOTIONS}


def test_balanced_over_speaker_text_and_emotion():
    corpus = make_emotional_speech(3, 2, n_repetitions=2, random_state=0)
    combinations = Counter(
        zip(corpus.speakers, corpus.text_ids, corpus.target, strict=True)
    )
    assert len(corpus.signals) == 3 * 2 * 7 * 2
    assert len(combinations) == 3 * 2 * 7
    assert set(combinations.values()) == {2}
    assert corpus.target_names.tolist() == EMOTIONS
    assert set(corpus.speakers) == {"s01", "s02", "s03"}
    assert set(corpus.text_ids) == {"t01", "t02"}
    assert corpus.sex[corpus.speakers == "s01"].tolist() == ["female"] * 28
    assert corpus.sex[corpus.speakers == "s02"].tolist() == ["male"] * 28
    assert corpus.paths is None


def test_signals_are_audio(corpus):
    assert corpus.signals.shape == (84,)
    assert corpus.signals.dtype == object
    for signal in corpus.signals:
        assert signal.dtype == np.float32
        assert signal.ndim == 1
        assert np.isfinite(signal).all()
        assert 0.03 < np.abs(signal).max() <= 1
        assert 1.2 < len(signal) / corpus.sampling_rate < 3.5
    assert len({len(signal) for signal in corpus.signals}) > 50


def test_no_digital_silence(corpus):
    for signal in corpus.signals:
        blocks = sliding_window_view(signal, 64)[::64]
        assert (blocks.std(axis=1) > 1e-4).all()


def test_same_seed_same_bits(corpus):
    again = make_emotional_speech(n_speakers=6, n_texts=2, random_state=0)
    assert_same_signals(again.signals, corpus.signals)


def test_random_state_instance_equals_itself_and_advances():
    rng = np.random.RandomState(3)
    first = make_emotional_speech(1, 1, random_state=rng)
    second = make_emotional_speech(1, 1, random_state=rng)
    again = make_emotional_speech(1, 1, random_state=np.random.RandomState(3))
    assert_same_signals(first.signals, again.signals)
    assert not np.array_equal(first.signals[0], second.signals[0])


def test_seeds_make_other_speakers(corpus):
    other = make_emotional_speech(1, 1, random_state=1)
    assert not np.array_equal(other.signals[0], corpus.signals[0])


def test_unseeded_calls_differ():
    first, second = (make_emotional_speech(1, 1).signals[0] for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0)])
def test_global_stream_untouched(random_state):
    before = np.random.get_state()
    make_emotional_speech(1, 1, random_state=random_state)
    after = np.random.get_state()
    assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]


@pytest.mark.parametrize(
    "sizes",
    [
        {"n_speakers": 2, "n_texts": 1},
        {"n_speakers": 1, "n_texts": 2},
        {"n_speakers": 1, "n_texts": 1, "n_repetitions": 2},
    ],
)
def test_smaller_corpus_is_part_of_larger(corpus, sizes):
    part = make_emotional_speech(**sizes, random_state=0)
    n_repetitions = sizes.get("n_repetitions", 1)
    inside = np.isin(corpus.speakers, part.speakers)
    inside &= np.isin(corpus.text_ids, part.text_ids)
    assert_same_signals(part.signals[::n_repetitions], corpus.signals[inside])


def test_repetitions_differ():
    corpus = make_emotional_speech(1, 1, n_repetitions=2, random_state=0)
    assert len(corpus.signals[0]) != len(corpus.signals[1])


@pytest.mark.parametrize(
    ("name", "above", "below"),
    [
        ("pitch", ["anger", "fear", "happiness"], ["boredom", "disgust", "sadness"]),
        ("pitch_range", ["anger", "disgust", "happiness"], ["boredom", "sadness"]),
        ("final_pitch", ["fear", "happiness"], ["disgust"]),
        ("periodicity", ["boredom"], ["anger", "disgust"]),
        ("duration", ["boredom", "disgust", "sadness"], ["anger", "fear", "happiness"]),
        ("level", ["anger", "happiness"], ["boredom", "disgust", "sadness"]),
        ("brightness", ["anger", "happiness"], ["boredom", "sadness"]),
    ],
)
def test_emotions_differ_from_neutral_as_published(relative, name, above, below):
    difference = {emotion: getattr(relative[emotion], name) for emotion in EMOTIONS}
    assert {emotion for emotion in above if difference[emotion] <= 0} == set()
    assert {emotion for emotion in below if difference[emotion] >= 0} == set()


def test_emotions_are_ordered_as_published(relative):
    def order(name):
        return sorted(EMOTIONS, key=lambda emotion: getattr(relative[emotion], name))

    assert order("pitch")[-1] == "fear"
    assert order("pitch_range")[0] == "boredom"
    assert order("level")[0] == "sadness"
    assert order("level")[-1] == "anger"
    assert order("brightness")[0] == "sadness"
    assert order("periodicity")[0] == "disgust"


def test_measured_pitch_and_level_agree_with_the_table(relative):
    assert_allclose(relative["fear"].pitch, 8, atol=2)
    assert_allclose(relative["disgust"].pitch, -2.5, atol=2)
    assert_allclose(relative["anger"].level, 6, atol=1)
    assert_allclose(relative["sadness"].level, -6, atol=1)


def test_speakers_differ(corpus, measures):
    pitch = {
        speaker: measures[(corpus.speakers == speaker), 0].mean()
        for speaker in corpus.speakers
    }
    sex = dict(zip(corpus.speakers, corpus.sex, strict=True))
    female = [pitch[speaker] for speaker in pitch if sex[speaker] == "female"]
    male = [pitch[speaker] for speaker in pitch if sex[speaker] == "male"]
    assert min(female) > max(male) + 3
    assert np.diff(sorted(female)).min() > 0
    assert np.diff(sorted(male)).min() > 0


def test_emotions_are_learnable_but_overlap(corpus, measures):
    model = make_pipeline(StandardScaler(), SVC(C=10))
    scores = cross_val_score(
        model,
        measures,
        corpus.target,
        groups=corpus.speakers,
        cv=LeaveOneGroupOut(),
        scoring="balanced_accuracy",
    )
    assert 0.5 < scores.mean() < 1


def test_cross_validation_slices_the_signals(corpus):
    duration = FunctionTransformer(lambda X: np.array([[len(x)] for x in X]))
    scores = cross_val_score(
        make_pipeline(duration, SVC()),
        corpus.signals,
        corpus.target,
        groups=corpus.speakers,
        cv=LeaveOneGroupOut(),
    )
    assert scores.mean() > 1 / 7


def test_sampling_rate_changes_detail_not_speech():
    low = make_emotional_speech(1, 1, sampling_rate=16000, random_state=0)
    high = make_emotional_speech(1, 1, sampling_rate=44100, random_state=0)
    assert high.sampling_rate == 44100
    for a, b in zip(low.signals, high.signals, strict=True):
        assert_allclose(len(a) / 16000, len(b) / 44100, rtol=0.01)
        assert_allclose(a.std(), b.std(), rtol=0.2)


def test_folder_round_trip(tmp_path):
    corpus = make_emotional_speech(2, 1, folder=tmp_path / "new" / "a", random_state=0)
    loaded = load_recordings(tmp_path / "new" / "a")
    assert sorted(corpus.paths) == sorted(loaded.paths)
    assert_array_equal(loaded.target_names, corpus.target_names)
    target = dict(zip(corpus.paths, corpus.target, strict=True))
    assert [target[path] for path in loaded.paths] == loaded.target.tolist()
    assert corpus.paths[0] == str(tmp_path / "new" / "a" / "anger" / "s01_t01_r1.wav")
    for path, signal in zip(corpus.paths, corpus.signals, strict=True):
        written, sampling_rate = soundfile.read(path, dtype="float32")
        assert sampling_rate == corpus.sampling_rate
        assert soundfile.info(path).subtype == "PCM_16"
        assert_allclose(written, signal, atol=2**-15)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_speakers": 0},
        {"n_speakers": 2.0},
        {"n_texts": 0},
        {"n_texts": 11},
        {"n_repetitions": 0},
        {"sampling_rate": 8000},
        {"folder": 3},
        {"random_state": "seed"},
    ],
)
def test_bad_parameters(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        make_emotional_speech(**parameters)


def test_description_warns_and_documents_every_value():
    description = make_emotional_speech(1, 1, random_state=0).DESCR
    rows = [row for row in description.splitlines() if row.startswith(tuple(EMOTIONS))]
    assert len(rows) == 7
    for row in rows:
        assert row in make_emotional_speech.__doc__
    assert "not a benchmark" in description
    assert "not a benchmark" in make_emotional_speech.__doc__


@settings(max_examples=25, deadline=None)
@given(
    consonants=st.text(sorted(set(PHONES) - set("aeiou")) + ["'"], max_size=6),
    vowel=st.sampled_from("aeiou"),
    pitch=st.floats(60, 500),
    level=st.floats(-60, 0),
    tilt=st.floats(-12, 6),
    breathiness=st.floats(-60, 0),
    jitter=st.floats(0, 10),
    tract_scale=st.floats(0.9, 1.25),
    sampling_rate=st.sampled_from([12000, 16000, 22050]),
)
def test_any_voice_stays_in_range(consonants, vowel, sampling_rate, **voice):
    signal = speak(
        consonants + vowel,
        MODAL_VOICE._replace(**voice),
        sampling_rate=sampling_rate,
        rng=np.random.default_rng(0),
    )
    assert signal.dtype == np.float32
    assert np.isfinite(signal).all()
    assert 0 < np.abs(signal).max() <= 1
