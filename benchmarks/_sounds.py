"""Sounds without speech: noise, tones, clicks, and what resembles music."""

import numpy as np

RATE = 16_000
_COLOURS = {"white": 0, "pink": 1, "brown": 2, "blue": -1}


def make_sounds(n_sounds, seed=0):
    """Return pairs of signal and rate, of all kinds in turn, of 1.2 to 5 s."""
    makers = list(_MAKERS.values())
    return [
        (_make(makers[number % len(makers)], [seed, number]), RATE)
        for number in range(n_sounds)
    ]


def _make(maker, seed):
    rng = np.random.default_rng(seed)
    time = np.arange(int(rng.uniform(1.2, 5) * RATE)) / RATE
    signal = maker(time, rng)
    return (signal / np.abs(signal).max()).astype(np.float32)


def _noise(colour):
    def make(time, rng):
        spectrum = np.fft.rfft(rng.normal(size=time.size))
        number = np.maximum(np.arange(spectrum.size), 1)
        return np.fft.irfft(spectrum * number ** (-_COLOURS[colour] / 2), time.size)

    return make


def _swelling_noise(time, rng):
    swell = 1 + np.sin(2 * np.pi * rng.uniform(1, 8) * time)
    return rng.normal(size=time.size) * swell


def _pitch(rng, low, high):
    return np.exp(rng.uniform(np.log(low), np.log(high)))


def _tone(time, rng):
    return np.sin(2 * np.pi * _pitch(rng, 60, 6000) * time)


def _sweep(time, rng):
    start, end = _pitch(rng, 80, 6000), _pitch(rng, 80, 6000)
    pitch = start * (end / start) ** (time / time[-1])
    return np.sin(2 * np.pi * np.cumsum(pitch) / RATE)


def _square(time, rng):
    return np.sign(np.sin(2 * np.pi * _pitch(rng, 60, 2000) * time) + 1e-9)


def _siren(time, rng):
    pitch = 700 + 400 * np.sin(2 * np.pi * rng.uniform(0.3, 3) * time)
    return np.sin(2 * np.pi * np.cumsum(pitch) / RATE)


def _beeps(time, rng):
    on = np.sin(2 * np.pi * rng.uniform(0.8, 4) * time) > 0
    return np.sin(2 * np.pi * rng.uniform(400, 2500) * time) * on


def _hum(time, rng):
    pitch = rng.choice([50, 60])
    hum = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3, 5, 7))
    return hum + 0.05 * rng.normal(size=time.size)


def _clicks(time, rng):
    signal = 1e-4 * rng.normal(size=time.size)
    for place in rng.integers(0, time.size, 2 + int(rng.uniform(1, 20) * time[-1])):
        signal[place : place + rng.integers(1, 20)] += rng.choice([-1, 1])
    return signal


def _pulses(time, rng):
    step = int(RATE / rng.uniform(3, 300))
    return (np.arange(time.size) % step == 0).astype(float)


def _note(pitch, duration, rng):
    time = np.arange(int(duration * RATE)) / RATE
    shape = np.minimum(time / 0.01, 1) * np.exp(-2 * time / duration)
    waves = [
        rng.uniform(0.2, 1) / k * np.sin(2 * np.pi * pitch * k * time)
        for k in range(1, 7)
    ]
    return shape * np.sum(waves, axis=0)


def _chord(time, rng):
    root = rng.uniform(100, 400)
    steps = rng.choice(12, 3, replace=False)
    return sum(_note(root * 2 ** (s / 12), time.size / RATE, rng) for s in steps)


def _arpeggio(time, rng):
    root, step = rng.uniform(100, 400), int(rng.uniform(0.12, 0.4) * RATE)
    signal = np.zeros(time.size)
    for place in range(0, time.size, step):
        pitch = root * 2 ** (rng.choice([0, 3, 4, 7, 10, 12, 15]) / 12)
        _add(signal, place, _note(pitch, rng.uniform(0.2, 0.8), rng))
    return signal


def _drums(time, rng):
    signal = np.zeros(time.size)
    beats = range(0, time.size, int(rng.uniform(0.15, 0.4) * RATE))
    for number, place in enumerate(beats):
        passed = np.arange(RATE // 4) / RATE
        if number % 2:
            hit = 0.6 * rng.normal(size=passed.size) * np.exp(-25 * passed)
        else:
            pitch = 50 + 80 * np.exp(-25 * passed)
            hit = np.sin(2 * np.pi * pitch * passed) * np.exp(-14 * passed)
        _add(signal, place, hit)
    return signal


def _music(time, rng):
    return 0.8 * _arpeggio(time, rng) + _drums(time, rng)


def _add(signal, place, other):
    end = min(place + other.size, signal.size)
    signal[place:end] += other[: end - place]


_MAKERS = {
    **{f"{colour} noise": _noise(colour) for colour in _COLOURS},
    "swelling noise": _swelling_noise,
    "tone": _tone,
    "sweep": _sweep,
    "square wave": _square,
    "siren": _siren,
    "beeps": _beeps,
    "hum": _hum,
    "clicks": _clicks,
    "pulses": _pulses,
    "chord": _chord,
    "arpeggio": _arpeggio,
    "drums": _drums,
    "music": _music,
}
