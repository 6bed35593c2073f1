"""What a reader of skops has to trust to load models of this package."""

import imblearn.pipeline
from imblearn.over_sampling import SMOTE

from skemotion.classification import SequenceClassifier
from skemotion.feature_extraction import SequenceFunctionals, SequenceUnion
from skemotion.networks import BLSTM, CustomNetwork, WhisperEncoder
from skemotion.persistence._format import DETECTORS, STEPS
from skemotion.pipeline import EmotionPipeline

_OTHERS = (
    BLSTM,
    CustomNetwork,
    EmotionPipeline,
    SMOTE,  # the default of SequenceSampler
    SequenceClassifier,
    SequenceFunctionals,
    SequenceUnion,
    WhisperEncoder,
    imblearn.pipeline.Pipeline,
)
_NETWORK = "skemotion.classification._scikeras.NetworkClassifier"  # imports TensorFlow


def skops_types() -> list[str]:
    """Return the types that skops must trust to load models of this package.

    They are for ``skops.io.load(file, trusted=skops_types())``, and for
    ``mlflow.sklearn.log_model(..., skops_trusted_types=skops_types())``. skops trusts
    those of scikit-learn by itself. Add what is from elsewhere, such as the function
    that builds the network of a :class:`~skemotion.SequenceClassifier`.

    Returns
    -------
    list of str
        Names of types, with their modules, in alphabetical order. They can change with
        a version of this package.

    See Also
    --------
    skemotion.save_model : Writes a model so that no type has to be trusted.

    Notes
    -----
    With them, Keras reads the settings of the optimizer, which are in the file. Of a
    file whose source you do not know, :func:`~skemotion.load_model` is the safer
    reader.

    Examples
    --------
    >>> from skemotion.persistence import skops_types
    >>> "skemotion.preprocessing.SequenceScaler" in skops_types()
    True
    """
    classes = {*STEPS.values(), *DETECTORS.values(), *_OTHERS}
    return sorted(
        [_NETWORK, *(f"{each.__module__}.{each.__name__}" for each in classes)]
    )
