"""What can happen to a recording between the studio and a listener.

Each function takes a signal of shape (n_samples,) at 16 kHz and a random
generator, and returns a signal, or a pair of signal and rate. Levels are
relative to the mean power of the whole recording.
"""

import io

import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, sosfilt

RATE = 16_000


def change_gain(signal, rng, *, decibels, clip=False):
    """Amplify; samples beyond full scale are kept unless `clip`."""
    louder = signal * 10 ** (decibels / 20)
    return np.clip(louder, -1, 1) if clip else louder


def add_white_noise(signal, rng, *, snr):
    """Add Gaussian noise that is equally strong at all frequencies."""
    return _mix(signal, rng.normal(size=signal.size), snr)


def add_babble(signal, rng, *, snr, voices):
    """Add several voices that speak at the same time."""
    babble = np.zeros(signal.size)
    for voice in voices:
        voice = np.resize(np.roll(voice, rng.integers(voice.size)), signal.size)
        babble += voice / np.sqrt(np.mean(voice**2) + 1e-12)
    return _mix(signal, babble, snr)


def reverberate(signal, rng, *, decay=0.4, direct_ratio=3.0):
    """Add a small room, as noise that decays exponentially after the direct sound.

    Polack's statistical model: it falls by 60 dB in `decay` seconds, and the
    direct sound has `direct_ratio` dB more energy than all of it.
    """
    time = np.arange(int(decay * RATE)) / RATE
    tail = rng.normal(size=time.size) * 10 ** (-3 * time / decay)
    tail[: int(0.002 * RATE)] = 0
    response = tail * np.sqrt(10 ** (-direct_ratio / 10) / np.sum(tail**2))
    response[0] = 1
    return fftconvolve(signal, response)[: signal.size]


def telephone(signal, rng):
    """Keep 300 to 3400 Hz, at a rate of 8 kHz."""
    band = butter(6, (300, 3400), btype="bandpass", fs=RATE, output="sos")
    return resample(sosfilt(band, signal), rng, rate=8000)


def resample(signal, rng, *, rate):
    """Bring to another rate; the reader brings it back."""
    import soxr

    return soxr.resample(signal, RATE, rate), rate


def compress(signal, rng, *, kilobits=32):
    """Encode as MP3 at a constant rate of bits, and decode again."""
    # libsndfile spreads its levels evenly over MPEG 2's 160 down to 8 kbit/s.
    level = (160 - kilobits) / (160 - 8)
    file = io.BytesIO()
    with soundfile.SoundFile(
        file,
        "w",
        RATE,
        1,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=level,
    ) as encoder:
        encoder.write(np.clip(signal, -1, 1))
    file.seek(0)
    return soundfile.read(file)


def begin_with_silence(signal, rng, *, seconds=1.0, snr=None):
    """Put digital silence in front, or noise so far below the recording."""
    silence = np.zeros(int(seconds * RATE))
    if snr is not None:
        level = np.sqrt(np.mean(signal**2)) * 10 ** (-snr / 20)
        silence = level * rng.normal(size=silence.size)
    return np.concatenate([silence, signal])


def cut(signal, rng, *, seconds=2.0):
    """Keep the beginning."""
    return signal[: int(seconds * RATE)]


def _mix(signal, noise, snr):
    ratio = np.mean(signal**2) / np.mean(noise**2)
    return signal + noise * np.sqrt(ratio * 10 ** (-snr / 10))


# Name, function, and its settings; babble also needs voices.
CONDITIONS = {
    "clean": (lambda signal, rng: signal, {}),
    "white noise, 20 dB": (add_white_noise, {"snr": 20}),
    "telephone band": (telephone, {}),
    "1 s of silence first": (begin_with_silence, {}),
    "babble, 20 dB": (add_babble, {"snr": 20}),
    "gain -20 dB": (change_gain, {"decibels": -20}),
    "gain +20 dB": (change_gain, {"decibels": 20}),
    "small room": (reverberate, {}),
    "by way of 48 kHz": (resample, {"rate": 48_000}),
    "MP3, 32 kbit/s": (compress, {}),
    "first 2 s": (cut, {}),
    "1 s of room tone first": (begin_with_silence, {"snr": 40}),
    "white noise, 10 dB": (add_white_noise, {"snr": 10}),
    "babble, 10 dB": (add_babble, {"snr": 10}),
    "white noise, 0 dB": (add_white_noise, {"snr": 0}),
    "babble, 0 dB": (add_babble, {"snr": 0}),
    "gain +20 dB, clipped": (change_gain, {"decibels": 20, "clip": True}),
}
