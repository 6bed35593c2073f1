"""Text that holds names of files, which may be any bytes, and comes back the same."""

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

# Control characters, marks that turn the direction of writing, and single bytes of
# names that are not in UTF-8: a terminal would obey or garble them.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    r"""Write rows as lines of CSV, which end in a newline.

    Examples
    --------
    >>> from skemotion._text import csv_text
    >>> csv_text([["a.wav", 1], ["two\rlines", 2]])
    'a.wav,1\n"two\rlines",2\n'
    """
    text = io.StringIO()
    # A carriage return in a cell is put into quotation marks only if lines end in one.
    writer, lines = csv.writer(text, lineterminator="\r\n"), []
    for row in rows:
        writer.writerow(row)
        lines.append(text.getvalue()[:-2])
        text.seek(0)
        text.truncate()
    return "".join(f"{line}\n" for line in lines)


def json_text(value: Any, **how: Any) -> str:
    """Write a value as JSON that is valid Unicode.

    Names that are not in UTF-8 are written as escaped surrogates, from which
    :func:`os.fsencode` makes the same name again.
    """
    text = json.dumps(value, ensure_ascii=False, **how)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, **how)
    return text


def printable(text: str, keep: str = "") -> str:
    r"""Escape what a terminal would obey, or could not show.

    Parameters
    ----------
    text : str
        Such as the name of a file.
    keep : str, default=""
        Characters that stay as they are.

    Examples
    --------
    >>> from skemotion._text import printable
    >>> print(printable("a\x1b[31m.wav"), printable("Grüße.wav"))
    a\x1b[31m.wav Grüße.wav
    """
    return "".join(
        char
        if char in keep or unicodedata.category(char) not in _UNSEEN
        else char.encode("ascii", "backslashreplace").decode()
        if ord(char) > 0x7F
        else f"\\x{ord(char):02x}"
        for char in text
    )
