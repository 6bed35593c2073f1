"""``skemotion fetch``."""

import os

from skemotion.datasets import fetch_corpus, get_data_home
from skemotion.datasets._known import CORPORA


def run(options):
    """Download the corpus, and say where it is."""
    corpus = CORPORA[options.corpus]
    data = fetch_corpus(corpus, options.data_home)
    folder = os.path.join(get_data_home(options.data_home), corpus.name)
    print(
        f"{len(data.paths)} verified recordings of {corpus.title} ({corpus.licence}) "
        f"in {folder}"
    )
