"""What is peculiar to estimators of sequences, and which take recordings."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skemotion._validation._sequences import check_input_features

if TYPE_CHECKING:
    from typing_extensions import Self


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

    def set_output(self, *, transform: Any = None) -> "Self":
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


class SequenceOneToOneMixin(OneToOneFeatureMixin, SequenceTransformerMixin):
    """Mixin of transformers whose output has the features of their input."""

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the features, which stay as they are.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names. None stands for those of `fit`, or ``"x0"``, ``"x1"`` and so on.

        Returns
        -------
        ndarray of shape (n_features,), dtype object
        """
        check_input_features(input_features)
        return super().get_feature_names_out(input_features)


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
