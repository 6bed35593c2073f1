"""A synthetic corpus of emotional speech, for use without any recordings."""

import io
import os
from itertools import product
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from skemotion._files import atomic_path
from skemotion._validation._parameters import draw_seed, validate_params
from skemotion.datasets._labelled import LabelledSpeech
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
        breathiness=-4,  # tense (MA93)
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
_COLUMNS = (
    *("pitch", "range", "final", "tempo", "loudness"),
    *("tilt", "breath", "jitter", "lips"),
)
_DESCR = """\
Synthetic emotional speech
--------------------------

Nonsense sentences, spoken by a formant synthesiser in the voices of several
invented speakers and in seven emotions: a stand-in for recordings in examples and
tests.

It is not a benchmark. The emotions differ by rules and by nothing else, so that
scores on this corpus say nothing about human speech.

The emotions change the neutral voice by

{table}

(pitch and final movement in semitones; range, tempo and lip spreading in per cent;
loudness and breath in dB; tilt in dB/octave; jitter in percentage points). The
documentation of make_emotional_speech explains the columns and names the published
findings that they follow.
"""
_SPEAKER_STREAM, _RECORDING_STREAM = 0, 1


class _Speaker(NamedTuple):
    sex: str
    pitch: float  # Hz
    tract_scale: float
    habit: NDArray  # as an _Expression


@validate_params(
    {
        "n_speakers": [Interval(Integral, 1, None, closed="left")],
        "n_texts": [Interval(Integral, 1, len(_TEXTS), closed="both")],
        "n_repetitions": [Interval(Integral, 1, None, closed="left")],
        "sampling_rate": [Interval(Integral, 12000, None, closed="left")],
        "folder": [str, os.PathLike, None],
        "random_state": ["random_state"],
    }
)
def make_emotional_speech(
    n_speakers: int = 6,
    n_texts: int = 4,
    *,
    n_repetitions: int = 1,
    sampling_rate: int = 16000,
    folder: str | os.PathLike[str] | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> LabelledSpeech:
    """Make a small corpus of synthetic emotional speech.

    A formant synthesiser speaks nonsense sentences in the voices of several
    invented speakers and in seven emotions, one recording for every combination.
    It stands in for a corpus where no recordings are at hand, in examples and
    tests.

    It is **not a benchmark**: the emotions differ by the rules below and by
    nothing else, so that scores on this corpus say nothing about human speech.

    Parameters
    ----------
    n_speakers : int, default=6
        Number of speakers, alternately female and male.
    n_texts : int, default=4
        Number of sentences, 1 to 10.
    n_repetitions : int, default=1
        How often each speaker says each sentence in each emotion.
    sampling_rate : int, default=16000
        In Hz, at least 12000.
    folder : str or path-like, default=None
        Where to write the recordings as 16-bit WAV files, in one folder per
        emotion: ``anger/s01_t02_r1.wav`` is speaker 1, text 2, repetition 1.
        Folders are made as needed, files of the same name are replaced. By
        default nothing is written.
    random_state : int, RandomState instance or None, default=None
        Determines speakers and recordings. With the same int, a corpus of fewer
        speakers, texts or repetitions is a part of the larger one.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object. Its arrays have one element per recording,
        ordered by speaker, text, emotion and repetition.

        signals : ndarray of shape (n_recordings,), dtype object
            Each an ndarray of shape (n_samples,), dtype float32, in [-1, 1],
            of about 1.3 to 3.3 seconds. Never digital silence: the noise floor
            lies 70 dB below full scale.
        sampling_rate : int
            Of all signals, in Hz.
        paths : ndarray of shape (n_recordings,), dtype str, or None
            The files, if a `folder` was given.
        target : ndarray of shape (n_recordings,), dtype str
            The emotion.
        speakers : ndarray of shape (n_recordings,), dtype str
            "s01", "s02", ... Made to be the `groups` of a cross-validation.
        sex : ndarray of shape (n_recordings,), dtype str
            The speaker's, "female" or "male".
        text_ids : ndarray of shape (n_recordings,), dtype str
            "t01", "t02", ...
        target_names : ndarray of shape (7,), dtype str
            The emotions in sorted order, as classifiers have them in
            ``classes_``.
        DESCR : str
            The full description of the corpus.

    See Also
    --------
    fetch_emodb : Downloads recordings of human speech.
    load_recordings : Loads the files again.

    Notes
    -----
    Glottal pulses [7]_ with jitter, shimmer, spectral tilt and aspiration noise
    excite a cascade of five formant resonators; bands of noise make fricatives
    and bursts. The emotions change the neutral voice by

    =========  =====  =====  =====  =====  ========  ====  ======  ======  ====
    emotion    pitch  range  final  tempo  loudness  tilt  breath  jitter  lips
    =========  =====  =====  =====  =====  ========  ====  ======  ======  ====
    anger      +5     +80    0      +15    +6        +2.5  -4      +1      0
    boredom    -3     -50    0      -25    -3        -1.5  +4      0       0
    disgust    -2.5   +20    -4     -25    -2        0     0       +1.5    0
    fear       +8     +10    +3     +25    0         -1    +5      +1      0
    happiness  +5     +100   +4     +10    +4        +1.5  0       -0.2    +8
    neutral    0      0      0      0      0         0     0       0       0
    sadness    -1.5   -40    -1     -20    -6        -3    +8      +0.6    0
    =========  =====  =====  =====  =====  ========  ====  ======  ======  ====

    where

    - pitch is the mean fundamental frequency, in semitones; neutral is about
      110 Hz for men and 200 Hz for women;
    - range is the height of the pitch accents, in per cent; neutral is
      4 semitones;
    - final is the pitch movement on the last syllable, in semitones; neutral is
      a fall by 2;
    - tempo is the rate of speech, in per cent; neutral is about 5 syllables per
      second;
    - loudness is the root mean square, in dB; neutral is -28 dB relative to full
      scale;
    - tilt is the slope of the voice source's spectrum above 500 Hz, in
      dB/octave, positive for a brighter voice; neutral is -3, in addition to
      that of the glottal pulses;
    - breath is the level of the aspiration noise, in dB; neutral is 30 dB below
      the voicing. Breathy voices also open the glottis for longer;
    - jitter is the standard deviation of the glottal periods, in percentage
      points; neutral is 0.6. Shimmer grows with it;
    - lips is the shift of the first two formants by lip spreading, in per cent.

    The signs follow reviews of human speech [1]_ [2]_ [3]_ and experiments and
    rules for synthetic speech [4]_ [5]_ [6]_. The sizes are mostly smaller than
    the published ones, which come from acted or deliberately exaggerated
    emotions. Every recording expresses its emotion at 75 to 125 per cent of
    these values; to this we add the speaker's habits and random variation, so
    that the classes overlap.

    References
    ----------
    .. [1] I. R. Murray and J. L. Arnott, "Toward the simulation of emotion in
       synthetic speech: A review of the literature on human vocal emotion",
       Journal of the Acoustical Society of America 93(2), pp. 1097-1108, 1993.
    .. [2] R. Banse and K. R. Scherer, "Acoustic profiles in vocal emotion
       expression", Journal of Personality and Social Psychology 70(3),
       pp. 614-636, 1996.
    .. [3] P. N. Juslin and P. Laukka, "Communication of emotions in vocal
       expression and music performance: Different channels, same code?",
       Psychological Bulletin 129(5), pp. 770-814, 2003.
    .. [4] F. Burkhardt and W. F. Sendlmeier, "Verification of acoustical
       correlates of emotional speech using formant-synthesis", Proc. ISCA
       Workshop on Speech and Emotion, pp. 151-156, 2000.
    .. [5] M. Schröder, "Emotional speech synthesis: A review", Proc. Eurospeech
       2001, pp. 561-564. Its table holds the rules of several synthesisers.
    .. [6] F. Burkhardt, "Emofilt: the simulation of emotional speech by
       prosody-transformation", Proc. Interspeech 2005. The rules are in the
       program's file ``emotions.xml``.
    .. [7] D. H. Klatt and L. C. Klatt, "Analysis, synthesis, and perception of
       voice quality variations among female and male talkers", Journal of the
       Acoustical Society of America 87(2), pp. 820-857, 1990.

    Examples
    --------
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=2, n_texts=1, random_state=0)
    >>> len(speech.signals), speech.sampling_rate
    (14, 16000)
    >>> print(*speech.target_names)
    anger boredom disgust fear happiness neutral sadness
    >>> print(speech.target[7], speech.speakers[7], speech.sex[7])
    anger s02 male
    """
    seed = np.random.SeedSequence(draw_seed(random_state)).entropy
    speakers = [_draw_speaker(seed, index) for index in range(n_speakers)]
    emotions = sorted(_EMOTIONS)
    sizes = (n_speakers, n_texts, len(emotions), n_repetitions)
    recordings = list(product(*map(range, sizes)))

    signals = np.empty(len(recordings), dtype=object)
    for row, key in enumerate(recordings):
        rng = _stream(seed, _RECORDING_STREAM, *key)
        voice = _draw_voice(speakers[key[0]], _EMOTIONS[emotions[key[2]]], rng)
        text = _TEXTS[key[1]]
        signals[row] = speak(text, voice, sampling_rate=sampling_rate, rng=rng)

    target = np.array([emotions[emotion] for _, _, emotion, _ in recordings])
    paths = None
    if folder is not None:
        names = [f"s{s + 1:02d}_t{t + 1:02d}_r{r + 1}.wav" for s, t, _, r in recordings]
        folder = Path(os.path.expanduser(folder))
        paths = _write(folder, target, names, signals, sampling_rate)
    return LabelledSpeech(
        signals=signals,
        sampling_rate=sampling_rate,
        paths=paths,
        target=target,
        speakers=np.array([f"s{s + 1:02d}" for s, _, _, _ in recordings]),
        sex=np.array([speakers[s].sex for s, _, _, _ in recordings]),
        text_ids=np.array([f"t{t + 1:02d}" for _, t, _, _ in recordings]),
        target_names=np.array(emotions),
        DESCR=_DESCR.format(table=_parameter_table()),
    )


def _stream(seed, *key: int) -> np.random.Generator:
    """Random numbers that depend on nothing but the seed and the key."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _draw_speaker(seed, index: int) -> _Speaker:
    """Draw a voice and its habits; the sexes take turns."""
    rng = _stream(seed, _SPEAKER_STREAM, index)
    sex = _SEXES[index % 2]
    pitch, tract = np.clip(rng.standard_normal(2), -2, 2)
    return _Speaker(
        sex=sex,
        pitch=_PITCH[sex] * 2 ** (1.5 * pitch / 12),
        tract_scale=_TRACT_SCALE[sex] * (1 + 0.03 * tract),
        habit=rng.normal(scale=_HABIT_SPREAD),
    )


def _draw_voice(
    speaker: _Speaker, emotion: _Expression, rng: np.random.Generator
) -> Voice:
    """Add habit, emotion and chance to the neutral voice."""
    intensity = rng.uniform(*_INTENSITY)
    chance = rng.normal(scale=_CHANCE_SPREAD)
    shift = _Expression(*(speaker.habit + intensity * np.array(emotion) + chance))
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


def _write(
    folder: Path,
    target: NDArray,
    names: list[str],
    signals: NDArray,
    sampling_rate: int,
) -> NDArray:
    """Write one WAV file per signal, in a folder per class."""
    import soundfile

    paths = [
        folder / emotion / name for emotion, name in zip(target, names, strict=True)
    ]
    for emotion in np.unique(target):
        (folder / emotion).mkdir(parents=True, exist_ok=True)
    for path, signal in zip(paths, signals, strict=True):
        content = io.BytesIO()
        soundfile.write(content, signal, sampling_rate, subtype="PCM_16", format="WAV")
        with atomic_path(path, on_disk=False) as temporary:
            temporary.write_bytes(content.getvalue())
    return np.array([str(path) for path in paths])


def _parameter_table() -> str:
    """Lay out the emotions' values as a table in reStructuredText."""
    head = ("emotion", *_COLUMNS)
    rows = [
        (name, *(f"{x:+g}" if x else "0" for x in _EMOTIONS[name]))
        for name in sorted(_EMOTIONS)
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = tuple("=" * width for width in widths)
    return "\n".join(
        "  ".join(map(str.ljust, line, widths)).rstrip()
        for line in (rule, head, rule, *rows, rule)
    )
