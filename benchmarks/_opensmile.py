"""openSMILE's feature sets as a step of a pipeline, to compare with.

openSMILE is free for research, not for products, so nothing but two recipes of
``emodb.py`` uses it: ``pip install opensmile`` before.
"""

import numpy as np
from joblib import Memory
from sklearn.base import BaseEstimator, TransformerMixin

SETS = {"opensmile-egemaps": "eGeMAPSv02", "opensmile-compare": "ComParE_2016"}


class OpenSmileExtractor(TransformerMixin, BaseEstimator):
    """Turn files into openSMILE's functionals, as sequences of one frame each.

    Parameters
    ----------
    feature_set : str
        A value of :data:`SETS`.

    memory : str, default=None
        Folder in which they are kept.
    """

    def __init__(self, feature_set, memory=None):
        self.feature_set = feature_set
        self.memory = memory

    def fit(self, X, y=None):
        """Learn nothing."""
        return self

    def transform(self, X):
        """Return an array of shape (n_recordings, 1, n_functionals)."""
        extract = Memory(self.memory, verbose=0).cache(_extract)
        return np.stack([extract(str(path), self.feature_set) for path in X])

    def __sklearn_is_fitted__(self):
        return True


def _extract(path, feature_set):
    import opensmile

    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet[feature_set],
        feature_level=opensmile.FeatureLevel.Functionals,
    )
    return smile.process_file(path).to_numpy()
