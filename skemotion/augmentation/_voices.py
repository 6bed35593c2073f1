"""Whose voices are heard behind a copy."""

import numpy as np

from skemotion.augmentation._sources import Source


class Voices:
    """Recordings to choose from, by chance that depends on what they hold alone.

    Every candidate gets a score for every copy, and the lowest win ("rendezvous
    hashing"). So a candidate more or less changes none but the copies that it is
    heard in, and their order changes nothing.

    Parameters
    ----------
    sources : list of Source
        Those that hold the same count once.
    """

    def __init__(self, sources: list[Source]):
        candidates: dict[str, Source] = {}
        for source in sorted(sources, key=lambda source: source.rate or 0.0):
            candidates.setdefault(source.identity, source)
        self._candidates = list(candidates.values())
        self._numbers = np.array(
            [int(identity[:16], 16) for identity in candidates], dtype=np.uint64
        )

    def choose(self, n_voices: int, number: int) -> tuple[Source, ...]:
        """Choose for the copy of a number below 2**64, fewer if there are fewer."""
        scores = _mix(self._numbers ^ np.uint64(number))
        n_voices = min(n_voices, scores.size)
        lowest = np.argpartition(scores, n_voices - 1)[:n_voices]
        lowest = lowest[np.argsort(scores[lowest])]
        return tuple(self._candidates[i] for i in lowest)


def _mix(numbers):
    """Scatter numbers over all of 64 bits, one to one.

    It is the last step of SplitMix: G. L. Steele, D. Lea, C. H. Flood, "Fast
    splittable pseudorandom number generators", OOPSLA 2014.
    """
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
