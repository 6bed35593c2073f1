"""What happens to speech between a mouth and a recorder, drawn at random.

Signals have shape (n_samples,), rates are in Hz, and `rng` draws how strong an
effect is. Levels are relative to the mean power of the whole signal.
"""

import numpy as np
from numpy.typing import NDArray

from skemotion.audio import resample

Signal = NDArray[np.floating]

# Raised where an effect comes to give other samples, which caches must not mix up.
EFFECTS_VERSION = 1

_STEEPEST = 1.5  # exponent of the noise's power over frequency; 0 is white
_LOWEST_NOISE = 50.0  # Hz, below which coloured noise grows no further
_SPEEDS = (0.8, 1.25)
_LOWEST_RATE, _HIGHEST_RATE = 8000.0, 16000.0
_BAND_STARTS = 50.0, 400.0  # Hz
_BAND_ENDS = 0.8, 0.95  # of half the rate
_BAND_ORDER = 6
_DECAYS = (0.1, 0.5)  # seconds in which a room's sound falls by 60 dB
_DIRECT_RATIOS = (0.0, 10.0)  # dB by which the direct sound is above the room's
_FIRST_REFLECTION = 0.002  # seconds
_LONGEST_LEAD = 1.0  # seconds


def change_speed(signal: Signal, rate: float, rng) -> Signal:
    """Play it faster or slower, so that the voice is higher or lower, too."""
    slowest, fastest = np.log(_SPEEDS)
    speed = np.exp(rng.uniform(slowest, fastest))
    return resample(signal, rate * speed, rate)


def add_noise(signal: Signal, rate: float, rng, snr: float) -> Signal:
    """Add noise of a random colour, from white to nearly brown, at `snr` dB."""
    from scipy.fft import irfft, next_fast_len, rfft

    n_fft = next_fast_len(signal.size, real=True)
    spectrum = rfft(rng.normal(size=n_fft))
    frequency = np.fft.rfftfreq(n_fft, 1 / rate)
    slope = rng.uniform(0, _STEEPEST) / 2
    spectrum *= np.maximum(frequency, _LOWEST_NOISE) ** -slope
    return mix(signal, irfft(spectrum, n_fft)[: signal.size], snr)


def add_babble(signal: Signal, rng, snr: float, voices: list[Signal]) -> Signal:
    """Add voices that speak at the same time, equally loud, together at `snr` dB."""
    babble = np.zeros(signal.size)
    for voice in voices:
        part = np.resize(np.roll(voice, rng.integers(voice.size)), signal.size)
        babble += part / max(np.sqrt(np.mean(np.square(part))), 1e-9)
    return mix(signal, babble, snr)


def limit_band(signal: Signal, rate: float, rng) -> tuple[Signal, float]:
    """Keep a band such as telephones and lossy formats keep, at a rate for it.

    Rates near a telephone's 8 kHz are drawn more often than others.
    """
    from scipy.signal import butter, sosfilt

    drawn = _LOWEST_RATE * (_HIGHEST_RATE / _LOWEST_RATE) ** (rng.random() ** 3)
    lower = min(round(drawn, -2), rate)
    low, high = rng.uniform(*_BAND_STARTS), rng.uniform(*_BAND_ENDS) * lower / 2
    band = butter(_BAND_ORDER, (low, high), btype="bandpass", fs=rate, output="sos")
    return resample(sosfilt(band, signal), rate, lower), lower


def reverberate(signal: Signal, rate: float, rng) -> Signal:
    """Add a room, as noise that decays exponentially behind the direct sound.

    It is the statistical model of J. D. Polack, "La transmission de l'énergie
    sonore dans les salles", 1988.
    """
    from scipy.signal import fftconvolve

    decay = rng.uniform(*_DECAYS)
    time = np.arange(max(int(decay * rate), 1)) / rate
    response = rng.normal(size=time.size) * 10 ** (-3 * time / decay)
    response[time < _FIRST_REFLECTION] = 0
    ratio = 10 ** (-rng.uniform(*_DIRECT_RATIOS) / 10)
    energy = max(np.sum(np.square(response)), 1e-9)
    response *= np.sqrt(ratio / energy)
    response[0] = 1
    return fftconvolve(signal, response)[: signal.size]


def begin_later(signal: Signal, rate: float, rng) -> Signal:
    """Let up to a second pass in digital silence before the signal begins."""
    lead = rng.integers(int(_LONGEST_LEAD * rate) + 1)
    return np.concatenate([np.zeros(lead), signal])


def mix(signal: Signal, noise: Signal, snr: float) -> Signal:
    """Add noise whose mean power is `snr` dB below the signal's."""
    power = float(np.mean(np.square(noise, dtype=np.float64)))
    wanted = float(np.mean(np.square(signal, dtype=np.float64))) * 10 ** (-snr / 10)
    return signal + noise * np.sqrt(wanted / max(power, 1e-12))
