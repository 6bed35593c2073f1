"""Loading of a model that comes with the package."""

from typing import Literal

from sklearn.utils._param_validation import StrOptions

from skemotion._validation._parameters import validate_params
from skemotion.persistence import load_model
from skemotion.pipeline import EmotionPipeline
from skemotion.pretrained._files import BUNDLES


@validate_params({"name": [StrOptions(set(BUNDLES))]})
def load_pretrained(
    name: Literal["emodb", "emodb-descriptors"] = "emodb",
) -> EmotionPipeline:
    """Load a model that comes with the package.

    "emodb" is the recommended recipe of :func:`~skemotion.make_emotion_pipeline`,
    fitted on all 535 recordings of the Berlin EMO-DB [1]_: ten actors who speak
    ten German sentences with acted anger, boredom, disgust, fear, happiness,
    neutrality and sadness, in an anechoic chamber. On other voices, languages,
    microphones and spontaneous feelings it errs more often, and its confidence
    and its novelty need not show it. It is no means to decide anything about a
    person. The model card, ``MODEL_CARD.md`` beside this module, gives all
    measurements.

    Parameters
    ----------
    name : {"emodb", "emodb-descriptors"}, default="emodb"
        "emodb" hears through the early layers of a pretrained speech encoder
        [2]_, whose licence stands in ``NOTICE`` beside this module.
        "emodb-descriptors" is of the recipe "descriptors": it computes acoustic
        descriptors, is faster, and errs more often.

    Returns
    -------
    EmotionPipeline
        Fitted; it takes recordings as :class:`~skemotion.SpeechEncoder` does.
        Every call returns a new one.

    See Also
    --------
    load_model : Loads a bundle of yours.
    skemotion.datasets.fetch_emodb : The recordings that it was fitted on.

    References
    ----------
    .. [1] F. Burkhardt et al., "A Database of German Emotional Speech", Proc.
       Interspeech 2005, pp. 1517-1520.
    .. [2] A. Radford et al., "Robust Speech Recognition via Large-Scale Weak
       Supervision", Proc. ICML 2023.

    Examples
    --------
    >>> from skemotion import load_pretrained
    >>> model = load_pretrained()
    >>> model.classes_.tolist()
    ['anger', 'boredom', 'disgust', 'fear', 'happiness', 'neutral', 'sadness']
    >>> from skemotion.datasets import make_emotional_speech
    >>> speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0)
    >>> model.predict_proba(speech.signals[:1]).shape
    (1, 7)
    """
    return load_model(BUNDLES[name])
