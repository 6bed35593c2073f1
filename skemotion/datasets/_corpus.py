"""The type of what loaders of corpora return."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch


class Corpus(Bunch):
    """Recordings and their labels: a Bunch, whose common entries have types.

    Each loader says in its own documentation what else there is.
    """

    target: NDArray[np.str_]
    target_names: NDArray[np.str_]
