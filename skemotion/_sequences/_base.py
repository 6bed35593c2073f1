"""What is peculiar to estimators of sequences, and which take recordings."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags


class SequenceTransformerMixin(TransformerMixin):
    """Mixin of transformers whose output has three dimensions.

    A data frame cannot hold it, so it stays an array, whatever output is
    configured.
    """

    if TYPE_CHECKING:

        def fit_transform(
            self, X: Any, y: Any = None, **fit_params: Any
        ) -> NDArray[np.float32]: ...

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    def set_output(self, *, transform=None):
        """Change nothing: sequences are always arrays.

        Parameters
        ----------
        transform : ignored
            Present for API consistency, so that pipelines can be configured.

        Returns
        -------
        self : object
        """
        return self


def takes_recordings(estimator: Any) -> bool:
    """Tell whether X of an estimator are recordings, by its tags.

    Parameters
    ----------
    estimator : estimator instance, str or None
        If it is a pipeline, its first step decides. "passthrough" and "drop"
        take anything.

    Returns
    -------
    bool
    """
    if isinstance(estimator, Pipeline):
        return bool(estimator.steps) and takes_recordings(estimator.steps[0][1])
    if not hasattr(estimator, "__sklearn_tags__"):
        return False
    return bool(get_tags(estimator).input_tags.string)
