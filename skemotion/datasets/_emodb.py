"""The Berlin Database of Emotional Speech (EMO-DB)."""

import os
import re
import warnings
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from sklearn.utils._param_validation import StrOptions

from skemotion._messages import shorten
from skemotion._validation import validate_params
from skemotion.datasets._corpus import Corpus, give_form

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

_COLUMNS = {
    **{"paths": "path", "target": "label", "speakers": "speaker", "sex": "sex"},
    **{"age": "age", "text_ids": "text_id", "texts": "text"},
    **{"translations": "translation", "recognition": "recognition"},
}

# A row of erkennung.txt: file name and per cent with a decimal comma. Whatever pads
# the cells is skipped, since no-break spaces look different in every encoding.
_RECOGNITION = re.compile(
    r"(\d\d[ab]\d\d[A-Z][a-z]?)(?:\.wav)?[^\t\n]*\t[^\t\n\d]*(\d+(?:[,.]\d+)?)"
)


@overload
def load_emodb(
    path: str | os.PathLike[str],
    *,
    language: str = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> Corpus: ...
@overload
def load_emodb(
    path: str | os.PathLike[str],
    *,
    language: str = ...,
    return_X_y: Literal[True],
    as_frame: bool = ...,
) -> tuple[Any, Any]: ...
@validate_params(
    {
        "path": [str, os.PathLike],
        "language": [StrOptions(set(EMOTIONS))],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    }
)
def load_emodb(
    path: str | os.PathLike[str],
    *,
    language: str = "en",
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Corpus | tuple[Any, Any]:
    """Load the Berlin Database of Emotional Speech (EMO-DB) from a folder.

    Ten actors speak ten German sentences in seven emotions [1]_: 535
    recordings. Nothing is decoded; what a recording's name says is spelt out.

    Parameters
    ----------
    path : str or path-like
        The unpacked archive, with the recordings in its folder ``wav``, or a
        folder of the recordings alone. Files that are not named as EMO-DB
        names its recordings are ignored.

    language : {"en", "de", "it"}, default="en"
        Language of the emotions' names: English, German or Italian.

    return_X_y : bool, default=False
        If True, ``(data, target)`` is returned instead of a Bunch.

    as_frame : bool, default=False
        If True, `data` is a pandas DataFrame with the column ``path``, which
        pipelines take as it is, and what has a value for each recording is a
        Series.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object. Its arrays have one element per recording, in
        the order of the file names.

        paths : ndarray of shape (n_recordings,), dtype str
            The recordings.
        target : ndarray of shape (n_recordings,), dtype str
            The emotion, named in `language`.
        speakers : ndarray of shape (n_recordings,), dtype str
            "03", "08", ..., "16". Made to be the `groups` of a
            cross-validation.
        sex : ndarray of shape (n_recordings,), dtype str
            The speaker's, "female" or "male".
        age : ndarray of shape (n_recordings,), dtype int
            The speaker's, in years.
        text_ids : ndarray of shape (n_recordings,), dtype str
            Code of the sentence, "a01" to "b10".
        texts : ndarray of shape (n_recordings,), dtype str
            The sentence in German.
        translations : ndarray of shape (n_recordings,), dtype str
            The sentence in English.
        recognition : ndarray of shape (n_recordings,), dtype float
            Fraction, from 0 to 1, of the listeners who recognised the emotion,
            from ``erkennung.txt`` in the folder of the recordings or the one
            above. NaN where that file, or its row, is missing.
        target_names : ndarray of shape (n_emotions,), dtype str
            The emotions in sorted order, as classifiers have them in
            ``classes_``.
        data : ndarray of shape (n_recordings,) or DataFrame
            The same as `paths`, or a data frame of them.
        frame : DataFrame of shape (n_recordings, 9) or None
            The columns path, label, speaker, sex, age, text_id, text, translation
            and recognition; None without `as_frame`.
        DESCR : str
            The full description of the corpus.

    (data, target) : tuple if ``return_X_y`` is True

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no recording of EMO-DB in it.
    NotADirectoryError
        If `path` is a file.

    Warns
    -----
    UserWarning
        If some of the 535 recordings are missing. The others are loaded.

    See Also
    --------
    fetch_emodb : Downloads the corpus first.
    load_recordings : Loads other corpora.

    References
    ----------
    .. [1] F. Burkhardt, A. Paeschke, M. Rolfes, W. Sendlmeier and B. Weiss, "A
       Database of German Emotional Speech", Proc. Interspeech 2005,
       pp. 1517-1520.

    Examples
    --------
    Two empty files stand in for the corpus, so we silence the warning that the
    others are missing.

    >>> import tempfile, warnings
    >>> from pathlib import Path
    >>> from skemotion.datasets import load_emodb
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     for name in ["03a01Fa.wav", "08b10Tb.wav"]:
    ...         Path(folder, name).touch()
    ...     emodb = load_emodb(folder)
    >>> print(*emodb.target)
    happiness sadness
    >>> print(*emodb.speakers)
    03 08
    >>> print(emodb.translations[1])
    It will be in the place where we always store it.
    """
    recordings = _require_recordings(Path(os.path.expanduser(path)))
    _warn_of_missing(recordings)
    speakers = [recording.name[:2] for recording in recordings]
    text_ids = [recording.name[2:5] for recording in recordings]
    letters = [recording.name[5] for recording in recordings]
    sex, age = zip(*(_SPEAKERS[speaker] for speaker in speakers), strict=True)
    texts, translations = zip(*(_TEXTS[text_id] for text_id in text_ids), strict=True)
    recognition = _read_recognition(recordings[0].parent)
    target = np.array([EMOTIONS[language][letter] for letter in letters])
    corpus = Corpus(
        paths=np.array([str(recording) for recording in recordings]),
        target=target,
        speakers=np.array(speakers),
        sex=np.array(sex),
        age=np.array(age),
        text_ids=np.array(text_ids),
        texts=np.array(texts),
        translations=np.array(translations),
        recognition=np.array(
            [recognition.get(recording.stem, np.nan) for recording in recordings]
        ),
        target_names=np.unique(target),
        DESCR=_read_data("emodb.rst"),
    )
    return give_form(corpus, _COLUMNS, return_X_y=return_X_y, as_frame=as_frame)


@cache
def checksums() -> dict[str, str]:
    """Map the file name of every recording of the corpus to its SHA-256 sum."""
    lines = _read_data("emodb.sha256").splitlines()
    return {name: digest for digest, name in map(str.split, lines)}


def find_recordings(path: Path) -> list[Path]:
    """List the recordings of EMO-DB in a folder, or in the folder wav in it."""
    for folder in (path / "wav", path):
        entries = folder.iterdir() if folder.is_dir() else ()
        recordings = [entry for entry in entries if _is_recording(entry)]
        if recordings:
            return sorted(recordings, key=lambda recording: recording.name)
    return []


def _is_recording(path: Path) -> bool:
    return path.suffix.lower() == ".wav" and bool(_STEM.fullmatch(path.stem))


def _require_recordings(path: Path) -> list[Path]:
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no folder {str(path)!r}.")
    if not path.is_dir():
        raise NotADirectoryError(
            f"{str(path)!r} is not a folder; unpack the archive of EMO-DB and pass "
            "the folder that holds 'wav'."
        )
    recordings = find_recordings(path)
    if not recordings:
        found = shorten(sorted(repr(entry.name) for entry in path.iterdir()))
        raise FileNotFoundError(
            f"No recordings of EMO-DB, with names such as '03a01Fa.wav', are in "
            f"{str(path)!r} or in a folder 'wav' in it; found {found or 'nothing'}. "
            "For recordings of another corpus, use load_recordings."
        )
    return recordings


def _warn_of_missing(recordings: list[Path]) -> None:
    present = {f"{recording.stem}.wav" for recording in recordings}
    missing = [name for name in checksums() if name not in present]
    if missing:
        warnings.warn(
            f"{len(missing)} of the {len(checksums())} recordings of EMO-DB are "
            f"missing from {str(recordings[0].parent)!r}: {shorten(missing)}. "
            f"Loaded the {len(recordings)} that are there.",
            stacklevel=4,
        )


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


def _read_data(name: str) -> str:
    return files("skemotion.datasets").joinpath("data", name).read_text("utf-8")
