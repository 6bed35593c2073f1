"""What a corpus is: where it comes from, and what the paths of its recordings tell."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
# What entries of a loaded corpus are called that are no columns of its own.
RESERVED = {
    *("path", "paths", "target", "target_names", "speakers"),
    *("data", "frame", "DESCR"),
}
_CHECKSUM = re.compile(r"(?:[a-z0-9]+:)?[0-9a-f]{32,128}")


@dataclass(frozen=True)
class Archive:
    """Where a corpus comes from, and what tells that it is the right one.

    Parameters
    ----------
    urls : sequence of str
        Addresses of the zip archive, by HTTP or HTTPS; the first that answers serves.

    size : int
        How large the archive is, in bytes, or what it cannot be larger than. No more
        is downloaded.

    checksum : str, default=None
        The SHA-256 sum of the archive, or another with its name in front, such as
        ``"md5:bc69..."``, as pooch takes it.

    files : mapping of str to str, default=None
        The SHA-256 sum of each recording, by its path in the archive. No others are
        unpacked. None unpacks what the parser of the corpus takes for a recording.

    documents : mapping of str to str, default={}
        The SHA-256 sums of other files that are kept, by their paths in the archive.
        One that has changed is left out, with a warning.

    largest : int, default=16777216
        What no file in the archive is larger than, in bytes. No more is unpacked.

    Raises
    ------
    ValueError
        If there is neither `checksum` nor `files`, so that nothing tells what came,
        or a value cannot be right.

    See Also
    --------
    Corpus : What it is the archive of.

    Examples
    --------
    >>> from skemotion.datasets import Archive
    >>> Archive(["https://example.org/speech.zip"], 10**6, "md5:" + "0" * 32).size
    1000000
    """

    urls: Sequence[str]
    size: int
    checksum: str | None = None
    files: Mapping[str, str] | None = field(default=None, repr=False)
    documents: Mapping[str, str] = field(default_factory=dict, repr=False)
    largest: int = 2**24

    def __post_init__(self) -> None:
        if isinstance(self.urls, str) or not self.urls:
            raise ValueError(
                f"urls must be a list of addresses, with one at least; got "
                f"{self.urls!r}."
            )
        if self.size <= 0 or self.largest <= 0:
            raise ValueError(
                "size and largest must be positive numbers of bytes; got "
                f"{self.size!r} and {self.largest!r}."
            )
        if self.checksum is None and not self.files:
            raise ValueError(
                "Give the checksum of the archive, or those of its files: without, "
                "nothing tells whether what came is the corpus."
            )
        if self.checksum is not None and not _CHECKSUM.fullmatch(self.checksum):
            raise ValueError(
                "checksum must be a sum in lower-case hexadecimal digits, of SHA-256 "
                f"or with its name in front, as in 'md5:...'; got {self.checksum!r}."
            )


@dataclass(frozen=True)
class Corpus:
    """A corpus of recordings whose paths tell what they are.

    :func:`load_corpus` reads one that is there, :func:`fetch_corpus` downloads it
    first. The known ones have names, which both take, as does the command line:
    ``"emodb"`` and ``"ravdess"``.

    Parameters
    ----------
    name : str
        A short name of lower-case letters, digits, ``-`` and ``_``: that of the folder
        where :func:`fetch_corpus` keeps it.

    parse : callable
        It takes the path of a file, a :class:`~pathlib.PurePath` relative to the
        folder of the recordings, and returns a dict with ``"label"``, the class, and
        whatever else is known of the recording, such as ``"speaker"``; the same keys
        for all. It returns None for what is no recording of the corpus. Only files
        with a suffix of audio are asked for.

    labels : mapping of str to str, default=None
        The class for each ``"label"`` that `parse` returns. None leaves them as they
        are.

    title : str, default=""
        What the corpus is called in messages; by default, its name.

    licence : str, default=""
        The terms under which it is published.

    n_recordings : int, default=None
        How many there are. If some are missing, :func:`load_corpus` warns; if there
        are more, it raises an error.

    folder : str, default=""
        Where the recordings lie in the archive. Loaders look there first.

    annotate : callable, default=None
        It takes the list of the recordings' paths, and returns a dict of more that is
        known of them, each a list of as many: what their paths do not tell, but a
        table beside them.

    archive : Archive, default=None
        Where :func:`fetch_corpus` gets it.

    description : str, default=""
        A text for the entry ``DESCR`` of the loaded corpus.

    Raises
    ------
    ValueError
        If `name` is no such name.
    TypeError
        If `parse` cannot be called.

    See Also
    --------
    load_corpus, fetch_corpus : Load it.
    load_recordings : Loads folders of classes, and tables, without any of this.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skemotion.datasets import Corpus, load_corpus
    >>> def parse(path):
    ...     speaker, emotion, _ = path.stem.split("_")
    ...     return {"label": emotion, "speaker": speaker}
    >>> mine = Corpus("mine", parse)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ["anna_anger_1.wav", "bert_sadness_1.wav"]:
    ...         Path(folder, name).touch()
    ...     data = load_corpus(mine, folder)
    >>> print(*data.target, *data.speakers)
    anger sadness anna bert
    """

    name: str
    parse: Callable[[PurePath], Mapping[str, Any] | None] = field(repr=False)
    labels: Mapping[str, str] | None = None
    title: str = ""
    licence: str = ""
    n_recordings: int | None = None
    folder: str = ""
    annotate: Callable[[list[Path]], Mapping[str, Sequence]] | None = field(
        default=None, repr=False
    )
    archive: Archive | None = None
    description: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                "name must be of lower-case letters, digits, - and _, as it names a "
                f"folder; got {self.name!r}."
            )
        for what in ("parse", "annotate"):
            value = getattr(self, what)
            if not callable(value) and (what == "parse" or value is not None):
                raise TypeError(f"{what} must be a function; got {value!r}.")
        if not self.title:
            object.__setattr__(self, "title", self.name)


def describe_recording(corpus: Corpus, path: PurePath) -> dict[str, Any] | None:
    """Return what the path of a recording tells, or None if it is none.

    Parameters
    ----------
    corpus : Corpus
    path : PurePath
        Relative to the folder of the recordings.

    Raises
    ------
    ValueError
        If the parser fails, or what it returns cannot be used.
    """
    about = f"parse of the corpus {corpus.name!r} "
    try:
        found = corpus.parse(path)
    except Exception as error:
        raise ValueError(
            f"{about}fails for {str(path)!r} ({type(error).__name__}: {error}): let it "
            "return None for files that are no recordings of the corpus."
        ) from error
    if found is None:
        return None
    if not isinstance(found, Mapping) or "label" not in found:
        raise ValueError(
            f"{about}returns {found!r} for {str(path)!r}: it must be a dict with "
            "'label', or None."
        )
    told = {**found}
    empty = [name for name in ("label", "speaker") if told.get(name, "?") in (None, "")]
    taken = sorted(RESERVED & told.keys())
    if empty or taken:
        raise ValueError(
            f"{about}returns {told!r} for {str(path)!r}: "
            + (f"{empty[0]} must not be empty." if empty else f"{taken[0]} is taken.")
        )
    if corpus.labels is not None:
        if told["label"] not in corpus.labels:
            raise ValueError(
                f"{about}returns the label {told['label']!r} for {str(path)!r}, but "
                f"labels has only {', '.join(map(repr, corpus.labels))}."
            )
        told["label"] = corpus.labels[told["label"]]
    return told
