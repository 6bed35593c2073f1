"""``skemotion fetch``."""

from pathlib import Path

from skemotion.datasets import fetch_emodb


def run(options):
    """Download the corpus, and say where it is."""
    corpus = fetch_emodb(options.data_home)
    folder = Path(corpus.paths[0]).parent.parent
    print(f"{len(corpus.paths)} verified recordings in {folder}")
