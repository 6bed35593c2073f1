"""What scikit-learn's ``set_output`` means for sequences: nothing."""

from sklearn.base import TransformerMixin


class SequenceTransformerMixin(TransformerMixin):
    """Mixin of transformers whose output has three dimensions.

    A data frame cannot hold it, so it stays an array, whatever output is
    configured.
    """

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
