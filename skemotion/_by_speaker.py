"""The mark of a pipeline whose features are to be standardised by speaker."""

from sklearn.base import BaseEstimator

from skemotion._sequences import SequenceTransformerMixin


class SpeakerStandardized(SequenceTransformerMixin, BaseEstimator):
    """Step that stands for what no step can do, and says so when it is reached.

    The steps behind it were fitted on features from
    :func:`skemotion.preprocessing.speaker_standardize`, which needs to know
    whose recordings it is given. Without it their predictions would be wrong,
    and nobody would notice.
    """

    def fit(self, X, y=None):
        """Do nothing.

        Parameters
        ----------
        X : ignored
            Present for API consistency.
        y : ignored
            Present for API consistency.

        Returns
        -------
        self : SpeakerStandardized
        """
        return self

    def transform(self, X):
        """Refuse to guess who speaks.

        Parameters
        ----------
        X : ignored
            Present for API consistency.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            "this model was trained on features standardised by speaker: use "
            "skemotion predict --one-speaker, or in Python, for each speaker, "
            "skemotion.adapt(model, paths).predict(paths)."
        )

    def __sklearn_is_fitted__(self):
        return True
