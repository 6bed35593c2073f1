"""Recordings of a corpus in a folder, and what their paths tell."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from sklearn.utils._param_validation import StrOptions

from skemotion._messages import shorten, warn_user
from skemotion._validation._parameters import validate_params
from skemotion.datasets._corpus import RESERVED, Corpus, describe_recording
from skemotion.datasets._emodb import EMOTIONS
from skemotion.datasets._folders import search_folder
from skemotion.datasets._known import find_corpus
from skemotion.datasets._labelled import LabelledSpeech, give_form

# Entries of what is loaded, where they are not called as the columns are.
_ENTRIES = {
    **{"path": "paths", "label": "target", "speaker": "speakers"},
    **{"text_id": "text_ids", "text": "texts", "translation": "translations"},
}


class Recordings(NamedTuple):
    """Recordings of a corpus.

    Attributes
    ----------
    folder : Path
        Where they are.
    paths : list of Path
        In the order of their names.
    told : list of dict
        What the path of each tells.
    """

    folder: Path
    paths: list[Path]
    told: list[dict[str, Any]]


@overload
def load_corpus(
    corpus: str | Corpus,
    path: str | os.PathLike[str],
    *,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> LabelledSpeech: ...
@overload
def load_corpus(
    corpus: str | Corpus,
    path: str | os.PathLike[str],
    *,
    return_X_y: Literal[True],
    as_frame: bool = ...,
) -> tuple[Any, Any]: ...
@validate_params(
    {
        "corpus": [str, Corpus],
        "path": [str, os.PathLike],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
    }
)
def load_corpus(
    corpus: str | Corpus,
    path: str | os.PathLike[str],
    *,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> LabelledSpeech | tuple[Any, Any]:
    """Load a corpus from a folder, by what the paths of its recordings tell.

    Nothing is decoded.

    Parameters
    ----------
    corpus : {"emodb", "ravdess"} or Corpus
        Which: the Berlin EMO-DB, the speech of RAVDESS, or one of your own.

    path : str or path-like
        The unpacked archive, or any folder that holds the recordings, at any depth.
        Files that are none are ignored.

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
        the order of their paths.

        paths : ndarray of shape (n_recordings,), dtype str
            The recordings.
        target : ndarray of shape (n_recordings,), dtype str
            The class of each.
        speakers : ndarray of shape (n_recordings,), dtype str, or None
            The speaker of each; None if the paths do not tell. Made to be the
            `groups` of a cross-validation.
        sex, age, intensity, text_ids, texts, ... : ndarray of shape (n_recordings,)
            Whatever else is known.
        target_names : ndarray of shape (n_classes,), dtype str
            The classes in sorted order, as classifiers have them in
            ``classes_``.
        data : ndarray of shape (n_recordings,) or DataFrame
            The same as `paths`, or a data frame of them.
        frame : DataFrame of shape (n_recordings, n_columns) or None
            The columns path, label, and all others; None without `as_frame`.
        DESCR : str
            The full description of the corpus.

    (data, target) : tuple if ``return_X_y`` is True

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no recording of the corpus in it.
    NotADirectoryError
        If `path` is a file.
    ValueError
        If no corpus has the name, there are more recordings than the corpus has, or
        the parser of the corpus fails.

    Warns
    -----
    UserWarning
        If some recordings are missing. The others are loaded.

    See Also
    --------
    Corpus : What to give for a corpus of your own.
    fetch_corpus : Downloads the corpus first.
    load_recordings : Loads a folder per class, or a table.

    Examples
    --------
    An empty file stands in for the corpus, so we silence the warning that the others
    are missing.

    >>> import tempfile, warnings
    >>> from pathlib import Path
    >>> from skemotion.datasets import load_corpus
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     Path(folder, "03-01-06-01-02-01-12.wav").touch()
    ...     ravdess = load_corpus("ravdess", folder)
    >>> print(*ravdess.target, *ravdess.speakers, *ravdess.sex, *ravdess.texts)
    fear 12 female Dogs are sitting by the door
    """
    return _load(find_corpus(corpus), path, return_X_y=return_X_y, as_frame=as_frame)


@overload
def load_emodb(
    path: str | os.PathLike[str],
    *,
    language: str = ...,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> LabelledSpeech: ...
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
) -> LabelledSpeech | tuple[Any, Any]:
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
    ValueError
        If there are more than 535, as where the folder holds a second copy.

    Warns
    -----
    UserWarning
        If some of the 535 recordings are missing. The others are loaded.

    See Also
    --------
    fetch_emodb : Downloads the corpus first.
    load_corpus : Loads any corpus whose paths tell what its recordings are.

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
    corpus = replace(find_corpus("emodb"), labels=EMOTIONS[language])
    return _load(corpus, path, return_X_y=return_X_y, as_frame=as_frame)


def _load(corpus, path, *, return_X_y, as_frame):
    found = _require_recordings(corpus, Path(os.path.expanduser(path)))
    _check_number(corpus, found)
    columns: dict[str, Any] = {"path": [str(recording) for recording in found.paths]}
    columns |= _join(corpus, found)
    if corpus.annotate is not None:
        columns |= _annotations(corpus, found.paths, columns)
    columns = {"path": columns.pop("path"), "label": columns.pop("label"), **columns}
    for name in ("label", "speaker"):
        if name in columns:
            columns[name] = list(map(str, columns[name]))
    entries = {_ENTRIES.get(name, name): name for name in columns}
    labelled = LabelledSpeech(
        **{entry: np.array(columns[name]) for entry, name in entries.items()},
        target_names=np.unique(columns["label"]),
        DESCR=corpus.description,
    )
    labelled.setdefault("speakers", None)
    return give_form(labelled, entries, return_X_y=return_X_y, as_frame=as_frame)


def find_recordings(corpus: Corpus, path: Path) -> Recordings:
    """List the recordings of a corpus in a folder, or in its own folder in it.

    Parameters
    ----------
    corpus : Corpus
    path : Path
        Any, even of nothing.

    Returns
    -------
    Recordings
        Without any, if there are none.
    """
    for folder in dict.fromkeys([path / corpus.folder, path]):
        paths, told = [], []
        for recording in search_folder(folder).recordings if folder.is_dir() else ():
            known = describe_recording(corpus, recording.relative_to(folder))
            if known is not None:
                paths.append(recording)
                told.append(known)
        if paths:
            break
    return Recordings(folder, paths, told)


def _require_recordings(corpus: Corpus, path: Path) -> Recordings:
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no folder {str(path)!r}.")
    if not path.is_dir():
        raise NotADirectoryError(
            f"{str(path)!r} is not a folder; unpack the archive of {corpus.title} and "
            "pass the folder."
        )
    found = find_recordings(corpus, path)
    if not found.paths:
        names = shorten(sorted(repr(entry.name) for entry in path.iterdir()))
        raise FileNotFoundError(
            f"No recordings of {corpus.title} are in {str(path)!r}; found "
            f"{names or 'nothing'}. For recordings of another corpus, use "
            "load_recordings."
        )
    return found


def _check_number(corpus: Corpus, found: Recordings) -> None:
    """Warn of recordings that are missing, and raise where there are too many."""
    n_found, n_all = len(found.paths), corpus.n_recordings
    if n_all is None:
        return
    if n_found > n_all:
        raise ValueError(
            f"{n_found} recordings of {corpus.title} are in {str(found.folder)!r}, but "
            f"the corpus has {n_all}: pass the folder of one copy, such as "
            f"{str(found.paths[0].parent)!r}."
        )
    missing = _name_missing(corpus, found)
    n_missing = len(missing) or n_all - n_found
    if n_missing:
        names = f": {shorten(missing)}" if missing else ""
        warn_user(
            UserWarning(
                f"{n_missing} of the {n_all} recordings of {corpus.title} are missing "
                f"from {str(found.folder)!r}{names}. Loaded the {n_found} that are "
                "there."
            )
        )


def _name_missing(corpus: Corpus, found: Recordings) -> list[str]:
    """Name the recordings that are missing, if it is known which there are."""
    if corpus.archive is None or corpus.archive.files is None:
        return []
    present = {path.stem for path in found.paths}
    names = map(PurePosixPath, corpus.archive.files)
    return [name.name for name in names if name.stem not in present]


def _join(corpus: Corpus, found: Recordings) -> dict[str, list]:
    """Return what is told of each recording, column by column."""
    columns = list(found.told[0])
    for path, told in zip(found.paths, found.told, strict=True):
        if told.keys() != set(columns):
            raise ValueError(
                f"parse of the corpus {corpus.name!r} tells {', '.join(told)} of "
                f"{str(path)!r}, but {', '.join(columns)} of "
                f"{str(found.paths[0])!r}: let it tell the same of all."
            )
    return {name: [told[name] for told in found.told] for name in columns}


def _annotations(
    corpus: Corpus, paths: list[Path], columns: Iterable[str]
) -> dict[str, list]:
    assert corpus.annotate is not None  # else it is not asked
    more = {name: list(values) for name, values in corpus.annotate(paths).items()}
    taken = [name for name in more if name in columns or name in RESERVED]
    if taken:
        raise ValueError(
            f"annotate of the corpus {corpus.name!r} returns {taken[0]!r}, which it "
            "cannot: the name is taken."
        )
    wrong = [name for name, values in more.items() if len(values) != len(paths)]
    if wrong:
        raise ValueError(
            f"annotate of the corpus {corpus.name!r} returns "
            f"{len(more[wrong[0]])} values of {wrong[0]} for {len(paths)} recordings."
        )
    return more
