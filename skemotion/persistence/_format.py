"""What a bundle can hold."""

import math
from typing import Any

import imblearn.pipeline
import numpy as np
import sklearn.pipeline

from skemotion.augmentation import SpeechAugmenter
from skemotion.classification import AttentionBLSTMClassifier, BLSTMClassifier
from skemotion.feature_extraction import SpeechEncoder, SpeechFeatureExtractor
from skemotion.novelty import NoveltyDetector
from skemotion.over_sampling import SequenceSampler
from skemotion.pipeline import EmotionPipeline
from skemotion.preprocessing import SequenceScaler

PIPELINES: dict[str, Any] = {
    "EmotionPipeline": EmotionPipeline,
    "imblearn.pipeline.Pipeline": imblearn.pipeline.Pipeline,
    "sklearn.pipeline.Pipeline": sklearn.pipeline.Pipeline,
}
CLASSIFIERS = (AttentionBLSTMClassifier, BLSTMClassifier)
STEPS: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        SpeechAugmenter,
        SpeechFeatureExtractor,
        SpeechEncoder,
        SequenceScaler,
        SequenceSampler,
        *CLASSIFIERS,
    )
}

# What a pipeline may have beside its steps, by its parameter.
DETECTORS: dict[str, Any] = {NoveltyDetector.__name__: NoveltyDetector}
DETECTOR = "novelty_detector"

# How a model runs here, which is nothing to carry elsewhere.
LOCAL = {"checkpoint", "memory", "n_jobs", "verbose"}
# What no prediction depends on, so that it may be left out.
TRAINING = {
    "callbacks",
    "class_weight",
    "effects",
    "learning_rate",
    "optimizer",
    "random_state",
    "sampler",
    "snr",
    "transform_input",
}
_TUPLE = "tuple"


def encode(value: Any) -> Any:
    """Write a parameter so that JSON keeps its type, as far as there is a way."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) is tuple:
        return {_TUPLE: [encode(item) for item in value]}
    return value


def decode(value: Any) -> Any:
    """Undo :func:`encode`."""
    if type(value) is dict and value.keys() == {_TUPLE}:
        items = value[_TUPLE]
        if type(items) is list:
            return tuple(decode(item) for item in items)
    if type(value) is float and not math.isfinite(value):
        raise ValueError(f"it has a parameter that is {value}.")
    return value
