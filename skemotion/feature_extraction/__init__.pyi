from ._encoder import ENCODER_VERSION as ENCODER_VERSION
from ._encoder import SpeechEncoder as SpeechEncoder
from ._extractor import SpeechFeatureExtractor as SpeechFeatureExtractor
from ._functionals import SequenceFunctionals as SequenceFunctionals
from ._sets import descriptor_set_version as descriptor_set_version
from ._union import SequenceUnion as SequenceUnion
from ._weights import WEIGHTS_SUFFIX as WEIGHTS_SUFFIX
from ._weights import name_weights as name_weights
