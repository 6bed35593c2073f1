"""A synthetic corpus of emotional speech, for use without any recordings."""

import os
from itertools import product
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, validate_params

from skemotion._validation import draw_seed
from skemotion.datasets._synthesis import MODAL_VOICE, Voice, speak


class _Expression(NamedTuple):
    """What an emotion, a habit or chance adds to the neutral voice."""

    pitch: float = 0  # semitones
    pitch_range: float = 0  # per cent
    final_pitch: float = 0  # semitones
    tempo: float = 0  # per cent
    loudness: float = 0  # dB
    tilt: float = 0  # dB per octave
    breathiness: float = 0  # dB
    jitter: float = 0  # percentage points
    lip_spread: float = 0  # per cent


# The signs are those of the findings quoted beside. The sizes lie at or below what
# they report, since numbers come from synthetic or acted speech, which exaggerates.
# MA93 Murray & Arnott 1993, BS96 Banse & Scherer 1996, BS00 Burkhardt & Sendlmeier
# 2000, S01 Schröder 2001, JL03 Juslin & Laukka 2003, B05 Burkhardt 2005.
_EMOTIONS = {
    "anger": _Expression(
        pitch=5,  # very much higher (MA93), +50 % (B05), +7 st
        pitch_range=80,  # much wider (MA93), +100 % (B05), much variability (JL03)
        tempo=15,  # slightly faster (MA93), +30 words a minute (S01)
        loudness=6,  # higher (MA93), +6 dB (S01)
        tilt=2.5,  # much high-frequency energy (JL03; BS96)
        breathiness=-4,  # tense (BS00)
        jitter=1,  # irregular (JL03), laryngealised (S01)
    ),
    "boredom": _Expression(
        pitch=-3,  # low (BS96), -20 % (B05), -4 st
        pitch_range=-50,  # -50 % (B05), narrow excursions (S01)
        tempo=-25,  # durations of 150 % (S01), 120 % (B05)
        loudness=-3,  # low energy (BS96), soft (B05)
        tilt=-1.5,  # soft vocal effort (B05)
        breathiness=4,  # soft vocal effort (B05)
    ),
    "disgust": _Expression(
        pitch=-2.5,  # very much lower (MA93)
        pitch_range=20,  # slightly wider (MA93)
        final_pitch=-4,  # wide downward terminal inflections (MA93)
        tempo=-25,  # very much slower (MA93)
        loudness=-2,  # lower (MA93)
        jitter=1.5,  # grumbled chest tone (MA93)
    ),
    "fear": _Expression(
        pitch=8,  # very much higher (MA93), +150 % (BS00), +16 st
        pitch_range=10,  # much wider (MA93), +20 % (BS00), but little (JL03)
        final_pitch=3,  # rising (JL03)
        tempo=25,  # much faster (MA93), +30 % (BS00)
        tilt=-1,  # little high-frequency energy (JL03), falsetto (BS00)
        breathiness=5,  # falsetto (BS00)
        jitter=1,  # irregular (MA93; JL03)
    ),
    "happiness": _Expression(
        pitch=5,  # much higher (MA93), +50 % (BS00), +7 st
        pitch_range=100,  # much wider (MA93), +100 % (BS00)
        final_pitch=4,  # upward inflections (MA93), rising (JL03)
        tempo=10,  # faster or slower (MA93), +30 % (BS00)
        loudness=4,  # higher (MA93), medium to high (JL03)
        tilt=1.5,  # medium high-frequency energy (JL03)
        jitter=-0.2,  # regular (JL03)
        lip_spread=8,  # F1 and F2 by +10 % (BS00)
    ),
    "neutral": _Expression(),
    "sadness": _Expression(
        pitch=-1.5,  # slightly lower (MA93)
        pitch_range=-40,  # slightly narrower (MA93), little variability (JL03)
        final_pitch=-1,  # downward inflections (MA93), falling (JL03)
        tempo=-20,  # slightly slower (MA93), slow (JL03)
        loudness=-6,  # lower (MA93; JL03; BS96)
        tilt=-3,  # little high-frequency energy (JL03; BS96)
        breathiness=8,  # very breathy (S01)
        jitter=0.6,  # irregular (JL03)
    ),
}
_INTENSITY = (0.75, 1.25)  # of an emotion in one recording
_HABIT_SPREAD = _Expression(0, 8, 0.4, 4, 0.8, 0.3, 1, 0.1, 1)  # among speakers
_CHANCE_SPREAD = _Expression(0.8, 10, 0.8, 4, 0.8, 0.4, 1, 0.15, 1)  # among recordings

_SEXES = ("female", "male")
_PITCH = {"female": 200.0, "male": 110.0}  # Hz
_TRACT_SCALE = {"female": 1.16, "male": 1.0}
_TEXTS = (
    "da'limo sa'nuti, ke'bo",
    "'figa vo'denu, si'lopa",
    "mu'tafi le'zoda, pi'ge",
    "'zano kusi'leba, do'vi",
    "be'sodi 'nagu, me'lato",
    "lu'pini ve'kaso, ta'fe",
    "'zemo di'bafu, no'tila",
    "gi'vade su'nolo, ka'mi",
    "'tofi pa'zune, le'foma",
    "no'geli 'duka, vi'sate",
)
_SPEAKER_STREAM, _RECORDING_STREAM = 0, 1


class _Speaker(NamedTuple):
    sex: str
    pitch: float  # Hz
    tract_scale: float
    habit: _Expression


@validate_params(
    {
        "n_speakers": [Interval(Integral, 1, None, closed="left")],
        "n_texts": [Interval(Integral, 1, len(_TEXTS), closed="both")],
        "n_repetitions": [Interval(Integral, 1, None, closed="left")],
        "sampling_rate": [Interval(Integral, 12000, None, closed="left")],
        "folder": [str, os.PathLike, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_emotional_speech(
    n_speakers: int = 6,
    n_texts: int = 4,
    *,
    n_repetitions: int = 1,
    sampling_rate: int = 16000,
    folder: str | os.PathLike[str] | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Synthesise a small corpus of emotional speech.
    """
    seed = np.random.SeedSequence(draw_seed(random_state)).entropy
    speakers = [_draw_speaker(seed, index) for index in range(n_speakers)]
    target_names = np.array(sorted(_EMOTIONS))
    cells = list(
        product(
            range(n_speakers),
            range(n_texts),
            range(len(target_names)),
            range(n_repetitions),
        )
    )
    signals = np.empty(len(cells), dtype=object)
    for row, (speaker, text, emotion, repetition) in enumerate(cells):
        rng = _stream(seed, _RECORDING_STREAM, speaker, text, emotion, repetition)
        voice = _draw_voice(speakers[speaker], _EMOTIONS[target_names[emotion]], rng)
        signals[row] = speak(_TEXTS[text], voice, sampling_rate=sampling_rate, rng=rng)
    return signals, cells, speakers, target_names


def _stream(seed, *key: int) -> np.random.Generator:
    """Random numbers that depend on nothing but the seed and the key."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _draw_speaker(seed, index: int) -> _Speaker:
    """Draw a voice and its habits; the sexes take turns."""
    rng = _stream(seed, _SPEAKER_STREAM, index)
    sex = _SEXES[index % 2]
    semitones = np.clip(1.5 * rng.standard_normal(), -3, 3)
    return _Speaker(
        sex=sex,
        pitch=_PITCH[sex] * 2 ** (semitones / 12),
        tract_scale=_TRACT_SCALE[sex] * (1 + np.clip(0.03 * rng.standard_normal(), -.06, .06)),
        habit=_Expression(*_HABIT_SPREAD * rng.standard_normal(len(_HABIT_SPREAD))),
    )


def _draw_voice(
    speaker: _Speaker, emotion: _Expression, rng: np.random.Generator
) -> Voice:
    """Add habit, emotion and chance to the neutral voice."""
    chance = _CHANCE_SPREAD * rng.standard_normal(len(_CHANCE_SPREAD))
    shift = _Expression(
        *speaker.habit + rng.uniform(*_INTENSITY) * np.array(emotion) + chance
    )
    return Voice(
        pitch=speaker.pitch * 2 ** (shift.pitch / 12),
        pitch_range=MODAL_VOICE.pitch_range * max(0.2, 1 + shift.pitch_range / 100),
        final_pitch=MODAL_VOICE.final_pitch + shift.final_pitch,
        tempo=MODAL_VOICE.tempo * max(0.6, 1 + shift.tempo / 100),
        level=MODAL_VOICE.level + shift.loudness,
        tilt=MODAL_VOICE.tilt + shift.tilt,
        breathiness=MODAL_VOICE.breathiness + shift.breathiness,
        jitter=max(0.2, MODAL_VOICE.jitter + shift.jitter),
        tract_scale=speaker.tract_scale,
        lip_spread=1 + shift.lip_spread / 100,
    )
