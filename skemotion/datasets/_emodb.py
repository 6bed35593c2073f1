"""The Berlin Database of Emotional Speech (EMO-DB)."""

import math
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from skemotion.datasets._corpus import Archive, Corpus

_DATA = Path(__file__).parent / "data"

_SPEAKERS = {
    "03": ("male", 31),
    "08": ("female", 34),
    "09": ("female", 21),
    "10": ("male", 32),
    "11": ("male", 26),
    "12": ("male", 30),
    "13": ("female", 32),
    "14": ("female", 35),
    "15": ("male", 25),
    "16": ("female", 31),
}

# The translations are those of the corpus' own documentation.
_TEXTS = {
    "a01": (
        "Der Lappen liegt auf dem Eisschrank.",
        "The tablecloth is lying on the fridge.",
    ),
    "a02": (
        "Das will sie am Mittwoch abgeben.",
        "She will hand it in on Wednesday.",
    ),
    "a04": (
        "Heute abend könnte ich es ihm sagen.",
        "Tonight I could tell him.",
    ),
    "a05": (
        "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
        "The black sheet of paper is located up there besides the piece of timber.",
    ),
    "a07": (
        "In sieben Stunden wird es soweit sein.",
        "In seven hours it will be.",
    ),
    "b01": (
        "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
        "What about the bags standing there under the table?",
    ),
    "b02": (
        "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
        "They just carried it upstairs and now they are going down again.",
    ),
    "b03": (
        "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes "
        "besucht.",
        "Currently at the weekends I always went home and saw Agnes.",
    ),
    "b09": (
        "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
        "I will just discard this and then go for a drink with Karl.",
    ),
    "b10": (
        "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
        "It will be in the place where we always store it.",
    ),
}

EMOTIONS = {
    "en": {
        "W": "anger",
        "L": "boredom",
        "E": "disgust",
        "A": "fear",
        "F": "happiness",
        "T": "sadness",
        "N": "neutral",
    },
    "de": {
        "W": "wut",
        "L": "langeweile",
        "E": "ekel",
        "A": "angst",
        "F": "freude",
        "T": "trauer",
        "N": "neutral",
    },
    "it": {
        "W": "rabbia",
        "L": "noia",
        "E": "disgusto",
        "A": "paura",
        "F": "felicità",
        "T": "tristezza",
        "N": "neutro",
    },
}

_STEM = re.compile(
    "({speakers})({texts})([{emotions}])[a-z]?".format(
        speakers="|".join(_SPEAKERS),
        texts="|".join(_TEXTS),
        emotions="".join(EMOTIONS["en"]),
    )
)

# A row of erkennung.txt: file name and per cent with a decimal comma. Whatever pads
# the cells is skipped, since no-break spaces look different in every encoding.
_RECOGNITION = re.compile(
    r"(\d\d[ab]\d\d[A-Z][a-z]?)(?:\.wav)?[^\t\n]*\t[^\t\n\d]*(\d+(?:[,.]\d+)?)"
)


def _parse(path: PurePath) -> dict[str, Any] | None:
    found = _STEM.fullmatch(path.stem)
    if found is None or path.suffix.lower() != ".wav":
        return None
    speaker, text_id, letter = found.groups()
    sex, age = _SPEAKERS[speaker]
    text, translation = _TEXTS[text_id]
    return {
        "label": letter,
        "speaker": speaker,
        "sex": sex,
        "age": age,
        "text_id": text_id,
        "text": text,
        "translation": translation,
    }


def _annotate(recordings: Sequence[Path]) -> dict[str, list[float]]:
    recognised = _read_recognition(recordings[0].parent)
    shares = [recognised.get(recording.stem, math.nan) for recording in recordings]
    return {"recognition": shares}


def _read_recognition(folder: Path) -> dict[str, float]:
    for path in (folder / "erkennung.txt", folder.parent / "erkennung.txt"):
        if path.is_file():
            # What is read of it is ASCII, in UTF-8 and in Latin-1 editions alike.
            text = path.read_text(encoding="latin-1")
            return {
                stem: float(percentage.replace(",", ".")) / 100
                for stem, percentage in _RECOGNITION.findall(text)
            }
    return {}


def _read_sums() -> dict[str, str]:
    lines = (_DATA / "emodb.sha256").read_text("utf-8").splitlines()
    return {f"wav/{name}": digest for digest, name in map(str.split, lines)}


EMODB = Corpus(
    name="emodb",
    parse=_parse,
    labels=EMOTIONS["en"],
    title="EMO-DB",
    licence="CC0-1.0",
    n_recordings=535,
    folder="wav",
    annotate=_annotate,
    archive=Archive(
        urls=(
            "https://emodb.bilderbar.info/download/download.zip",
            # All that is kept is verified, so that it may come this way where the
            # other fails.
            "http://emodb.bilderbar.info/download/download.zip",
        ),
        size=2**26,  # it is of about 40 MB, and no sum of it is published
        files=_read_sums(),
        documents={
            "erkennung.txt": (
                "80c4826cee83448ae7bab6d55c1598dac9a6e894ce01ab4e86090dd3aeaee12f"
            )
        },
        largest=2**20,  # the longest recording takes 287 kB
    ),
    description=(_DATA / "emodb.rst").read_text("utf-8"),
)
