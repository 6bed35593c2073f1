"""Copies of recordings as they would sound elsewhere."""

import io
import pickle

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.pipeline import make_pipeline
from scipy.signal import welch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skemotion import (
    AudioError,
    SequenceFunctionals,
    SpeechAugmenter,
    SpeechFeatureExtractor,
)
from skemotion.audio import load_audio
from skemotion.augmentation._effects import add_noise, limit_band, mix, reverberate
from skemotion.datasets import make_emotional_speech

RATE = 16_000
EFFECTS = ("lead", "room", "babble", "noise", "band")
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(n_speakers=2, n_texts=1)


def copies_of(X, *, effects=EFFECTS, probability=1.0, random_state=0, **options):
    augmenter = SpeechAugmenter(
        1,
        effects=effects,
        probability=probability,
        random_state=random_state,
        **options,
    )
    resampled, _ = augmenter.fit_resample(X, np.zeros(len(X)))
    return resampled[len(X) :]


def read(recording):
    return load_audio(recording, sampling_rate=RATE)


def tone(seconds=1.0, hertz=1000.0, rate=RATE):
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def power_in(signal, low, high, rate=RATE):
    frequency, power = welch(signal, rate, nperseg=1024)
    return power[(frequency >= low) & (frequency < high)].mean()


@pytest.mark.parametrize("n_copies", [0, 1, 3])
@pytest.mark.parametrize("kind", [list, np.asarray])
def test_copies_come_behind_with_their_labels(speech, n_copies, kind):
    signals, labels = list(speech.signals), kind(speech.target)
    augmenter = SpeechAugmenter(n_copies, random_state=0)
    X, y = augmenter.fit_resample(signals, labels)
    assert all(a is b for a, b in zip(X, signals, strict=False))
    assert len(X) == len(y) == (1 + n_copies) * len(signals)
    assert type(y) is type(labels)
    assert list(y) == list(speech.target) * (1 + n_copies)
    origins = augmenter.sample_indices_
    assert [speech.target[i] for i in origins] == list(y)


def test_seeds_decide_what_happens_to_each_copy(speech):
    def first(random_state, n_copies=1):
        augmenter = SpeechAugmenter(n_copies, random_state=random_state)
        X, _ = augmenter.fit_resample(list(speech.signals), speech.target)
        return [read(x) for x in X[len(speech.signals) :]]

    once, again, other = first(0), first(0), first(1)
    for a, b, c in zip(once, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert len(a) != len(c) or np.abs(a - c).max() > 1e-3
    n = len(once)
    twice = first(0, n_copies=2)
    for a, b in zip(twice[:n], twice[n:], strict=True):
        assert len(a) != len(b) or np.abs(a - b).max() > 1e-3
    np.testing.assert_array_equal(twice[0], once[0])


def test_every_copy_is_changed_however_unlikely_effects_are(speech):
    for copy, signal in zip(
        copies_of(list(speech.signals), probability=0.0, effects=("noise", "band")),
        speech.signals,
        strict=True,
    ):
        heard = read(copy)
        assert len(heard) == pytest.approx(len(signal), abs=2)
        n_samples = min(len(heard), len(signal))
        assert np.abs(heard[:n_samples] - signal[:n_samples]).max() > 1e-4


@settings(deadline=None, max_examples=20)
@given(
    snr=st.floats(-10, 60),
    seconds=st.floats(0.05, 2),
    rate=st.sampled_from([8000, 16000, 44100]),
    seed=st.integers(0, 99),
)
def test_noise_is_as_far_below_as_asked(snr, seconds, rate, seed):
    signal = tone(seconds, rate=rate)
    noise = add_noise(signal, rate, np.random.default_rng(seed), snr) - signal
    measured = 10 * np.log10(np.mean(signal**2) / np.mean(noise**2))
    assert measured == pytest.approx(snr, abs=1e-6)


def test_noise_has_colours_of_chance():
    silence_but_for_a_click = np.eye(1, RATE)[0]
    tilts = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noise = add_noise(silence_but_for_a_click, RATE, rng, snr=-40.0)
        ratio = power_in(noise, 100, 500) / power_in(noise, 4000, 7000)
        tilts.append(10 * np.log10(ratio))
    assert min(tilts) < 3
    assert 12 < max(tilts) < 25


def test_silence_stays_silent():
    silence = np.zeros(100)
    np.testing.assert_array_equal(mix(silence, RNG.normal(size=100), 10.0), silence)
    for copy in copies_of([silence, silence]):
        assert not read(copy).any()


def test_bands_are_narrowed():
    noise = RNG.normal(size=4 * RATE)
    rates = []
    for seed in range(20):
        heard, rate = limit_band(noise, RATE, np.random.default_rng(seed))
        inside = power_in(heard, 600, 2500, rate)
        # Power at a frequency stays what it was.
        assert inside == pytest.approx(power_in(noise, 600, 2500), rel=0.1)
        assert power_in(heard, 0, 40, rate) < 0.1 * inside
        assert len(heard) == pytest.approx(4 * rate, abs=1)
        rates.append(rate)
    assert 8000 <= min(rates) < 8500 < 12000 < max(rates) <= RATE
    assert limit_band(noise, 6000, np.random.default_rng(0))[1] == 6000


def test_rooms_ring_after_the_sound():
    click = np.eye(1, RATE)[0]
    heard = reverberate(click, RATE, np.random.default_rng(0))
    assert heard[0] == pytest.approx(1)
    energy = np.square(heard)
    assert 0.1 <= energy[1:].sum() <= 1.0
    assert energy[RATE // 20 :].sum() < energy[1 : RATE // 20].sum()
    assert not energy[int(0.6 * RATE) :].round(12).any()


def test_leads_are_silent_and_at_most_a_second():
    (copy,) = copies_of([tone()], effects=("lead",))
    heard = read(copy)
    assert RATE < len(heard) <= 2 * RATE
    np.testing.assert_array_equal(heard[len(heard) - RATE :], tone().astype("f"))
    assert not heard[: len(heard) - RATE].any()


def test_babble_is_made_of_the_recordings():
    voices = [tone(hertz=hertz) for hertz in (500, 1500, 2500)]
    copies = copies_of(voices, effects=("babble",), snr=(0.0, 0.0))
    for copy, voice in zip(copies, voices, strict=True):
        heard = read(copy)
        bands = (400, 600), (1400, 1600), (2400, 2600)
        babble = [power_in(heard - voice, *band) for band in bands]
        assert max(babble) > 100 * power_in(heard - voice, 3500, 8000)
        assert np.mean((heard - voice) ** 2) == pytest.approx(0.5, rel=1e-3)


def test_copies_are_read_as_the_extractor_reads(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(tone(rate=8000), 20), 8000)
    with open(path, "rb") as file:
        recordings = [str(path), (tone(), RATE), tone(), io.BytesIO(file.read())]
        copies = copies_of(recordings, effects=("noise",), snr=(60.0, 60.0))
        extractor = SpeechFeatureExtractor(duration=1.0)
        expected = extractor.transform(recordings)
        X = extractor.transform(copies)
        rms = 5
        np.testing.assert_allclose(X[..., rms], expected[..., rms], atol=0.01)
        np.testing.assert_array_equal(X, extractor.transform(copies))
    signal, rate = copies[0](sampling_rate=RATE, duration=1.5)
    assert (len(signal), rate) == (12_000, 8000)


def test_copies_travel_to_workers(speech):
    copies = copies_of(list(speech.signals[:4]))
    for copy in copies:
        np.testing.assert_array_equal(
            read(pickle.loads(pickle.dumps(copy))), read(copy)
        )


def test_unreadable_originals_are_named_once_for_all(tmp_path):
    torn = tmp_path / "torn.flac"
    torn.write_bytes(b"fLaC")
    X, _ = SpeechAugmenter(1).fit_resample([str(torn), tone()], [0, 1])
    with pytest.raises(AudioError, match=r"torn\.flac"):
        SpeechFeatureExtractor().transform(X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_copies": -1}, "'n_copies' parameter"),
        ({"probability": 1.5}, "'probability' parameter"),
        ({"effects": ("echo",)}, r"effects must be some of 'lead'.*got \('echo',\)"),
        ({"effects": ()}, "effects must be some of"),
        ({"snr": (30, 10)}, "snr must be the least and the largest"),
        ({"snr": (30,)}, "snr must be the least and the largest"),
    ],
)
def test_bad_parameters(options, message):
    augmenter = SpeechAugmenter(**options)
    for call in (augmenter.fit, augmenter.fit_resample):
        with pytest.raises(ValueError, match=message):
            call([tone()], [0])


def test_bad_input():
    augmenter = SpeechAugmenter()
    with pytest.raises(TypeError, match=r"pass the list \['a.wav'\]"):
        augmenter.fit_resample("a.wav", [0])
    with pytest.raises(ValueError, match="requires y to be passed"):
        augmenter.fit_resample([tone()], None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        augmenter.fit_resample([tone()], [0, 1])


def test_in_a_searched_pipeline_only_fitting_sees_copies(speech):
    pipeline = make_pipeline(
        SpeechAugmenter(random_state=0),
        SpeechFeatureExtractor(),
        SequenceFunctionals(),
        StandardScaler(),
        SVC(),
    )
    grid = [{"speechaugmenter__n_copies": [0, 1]}, {"speechaugmenter": ["passthrough"]}]
    search = GridSearchCV(clone(pipeline), grid, cv=2, error_score="raise")
    search.fit(list(speech.signals), speech.target)
    pipeline.set_params(speechaugmenter__n_copies=1)
    pipeline.fit(list(speech.signals), speech.target)
    assert pipeline[3].n_samples_seen_ == 2 * len(speech.target)
    assert len(pipeline.predict(list(speech.signals))) == len(speech.target)
