"""What a bundle can hold."""

import math
from typing import Any

import imblearn.pipeline
import numpy as np
import sklearn.pipeline

from skemotion.augmentation import SpeechAugmenter
from skemotion.classification import AttentionBLSTMClassifier, BLSTMClassifier
from skemotion.feature_extraction import (
    DescriptorSet,
    SpeechEncoder,
    SpeechFeatureExtractor,
    is_known_set,
)
from skemotion.novelty import NoveltyDetector
from skemotion.over_sampling import SequenceSampler
from skemotion.persistence._archive import get_entry
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
_OWN_SET = "descriptor_set"


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


def encode_descriptors(descriptors: Any) -> Any:
    """Write what a :class:`SpeechFeatureExtractor` computes, without its code."""
    if isinstance(descriptors, (list, tuple)):
        return [encode_descriptors(each) for each in descriptors]
    if isinstance(descriptors, DescriptorSet):
        known = is_known_set(descriptors)
        return descriptors.name if known else {_OWN_SET: descriptors.name}
    return descriptors


def decode_descriptors(value: Any, descriptor_sets: list[DescriptorSet]) -> Any:
    """Undo :func:`encode_descriptors`, with the sets that have no code in the file."""
    if type(value) is list:
        return [decode_descriptors(each, descriptor_sets) for each in value]
    if type(value) is not dict:
        return value
    name = get_entry(value, _OWN_SET, str)
    for each in descriptor_sets:
        if each.name == name:
            return each
    raise ValueError(
        f"it was trained on descriptors {name!r}, which are not the package's own, and "
        "a bundle holds no code: give their DescriptorSet to "
        "load_model(..., descriptor_sets=[...])."
    )
