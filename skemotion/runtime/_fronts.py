"""From windows of recordings to what the graph of an exported model reads."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.feature_extraction._encoding import prepare
from skemotion.runtime._format import Description, Names

Inputs = dict[str, NDArray]


def make_front(description: Description) -> Any:
    """Return what makes the inputs of a model of a window's samples and rate."""
    return _FRONTS[description.kind](description.settings)


class EncoderFront:
    """Makes log-mel spectrograms for an encoder in the graph.

    Parameters
    ----------
    settings : dict
        Of :class:`skemotion.SpeechEncoder`.
    """

    def __init__(self, settings: dict[str, Any]):
        self._settings = settings

    def __call__(self, signal: NDArray[np.float32], rate: float) -> Inputs:
        """Return the inputs for one window."""
        heard = prepare(signal, rate, self._settings)
        if heard is None:  # of no frame anything is heard
            mel, n_real, first = np.zeros((1, self._settings["n_mels"]), "f4"), 0, 0
        else:
            mel, n_real, first = heard
        numbers = {Names.N_HEARD: len(mel), Names.N_REAL: n_real, Names.FIRST: first}
        return {Names.LOG_MEL: mel[np.newaxis]} | {
            name: np.array([[number]], np.int64) for name, number in numbers.items()
        }


class DescriptorFront:
    """Computes descriptors, which the graph reads.

    Parameters
    ----------
    settings : dict
        Of :class:`skemotion.SpeechFeatureExtractor`.
    """

    def __init__(self, settings: dict[str, Any]):
        from skemotion.feature_extraction._sets import describe

        self._settings = settings
        self._describe = describe

    def __call__(self, signal: NDArray[np.float32], rate: float) -> Inputs:
        """Return the inputs for one window."""
        frames = self._describe(signal, rate, self._settings)
        return {Names.SEQUENCE: frames[np.newaxis]}


_FRONTS = {"encoder": EncoderFront, "descriptors": DescriptorFront}
