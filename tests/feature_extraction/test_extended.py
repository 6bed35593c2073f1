"""The extended set: what its columns measure, and that they always do."""

import librosa
import numpy as np
import pytest

from skemotion import SpeechFeatureExtractor

RATE = 16000
extractor = SpeechFeatureExtractor(descriptors="extended", duration=1.0)
NAMES = extractor.get_feature_names_out().tolist()


def describe(signal):
    return extractor.transform([np.asarray(signal, dtype="float32")])[0]


def column(frames, name):
    return frames[:, NAMES.index(name)]


def harmonic_tone(f0, n_harmonics=8, seconds=1.0):
    time = np.arange(int(seconds * RATE)) / RATE
    parts = [np.sin(2 * np.pi * f0 * k * time) / k for k in range(1, n_harmonics + 1)]
    return 0.1 * np.sum(parts, axis=0)


def test_begins_with_the_posts_descriptors():
    post = SpeechFeatureExtractor(duration=1.0)
    signal = np.random.default_rng(0).normal(size=RATE).astype("float32")
    assert NAMES[:46] == post.get_feature_names_out().tolist()
    assert len(NAMES) == len(set(NAMES)) == 127
    np.testing.assert_array_equal(describe(signal)[:, :46], post.transform([signal])[0])


def test_contrasts_are_those_of_librosa_below_7_khz():
    signal = np.random.default_rng(0).normal(size=RATE)
    signal = (signal - signal.mean()).astype("float32")
    # librosa's last band runs up to half of the rate: here there is none.
    spectrum = abs(librosa.stft(signal))[: 1 + 7000 * 2048 // RATE]
    frequencies = librosa.fft_frequencies(sr=RATE, n_fft=2048)[: len(spectrum)]
    wanted = librosa.feature.spectral_contrast(S=spectrum, sr=RATE, freq=frequencies)
    first = NAMES.index("spectral_contrast_1")
    actual = describe(signal)[:, first : first + 6]
    np.testing.assert_allclose(actual, wanted[1:].T, rtol=1e-4, atol=1e-3)


def test_contrast_of_silence_is_none():
    first = NAMES.index("spectral_contrast_1")
    signal = np.zeros(RATE)
    signal[:1000] = harmonic_tone(120)[:1000]
    assert not describe(signal)[-5:, first : first + 6].any()


def test_band_levels_are_those_of_librosa():
    signal = np.random.default_rng(0).normal(size=RATE).astype("float32")
    signal[-RATE // 3 :] = 0
    mel = librosa.feature.melspectrogram(
        y=signal, sr=RATE, n_fft=512, hop_length=128, n_mels=26, fmin=50, fmax=7000
    )
    level = np.log(mel[:, 38:42])
    first = NAMES.index("log_mel_0")
    actual = describe(signal)[10, first : first + 26]
    # But for the mean of the signal, and a floor far below it.
    np.testing.assert_allclose(actual, level.mean(axis=1), atol=0.01)


def test_silence_that_is_left_out_is_as_if_analysed():
    signal = np.zeros(RATE)
    signal[RATE // 4 : RATE // 2] = harmonic_tone(120, seconds=0.25)
    whole = signal.copy()
    whole[[0, -1]] = 1e-30
    np.testing.assert_allclose(
        describe(signal)[:, 46:], describe(whole)[:, 46:], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("f0", [90.0, 220.0, 440.0])
def test_pitch_of_a_tone(f0):
    frames = describe(harmonic_tone(f0))
    np.testing.assert_allclose(2 ** column(frames, "log_f0"), f0, rtol=0.01)
    np.testing.assert_allclose(column(frames, "voicing"), 1)
    assert column(frames, "jitter").max() < 0.01
    assert np.median(column(frames, "harmonicity")) > 20


def test_pitch_is_bridged_over_silence_and_noise():
    low, high = harmonic_tone(110, seconds=0.35), harmonic_tone(220, seconds=0.35)
    frames = describe(np.concatenate([low, np.zeros(RATE * 3 // 10), high]))
    pitch = column(frames, "log_f0")
    assert (np.diff(pitch) > -0.02).all()
    np.testing.assert_allclose(2 ** pitch[[2, -3]], [110, 220], rtol=0.02)
    assert column(frames, "voicing")[len(frames) // 2] == 0

    noise = np.random.default_rng(0).normal(size=RATE)
    frames = describe(noise)
    assert np.mean(column(frames, "voicing")) < 0.2
    assert np.median(column(frames, "harmonicity")) < 0


def test_tremor_is_seen_in_jitter_and_shimmer():
    time = np.arange(RATE) / RATE
    phase = 2 * np.pi * 150 * time + 1.5 * np.sin(2 * np.pi * 12 * time)
    trembling = sum(np.sin(k * phase) / k for k in range(1, 6))
    trembling *= 0.1 * (1 + 0.5 * np.sin(2 * np.pi * 9 * time))
    frames, steady = describe(trembling), describe(harmonic_tone(150))
    for name in ("jitter", "shimmer"):
        assert np.median(column(frames, name)) > 5 * np.median(column(steady, name))


def test_formants_of_filtered_pulses():
    from scipy.signal import lfilter

    pulses = np.zeros(RATE)
    pulses[:: RATE // 100] = 1.0
    for hertz in (700, 1200, 2600):
        radius, angle = np.exp(-np.pi * 80 / RATE), 2 * np.pi * hertz / RATE
        pulses = lfilter([1], [1, -2 * radius * np.cos(angle), radius**2], pulses)
    frames = describe(0.5 * pulses / np.abs(pulses).max())
    for number, hertz in enumerate((700, 1200, 2600), start=1):
        found = np.median(column(frames, f"formant_{number}"))
        assert abs(found - hertz) < 60


@pytest.mark.parametrize(
    "signal",
    [
        np.zeros(RATE),
        np.ones(RATE),
        np.sign(np.sin(np.arange(RATE) * 0.1)),
        np.append(np.zeros(RATE - 1), 1.0),
        1e-7 * np.random.default_rng(0).normal(size=RATE),
        np.ones(1),
    ],
    ids=["silence", "constant", "square", "click", "faint", "one sample"],
)
def test_every_signal_has_finite_descriptors(signal):
    assert np.isfinite(describe(signal)).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"sampling_rate": 22050},
        {"sampling_rate": 22050, "hop_length": 420},
        {"hop_length": 500},
        {"hop_length": 500, "frame_length": 1023},
        {"sampling_rate": 44100, "hop_length": 441},
        {"n_mfcc": 13},
    ],
)
def test_other_parameters_give_the_same_columns(parameters):
    other = SpeechFeatureExtractor(descriptors="extended", duration=0.5, **parameters)
    signal = np.random.default_rng(0).normal(size=RATE // 2)
    shape = other.transform([(signal, RATE)]).shape
    assert shape[2] == len(other.get_feature_names_out())
    assert shape[2] == 87 + 2 * parameters.get("n_mfcc", 20)
    assert shape[1] * other.frame_seconds == pytest.approx(0.5, abs=0.04)


def test_too_low_a_sampling_rate_is_refused():
    low = SpeechFeatureExtractor(descriptors="extended", sampling_rate=15_999)
    with pytest.raises(ValueError, match="'extended' cannot be computed at 15999 Hz"):
        low.fit([np.zeros(100)])
