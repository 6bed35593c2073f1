"""From recordings to sequences of acoustic descriptors, and on to flat vectors."""

from skemotion.feature_extraction._encoder import ENCODER_VERSION, SpeechEncoder
from skemotion.feature_extraction._extractor import SpeechFeatureExtractor
from skemotion.feature_extraction._functionals import SequenceFunctionals
from skemotion.feature_extraction._sets import descriptor_set_version
from skemotion.feature_extraction._union import SequenceUnion
from skemotion.feature_extraction._weights import WEIGHTS_SUFFIX, name_weights

__all__ = [
    "ENCODER_VERSION",
    "WEIGHTS_SUFFIX",
    "SequenceFunctionals",
    "SequenceUnion",
    "SpeechEncoder",
    "SpeechFeatureExtractor",
    "descriptor_set_version",
    "name_weights",
]
