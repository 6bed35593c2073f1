"""How sure a pipeline is of what is unlike its training data."""

import numpy as np
from numpy.typing import NDArray

# Confidence is left as it is up to the detector's limit, and is gone at this many
# times it. Chosen on the sounds of benchmarks/novelty.py: up to 1.75 none of them
# keeps a confidence above 0.5.
_GONE = 1.6
_MOST = 0.95  # below 1, so that the most probable class stays the same


def pull_to_equal(probabilities: NDArray, scores: NDArray, offset: float) -> NDArray:
    """Pull probabilities to equal ones, the more the stranger a recording is.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        As predicted.
    scores : ndarray of shape (n_samples,)
        Of the detector's `score_samples`, or means of them.
    offset : float
        The detector's ``offset_``, the score at its limit.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Of the dtype of `probabilities`. No order of classes changes, and rows
        within the limit stay the same.
    """
    times_the_limit = np.asarray(scores) / offset
    weight = np.clip((times_the_limit - 1) / (_GONE - 1), 0, _MOST)[:, np.newaxis]
    weight = np.nan_to_num(weight)  # without speech, they are equal already
    pulled = (1 - weight) * probabilities + weight / probabilities.shape[1]
    return np.where(weight > 0, pulled, probabilities).astype(probabilities.dtype)
