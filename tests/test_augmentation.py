"""Copies of recordings as they would sound elsewhere."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.base import is_sampler
from imblearn.pipeline import make_pipeline
from joblib import parallel_config
from scipy.signal import welch
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags

from skemotion import (
    AudioError,
    SequenceFunctionals,
    SpeechAugmenter,
    SpeechFeatureExtractor,
)
from skemotion.audio import load_audio
from skemotion.augmentation import Babble, Band, Lead, Noise, Room, Speed, _sources
from skemotion.augmentation._choice import name_of
from skemotion.augmentation._effects import EFFECTS as KNOWN
from skemotion.augmentation._effects import mix
from skemotion.datasets import make_emotional_speech
from skemotion.exceptions import TruncationWarning

RATE = 16_000
SPEED, LEAD, ROOM, BABBLE, NOISE, BAND = (
    KNOWN[name] for name in ("speed", "lead", "room", "babble", "noise", "band")
)
EFFECTS = ("lead", "room", "babble", "noise", "band")
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(n_speakers=2, n_texts=1, random_state=0)


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
    noise = NOISE(signal, rate, np.random.default_rng(seed), snr=snr) - signal
    measured = 10 * np.log10(np.mean(signal**2) / np.mean(noise**2))
    assert measured == pytest.approx(snr, abs=1e-6)


def test_noise_has_colours_of_chance():
    silence_but_for_a_click = np.eye(1, RATE)[0]
    tilts = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noise = NOISE(silence_but_for_a_click, RATE, rng, snr=-40.0)
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
        heard, rate = BAND(noise, RATE, np.random.default_rng(seed))
        inside = power_in(heard, 600, 2500, rate)
        # Power at a frequency stays what it was.
        assert inside == pytest.approx(power_in(noise, 600, 2500), rel=0.1)
        assert power_in(heard, 0, 40, rate) < 0.1 * inside
        assert len(heard) == pytest.approx(4 * rate, abs=1)
        rates.append(rate)
    assert 8000 <= min(rates) < 8500 < 12000 < max(rates) <= RATE
    assert BAND(noise, 6000, np.random.default_rng(0))[1] == 6000


def test_rooms_ring_after_the_sound():
    click = np.eye(1, RATE)[0]
    heard = ROOM(click, RATE, np.random.default_rng(0))
    assert heard[0] == pytest.approx(1)
    energy = np.square(heard)
    assert 0.1 <= energy[1:].sum() <= 1.0
    assert energy[RATE // 20 :].sum() < energy[1 : RATE // 20].sum()
    assert not energy[int(0.6 * RATE) :].round(12).any()


def test_speed_changes_length_and_pitch_alike():
    tones = [tone(seconds=1 + 0.01 * i) for i in range(8)]
    for sound, copy in zip(tones, copies_of(tones, effects=("speed",)), strict=True):
        heard = read(copy)
        speed = len(sound) / len(heard)
        assert 0.8 <= speed <= 1.25
        hertz = np.abs(np.fft.rfft(heard)).argmax() * RATE / len(heard)
        assert hertz == pytest.approx(1000 * speed, rel=0.01)


class Extreme:
    """Draws the lowest or the highest of what there is to draw."""

    def __init__(self, is_high):
        self.part = float(is_high)

    def random(self):
        return self.part

    def uniform(self, low, high):
        return low + self.part * (high - low)

    def integers(self, stop):
        return int(self.part * (stop - 1))

    def normal(self, size):
        return np.random.default_rng(0).normal(size=size)


LOW, HIGH = Extreme(False), Extreme(True)
EXTREMES = pytest.mark.parametrize("is_high", [False, True], ids=["low", "high"])


@EXTREMES
def test_speeds_are_from_four_fifths_to_five_quarters(is_high):
    heard = SPEED(tone(), RATE, Extreme(is_high))
    assert len(heard) == pytest.approx(RATE / (1.25 if is_high else 0.8), abs=1)


@EXTREMES
def test_leads_are_of_up_to_a_second(is_high):
    heard = LEAD(tone(0.1), 8000, Extreme(is_high))
    assert len(heard) == 1600 + (8000 if is_high else 0)


def response_of(effect, rate=RATE, seconds=2):
    """Return gain by frequency, in Hz, of what is done to a click."""
    click = np.roll(np.eye(1, int(seconds * rate))[0], rate // 2)
    heard, heard_rate = effect(click)
    gain = np.abs(np.fft.rfft(heard)) * rate / heard_rate
    return np.fft.rfftfreq(len(heard), 1 / heard_rate), gain


@EXTREMES
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_edges_of_bands(rate, is_high):
    drawn = Extreme(is_high)
    frequency, gain = response_of(lambda click: BAND(click, rate, drawn), rate)
    heard_rate = BAND(np.ones(rate), rate, drawn)[1]
    assert heard_rate == (16_000 if is_high else 8000)
    low, high = (400, 0.95 * 8000) if is_high else (50, 0.8 * 4000)
    edges = [low, high] if heard_rate == rate or not is_high else [low]
    for edge in edges:  # elsewhere, a resampler's own edge is the same
        assert np.interp(edge, frequency, gain) == pytest.approx(0.5**0.5, rel=0.05)
    # Butterworth's, of sixth order: an octave below the edge, it is 36 dB down.
    assert np.interp(low / 2, frequency, gain) == pytest.approx(10 ** (-1.8), rel=0.3)
    assert np.interp(np.sqrt(low * high), frequency, gain) == pytest.approx(1, rel=0.01)


def test_low_rates_are_drawn_more_often():
    noise, rng = np.ones(400), np.random.default_rng(0)
    rates = [BAND(noise, 48_000, rng)[1] for _ in range(400)]
    assert np.mean(np.array(rates) < 8800) == pytest.approx(0.52, abs=0.08)
    assert {rate % 100 for rate in rates} == {0}


@EXTREMES
def test_colours_are_from_white_to_nearly_brown(is_high):
    click = np.eye(1, 8 * RATE)[0]
    noise = NOISE(click, RATE, Extreme(is_high), snr=-40.0)
    octaves = 10 * np.log10([power_in(noise, 500, 700) / power_in(noise, 4000, 5600)])
    assert octaves == pytest.approx(3 * 4.515 if is_high else 0, abs=1)
    # Below 50 Hz it grows no more.
    _, power = welch(noise, RATE, nperseg=RATE)
    ratio = power[1:20].mean() / power[45:55].mean()
    assert ratio == pytest.approx(1, rel=0.35)


@EXTREMES
def test_rooms_are_those_of_polack(is_high):
    heard = ROOM(np.eye(1, RATE)[0], RATE, Extreme(is_high))
    heard[np.abs(heard) < 1e-12] = 0
    assert heard[0] == pytest.approx(1)
    assert not heard[1:32].any()  # 2 ms, before anything is reflected
    energy = np.square(heard[32:])
    assert energy.sum() == pytest.approx(0.1 if is_high else 1.0, rel=1e-6)
    decay = 0.5 if is_high else 0.1
    n_rings = int(decay * RATE) - 32
    assert not energy[n_rings:].any()
    # By 60 dB in this time, or six decades of energy.
    blocks = energy[: n_rings - n_rings % 40].reshape(40, -1).mean(axis=1)
    fall = np.polyfit(np.linspace(0, 1, 40), np.log10(blocks), 1)[0]
    assert fall * decay * RATE / n_rings == pytest.approx(-6, abs=0.6)


def test_voices_are_equally_loud_and_come_from_anywhere():
    silence = np.zeros(RATE)
    silence[0] = 1
    voices = [tone(0.5, hertz=1000), 0.01 * tone(2, hertz=3000)]
    heard = (
        BABBLE(silence, RATE, np.random.default_rng(0), snr=-20.0, voices=voices)
        - silence
    )
    loud, faint = power_in(heard, 900, 1100), power_in(heard, 2900, 3100)
    assert loud == pytest.approx(faint, rel=0.1)
    start, flat = np.eye(1, 100)[0], np.ones(100)  # a voice that tells where it begins
    streams = map(np.random.default_rng, range(50))
    given = {"snr": 0.0, "voices": [start]}
    places = {int(BABBLE(flat, RATE, rng, **given).argmax()) for rng in streams}
    assert len(places) > 25


def test_effects_have_probabilities_of_their_own():
    tones = [tone(seconds=1 + 0.01 * i) for i in range(30)]
    options = {"effects": ("speed", "noise", "band")}
    chances = {"speed": 1.0, "noise": 0.5, "band": 0.0}
    copies = copies_of(tones, probability=chances, **options)
    happened = {effect for copy in copies for effect in copy.effects}
    assert happened == {"speed", "noise"}
    assert all("speed" in copy.effects for copy in copies)
    with pytest.raises(ValueError, match="probability must be .* a dict with one for"):
        copies_of(tones[:1], probability={"speed": 1.0}, **options)


def test_what_else_happens_does_not_hang_on_speed():
    options = {"probability": 0.4, "random_state": 3}
    without = copies_of([tone()] * 1, effects=EFFECTS, **options)
    with_speed = copies_of([tone()], effects=(*EFFECTS, "speed"), **options)
    for one, other in zip(without, with_speed, strict=True):
        assert set(one.effects) <= {*other.effects}
        assert one.seed == other.seed


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


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
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
        ({"effects": ("echo",)}, r"effects must be some of 'speed'.*got \('echo',\)"),
        ({"effects": ()}, "effects must be some of"),
        ({"snr": (30, 10)}, "snr must be the least and the largest"),
        ({"snr": (30,)}, "snr must be the least and the largest"),
        ({"snr": (5, 10, 15)}, "snr must be the least and the largest"),
        ({"snr": 5.0}, "'snr' parameter"),
        ({"effects": "noise"}, "'effects' parameter"),
        ({"n_copies": 1.5}, "'n_copies' parameter"),
        ({"random_state": "0"}, "'random_state' parameter"),
        ({"probability": {**dict.fromkeys(EFFECTS, 0.5), "room": 2}}, "from 0 to 1"),
        ({"probability": {**dict.fromkeys(EFFECTS, 0.5), "echo": 1}}, "from 0 to 1"),
        ({"probability": dict.fromkeys(EFFECTS[1:], 0.5)}, "from 0 to 1"),
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


def sounds(copies):
    return [read(copy).tobytes() for copy in copies]


def test_copies_follow_their_recordings_when_the_order_changes(speech):
    signals = list(speech.signals)
    order = RNG.permutation(len(signals))
    copies = sounds(copies_of(signals))
    shuffled = sounds(copies_of([signals[i] for i in order]))
    assert shuffled == [copies[i] for i in order]


def test_copies_do_not_depend_on_how_recordings_are_handed_over(tmp_path):
    signals = [RNG.uniform(-0.5, 0.5, size=RATE).astype("f") for _ in range(8)]
    paths, files = [], []
    for i, signal in enumerate(signals):
        paths.append(tmp_path / f"{i}.wav")
        soundfile.write(paths[-1], signal, RATE, subtype="FLOAT")
        files.append(io.BytesIO(paths[-1].read_bytes()))
    expected = sounds(copies_of(signals))
    for X in (
        paths,
        files,
        [(signal, RATE) for signal in signals],
        [signal.astype(np.float64) for signal in signals],
        np.stack(signals),
    ):
        assert sounds(copies_of(X)) == expected


def test_recordings_that_hold_the_same_have_the_same_copies(speech):
    signal, other = speech.signals[:2]
    first, _, second = sounds(copies_of([signal, other, signal.copy()]))
    assert first == second


def test_parameters_change_no_more_of_copies_than_they_must(speech):
    signals = list(speech.signals)
    often = copies_of(signals, probability=0.5)
    rarely = copies_of(signals, probability=0.4)
    reordered = copies_of(signals, probability=0.4, effects=EFFECTS[::-1])
    assert sounds(rarely) == sounds(reordered)
    assert all(
        set(few.effects) <= set(many.effects)
        for few, many in zip(rarely, often, strict=True)
    )
    assert any(
        few.cache_key == many.cache_key and sounds([few]) == sounds([many])
        for few, many in zip(rarely, often, strict=True)
    )


def test_babble_is_of_the_rows_at_hand_and_changes_with_them_alone():
    signals = [RNG.normal(size=100) for _ in range(60)]
    kept = signals[6:]
    every = copies_of(signals, effects=("babble",))[6:]
    fewer = copies_of(kept, effects=("babble",))
    n_same = 0
    for a, b in zip(every, fewer, strict=True):
        assert all(
            any(voice.recording is signal for signal in kept) for voice in b.voices
        )
        assert len({id(voice.recording) for voice in b.voices}) == 6
        left_out = {id(signal) for signal in signals[:6]}
        gone = sum(id(voice.recording) in left_out for voice in a.voices)
        before, now = ({voice.identity for voice in c.voices} for c in (a, b))
        assert len(before - now) == gone
        assert (a.cache_key == b.cache_key) == (gone == 0)
        n_same += gone == 0
    assert 0.3 < n_same / len(fewer) < 0.75  # 0.9 ** 6 is 0.53
    heard = np.unique([int(v.identity[:8], 16) for c in fewer for v in c.voices])
    assert len(heard) > 45


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("speed", lambda signal, rng, snr: SPEED(signal, RATE, rng)),
        ("lead", lambda signal, rng, snr: LEAD(signal, RATE, rng)),
        ("room", lambda signal, rng, snr: ROOM(signal, RATE, rng)),
        ("noise", lambda signal, rng, snr: NOISE(signal, RATE, rng, snr=snr)),
        ("band", lambda signal, rng, snr: BAND(signal, RATE, rng)[0]),
    ],
)
def test_copies_are_computed_in_double_precision(name, effect):
    signal = (1e-3 * RNG.normal(size=RATE)).astype(np.float32)
    (copy,) = copies_of([signal], effects=(name,))
    heard, _ = copy(RATE, None)
    rng = np.random.default_rng(copy.seed)
    expected = effect(signal.astype(np.float64), rng, copy.snr)
    assert heard.dtype == np.float64
    np.testing.assert_array_equal(heard, expected)


def test_voices_that_hold_the_same_are_those_at_the_lowest_rate():
    """Whichever comes first."""
    signals = [RNG.normal(size=100) for _ in range(3)]
    recordings = [(signal, rate) for signal in signals for rate in (16_000, 8000)]
    for X in (recordings, recordings[::-1]):
        for copy in copies_of(X, effects=("babble",)):
            assert [voice.rate for voice in copy.voices] == [8000.0] * 3


FROZEN_COPIES = [
    ("lead+babble", 5.099691, 117285779),
    ("babble+noise", 32.126703, 1784551860),
    ("lead+room+babble+noise", 23.776665, 1746631306),
    ("room", 20.4295, 2061371292),
    ("noise+band", 20.725668, 1184868004),
    ("room+noise", 18.756999, 1860101925),
    ("lead+babble", 29.917009, 749493438),
    ("room+noise", 11.132501, 1997894708),
]
FROZEN_VOICES = [
    [3, 0, 7, 6, 5, 2],
    [1, 4, 7, 0, 2, 5],
    [5, 2, 0, 6, 4, 7],
    [7, 0, 1, 6, 2, 4],
    [6, 3, 5, 0, 4, 2],
    [0, 6, 1, 5, 7, 4],
    [4, 7, 0, 1, 3, 5],
    [5, 4, 2, 1, 6, 3],
]


def test_copies_are_those_of_earlier_versions():
    """A seed stands for the same copies as ever, as results that name it say."""
    numbers = np.arange(1, 9)[:, np.newaxis]
    held = (37 * (numbers - 1) + numbers * np.arange(100)) % 64 / np.float32(64) - 0.5
    signals = list(held.astype(np.float32))
    copies = copies_of(signals, probability=0.4, effects=(*EFFECTS, "speed"))
    assert [
        ("+".join(copy.effects), round(copy.snr, 6), copy.seed) for copy in copies
    ] == FROZEN_COPIES
    babble = copies_of(signals, effects=("babble",))
    identities = [source.identity for source in (copy.source for copy in babble)]
    assert [
        [identities.index(voice.identity) for voice in copy.voices] for copy in babble
    ] == FROZEN_VOICES


def test_without_a_seed_copies_are_others_each_time(speech):
    signals = list(speech.signals[:4])
    augmenter = SpeechAugmenter(1)
    once, again = (augmenter.fit_resample(signals, signals)[0][4:] for _ in range(2))
    assert sounds(once) != sounds(again)
    assert {copy.cache_key for copy in once} == {None}
    np.random.seed(0)
    once = augmenter.fit_resample(signals, signals)[0][4:]
    np.random.seed(0)
    assert sounds(once) == sounds(augmenter.fit_resample(signals, signals)[0][4:])


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
@pytest.mark.parametrize("channels", [1, 2])
def test_of_long_recordings_a_part_is_read_and_known_again(
    tmp_path, monkeypatch, suffix, channels
):
    monkeypatch.setattr(_sources, "_BLOCK", 5000)
    path = tmp_path / f"long{suffix}"
    soundfile.write(path, 0.1 * RNG.normal(size=(3 * RATE, channels)), RATE)
    (copy,) = copies_of([path], effects=("lead",))
    for duration in (0.01, 0.9, 0.9375, 2.99, 3.0, 7.0, None):
        signal, _ = copy(RATE, duration)
        expected = load_audio(path, duration=duration)
        np.testing.assert_array_equal(signal[-expected.size :], expected)
        assert not signal[: -expected.size].any()


def rewrite(path, signal):
    soundfile.write(path, signal, RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_what_has_changed_since_is_an_error_and_not_cached(tmp_path, seconds):
    signal, other = RNG.uniform(-0.5, 0.5, size=(2, int(seconds * RATE)))
    path, array = rewrite(tmp_path / "a.wav", signal), signal.copy()
    extractor = SpeechFeatureExtractor(duration=1.0, memory=tmp_path / "cache")
    copies = copies_of([path, array], effects=("noise",))
    rewrite(path, other)
    array[0] += 0.1
    for copy in copies:
        with pytest.raises(AudioError, match="has changed since"):
            extractor.transform([copy])
    rewrite(path, signal)
    array[0] = signal[0]
    np.testing.assert_array_equal(
        extractor.transform(copies), clone(extractor).transform(copies)
    )


def test_a_file_at_another_rate_is_another(tmp_path):
    path = rewrite(tmp_path / "a.wav", tone())
    (copy,) = copies_of([path], effects=("lead",))
    soundfile.write(path, tone(), RATE // 2, subtype="FLOAT")
    with pytest.raises(ValueError, match="has changed since"):
        read(copy)


def as_files(signals, kind=io.BytesIO):
    files = []
    for signal in signals:
        file = io.BytesIO()
        soundfile.write(file, signal, RATE, format="WAV")
        files.append(kind(file.getvalue()))
    return files


class Pipe(io.RawIOBase):
    def __init__(self, content):
        self.rest = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.rest.readinto(buffer)


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
@pytest.mark.parametrize("given_twice", [False, True])
def test_threads_share_file_objects_bit_for_bit(speech, given_twice):
    files = as_files(speech.signals)
    if given_twice:
        files = [*files, *files]
    for file in files:
        file.seek(7)
    augmenter = SpeechAugmenter(random_state=0)
    extractor = SpeechFeatureExtractor(duration=1.5)
    X, _ = augmenter.fit_resample(files, range(len(files)))
    assert all(a is b for a, b in zip(X, files, strict=False))
    expected = extractor.transform(X)
    extractor.set_params(n_jobs=2)
    for _ in range(5):
        X, _ = augmenter.fit_resample(files, range(len(files)))
        np.testing.assert_array_equal(extractor.transform(X), expected)
    assert {file.tell() for file in files} == {7}


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
def test_fits_in_threads_share_file_objects(speech):
    files = as_files(speech.signals)
    pipeline = make_pipeline(
        SpeechAugmenter(1, random_state=0),
        SpeechFeatureExtractor(duration=1.0),
        SequenceFunctionals(),
        SVC(),
    )
    search = GridSearchCV(pipeline, {"svc__C": [1, 2]}, cv=2, error_score="raise")
    alone = search.fit(files, speech.target).cv_results_["mean_test_score"]
    with parallel_config("threading", n_jobs=2):
        together = search.fit(files, speech.target).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(alone, together)


def test_what_cannot_be_rewound_is_read_once_for_all_its_copies(speech):
    first, *rest = as_files(speech.signals[:3], Pipe)
    X, _ = SpeechAugmenter(2, random_state=0).fit_resample(
        [first, *rest, first], "abca"
    )
    expected, _ = SpeechAugmenter(2, random_state=0).fit_resample(
        as_files([*speech.signals[:3], speech.signals[0]]), "abca"
    )
    assert sounds(X) == sounds(expected)
    assert sounds(X) == sounds(X)


def test_file_objects_without_bytes_are_named(tmp_path):
    path = rewrite(tmp_path / "a.wav", tone())
    with open(path, encoding="latin-1") as text:
        X, _ = SpeechAugmenter().fit_resample([text, tone()], "ab")
        with pytest.raises(AudioError, match=r"a\.wav: .*str and not bytes"):
            SpeechFeatureExtractor().transform(X)


class Recorder:
    """A function as a recording."""

    def __init__(self, hertz, cache_key=None):
        self.hertz = hertz
        self.cache_key = cache_key

    def __call__(self, sampling_rate, duration):
        return tone(hertz=self.hertz), RATE


def test_functions_are_known_by_their_key_or_by_their_place():
    named = [Recorder(hertz, f"tone {hertz}") for hertz in (300, 600, 900)]
    unnamed = [Recorder(hertz) for hertz in (300, 600, 900)]
    assert sounds(copies_of(named)) == sounds(copies_of(named[::-1]))[::-1]
    assert sounds(copies_of(unnamed)) == sounds(copies_of(unnamed))
    assert len({copy.seed for copy in copies_of(unnamed)}) == 3
    assert {len(c.voices) for c in copies_of(unnamed, effects=("babble",))} == {3}
    for copy in copies_of(unnamed):
        assert copy.cache_key is None
    assert len({copy.cache_key for copy in copies_of(named)} - {None}) == 3
    mixed = copies_of([named[0], unnamed[1]], effects=("babble",))
    assert [copy.cache_key for copy in mixed] == [None, None]
    alone = copies_of([named[0], unnamed[1]], effects=("noise",))
    assert alone[0].cache_key is not None
    assert sounds(copies_of(copies_of(named))) == sounds(copies_of(copies_of(named)))


def test_it_is_a_sampler_by_its_tags():
    tags = get_tags(SpeechAugmenter())
    assert is_sampler(SpeechAugmenter())
    assert tags.estimator_type == "sampler"
    assert tags.sampler_tags.sample_indices
    assert tags.target_tags.required
    assert tags.input_tags.string
    for kind in ("two_d_array", "dataframe", "sparse"):
        assert not getattr(tags.input_tags, kind)
    assert tags.no_validation
    assert get_tags(make_pipeline(SpeechAugmenter(), SVC())).estimator_type


def test_a_skipped_validation_is_skipped():
    augmenter = SpeechAugmenter(1, probability=1.5, random_state=0)
    extractor = SpeechFeatureExtractor(verbose=-1)
    with config_context(skip_parameter_validation=True):
        X, _ = augmenter.fit([tone()]).fit_resample([tone()], [0])
        extractor.fit(X).transform(X)
    for call in (extractor.fit, extractor.transform):
        with pytest.raises(ValueError, match="'verbose' parameter"):
            call([tone()])


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        np.array,
        lambda labels: np.array(labels, dtype=object),
        lambda labels: list(np.array(labels)),
        pd.Series,
        lambda labels: pd.Series(labels, index=[7, 8, 9]),
        lambda labels: pd.Series(labels, dtype="category"),
        lambda labels: pd.Series(labels, dtype="string"),
        lambda labels: pd.Series(labels, dtype="string").values,
        lambda labels: pd.DataFrame({"label": labels})["label"].values,
        pd.Categorical,
        pd.Index,
    ],
)
def test_labels_of_every_kind_come_back_as_that_kind(kind):
    labels = kind(["anger", "fear", "anger"])
    _, y = SpeechAugmenter(1).fit_resample([tone(0.01 * i) for i in (1, 2, 3)], labels)
    assert type(y) is type(labels)
    assert getattr(y, "dtype", None) == getattr(labels, "dtype", None)
    assert list(y) == ["anger", "fear", "anger"] * 2


def clip(signal, sampling_rate, rng):
    limit = rng.uniform(0.2, 0.8) * np.abs(signal).max()
    return signal.clip(-limit, limit)


class Keyed:
    """An effect with ranges, a name and a key of its own."""

    name = "dull"

    def __init__(self, factor=0.5):
        self.factor = factor

    @property
    def cache_key(self):
        return f"1 {self.factor}"

    def __call__(self, signal, sampling_rate, rng):
        return signal * self.factor, sampling_rate / 2


def test_an_effect_of_ones_own_happens_where_it_stands():
    heard = []

    def note(name):
        def effect(signal, sampling_rate, rng):
            heard.append((name, signal.size, sampling_rate))
            return signal

        effect.__name__ = name
        return effect

    effects = (note("first"), "band", note("last"), "lead", note("middle"))
    (copy,) = copies_of([tone()], effects=effects)
    read(copy)
    assert [name_of(effect) for effect in copy.effects] == [
        *("first", "lead", "middle", "band", "last"),
    ]
    first, middle, last = heard
    assert first == ("first", RATE, RATE)
    assert middle[1] > RATE
    assert last[1] < middle[1]
    assert last[2] < RATE


def test_an_effect_of_ones_own_changes_nothing_for_others(speech):
    signals = list(speech.signals)
    options = {"probability": 0.4, "random_state": 3}
    without = copies_of(signals, **options)
    with_own = copies_of(signals, effects=(*EFFECTS, clip, Keyed()), **options)
    happened = 0
    for one, other in zip(without, with_own, strict=True):
        own = [effect for effect in other.effects if not isinstance(effect, str)]
        happened += len(own)
        if not own:
            assert one.cache_key == other.cache_key
            assert sounds([one]) == sounds([other])
        assert one.seed == other.seed
    assert 0.15 < happened / len(signals) / 2 < 0.7


def test_what_has_a_key_is_cached_and_what_has_none_is_not(tmp_path):
    signals = [RNG.normal(size=4000) for _ in range(2)]
    for effect in (clip, lambda *args: clip(*args)):
        assert {c.cache_key for c in copies_of(signals, effects=(effect,))} == {None}
    keys = [
        copies_of(signals[:1], effects=(effect,))[0].cache_key
        for effect in (Keyed(), Keyed(), Keyed(0.25), "noise", Noise(), Noise((0, 9)))
    ]
    assert keys[0] == keys[1]
    assert keys[3] == keys[4]
    assert len({*keys} - {None}) == 4
    extractor = SpeechFeatureExtractor(duration=0.3, memory=tmp_path)
    for effects in ((Keyed(),), (Keyed(0.25),), (clip,)):
        copies = copies_of(signals, effects=effects)
        expected = clone(extractor).set_params(memory=None).transform(copies)
        for _ in range(2):
            np.testing.assert_array_equal(extractor.transform(copies), expected)


def test_effects_may_want_the_ratio_and_voices():
    class Chatter:
        wants = ("voices", "snr")
        n_voices = 2

        def __call__(self, signal, sampling_rate, rng, *, snr, voices):
            assert snr == 12.0
            assert [voice.size for voice in voices] == [RATE] * 2
            return signal + sum(voices)

    copies = copies_of([tone(), 2 * tone()], effects=(Chatter(),), snr=(12.0, 12.0))
    for copy in copies:
        assert name_of(copy.effects[0]) == "Chatter"
        assert np.abs(read(copy)).max() > 2.9


def test_known_effects_own_their_ranges():
    loud, soft = (
        copies_of([tone()], effects=(Noise(snr=(snr, snr)),))[0] for snr in (0, 40)
    )
    noise = [np.mean((read(copy) - tone()) ** 2) for copy in (loud, soft)]
    np.testing.assert_allclose(noise, [0.5, 0.5e-4], rtol=1e-3)
    (copy,) = copies_of([tone()], effects=(Speed((2.0, 2.0)),))
    assert len(read(copy)) == pytest.approx(RATE / 2, abs=1)
    copies = copies_of([tone()] * 3, effects=(Babble(n_voices=1),))
    assert {len(copy.voices) for copy in copies} == {1}


def test_effects_survive_clones_pickles_and_searches(speech):
    augmenter = SpeechAugmenter(1, effects=("lead", Noise((0, 5)), clip, Keyed()))
    assert clone(augmenter).effects[:3] == augmenter.effects[:3]
    copies = copies_of(list(speech.signals[:4]), effects=augmenter.effects)
    travelled = pickle.loads(pickle.dumps(copies))
    assert sounds(travelled) == sounds(copies)
    X, y = list(speech.signals), speech.target
    pipeline = make_pipeline(
        augmenter.set_params(random_state=0),
        SpeechFeatureExtractor(duration=0.5),
        SequenceFunctionals(),
        SVC(),
    )
    grid = {"speechaugmenter__effects": [(clip,), (Noise(), "lead")]}
    with pytest.warns(TruncationWarning):
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


class Loud(Noise):
    """One's own by another class, whose name is that of a known one."""


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        ((Noise,), r"effects must be some of .*, of which <class .*Noise'> is neither"),
        ((3,), "of which 3 is neither"),
        (("noise", Noise((0, 5))), "each once; got 'noise' twice"),
        ((clip, clip), "each once; got 'clip' twice"),
        ((Loud(),), "one of your own that is called 'noise', as a known one is"),
    ],
)
def test_effects_that_cannot_be_told_apart(effects, message):
    with pytest.raises(ValueError, match=message):
        SpeechAugmenter(effects=effects).fit([tone()])


def test_effects_that_want_what_there_is_not():
    def effect(signal, sampling_rate, rng):
        return signal

    effect.wants = ("text",)
    with pytest.raises(ValueError, match="'effect' wants text, and can have snr and"):
        SpeechAugmenter(effects=(effect,)).fit([tone()])


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (lambda *_: None, TypeError, "the effect 'mine' must return a signal of shape"),
        (lambda s, *_: s[np.newaxis], TypeError, r"got ndarray of shape \(1, 16000\)"),
        (lambda s, *_: (s, 0), TypeError, "at 0 Hz"),
        (lambda s, *_: s[:0], AudioError, "'mine' has returned no samples"),
        (lambda s, *_: s / 0 * np.inf, AudioError, "some that are not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_an_effect_returns_is_looked_at(made, error, message):
    made.__name__ = "mine"
    copies = copies_of([tone()], effects=(made,))
    with pytest.raises(error, match=message):
        SpeechFeatureExtractor().transform(copies)


@pytest.mark.parametrize(
    ("cls", "ranges"),
    [
        (Noise, {"snr": (10, 0)}),
        (Noise, {"slopes": 1}),
        (Babble, {"n_voices": 0}),
        (Speed, {"speeds": (0, 1)}),
        (Lead, {"longest": -1}),
        (Room, {"decays": (0.1, np.nan)}),
        (Room, {"direct_ratios": ("a", "b")}),
        (Band, {"rates": (8000,)}),
        (Band, {"starts": (50, 5000)}),
        (Band, {"ends": (0.8, 1.5)}),
    ],
)
def test_ranges_that_are_none(cls, ranges):
    (name,) = ranges
    with pytest.raises(ValueError, match=f"{name} of {cls.__name__} must be"):
        cls(**ranges)
