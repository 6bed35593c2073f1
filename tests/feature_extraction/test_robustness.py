"""The extended set measures the voice, not the file that it came in."""

import io
from functools import partial

import numpy as np
import pytest
import soundfile
import soxr
from scipy.signal import correlate
from sklearn.base import clone

from skemotion import AudioError, SpeechFeatureExtractor
from skemotion.audio import load_audio
from skemotion.datasets import make_emotional_speech

RATE = 16000
N_OF_POST = 46
EXTENDED = SpeechFeatureExtractor(descriptors="extended", duration=6.0)
NAMES = EXTENDED.get_feature_names_out()
LEVELS = [name for name in NAMES if name.startswith("log_mel")] + ["log_energy"]
LEVELS_OF_POST = ["rms", "mfcc_0"]
# What the post's descriptors follow besides; the extractor's notes say why.
RESAMPLED = ("spectral_centroid", "spectral_bandwidth", "spectral_rolloff", "mfcc_")
ENCODED = ("spectral_", "zero_crossing_rate", "mfcc_", "delta_mfcc_")
FOLLOWED_BY_POST = {
    "22.05 kHz": RESAMPLED,
    "44.1 kHz": RESAMPLED,
    "48 kHz": RESAMPLED,
    "MP3, 64 kbit/s": ENCODED,
    "MP3, 32 kbit/s": ENCODED,
    "offset": ("spectral_", "zero_crossing_rate", "rms", "mfcc_"),
    "zeros behind": ("delta_mfcc_",),
}


def by_way_of(rate):
    return lambda signal: (soxr.resample(signal, RATE, rate, quality="soxr_hq"), rate)


def encode(signal, kilobits=64):
    pytest.importorskip("soundfile", minversion="0.13")  # is told the bit rate
    if "MP3" not in soundfile.available_formats():
        pytest.skip("libsndfile writes no MP3")
    file = io.BytesIO()
    with soundfile.SoundFile(
        file,
        "w",
        RATE,
        1,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=(160 - kilobits) / (160 - 8),
    ) as encoder:
        encoder.write(signal)
    file.seek(0)
    decoded, rate = soundfile.read(file)
    # Encoders put silence in front, some of which decoders leave out.
    delay = correlate(decoded, signal).argmax() - len(signal) + 1
    return decoded[delay : delay + len(signal)], rate


SILENCE = np.zeros(12_345, dtype=np.float32)
# What is done to a signal, and how many samples this puts in front.
CONDITIONS = {
    "22.05 kHz": (by_way_of(22_050), 0),
    "44.1 kHz": (by_way_of(44_100), 0),
    "48 kHz": (by_way_of(48_000), 0),
    "MP3, 64 kbit/s": (encode, 0),
    "gain -20 dB": (lambda signal: (0.1 * signal, RATE), 0),
    "gain +20 dB": (lambda signal: (10 * signal, RATE), 0),
    "offset": (lambda signal: (signal + 0.05 * np.abs(signal).max(), RATE), 0),
    "zeros in front": (lambda signal: (np.append(SILENCE, signal), RATE), len(SILENCE)),
    "zeros behind": (lambda signal: (np.append(signal, SILENCE), RATE), 0),
}
# So few bits leave little of a room.
STUDIO = {"MP3, 32 kbit/s": (partial(encode, kilobits=32), 0)}


def means(pairs, lengths, n_before, normalize):
    """Average every descriptor over the frames that are centred in the speech."""
    extractor = clone(EXTENDED).set_params(normalize=normalize)
    sequences = extractor.transform(pairs).astype(np.float64)
    n_samples = int(extractor.duration * RATE)
    centres = np.arange(sequences.shape[1]) * extractor.hop_length
    rows = []
    for (signal, rate), length, frames in zip(pairs, lengths, sequences, strict=True):
        start = n_samples - int(np.ceil(len(signal) * RATE / rate)) + n_before
        spoken = (centres >= start) & (centres < start + length)
        rows.append(frames[spoken].mean(axis=0))
    return np.array(rows)


def shifts(signals, condition, normalize):
    """Map each name to its shift, in deviations over the recordings."""
    lengths = [len(signal) for signal in signals]
    degrade, n_before = (CONDITIONS | STUDIO)[condition]
    clean = means([(signal, RATE) for signal in signals], lengths, 0, normalize)
    degraded = [degrade(signal) for signal in signals]
    moved = means(degraded, lengths, n_before, normalize) - clean
    shift = np.maximum(abs(moved.mean(axis=0)), abs(np.median(moved, axis=0)))
    return dict(zip(NAMES, shift / clean.std(axis=0), strict=True))


def assert_still(shift, condition, normalize):
    moving = []
    # An encoder has a gain, too.
    if ("gain" in condition or "MP3" in condition) and normalize is None:
        moving += LEVELS + LEVELS_OF_POST
    followed = FOLLOWED_BY_POST.get(condition, ())
    moving += [name for name in NAMES[:N_OF_POST] if name.startswith(followed)]
    moved = {
        name: round(value, 2)
        for name, value in shift.items()
        if value > 0.5 and name not in moving
    }
    assert not moved


@pytest.fixture(scope="module")
def speech():
    """Synthetic speech in a room."""
    rng = np.random.default_rng(0)
    signals = make_emotional_speech(4, 1, random_state=0).signals
    return [
        signal + 1e-2 * rng.normal(size=len(signal)).astype(np.float32)
        for signal in signals
    ]


@pytest.mark.parametrize("normalize", ["peak", None])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_synthetic_speech_stays_where_it_is(speech, condition, normalize):
    assert_still(shifts(speech, condition, normalize), condition, normalize)


@pytest.mark.emodb
@pytest.mark.parametrize("condition", CONDITIONS | STUDIO)
def test_recordings_stay_where_they_are(emodb, condition):
    # With what is added, all of it is looked at.
    signals = [load_audio(path)[: 5 * RATE] for path in emodb.paths[::18]]
    assert_still(shifts(signals, condition, "peak"), condition, "peak")


def test_gain_moves_levels_by_as_much_and_nothing_else(speech):
    loud = [(8 * signal, RATE) for signal in speech[:4]]
    moved = EXTENDED.transform(loud) - EXTENDED.transform(speech[:4])
    expected = np.where(np.isin(NAMES, LEVELS), np.log(64), 0)[N_OF_POST:]
    np.testing.assert_allclose(
        moved[..., N_OF_POST:],
        np.broadcast_to(expected, moved[..., 46:].shape),
        atol=1e-3,
    )


def test_an_offset_changes_nothing_where_the_mean_is_zero():
    rng = np.random.default_rng(0)
    signal = (0.1 * rng.normal(size=RATE)).astype(np.float32)
    signal -= signal.mean(dtype=np.float64)
    still, moved = EXTENDED.transform([signal, signal + np.float32(0.25)])[..., 46:]
    np.testing.assert_allclose(moved, still, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("descriptors", ["post", "extended"])
@pytest.mark.parametrize("gain", [1e-38, 1e-30, 1e-10, 1.0, 1e5, 1e9])
def test_features_are_finite_at_any_gain(descriptors, gain):
    signal = (gain * np.sin(np.arange(8000) / 9)).astype(np.float32)
    extractor = SpeechFeatureExtractor(descriptors=descriptors, duration=0.5)
    assert np.isfinite(extractor.transform([signal])).all()


@pytest.mark.parametrize("gain", [1e11, 1e18, 1e25, 3e38])
def test_what_is_louder_than_any_recording_is_named(gain):
    signal = np.sin(np.arange(8000) / 9)
    loud = (gain * signal).astype(np.float32)
    extractor = SpeechFeatureExtractor(duration=0.5)
    with pytest.raises(AudioError, match=r"^1 recording .*\n  X\[1\]: its largest"):
        extractor.transform([signal, loud])
    extractor.set_params(normalize="peak")
    assert np.isfinite(extractor.transform([signal, loud])).all()
