"""What each descriptor of the extended set is, by formulas written down a second time.

Where librosa has a descriptor, it is the oracle (see also ``test_extended.py``); the
others are computed here from librosa's spectra, in double precision, or of sounds for
which the answer is known.
"""

import librosa
import numpy as np
import pytest
from scipy.linalg import solve_toeplitz
from scipy.signal import butter, resample_poly, sosfilt

from skemotion import SpeechFeatureExtractor
from skemotion.feature_extraction._mel import mel_filters, mel_powers
from skemotion.feature_extraction._pitch import track_pitch
from skemotion.feature_extraction._spectral import contrast_bands, lowest_contrast

RATE, FRAME, HOP, STEP = 16_000, 2048, 512, 128
STEP_SECONDS = STEP / RATE
extractor = SpeechFeatureExtractor(descriptors="extended", duration=1.0)
NAMES = extractor.get_feature_names_out().tolist()
TIME = np.arange(RATE) / RATE


def describe(signal):
    return extractor.transform([np.asarray(signal, dtype="float32")])[0]


def column(frames, name):
    return frames[:, NAMES.index(name)].astype(float)


def columns(frames, first, n):
    start = NAMES.index(first)
    return frames[:, start : start + n].astype(float)


def make_sound(seed=0):
    """Noise with resonances and harmonics that swells, without a mean.

    No two bins hold the same, so that a band that is off by one shows.
    """
    rng = np.random.default_rng(seed)
    sound = 0.3 * rng.normal(size=RATE)
    sound += sum(np.sin(2 * np.pi * 130 * k * TIME) / k for k in range(1, 30))
    sound *= 0.05 + 0.2 * TIME
    return (sound - sound.mean()).astype(np.float32)


def power_of(signal, n_fft=FRAME, hop_length=HOP):
    """Return power of shape (n_frames, n_bins), and frequencies."""
    spectrum = librosa.stft(signal, n_fft=n_fft, hop_length=hop_length)
    frequencies = librosa.fft_frequencies(sr=RATE, n_fft=n_fft)
    return np.abs(spectrum.astype(np.complex128)).T ** 2, frequencies


def floor_of(signal, decibels, n_fft=FRAME):
    """Return the power, in its bin, of a tone so many dB below the peak."""
    amplitude = 10 ** (-decibels / 20) * np.abs(signal).max()
    tone = amplitude * np.cos(2 * np.pi * np.arange(n_fft) / 4)  # in the middle of one
    window = librosa.filters.get_window("hann", n_fft)
    return np.abs(np.fft.rfft(tone * window)).max() ** 2


def voice_band(signal):
    """Return power from 50 to 7000 Hz, with the floor, and frequencies."""
    power, frequencies = power_of(signal)
    inside = (frequencies >= 50) & (frequencies < 7000)
    return power[:, inside] + floor_of(signal, 80), frequencies[inside]


def assert_close(actual, expected, tolerance=1e-3):
    """Compare within a thousandth of the spread over frames."""
    error = np.abs(actual - expected).max()
    assert error <= tolerance * expected.std()


SHAPES = {
    "log_energy": lambda power, f: np.log(power.sum(axis=1)),
    "spectral_flatness": lambda power, f: np.log(
        librosa.feature.spectral_flatness(S=np.sqrt(power).T, power=2.0, amin=1e-30)[0]
    ),
    "spectral_slope": lambda power, f: np.polyfit(f / 1000, np.log(power).T, 1)[0],
    "spectral_entropy": lambda power, f: (
        -np.sum(_part(power) * np.log(_part(power)), 1)
    ),
    "spectral_skewness": lambda power, f: (
        _moment(power, f, 3) / _moment(power, f, 2) ** 1.5
    ),
    "log_spectral_kurtosis": lambda power, f: np.log(
        _moment(power, f, 4) / _moment(power, f, 2) ** 2
    ),
    # As GeMAPS has them, but for the natural logarithm in place of decibels.
    "alpha_ratio": lambda power, f: np.log(
        power[:, (f >= 50) & (f < 1000)].sum(axis=1)
        / power[:, (f >= 1000) & (f < 5000)].sum(axis=1)
    ),
    "hammarberg_index": lambda power, f: np.log(
        power[:, f < 2000].max(axis=1) / power[:, (f >= 2000) & (f < 5000)].max(axis=1)
    ),
    "spectral_flux": lambda power, f: np.append(
        0, np.linalg.norm(np.diff(np.sqrt(_part(power)), axis=0), axis=1)
    ),
}


def _part(power):
    return power / power.sum(axis=1, keepdims=True)


def _moment(power, frequencies, order):
    part = _part(power)
    centroid = part @ frequencies
    return np.sum(part * (frequencies - centroid[:, np.newaxis]) ** order, axis=1)


@pytest.mark.parametrize("offset", [0.0, 0.3])
@pytest.mark.parametrize("name", SHAPES)
def test_shape_of_the_spectrum(name, offset):
    """The mean is subtracted before, so that an offset changes nothing."""
    signal = make_sound()
    actual = column(describe(signal + np.float32(offset)), name)
    assert_close(actual, SHAPES[name](*voice_band(signal)))


def test_every_shape_has_a_formula():
    first = NAMES.index("change_log_mel_25") + 1
    assert set(NAMES[first : NAMES.index("log_f0")]) == set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_shape_of_a_faint_spectrum_has_a_floor_80_db_below_the_peak(name):
    # Nothing but two tones: what lies between them is far below the floor.
    signal = sum(
        amplitude * np.sin(2 * np.pi * hertz * TIME)
        for hertz, amplitude in ((500, 0.5 + 0.4 * TIME), (3000, 1e-3))
    ).astype(np.float32)
    actual = column(describe(signal), name)
    middle = slice(3, -3)  # where tones begin and end, they are nearly everywhere
    expected = SHAPES[name](*voice_band(signal))[middle]
    np.testing.assert_allclose(
        actual[middle], expected, rtol=2e-3, atol=2e-3 * np.abs(expected).max()
    )


@pytest.mark.parametrize(
    ("name", "floor", "is_change"),
    [("log_mel_0", 80, False), ("change_log_mel_0", 60, True)],
)
@pytest.mark.parametrize("is_faint", [False, True])
def test_mel_bands_of_short_windows(name, floor, is_change, is_faint):
    signal = make_sound()
    if is_faint:
        signal = (np.sin(2 * np.pi * 300 * TIME) * (1 + TIME)).astype(np.float32)
    power, _ = power_of(signal, n_fft=512, hop_length=STEP)
    filters = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=26, fmin=50, fmax=7000)
    filters = filters.astype(float).T
    level = np.log((power + floor_of(signal, floor, 512)) @ filters)
    if is_change:
        level = np.abs(np.diff(level, axis=0, prepend=level[:1]))
    # Of the four windows around a frame, two are behind its centre.
    around = np.arange(32)[:, np.newaxis] * HOP // STEP + [-2, -1, 0, 1]
    expected = level[np.clip(around, 0, len(level) - 1)].mean(axis=1)
    actual = columns(describe(signal), name, 26)
    np.testing.assert_allclose(actual, expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("first_peak", [1.0, 0.05])
def test_contrasts_are_those_of_librosa_where_one_band_is_the_loudest(first_peak):
    """What is 80 dB below the highest peak, or valley, of all bands counts as that."""
    rng = np.random.default_rng(0)
    magnitudes = 0.01 * rng.uniform(0.5, 1, size=(9, 1025)).astype(np.float32)
    magnitudes[:, :26] = first_peak * np.geomspace(1e-9, 1, 26)
    magnitudes[:, 500] = 1.1  # one bin of many, which alone makes no peak
    wanted = librosa.feature.spectral_contrast(S=magnitudes.T, sr=RATE)[0]
    bands = contrast_bands(RATE, FRAME)
    actual = lowest_contrast(magnitudes, bands)
    np.testing.assert_allclose(actual, wanted, rtol=1e-5)


# Of 1600 samples, bands meet in bins; their peaks and valleys are of several bins.
@pytest.mark.parametrize("frame_length", [FRAME, 1600, 8192])
@pytest.mark.parametrize("loudest", [0, 3, 6])
def test_contrast_is_bounded_by_the_highest_of_all_bands(frame_length, loudest):
    bands = contrast_bands(RATE, frame_length)
    rng = np.random.default_rng(loudest)
    magnitudes = rng.gamma(2, 1e-9, (20, 1 + frame_length // 2)).astype(np.float32)
    start, stop, _ = bands[loudest]
    magnitudes[5:9, start:stop] += rng.uniform(1, 9, (4, stop - start))
    wanted = librosa.feature.spectral_contrast(S=magnitudes.T, sr=RATE)[0]
    actual = lowest_contrast(magnitudes, bands)
    np.testing.assert_allclose(actual, wanted, rtol=1e-5, atol=1e-5)


# Of short frames, some filters are narrower than the distance of bins, and empty.
@pytest.mark.parametrize(
    "bank", [(RATE, FRAME, 128), (RATE, 256, 100), (RATE, FRAME, 1), (8000, 512, 17)]
)
def test_mel_powers_are_those_of_all_filters(bank):
    shape = 20, 1 + bank[1] // 2
    power = np.random.default_rng(0).gamma(2, size=shape).astype(np.float32)
    wanted = power.astype(np.float64) @ mel_filters(*bank)
    np.testing.assert_allclose(mel_powers(power, *bank), wanted, rtol=1e-5)


def test_contrasts_have_a_floor_80_db_below_the_peak():
    signal = (0.5 * np.sin(2 * np.pi * 1000 * TIME)).astype(np.float32)
    actual = columns(describe(signal), "spectral_contrast_1", 6)[10:-10]
    # The tone is in the third octave from 200 Hz, and nothing is in the others.
    assert actual[:, 2].min() > 30
    assert np.abs(actual[:, [0, 4, 5]]).max() < 1
    # Of the 103 bins from 800 to 1600 Hz, two make the peak; the valley is the floor.
    magnitudes = np.sqrt(power_of(signal)[0][10:-10])
    inside = magnitudes[:, 103:206]
    peak = np.sort(inside, axis=1)[:, -2:].mean(axis=1)
    expected = 10 * np.log10(peak / np.sqrt(floor_of(signal, 80)))
    np.testing.assert_allclose(actual[:, 2], expected, rtol=1e-3)


def harmonics(f0, amplitudes):
    """Add up harmonics of a pitch, in Hz, that may change over time."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(f0, RATE)) / RATE
    parts = zip(range(1, len(amplitudes) + 1), amplitudes, strict=True)
    return sum(amplitude * np.sin(k * phase) for k, amplitude in parts)


@pytest.mark.parametrize("hop_length", [100, 128])
@pytest.mark.parametrize("direction", [1, -1])
def test_levels_are_the_largest_samples_around_the_centre(hop_length, direction):
    rng = np.random.default_rng(0)
    signal = rng.normal(size=3200) * np.geomspace(1e-6, 1, 3200)[::direction]
    level = track_pitch(
        signal.astype(np.float32), sampling_rate=RATE, hop_length=hop_length
    ).level
    # Windows of 40 ms are looked at in their middle half, a sample early.
    padded = np.pad(np.abs(signal), 400)
    centres = 400 + np.arange(1 + 3200 // hop_length) * hop_length
    peaks = np.array([padded[one - 161 : one + 159].max() for one in centres])
    expected = np.log(peaks + 1e-4 * np.abs(signal).max())
    np.testing.assert_allclose(level, expected, rtol=1e-5)


def make_babble(seed):
    """Voices that glide, tremble, creak and fade into noise, below 7 kHz."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(24):
        seconds = np.arange(rng.integers(1200, 3000)) / RATE
        pitch = rng.uniform(80, 480) * 2 ** (rng.normal() * seconds / seconds[-1])
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        voice = sum(rng.uniform() / k * np.sin(k * phase) for k in range(1, 9))
        voice += rng.uniform(0, 0.6) * np.sin(phase / 2)  # every second one is louder
        voice += rng.uniform(0, 1.2) * rng.normal(size=len(seconds))
        parts.append(voice * 10 ** rng.uniform(-2.2, 0))
    return sosfilt(butter(10, 6000, fs=RATE, output="sos"), np.concatenate(parts))


def correlate_plainly(signal, centre):
    """Return the normalised autocorrelation of a window of 40 ms, by its lag."""
    window = np.hanning(640)
    frame = signal[centre - 321 : centre + 319]
    frame = (frame - frame.mean()) * window
    own, of_window = (
        np.correlate(values, values, "full")[639:900] for values in (frame, window)
    )
    return own / own[0] / (of_window / of_window[0])


def candidates_plainly(correlation):
    """Return up to five pairs of pitch and strength, by Boersma's (1993) rules."""
    found = []
    for lag in range(RATE // 500, RATE // 75 + 1):
        left, middle, right = correlation[lag - 1 : lag + 2]
        if middle > 0.3 * 0.45 and left < middle >= right:
            bend = left - 2 * middle + right
            shift = (left - right) / (2 * bend)
            strength = middle - (left - right) * shift / 4
            score = middle - 0.01 * np.log2(75 * lag / RATE)
            found.append((score, RATE / (lag + shift), min(strength, 1)))
    return [pair for _, *pair in sorted(found, reverse=True)[:5]]


def cost_plainly(one, other, hop_length):
    """Return what it costs to go from one pitch to the next; 0 is no voice."""
    scale = 0.01 * RATE / hop_length
    if one == 0 == other:
        return 0
    if one == 0 or other == 0:
        return 0.14 * scale
    return 0.35 * scale * abs(np.log2(one / other))


def track_plainly(signal, hop_length):
    """Find the best way through all candidates, by Boersma's costs."""
    padded, loudest = np.pad(signal, 400), np.abs(signal).max()
    ways = None
    for number in range(1 + len(signal) // hop_length):
        centre = 400 + number * hop_length
        peak = np.abs(padded[centre - 161 : centre + 159]).max()
        silence = max(0, 2 - peak / loudest * (1 + 0.45) / 0.03)
        states = [(0, 0.45 + silence)]
        for pitch, strength in candidates_plainly(correlate_plainly(padded, centre)):
            states.append((pitch, strength - 0.01 * np.log2(75 / pitch)))
        if ways is None:
            ways = [(gain, [pitch]) for pitch, gain in states]
            continue
        ways = [
            max(
                (total + gain - cost_plainly(way[-1], pitch, hop_length), [*way, pitch])
                for total, way in ways
            )
            for pitch, gain in states
        ]
    return np.array(max(ways)[1])


@pytest.mark.parametrize(
    ("seed", "hop_length"), [(0, 128), (1, 128), (1, 200), (2, 200)]
)
def test_pitch_is_that_of_boersma(seed, hop_length):
    signal = make_babble(seed)
    expected = track_plainly(signal, hop_length)
    assert 0.2 < np.mean(expected > 0) < 0.8
    tracked = track_pitch(
        signal.astype(np.float32), sampling_rate=RATE, hop_length=hop_length
    )
    np.testing.assert_allclose(tracked.f0[3:-3], expected[3:-3], rtol=1e-3)


MIDDLE = slice(6, -6)
VOICE = [0.2, 0.15, 0.1, 0.08, 0.05]


@pytest.mark.parametrize(("f0", "is_found"), [(70, False), (78, True), (490, True)])
def test_pitch_is_looked_for_between_75_and_500_hz(f0, is_found):
    frames = describe(harmonics(f0, [0.1] * 6))[MIDDLE]
    found = np.abs(2 ** column(frames, "log_f0") / f0 - 1) < 0.02
    assert found.all() if is_found else not found.any()


def test_too_high_a_pitch_is_taken_for_half_of_it():
    frames = describe(0.3 * np.sin(2 * np.pi * 540 * TIME))[MIDDLE]
    np.testing.assert_allclose(2 ** column(frames, "log_f0"), 270, rtol=0.02)


def noisy_voice(strength, seed=0):
    """A tone with noise, of which the tone has this part of the power."""
    noise = np.random.default_rng(seed).normal(size=RATE)
    tone = np.sqrt(2) * np.sin(2 * np.pi * 200 * TIME)
    return 0.1 * (np.sqrt(strength) * tone + np.sqrt(1 - strength) * noise)


@pytest.mark.parametrize("strength", [0.8, 0.9, 0.97])
def test_harmonicity_is_the_ratio_of_harmonics_to_noise(strength):
    # Above 7 kHz nothing counts, and so neither does an eighth of the noise.
    noise = (1 - strength) * 7000 / 8000
    expected = 10 * np.log10(strength / noise)
    frames = describe(noisy_voice(strength))[MIDDLE]
    assert np.median(column(frames, "harmonicity")) == pytest.approx(expected, abs=1)


def test_harmonicity_is_between_30_db_and_minus_30_db():
    pure = describe(harmonics(200, VOICE))[MIDDLE]
    assert 27 < np.median(column(pure, "harmonicity")) < 30.01
    frames = describe(np.random.default_rng(0).normal(size=RATE))
    assert column(frames, "harmonicity").min() > -30.01
    silent = describe(np.zeros(RATE))
    np.testing.assert_allclose(column(silent, "harmonicity"), -30, atol=0.01)


@pytest.mark.parametrize(("strength", "is_voiced"), [(0.3, False), (0.65, True)])
def test_voice_has_an_autocorrelation_above_0_45(strength, is_voiced):
    voicing = column(describe(noisy_voice(strength)), "voicing")[MIDDLE]
    assert (voicing.mean() > 0.9) if is_voiced else (voicing.mean() < 0.3)


@pytest.mark.parametrize(("level", "is_voiced"), [(0.01, False), (0.06, True)])
def test_what_is_far_below_the_peak_is_no_voice(level, is_voiced):
    """Less than 0.03 / 1.45 of it, at the most a threshold's height above."""
    signal = harmonics(200, VOICE)
    signal[: RATE // 2] *= level
    voicing = column(describe(signal), "voicing")[2:12]
    assert voicing.mean() == pytest.approx(float(is_voiced), abs=0.05)


def test_without_voice_the_pitch_is_150_hz():
    for signal in (np.zeros(RATE), 0.1 * np.sin(2 * np.pi * 20 * TIME)):
        frames = describe(signal)
        np.testing.assert_allclose(column(frames, "log_f0"), np.log2(150), rtol=1e-5)
        assert not column(frames, "delta_log_f0").any()
        assert not column(frames, "voicing").any()
        assert not column(frames, "jitter").any()


@pytest.mark.parametrize("octaves", [0.5, -0.8])
def test_changes_of_pitch_are_in_octaves(octaves):
    """Of a pitch that glides by so many octaves in a second."""
    f0 = 180 * 2 ** (octaves * TIME)
    frames = describe(harmonics(f0, VOICE))[MIDDLE]
    times = np.arange(32)[MIDDLE] * HOP / RATE - STEP_SECONDS / 2
    expected = np.log2(180) + octaves * times
    np.testing.assert_allclose(column(frames, "log_f0"), expected, atol=0.01)
    slope = octaves * HOP / RATE
    assert np.median(column(frames, "delta_log_f0")) == pytest.approx(slope, rel=0.1)
    jitter = abs(octaves) * STEP_SECONDS
    assert np.median(column(frames, "jitter")) == pytest.approx(jitter, rel=0.1)


def test_what_drifts_slowly_is_neither_voice_nor_noise():
    """It moves the mean of a window, and little else."""
    voice = noisy_voice(0.9)
    still, drifting = (
        np.median(column(describe(signal)[MIDDLE], "harmonicity"))
        for signal in (voice, voice + 0.3 * np.sin(2 * np.pi * 3 * TIME))
    )
    assert drifting == pytest.approx(still, abs=1)


def test_shimmer_is_the_change_of_the_level():
    """Of a voice that grows by so many nepers in a second."""
    signal = harmonics(250, VOICE) * np.exp(2 * TIME)
    shimmer = np.median(column(describe(signal), "shimmer")[MIDDLE])
    assert shimmer == pytest.approx(2 * STEP_SECONDS, rel=0.15)


@pytest.mark.parametrize("decibels", [-6.0, 0.0, 12.0])
def test_first_harmonic_against_the_second(decibels):
    second = 0.1 * 10 ** (-decibels / 20)
    frames = describe(harmonics(250, [0.1, second, 0.02]))[MIDDLE]
    np.testing.assert_allclose(column(frames, "h1_h2"), decibels, atol=0.2)


@pytest.mark.parametrize("decibels", [6.0, 26.0])
def test_first_harmonic_against_those_around_3_khz(decibels):
    """Those from 2500 to 3500 Hz; its neighbours are louder, and do not count."""
    amplitudes = np.full(16, 0.1)
    amplitudes[9:14] = 0  # of 250 Hz, these are 2500 to 3500
    amplitudes[11] = 0.1 * 10 ** (-decibels / 20)
    frames = describe(harmonics(250, amplitudes))[MIDDLE]
    np.testing.assert_allclose(column(frames, "h1_a3"), decibels, atol=0.2)


def predict_linearly(signal):
    """Return formants and their bandwidths, (n_frames, 6), frame by frame."""
    low = resample_poly(signal.astype(np.float64), 5, 8)
    low = np.append(low[:1], low[1:] - 0.97 * low[:-1])
    padded = np.pad(low, 320)
    rows = []
    for number in range(1 + RATE // HOP):
        centre = int(number * HOP * 10_000 / RATE) + 320
        frame = padded[centre - 160 : centre + 160] * np.hamming(320)
        r = np.correlate(frame, frame, "full")[319 : 319 + 12]
        r[0] *= 1 + 1e-6
        roots = np.roots([1, *-solve_toeplitz(r[:11], r[1:])])
        hertz = np.angle(roots) * 10_000 / (2 * np.pi)
        widths = -np.log(np.abs(roots)) * 10_000 / np.pi
        found = sorted(
            (one, width)
            for one, width in zip(hertz, widths, strict=True)
            if 90 < one < 4950 and width < 700
        )[:3]
        stand_in = [(500.0, 700.0), (1500.0, 700.0), (2500.0, 700.0)]
        found += stand_in[len(found) :]
        rows.append([*(one for one, _ in found), *(width for _, width in found)])
    return np.array(rows)


@pytest.mark.parametrize("seed", [0, 1])
def test_formants_are_the_poles_of_a_linear_predictor(seed):
    signal = make_sound(seed)
    actual = columns(describe(signal), "formant_1", 6)
    expected = predict_linearly(signal)
    agree = np.abs(actual - expected).max(axis=1) < 1
    # Where a pole is nearly too wide, rounding decides.
    assert agree.mean() > 0.9
    assert len(np.unique(expected.round(3), axis=0)) > 25


@pytest.mark.parametrize(("decibels", "is_neutral"), [(-62, True), (-58, False)])
def test_formants_of_what_is_60_db_below_the_peak_are_neutral(decibels, is_neutral):
    sound = np.random.default_rng(0).normal(size=RATE)
    sound[: RATE // 2] *= 10 ** (decibels / 20) * np.abs(sound).max()
    frames = columns(describe(sound), "formant_1", 6)[3:13]
    found = (frames == [500, 1500, 2500, 700, 700, 700]).all(axis=1)
    assert found.mean() == pytest.approx(float(is_neutral), abs=0.2)
