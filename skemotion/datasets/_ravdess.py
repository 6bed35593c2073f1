"""The speech of the Ryerson Audio-Visual Database (RAVDESS)."""

import re
from pathlib import PurePath
from typing import Any

from skemotion.datasets._corpus import Archive, Corpus

_DESCRIPTION = """\
.. _ravdess_dataset:

Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS), speech
----------------------------------------------------------------------------

Twenty-four professional actors, twelve women and twelve men, spoke two English
sentences in a neutral North American accent, in eight emotions.

**Data set characteristics**

:Recordings: 1440, 48 kHz, 16-bit PCM: 60 of each actor
:Emotions: anger, calm, disgust, fear, happiness, sadness, surprise 192 each,
    neutral 96
:Intensity: normal and strong, but for neutral, which is normal
:Speakers: 24; odd numbers are men, even numbers women
:Texts: 2, each spoken twice
:Licence: CC BY-NC-SA 4.0

File names give modality, channel, emotion, intensity, text, repetition and actor:
``03-01-06-01-02-01-12.wav`` is audio alone (03), speech (01), fear (06), of normal
intensity (01), the text "Dogs are sitting by the door" (02), spoken for the first
time (01) by actor 12. The songs and videos of the database are not looked at.

.. rubric:: References

S. R. Livingstone and F. A. Russo, "The Ryerson Audio-Visual Database of Emotional
Speech and Song (RAVDESS)", PLoS ONE 13(5): e0196391, 2018,
doi:10.1371/journal.pone.0196391. Data: doi:10.5281/zenodo.1188976.
"""

_EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
_TEXTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
_INTENSITIES = {"01": "normal", "02": "strong"}

# Modality 03 is audio alone, and channel 01 speech.
_STEM = re.compile(r"03-01-(0[1-8])-(0[12])-(0[12])-(0[12])-(0[1-9]|1\d|2[0-4])")


def _parse(path: PurePath) -> dict[str, Any] | None:
    found = _STEM.fullmatch(path.stem)
    if found is None:
        return None
    label, intensity, text_id, repetition, actor = found.groups()
    return {
        "label": label,
        "speaker": actor,
        "sex": "male" if int(actor) % 2 else "female",
        "intensity": _INTENSITIES[intensity],
        "text_id": text_id,
        "text": _TEXTS[text_id],
        "repetition": int(repetition),
    }


RAVDESS = Corpus(
    name="ravdess",
    parse=_parse,
    labels=_EMOTIONS,
    title="RAVDESS",
    licence="CC BY-NC-SA 4.0",
    n_recordings=1440,
    archive=Archive(
        urls=(
            "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
        ),
        size=208_468_073,
        # What Zenodo publishes; it has no SHA-256 sum.
        checksum="md5:bc696df654c87fed845eb13823edef8a",
        largest=2**22,
    ),
    description=_DESCRIPTION,
)
