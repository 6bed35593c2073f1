"""What a bundle can hold."""

import math
from typing import Any

import imblearn.pipeline
import numpy as np
import sklearn.pipeline

from skemotion.augmentation import SpeechAugmenter
from skemotion.augmentation._choice import is_of_package, name_of
from skemotion.augmentation._effects import EFFECTS, Effect
from skemotion.classification import AttentionBLSTMClassifier, BLSTMClassifier
from skemotion.feature_extraction import (
    DescriptorSet,
    SpeechEncoder,
    SpeechFeatureExtractor,
)
from skemotion.feature_extraction._sets import is_known_set
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
_EFFECT = {"effect", "ranges"}
_OWN_SET = "descriptor_set"


def encode(value: Any) -> Any:
    """Write a parameter so that JSON keeps its type, as far as there is a way."""
    if isinstance(value, np.generic):
        return value.item()
    if type(value) is tuple:
        return {_TUPLE: [encode(item) for item in value]}
    if type(value) is list:
        return [encode(item) for item in value]
    if is_of_package(value):
        ranges = {name: encode(each) for name, each in vars(value).items()}
        return {"effect": value.name, "ranges": ranges}
    return value


def name_effects(effects: Any) -> Any:
    """Put names in place of a user's own effects, which a bundle cannot hold.

    So what is loaded predicts as before, and is not fitted with other effects unseen.
    """
    if type(effects) not in (tuple, list):
        return effects
    return type(effects)(
        name_of(each) if callable(each) and not is_of_package(each) else each
        for each in effects
    )


def decode(value: Any) -> Any:
    """Undo :func:`encode`."""
    if type(value) is dict and value.keys() == {_TUPLE}:
        items = value[_TUPLE]
        if type(items) is list:
            return tuple(decode(item) for item in items)
    if type(value) is list:
        return [decode(item) for item in value]
    if type(value) is dict and value.keys() == _EFFECT:
        return _decode_effect(**value)
    if type(value) is float and not math.isfinite(value):
        raise ValueError(f"it has a parameter that is {value}.")
    return value


def _decode_effect(effect: Any, ranges: Any) -> Effect:
    if type(effect) is not str or effect not in EFFECTS or type(ranges) is not dict:
        raise ValueError(f"it has an effect that is unknown, {str(effect)[:50]!r}.")
    values = {name: decode(value) for name, value in ranges.items()}
    try:
        return type(EFFECTS[effect])(**values)
    except TypeError as error:
        raise ValueError(f"it has an effect that cannot be: {error}.") from error


def encode_parameter(name: str, value: Any) -> Any:
    """Write a parameter by :func:`encode`, without code of the user's that it holds."""
    without_code = {"effects": name_effects, "descriptors": name_descriptors}
    return encode(without_code[name](value) if name in without_code else value)


def name_descriptors(descriptors: Any) -> Any:
    """Write what a :class:`SpeechFeatureExtractor` computes, without its code."""
    if isinstance(descriptors, (list, tuple)):
        return [name_descriptors(each) for each in descriptors]
    if isinstance(descriptors, DescriptorSet):
        known = is_known_set(descriptors)
        return descriptors.name if known else {_OWN_SET: descriptors.name}
    return descriptors


def decode_descriptors(value: Any, descriptor_sets: list[DescriptorSet]) -> Any:
    """Undo :func:`name_descriptors`, with the sets that have no code in the file."""
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
