"""Sounds in which nobody speaks, drawn at random.

``KINDS`` maps a name to a function of a random generator and a number of
seconds, which returns a signal of shape (n_samples,) at 16 kHz. Most sounds peak
at 0.5; :func:`make_sound` draws the kind, the length and the level.
"""

import numpy as np
from _degradations import RATE, reverberate
from scipy.signal import butter, lfilter, sosfilt


def make_sound(rng, kind=None):
    """Draw a sound of 1.5 to 8 seconds.

    Returns
    -------
    kind : str
    signal : ndarray of shape (n_samples,), dtype float32
    """
    kind = rng.choice(list(KINDS)) if kind is None else kind
    signal = KINDS[kind](rng, rng.uniform(1.5, 8))
    if kind in MUSIC and rng.random() < 0.4:
        signal = reverberate(signal, rng, decay=rng.uniform(0.3, 1.5))
    return kind, (signal * 10 ** rng.uniform(-3, 0)).astype(np.float32)


def _n(seconds):
    return int(seconds * RATE)


def _time(seconds):
    return np.arange(_n(seconds)) / RATE


def _scale(signal, peak=0.5):
    return signal * (peak / max(np.abs(signal).max(), 1e-12))


def _log_uniform(rng, low, high):
    return np.exp(rng.uniform(np.log(low), np.log(high)))


# Nothing, and noise.


def _silence(rng, seconds):
    return np.zeros(_n(seconds))


def _offset(rng, seconds):
    return np.full(_n(seconds), rng.uniform(-1, 1))


def _colour(rng, seconds, exponent):
    """Make noise whose power goes as a power of frequency, above 20 Hz."""
    n = _n(seconds)
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20)
    spectrum = np.fft.rfft(rng.normal(size=n)) * frequency ** (exponent / 2)
    return _scale(np.fft.irfft(spectrum, n))


def _noise(exponent):
    return lambda rng, seconds: _colour(rng, seconds, exponent)


def _band_noise(rng, seconds):
    low = _log_uniform(rng, 60, 3000)
    edges = low, min(low * rng.uniform(1.2, 4), 7900)
    band = butter(2, edges, btype="bandpass", fs=RATE, output="sos")
    return _scale(sosfilt(band, rng.normal(size=_n(seconds))))


def _room_tone(rng, seconds):
    noise = _colour(rng, seconds, rng.uniform(-2, -0.5))
    return 0.02 * (noise + rng.uniform(0, 0.5) * _hum(rng, seconds))


def _modulated_noise(rng, seconds):
    """Make noise that rises and falls, also as fast as syllables do."""
    noise = _colour(rng, seconds, rng.uniform(-2, 1))
    speed, phase = _log_uniform(rng, 0.5, 30), rng.uniform(0, 2 * np.pi)
    course = 0.5 + 0.5 * np.cos(2 * np.pi * speed * _time(seconds) + phase)
    return noise * (1 - rng.uniform(0.5, 1) * course)


def _gated_noise(rng, seconds):
    return _colour(rng, seconds, rng.uniform(-2, 1)) * _gates(rng, seconds)


def _wind(rng, seconds):
    """Make noise whose level and band wander."""
    slow = np.interp(
        _time(seconds), np.arange(0, seconds + 1, 0.4), _walk(rng, seconds, 0.4)
    )
    low = _colour(rng, seconds, -2) * np.exp(0.7 * slow)
    return _scale(low + _band_noise(rng, seconds) * np.exp(-0.7 * slow) * 0.3)


def _walk(rng, seconds, step):
    return rng.normal(size=np.arange(0, seconds + 1, step).size)


def _rain(rng, seconds):
    drops = rng.normal(size=_n(seconds)) * (rng.random(_n(seconds)) < 0.01)
    ringing = lfilter([1], [1, -1.6, 0.9], drops)
    return _scale(ringing + 0.05 * rng.normal(size=_n(seconds)))


# Steady tones, and tones that glide.


def _hum(rng, seconds):
    mains, count = rng.choice([50, 60]), rng.integers(1, 12)
    parts = [rng.uniform(0.1, 1) / k for k in range(1, count + 1)]
    return _scale(_harmonics(mains, parts, seconds))


def _harmonics(frequency, amplitudes, seconds):
    """Sum harmonics below 7.5 kHz; the frequency is a number or a track."""
    frequency = np.broadcast_to(frequency, _n(seconds))
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    top = frequency.max()
    parts = [
        amplitude * np.sin(k * phase)
        for k, amplitude in enumerate(amplitudes, 1)
        if k * top < 7500
    ]
    return sum(parts, np.zeros(_n(seconds)))


def _tone(rng, seconds):
    return 0.5 * _harmonics(_log_uniform(rng, 40, 6000), [1], seconds)


def _tones(rng, seconds):
    parts = [_tone(rng, seconds) for _ in range(rng.integers(2, 8))]
    return _scale(sum(rng.uniform(0.2, 1) * part for part in parts))


def _buzz(rng, seconds):
    """Make a steady wave that is rich in harmonics, such as a motor's."""
    slope = rng.uniform(0, 1.5)
    amplitudes = np.arange(1, 60) ** -slope
    if rng.random() < 0.5:
        amplitudes[1::2] = 0
    return _scale(_harmonics(_log_uniform(rng, 50, 500), amplitudes, seconds))


def _sweep(rng, seconds):
    start, end = _log_uniform(rng, 40, 6000), _log_uniform(rng, 40, 6000)
    track = start * (end / start) ** (_time(seconds) / seconds)
    return 0.5 * _harmonics(track, [1], seconds)


def _rich_sweep(rng, seconds):
    """Make a wave with harmonics that glides up or down once, or as a motor does."""
    start, end = _log_uniform(rng, 50, 300), _log_uniform(rng, 50, 300)
    track = start * (end / start) ** (_time(seconds) / seconds)
    amplitudes = np.arange(1, 40) ** -rng.uniform(0, 1.5)
    return _scale(_harmonics(track, amplitudes, seconds))


def _siren(rng, seconds):
    speed, depth = _log_uniform(rng, 0.2, 4), rng.uniform(0.1, 0.7)
    wave = np.sin(2 * np.pi * speed * _time(seconds))
    wave = np.sign(wave) if rng.random() < 0.3 else wave
    track = _log_uniform(rng, 300, 1500) * 2 ** (depth * wave)
    amplitudes = np.arange(1, rng.integers(2, 12)) ** -1.0
    return _scale(_harmonics(track, amplitudes, seconds))


# What comes and goes.


def _gates(rng, seconds):
    """Return 0 and 1 in turns, of equal or of varying lengths."""
    gates, regular = np.zeros(_n(seconds)), rng.random() < 0.5
    on, off = _log_uniform(rng, 0.05, 0.8), _log_uniform(rng, 0.05, 1.0)
    place = 0.0
    while place < seconds:
        stretch = 1.0 if regular else _log_uniform(rng, 0.5, 2)
        start, length = _n(place), _n(on * stretch)
        fade = min(_n(0.004), max(length // 4, 1))
        pulse = np.ones(length)
        pulse[:fade] = np.linspace(0, 1, fade)
        pulse[length - fade :] = np.linspace(1, 0, fade)
        end = min(start + length, gates.size)
        gates[start:end] = pulse[: end - start]
        place += (on + off) * stretch
    return gates


def _beeps(rng, seconds):
    sound = rng.choice([_tone, _tones, _buzz])
    return sound(rng, seconds) * _gates(rng, seconds)


def _dtmf(rng, seconds):
    rows, columns = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
    signal, place = np.zeros(_n(seconds)), 0.0
    length, pause = rng.uniform(0.06, 0.3), rng.uniform(0.05, 0.3)
    while place + length < seconds:
        time = _time(length)
        digit = np.sin(2 * np.pi * rng.choice(rows) * time)
        digit += np.sin(2 * np.pi * rng.choice(columns) * time)
        _place(signal, digit, place)
        place += length + pause
    return 0.25 * signal


def _telephone_ring(rng, seconds):
    time = _time(seconds)
    bell = np.sin(2 * np.pi * 440 * time) + np.sin(2 * np.pi * 480 * time)
    bell *= 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * rng.uniform(10, 25) * time))
    return _scale(bell * (time % 3 < rng.uniform(0.8, 2)))


def _clicks(rng, seconds):
    signal = np.zeros(_n(seconds))
    places = rng.integers(0, signal.size, rng.integers(1, 10 * seconds))
    signal[places] = rng.uniform(-1, 1, places.size)
    return _scale(signal)


def _click_train(rng, seconds):
    signal = np.zeros(_n(seconds))
    signal[:: int(RATE / _log_uniform(rng, 2, 400))] = 0.5
    if rng.random() < 0.5:
        decay = np.exp(-_time(0.02) / rng.uniform(0.0005, 0.005))
        decay *= np.cos(2 * np.pi * rng.uniform(300, 4000) * _time(0.02))
        signal = np.convolve(signal, decay)[: signal.size]
    return signal


def _knocks(rng, seconds):
    """Make blows on things that ring, such as steps, claps and keys."""
    signal, place = np.zeros(_n(seconds)), rng.uniform(0, 0.5)
    low, high = np.sort(np.exp(rng.uniform(np.log(100), np.log(5000), 2)))
    band = butter(1, (low, 1.2 * high), btype="bandpass", fs=RATE, output="sos")
    decay, pace = _log_uniform(rng, 0.005, 0.1), _log_uniform(rng, 0.08, 0.8)
    while place < seconds:
        blow = rng.normal(size=_n(8 * decay)) * np.exp(-_time(8 * decay) / decay)
        _place(signal, rng.uniform(0.3, 1) * sosfilt(band, blow), place)
        place += pace * rng.uniform(0.6, 1.5)
    return _scale(signal)


def _crackle(rng, seconds):
    grains = rng.standard_cauchy(_n(seconds)) * (rng.random(_n(seconds)) < 0.002)
    return _scale(lfilter([1], [1, -0.7], np.clip(grains, -5, 5)))


def _place(signal, part, seconds):
    start = _n(seconds)
    part = part[: max(signal.size - start, 0)]
    signal[start : start + part.size] += part


# Music.


def _pluck(rng, frequency, seconds, timbre):
    """Make a string by a delay line that loses its high parts (Karplus, Strong)."""
    period = max(int(RATE / frequency), 2)
    excitation = np.zeros(_n(seconds))
    excitation[:period] = rng.uniform(-1, 1, period)[: excitation.size]
    loop = np.zeros(period + 2)
    loop[0], loop[period], loop[period + 1] = 1, -0.5 * 0.996, -0.5 * 0.996
    return lfilter([1], loop, excitation)


def _struck(rng, frequency, seconds, timbre):
    """Make a note that decays, its high parts sooner, such as a piano's."""
    time, signal = _time(seconds), np.zeros(_n(seconds))
    for k in range(1, timbre["count"]):
        stretched = k * frequency * np.sqrt(1 + timbre["stiffness"] * k * k)
        if stretched < 7500:
            decay = np.exp(-time * timbre["damping"] * (1 + 0.3 * k))
            signal += (
                k ** -timbre["slope"] * decay * np.sin(2 * np.pi * stretched * time)
            )
    return signal


def _bell(rng, frequency, seconds, timbre):
    ratio, depth = timbre["ratio"], timbre["depth"]
    time = _time(seconds)
    decay = np.exp(-time * timbre["damping"])
    side = depth * decay * np.sin(2 * np.pi * ratio * frequency * time)
    return decay * np.sin(2 * np.pi * frequency * time + side)


def _bowed(rng, frequency, seconds, timbre):
    """Make a note that is held, with an attack and vibrato, such as a violin's."""
    time = _time(seconds)
    depth = timbre["vibrato"] * np.minimum(time / 0.2, 1)
    track = frequency * 2 ** (depth * np.sin(2 * np.pi * timbre["speed"] * time) / 12)
    swell = np.minimum(time / timbre["attack"], 1)
    swell = swell * np.minimum((seconds - time) / 0.03, 1)
    amplitudes = np.arange(1, timbre["count"]) ** -timbre["slope"]
    return swell * _harmonics(track, amplitudes, seconds)


def _body(rng, signal):
    """Resonate as a body of wood does, at fixed frequencies."""
    for centre in np.exp(rng.uniform(np.log(200), np.log(4000), 3)):
        radius = np.exp(-np.pi * 0.15 * centre / RATE)
        angle = 2 * np.pi * centre / RATE
        ring = lfilter(
            [1 - radius], [1, -2 * radius * np.cos(angle), radius**2], signal
        )
        signal = signal + rng.uniform(0, 2) * _scale(ring, np.abs(signal).max())
    return signal


def _timbre(rng):
    return {
        "count": int(rng.integers(3, 25)),
        "slope": rng.uniform(0.5, 2),
        "stiffness": rng.choice([0, 3e-4]),
        "damping": _log_uniform(rng, 0.7, 8),
        "ratio": rng.choice([1, 1.4, 2, 2.76, 3.5]),
        "depth": rng.uniform(0.5, 4),
        "vibrato": rng.choice([0, rng.uniform(0.1, 0.7)]),
        "speed": rng.uniform(4, 7),
        "attack": _log_uniform(rng, 0.01, 0.2),
    }


_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10))
_INSTRUMENTS = (_pluck, _struck, _bell, _bowed)


def _pitch(rng, scale, base, span=14):
    step = rng.integers(0, span)
    octave, degree = divmod(int(step), len(scale))
    return base * 2 ** (octave + scale[degree] / 12)


def _melody(rng, seconds):
    signal, place = np.zeros(_n(seconds)), 0.0
    instrument, timbre = rng.choice(_INSTRUMENTS), _timbre(rng)
    scale = _SCALES[rng.integers(3)]
    base, beat = _log_uniform(rng, 80, 500), _log_uniform(rng, 0.12, 0.6)
    legato = rng.choice([0.6, 1, 1.5])
    while place < seconds:
        length = beat * rng.choice([0.5, 1, 1, 2])
        note = instrument(rng, _pitch(rng, scale, base), legato * length, timbre)
        _place(signal, rng.uniform(0.5, 1) * note, place)
        place += length * (1 if rng.random() < 0.85 else 2)
    return _scale(_body(rng, signal) if rng.random() < 0.5 else signal)


def _arpeggio(rng, seconds):
    signal, place, index = np.zeros(_n(seconds)), 0.0, 0
    instrument, timbre = rng.choice(_INSTRUMENTS), _timbre(rng)
    base, beat = _log_uniform(rng, 80, 400), _log_uniform(rng, 0.1, 0.4)
    chord = rng.choice([(0, 4, 7, 12), (0, 3, 7, 12), (0, 4, 7, 10), (0, 5, 9, 12)])
    while place < seconds:
        pitch = base * 2 ** (chord[index % 4] / 12)
        _place(signal, instrument(rng, pitch, 2 * beat, timbre), place)
        place, index = place + beat, index + 1
    return _scale(signal)


def _chords(rng, seconds):
    signal, place = np.zeros(_n(seconds)), 0.0
    instrument, timbre = rng.choice(_INSTRUMENTS), _timbre(rng)
    base, beat = _log_uniform(rng, 80, 300), _log_uniform(rng, 0.4, 2)
    while place < seconds:
        root = base * 2 ** (rng.choice([0, 5, 7, 9, -3]) / 12)
        for step in (0, rng.choice([3, 4]), 7):
            note = instrument(rng, root * 2 ** (step / 12), beat * 1.1, timbre)
            _place(signal, note, place + rng.uniform(0, 0.02))
        place += beat
    return _scale(signal)


def _drum(rng, name):
    if name == "kick":
        time = _time(0.3)
        sweep = 45 * time + 8 * (1 - np.exp(-time / 0.03))
        return np.sin(2 * np.pi * sweep) * np.exp(-time / 0.08)
    if name == "snare":
        time = _time(0.2)
        skin = np.sin(2 * np.pi * 190 * time)
        return (0.5 * skin + rng.normal(size=time.size) * 0.5) * np.exp(-time / 0.05)
    time = _time(0.08)
    return np.diff(rng.normal(size=time.size), prepend=0) * np.exp(-time / 0.02) * 0.3


def _drums(rng, seconds):
    signal, step, index = np.zeros(_n(seconds)), rng.uniform(0.1, 0.25), 0
    kick, snare = rng.random(16) < 0.3, rng.random(16) < 0.2
    kick[[0, 8]] = snare[[4, 12]] = True
    while index * step < seconds:
        for name, pattern in (("kick", kick), ("snare", snare)):
            if pattern[index % 16]:
                _place(signal, _drum(rng, name), index * step)
        _place(signal, _drum(rng, "hat"), index * step)
        index += 1
    return _scale(signal)


def _band(rng, seconds):
    """Make a melody over chords and drums."""
    parts = _melody(rng, seconds), _chords(rng, seconds), _drums(rng, seconds)
    return _scale(sum(rng.uniform(0.2, 1) * part for part in parts))


def _duet(rng, seconds):
    return _scale(_melody(rng, seconds) + rng.uniform(0.2, 1) * _melody(rng, seconds))


def _swept_synthesiser(rng, seconds):
    """Make notes through a resonance that moves, as a wah-wah does."""
    wave = _melody(rng, seconds)
    speed, output = _log_uniform(rng, 0.3, 6), np.zeros(wave.size)
    low, high = 300, rng.uniform(1000, 3000)
    state, hop = np.zeros(2), 80
    for start in range(0, wave.size, hop):
        cycle = 0.5 + 0.5 * np.sin(2 * np.pi * speed * start / RATE)
        angle = 2 * np.pi * low * (high / low) ** cycle / RATE
        part = slice(start, start + hop)
        output[part], state = lfilter(
            [0.05], [1, -2 * 0.97 * np.cos(angle), 0.97**2], wave[part], zi=state
        )
    return _scale(output)


KINDS = {
    "silence": _silence,
    "offset": _offset,
    "white noise": _noise(0),
    "pink noise": _noise(-1),
    "brown noise": _noise(-2),
    "blue noise": _noise(1),
    "band of noise": _band_noise,
    "room tone": _room_tone,
    "modulated noise": _modulated_noise,
    "gated noise": _gated_noise,
    "wind": _wind,
    "rain": _rain,
    "hum": _hum,
    "tone": _tone,
    "tones": _tones,
    "buzz": _buzz,
    "sweep": _sweep,
    "sweep with harmonics": _rich_sweep,
    "siren": _siren,
    "beeps": _beeps,
    "DTMF": _dtmf,
    "telephone ring": _telephone_ring,
    "clicks": _clicks,
    "click train": _click_train,
    "knocks": _knocks,
    "crackle": _crackle,
    "melody": _melody,
    "arpeggio": _arpeggio,
    "chords": _chords,
    "drums": _drums,
    "band": _band,
    "duet": _duet,
    "swept synthesiser": _swept_synthesiser,
}
MUSIC = ("melody", "arpeggio", "chords", "drums", "band", "duet", "swept synthesiser")
