"""A small formant synthesiser: a text and a voice become a speech signal.

A glottal pulse train and noise are the source, resonators the vocal tract [1]_,
[2]_. What changes while speaking (pitch, loudness, formants) is kept in tracks
with a value every 5 ms; the filters are applied frame by frame and overlap-added.

References
----------
.. [1] D. H. Klatt, "Software for a cascade/parallel formant synthesizer", Journal
   of the Acoustical Society of America 67(3), 1980.
.. [2] D. H. Klatt and L. C. Klatt, "Analysis, synthesis, and perception of voice
   quality variations among female and male talkers", Journal of the Acoustical
   Society of America 87(2), 1990.
.. [3] J. Hillenbrand, L. A. Getty, M. J. Clark and K. Wheeler, "Acoustic
   characteristics of American English vowels", Journal of the Acoustical Society
   of America 97(5), 1995.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter1d

__all__ = ["MODAL_VOICE", "PHONES", "Voice", "speak"]

Array = NDArray[np.float64]

# Each symbol is one segment or two (closure and burst). Vowel formants are the
# means of 45 men [3]; those of consonants are loci that pull at the vowels beside.
# fmt: off
PHONES = {
    #     ms  voice noise centre width   F1    F2    F3    (amplitudes; Hz)
    "a": [(145, 1.0,  0.0,     1,    1,  768, 1333, 2522)],
    "e": [(135, 1.0,  0.0,     1,    1,  476, 2089, 2691)],
    "i": [(120, 0.9,  0.0,     1,    1,  342, 2322, 3000)],
    "o": [(135, 1.0,  0.0,     1,    1,  497,  910, 2459)],
    "u": [(125, 0.9,  0.0,     1,    1,  378,  997, 2343)],
    "m": [( 75, 0.3,  0.0,     1,    1,  280,  900, 2200)],
    "n": [( 70, 0.3,  0.0,     1,    1,  280, 1700, 2600)],
    "l": [( 65, 0.5,  0.0,     1,    1,  360, 1300, 2700)],
    "v": [( 70, 0.3,  0.1,  4500, 2500,  300, 1100, 2300)],
    "z": [( 80, 0.2,  0.3,  5500, 1200,  300, 1700, 2600)],
    "f": [(100, 0.0,  0.2,  4500, 2500,  340, 1100, 2300)],
    "s": [(105, 0.0,  0.6,  5500, 1200,  320, 1700, 2600)],
    "p": [( 75, 0.0,  0.0,  1000,  700,  300,  900, 2300),
          ( 15, 0.0,  0.5,  1000,  700,  400,  900, 2300)],
    "t": [( 65, 0.0,  0.0,  4500, 1500,  300, 1750, 2650),
          ( 25, 0.0,  0.7,  4500, 1500,  400, 1750, 2650)],
    "k": [( 65, 0.0,  0.0,  2000,  600,  300, 1900, 2300),
          ( 30, 0.0,  0.6,  2000,  600,  400, 1900, 2300)],
    "b": [( 60, 0.1,  0.0,  1000,  700,  200,  900, 2300),
          ( 10, 0.4,  0.3,  1000,  700,  400,  900, 2300)],
    "d": [( 55, 0.1,  0.0,  4000, 1500,  200, 1750, 2650),
          ( 10, 0.4,  0.4,  4000, 1500,  400, 1750, 2650)],
    "g": [( 55, 0.1,  0.0,  2000,  600,  200, 1900, 2300),
          ( 15, 0.4,  0.4,  2000,  600,  400, 1900, 2300)],
    ",": [(120, 0.0,  0.0,     1,    1,  500, 1500, 2500)],
}
# fmt: on
_VOWELS = "aeiou"
_HIGHER_FORMANTS = np.array([3500.0, 4500.0])  # Hz, the same in every phone
_BANDWIDTHS = np.array([80.0, 90.0, 130.0, 200.0, 250.0])  # Hz

_FRAME_SECONDS = 0.005
_HOPS_PER_FFT = 6  # 30 ms: the resonators ring out before the FFT wraps round
_LOWEST_PITCH = 60.0  # Hz
_TILT_CORNER = 500.0  # Hz
_OPEN_QUOTIENT = 0.6
_STRESS_STRETCH = 1.25
_FINAL_STRETCH = 1.5
_STRESS_GAIN = 3.0  # dB
_NOISE_FLOOR = -70.0  # dB relative to full scale
_PEAK = 0.99


class Voice(NamedTuple):
    """How a text is spoken, in physical units."""

    pitch: float  # mean fundamental frequency, Hz
    pitch_range: float  # height of a pitch accent, semitones
    final_pitch: float  # pitch movement on the last vowel, semitones
    tempo: float  # factor, 1 speaks the phones with their tabulated durations
    level: float  # root mean square, dB relative to full scale
    tilt: float  # of the voice source above 500 Hz, dB per octave
    breathiness: float  # aspiration noise relative to voicing, dB
    jitter: float  # standard deviation of the glottal periods, per cent
    tract_scale: float  # factor on all formants, 1 is an adult man
    lip_spread: float  # factor on the first two formants


MODAL_VOICE = Voice(
    pitch=110,
    pitch_range=4,
    final_pitch=-2,
    tempo=1.15,
    level=-28,
    tilt=-3,
    breathiness=-30,
    jitter=0.6,
    tract_scale=1,
    lip_spread=1,
)


class _Tracks(NamedTuple):
    """Time courses of shape (n_frames,), one value every 5 ms."""

    voicing: Array  # amplitude
    noise: Array  # amplitude
    noise_centre: Array  # Hz
    noise_width: Array  # Hz
    formants: Array  # Hz, of shape (n_frames, n_formants)
    stress: Array  # 0 to 1
    final: Array  # 0 to 1, rising through the last vowel


def speak(
    text: str, voice: Voice, *, sampling_rate: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Synthesise one utterance.

    Parameters
    ----------
    text : str
        Symbols of ``PHONES``. An apostrophe stresses the next vowel; spaces are
        ignored.
    voice : Voice
        How the text is spoken.
    sampling_rate : int
        In Hz, at least 12000, so that all formants lie below its half.
    rng : numpy.random.Generator
        Source of all noise, and of the variation in durations and formants.

    Returns
    -------
    ndarray of shape (n_samples,), dtype float32
        In [-1, 1].
    """
    tracks = _articulate(text, voice, rng)
    hop = round(sampling_rate * _FRAME_SECONDS)
    pitch = _upsample(_intonate(tracks, voice, rng), hop)
    source = _voice_source(pitch, voice, sampling_rate, rng)
    source *= _upsample(tracks.voicing, hop)
    noise = rng.standard_normal(len(source)) * _upsample(tracks.noise, hop)

    n_fft = _HOPS_PER_FFT * hop
    vocal_tract = _resonators(tracks.formants, n_fft, sampling_rate)
    constriction = _noise_band(tracks, fft.rfftfreq(n_fft, 1 / sampling_rate))
    speech = _filter_frames([(source, vocal_tract), (noise, constriction)], hop)
    return _record(speech, voice.level, rng)


def _parse(text: str) -> tuple[Array, Array]:
    """Look up the segments of `text` and mark those that are stressed vowels."""
    segments, stress, stressed = [], [], False
    for symbol in f",{text.replace(' ', '')},":  # a moment of silence at both ends
        if symbol == "'":
            stressed = True
            continue
        is_vowel = symbol in _VOWELS
        segments += PHONES[symbol]
        stress += [float(stressed and is_vowel)] * len(PHONES[symbol])
        stressed = stressed and not is_vowel
    return np.array(segments, dtype=float), np.array(stress)


def _articulate(text: str, voice: Voice, rng: np.random.Generator) -> _Tracks:
    """Lay out the phones of `text` in time and let neighbours run together."""
    table, stress = _parse(text)
    n_segments = len(table)
    last_vowel = n_segments - 2
    ms = table[:, 0] * _STRESS_STRETCH**stress / voice.tempo
    ms[last_vowel] *= _FINAL_STRETCH
    ms *= np.exp(0.08 * rng.standard_normal(n_segments))
    n_frames = np.maximum(np.rint(ms / (1000 * _FRAME_SECONDS)), 2).astype(int)
    gain_db = rng.standard_normal(n_segments) + _STRESS_GAIN * stress
    formants = np.hstack([table[:, 5:], np.tile(_HIGHER_FORMANTS, (n_segments, 1))])
    formants *= voice.tract_scale * np.exp(0.02 * rng.standard_normal(formants.shape))
    formants[:, :2] *= voice.lip_spread

    def track(values, smoothing):
        frames = np.repeat(values, n_frames, axis=0)
        return gaussian_filter1d(frames, smoothing, axis=0) if smoothing else frames

    start = n_frames[:last_vowel].sum()
    final = (np.arange(n_frames.sum()) - start) / n_frames[last_vowel]
    return _Tracks(
        voicing=track(table[:, 1] * 10 ** (gain_db / 20), 1.5),
        noise=track(table[:, 2], 1.0),
        noise_centre=track(table[:, 3], 0),
        noise_width=track(table[:, 4], 0),
        formants=track(formants, 4.0),
        stress=track(stress, 8.0),
        final=np.clip(final, 0, 1),
    )


def _intonate(tracks: _Tracks, voice: Voice, rng: np.random.Generator) -> Array:
    """Fundamental frequency in Hz: accents on a falling line, a final movement."""
    n_frames = len(tracks.stress)
    declination = np.linspace(0.25, -0.25, n_frames)
    semitones = voice.pitch_range * (tracks.stress + declination)
    semitones += voice.final_pitch * tracks.final
    semitones += gaussian_filter1d(rng.standard_normal(n_frames), 10.0)
    semitones -= np.average(semitones, weights=tracks.voicing)
    return np.maximum(voice.pitch * 2 ** (semitones / 12), _LOWEST_PITCH)


def _voice_source(
    pitch: Array, voice: Voice, sampling_rate: int, rng: np.random.Generator
) -> Array:
    """KLGLOTT88 pulses [2] with jitter, shimmer and tilt, and aspiration noise."""
    n_samples = len(pitch)
    phase = np.cumsum(pitch) / sampling_rate
    periods = np.diff(np.interp(np.arange(phase[-1]), phase, np.arange(n_samples)))
    periods *= 1 + voice.jitter / 100 * rng.standard_normal(len(periods))
    shimmer = 10 ** (0.4 * voice.jitter / 20 * rng.standard_normal(len(periods)))

    onsets = np.concatenate([[0.0], np.cumsum(periods[:-1])])
    cycle = np.searchsorted(onsets, np.arange(n_samples), side="right") - 1
    # Breathy voices close their glottis later, tense ones sooner [2].
    breathier = voice.breathiness - MODAL_VOICE.breathiness
    open_quotient = np.clip(_OPEN_QUOTIENT + 0.01 * breathier, 0.4, 0.8)
    x = (np.arange(n_samples) - onsets[cycle]) / (open_quotient * periods[cycle])
    is_open = x < 1
    flow = np.where(is_open, shimmer[cycle] * x**2 * (1 - x), 0.0)
    # Differences of the exact flow alias less than samples of its derivative.
    pulses = _tilt(np.diff(flow, prepend=0.0), voice.tilt, sampling_rate)
    pulses /= np.sqrt(np.mean(pulses**2))
    aspiration = rng.standard_normal(n_samples) * np.where(is_open, 1.0, 0.5)
    return pulses + 10 ** (voice.breathiness / 20) * aspiration


def _tilt(signal: Array, db_per_octave: float, sampling_rate: int) -> Array:
    """Slope the spectrum above the corner frequency, without shifting phases."""
    n_fft = fft.next_fast_len(len(signal), real=True)
    octaves = 0.5 * np.log2(
        1 + (fft.rfftfreq(n_fft, 1 / sampling_rate) / _TILT_CORNER) ** 2
    )
    gain = 10 ** (db_per_octave * octaves / 20)
    return fft.irfft(fft.rfft(signal, n_fft) * gain, n_fft)[: len(signal)]


def _resonators(formants: Array, n_fft: int, sampling_rate: int) -> NDArray:
    """Response of Klatt's cascade [1], of shape (n_frames, n_freqs)."""
    denominator = np.zeros((len(formants), 2 * formants.shape[1] + 1))
    denominator[:, 0] = 1.0
    gain = np.ones((len(formants), 1))
    radius = np.exp(-np.pi * _BANDWIDTHS / sampling_rate)
    for centre, r in zip(formants.T, radius, strict=True):
        b = 2 * r * np.cos(2 * np.pi * centre / sampling_rate)[:, np.newaxis]
        product = denominator.copy()
        product[:, 1:] -= b * denominator[:, :-1]
        product[:, 2:] += r**2 * denominator[:, :-2]
        denominator = product
        gain *= 1 - b + r**2
    return gain / fft.rfft(denominator, n_fft)


def _noise_band(tracks: _Tracks, freqs: Array) -> Array:
    """Response of the constriction that makes noise, (n_frames, n_freqs)."""
    centre, width = (
        tracks.noise_centre[:, np.newaxis],
        tracks.noise_width[:, np.newaxis],
    )
    return np.exp(-0.5 * ((freqs - centre) / width) ** 2)


def _filter_frames(streams: list[tuple[Array, NDArray]], hop: int) -> Array:
    """Filter each signal with its response per frame; the sum, overlap-added."""
    window = 0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)
    n_fft = _HOPS_PER_FFT * hop
    spectrum = sum(
        fft.rfft(
            sliding_window_view(np.pad(signal, hop), 2 * hop)[::hop] * window, n_fft
        )
        * response
        for signal, response in streams
    )
    blocks = fft.irfft(spectrum, n_fft).reshape(-1, _HOPS_PER_FFT, hop)
    n_frames = len(blocks)
    output = np.zeros((n_frames + _HOPS_PER_FFT - 1, hop))
    for k in range(_HOPS_PER_FFT):
        output[k : k + n_frames] += blocks[:, k]
    return output[1:n_frames].ravel()


def _record(
    speech: Array, level: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Set the level in dB and add the noise floor of the recording."""
    speech = speech * 10 ** (level / 20) / np.sqrt(np.mean(speech**2))
    speech += 10 ** (_NOISE_FLOOR / 20) * rng.standard_normal(len(speech))
    return (speech * min(1.0, _PEAK / np.abs(speech).max())).astype(np.float32)


def _upsample(track: Array, hop: int) -> Array:
    """From one value per frame to one per sample."""
    n_samples = (len(track) - 1) * hop
    return np.interp(np.arange(n_samples) / hop, np.arange(len(track)), track)
