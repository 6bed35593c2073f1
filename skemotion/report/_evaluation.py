"""What a pipeline said of labelled recordings that it was not trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Evaluation:
    """Predictions for labelled recordings, and how they came about.

    Parameters
    ----------
    paths : ndarray of shape (n_recordings,), dtype str
        The recordings that were tested, each once.
    y_true : ndarray of shape (n_recordings,), dtype str
        What they are labelled as.
    probabilities : ndarray of shape (n_recordings, n_classes), dtype float64
        As predicted. Rows without speech have equal ones.
    classes : ndarray of shape (n_classes,), dtype str
        The classes of `probabilities`, in the order of columns.
    protocol : str
        In words: what was held out, and what the numbers hold for.
    caveats : sequence of str, default=()
        What makes the numbers too kind, such as that features were standardised
        over the recordings that are tested (transductive).
    speakers : ndarray of shape (n_recordings,), dtype str, default=None
        Who speaks. None if it is not known.
    folds : ndarray of shape (n_recordings,), dtype intp, default=None
        The fold that a recording was tested in, from 0 on. None if one fitted
        model was tested.
    silent : ndarray of shape (n_recordings,), dtype bool, default=None
        Recordings that were found to hold no speech. None if that was not asked.
    histories : sequence of dict, default=()
        Of each fold, the values per epoch of what its training watched, as
        `history_` of a classifier has them.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion.report import Evaluation
    >>> evaluation = Evaluation(
    ...     paths=np.array(["a.wav", "b.wav"]),
    ...     y_true=np.array(["anger", "fear"]),
    ...     probabilities=np.array([[0.9, 0.1], [0.6, 0.4]]),
    ...     classes=np.array(["anger", "fear"]),
    ...     protocol="two recordings of speakers that were not trained on",
    ... )
    >>> evaluation.y_pred
    array(['anger', 'anger'], dtype='<U5')
    """

    paths: NDArray[np.str_]
    y_true: NDArray[np.str_]
    probabilities: NDArray[np.floating]
    classes: NDArray[np.str_]
    protocol: str
    caveats: Sequence[str] = ()
    speakers: NDArray[np.str_] | None = None
    folds: NDArray[np.intp] | None = None
    silent: NDArray[np.bool_] | None = None
    histories: Sequence[Mapping[str, Any]] = ()

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def y_pred(self) -> NDArray[np.str_]:
        """The most probable class of each recording."""
        return self.classes[self.probabilities.argmax(axis=1)]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """The highest probability of each recording."""
        return self.probabilities.max(axis=1)
