"""The corpora that have names, in Python and on the command line."""

from skemotion._messages import shorten
from skemotion.datasets._corpus import Corpus
from skemotion.datasets._emodb import EMODB
from skemotion.datasets._ravdess import RAVDESS

CORPORA = {corpus.name: corpus for corpus in (EMODB, RAVDESS)}


def find_corpus(corpus: str | Corpus) -> Corpus:
    """Return the corpus of a name, or one that is given as it is.

    Raises
    ------
    ValueError
        If no corpus has the name.
    """
    if isinstance(corpus, Corpus):
        return corpus
    if corpus not in CORPORA:
        raise ValueError(
            f"No corpus is called {corpus!r}; known are "
            f"{shorten(list(map(repr, CORPORA)))}. Of another, give a Corpus."
        )
    return CORPORA[corpus]
