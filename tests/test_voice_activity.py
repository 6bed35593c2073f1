"""Speech is told from silence, noise, tones and music."""

import io
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import soundfile

from skemotion import AudioError, speech_mask
from skemotion.datasets import make_emotional_speech
from skemotion.exceptions import CancellationWarning
from skemotion.voice_activity import (
    _voice,
    has_speech,
    speech_seconds,
    voice_activity,
)

RATE = 16000
SURE = (
    "silence",
    "offset",
    "white noise",
    "pink noise",
    "brown noise",
    "blue noise",
    "room tone",
    "modulated noise",
    "hum",
    "tone",
    "tones",
    "buzz",
    "sweep",
    "siren",
    "beeps",
    "DTMF",
    "clicks",
    "click train",
    "knocks",
)


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(n_speakers=2, n_texts=2, random_state=3)


@pytest.fixture(scope="module")
def voice(speech):
    """One utterance of a woman, in anger."""
    return speech.signals[0]


def room_tone(seconds, rng):
    return 1e-4 * rng.normal(size=int(seconds * RATE))


@pytest.mark.parametrize("kind", SURE)
def test_no_speech_in_sounds(benchmark, kind):
    make_sound = benchmark("_sounds").make_sound
    for seed in range(5):
        _, sound = make_sound(np.random.default_rng(seed), kind)
        assert not has_speech(sound, RATE), seed


def test_little_speech_in_simple_music(benchmark):
    sounds = benchmark("_sounds")
    found = {
        kind: [
            has_speech(sounds.make_sound(np.random.default_rng(seed), kind)[1], RATE)
            for seed in range(8)
        ]
        # Of drums and moving resonances, a third to a half are called speech.
        for kind in sounds.MUSIC
        if kind not in ("drums", "swept synthesiser")
    }
    assert np.mean(list(found.values())) < 0.2


@pytest.mark.parametrize("rate", [100, 250, 400])
def test_no_speech_in_click_trains(rate):
    clicks = np.zeros(3 * RATE)
    clicks[:: RATE // rate] = 1
    assert not has_speech(clicks, RATE)


def test_speech_of_all_emotions(speech):
    found = [has_speech(signal, speech.sampling_rate) for signal in speech.signals]
    assert np.mean(found) > 0.95


@pytest.mark.parametrize("rate", [4000, 7999, 8000, 11025, 22050, 44100, 48000])
def test_speech_at_any_rate(speech, rate):
    import soxr

    for signal in speech.signals[::7]:
        assert has_speech(soxr.resample(signal, RATE, rate), rate)


def test_no_speech_below_4_kHz(voice):
    assert voice_activity(voice[:2000], 2000).tolist() == [False] * 100


@pytest.mark.parametrize("gain", [1e-30, 1e-5, 0.25, 3, 1e30])
def test_gain_and_offset_change_nothing(voice, gain):
    expected = voice_activity(voice, RATE)
    assert expected.any()
    signal = gain * (voice.astype(float) + 0.125)
    np.testing.assert_array_equal(voice_activity(signal, RATE), expected)


@pytest.mark.parametrize("rate", [4000, 11025, 16000, 44100])
@pytest.mark.parametrize("seconds", [0, 0.005, 0.01, 0.0101, 0.29, 0.3, 1, 2, 2.005])
def test_one_value_per_10_ms(rate, seconds):
    n_samples = round(seconds * rate)
    signal = np.random.default_rng(0).normal(size=n_samples)
    expected = -(-100 * n_samples // rate)
    for values in (signal, np.zeros(n_samples), np.ones(n_samples)):
        active = voice_activity(values, rate)
        assert active.dtype == bool
        assert active.shape == (expected,)


def test_speech_is_found_where_it_is(voice):
    rng = np.random.default_rng(0)
    before, after = room_tone(6, rng), room_tone(5, rng)
    active = voice_activity(np.concatenate([before, voice, after]), RATE)
    begin, end = 600, 600 + len(voice) // 160
    assert not active[: begin - 20].any()
    assert not active[end + 20 :].any()
    assert active[begin:end].mean() > 0.6


@pytest.mark.parametrize("silence", [np.zeros, lambda n: 1e-4 * np.arange(n) / n])
def test_a_second_of_speech_in_half_a_minute(voice, silence):
    signal = silence(30 * RATE)
    signal[14 * RATE : 15 * RATE] += voice[RATE // 4 : RATE // 4 + RATE]
    assert has_speech(signal, RATE)
    assert 0.5 < speech_seconds(signal, RATE) < 1.5
    assert speech_mask([(signal, RATE)]).tolist() == [True]


def test_frames_at_once_do_not_matter(voice, monkeypatch):
    expected = voice_activity(voice, RATE)
    monkeypatch.setattr(_voice, "_AT_ONCE", 7)
    np.testing.assert_array_equal(voice_activity(voice, RATE), expected)


def test_lists_and_integers(voice):
    integers = np.round(voice / np.abs(voice).max() * 32767).astype(np.int16)
    active = voice_activity(integers, RATE)
    assert active.mean() > 0.5
    np.testing.assert_array_equal(voice_activity(integers.tolist(), RATE), active)


def test_recordings_of_all_kinds(voice, tmp_path):
    path = tmp_path / "voice.wav"
    soundfile.write(path, voice, RATE)
    antiphase = tmp_path / "antiphase.wav"
    soundfile.write(antiphase, np.column_stack([voice, -voice]), RATE)
    file = io.BytesIO(path.read_bytes())
    file.seek(100)

    def function(*, sampling_rate, duration):
        return voice, RATE

    recordings = [path, str(antiphase), file, voice, (voice, RATE), function]
    with pytest.warns(CancellationWarning, match="of 1 of 5 recordings") as caught:
        mask = speech_mask(recordings)
    assert caught[0].message.names == [str(antiphase)]
    assert mask.dtype == bool
    assert mask.tolist() == [True, False, True, True, True, True]
    assert file.tell() == 100
    with pytest.warns(CancellationWarning):
        assert speech_mask(iter(recordings[:2])).tolist() == [True, False]


def test_all_unreadable_recordings_are_named(voice, tmp_path):
    bad = voice.copy()
    bad[-1] = np.nan
    text = tmp_path / "text.wav"
    text.write_text("no audio")
    missing = tmp_path / "missing.wav"
    with pytest.raises(AudioError) as caught:
        speech_mask([voice, bad, str(text), str(missing), np.empty(0), 3])
    names, reasons = zip(*caught.value.failures, strict=True)
    assert names == ("X[1]", str(text), str(missing), "X[4]", "X[5]")
    assert reasons[2] == "no such file"
    assert reasons[3] == "it holds no samples"
    with pytest.raises(TypeError, match=r"\[signal\]"):
        speech_mask(voice.tolist())


def test_long_recordings_are_never_held_as_a_whole(voice, tmp_path):
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for _ in range(60):
            file.write(np.zeros(10 * RATE))
        file.write(voice)
    speech_mask([voice])
    tracemalloc.start()
    assert speech_mask([path]).tolist() == [True]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25e6  # all of it is 38 MB in single precision


def test_it_needs_numpy_alone():
    code = (
        "import sys; import numpy; from skemotion.voice_activity import has_speech; "
        "has_speech(numpy.random.default_rng(0).normal(size=16000), 16000); "
        "print(*{'scipy', 'sklearn', 'librosa', 'soundfile'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.emodb
def test_speech_in_real_recordings(emodb):
    assert speech_mask(emodb.paths).all()


@pytest.mark.emodb
@pytest.mark.parametrize(
    ("condition", "at_least"),
    [
        ("white noise, 20 dB", 0.98),
        ("telephone band", 0.98),
        ("1 s of room tone first", 0.98),
        ("MP3, 32 kbit/s", 0.98),
        ("first 2 s", 0.98),
        ("small room", 0.98),
        ("babble, 0 dB", 0.95),
        ("white noise, 0 dB", 0.95),
    ],
)
def test_speech_in_degraded_recordings(benchmark, emodb, condition, at_least):
    if "MP3" in condition:
        pytest.importorskip("soundfile", minversion="0.13")  # is told the bit rate
    degrade = benchmark("robustness").degrade
    found = [
        has_speech(*degrade(condition, index, emodb)) for index in range(0, 535, 9)
    ]
    assert np.mean(found) >= at_least
