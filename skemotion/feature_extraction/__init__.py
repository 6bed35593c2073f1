"""From recordings to sequences of acoustic descriptors."""

from skemotion.feature_extraction._extractor import SpeechFeatureExtractor

__all__ = ["SpeechFeatureExtractor"]
