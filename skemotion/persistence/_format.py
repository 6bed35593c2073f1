"""What a bundle can hold."""

import re
from typing import Any

import imblearn.pipeline
import sklearn.pipeline

from skemotion.classification import AttentionBLSTMClassifier, BLSTMClassifier
from skemotion.feature_extraction import SpeechFeatureExtractor
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
        SpeechFeatureExtractor,
        SequenceScaler,
        SequenceSampler,
        *CLASSIFIERS,
    )
}

# How a model runs here, which is nothing to carry elsewhere.
LOCAL = {"memory", "n_jobs", "verbose"}
# What no prediction depends on, so that it may be left out.
TRAINING = {
    "callbacks",
    "class_weight",
    "learning_rate",
    "optimizer",
    "random_state",
    "sampler",
    "transform_input",
}
LABEL_DTYPE = re.compile(r"[<>]U\d{1,4}|[<>|][iu][1248]|\|b1|\|O", re.ASCII)


def weight_shapes(classifier, n_features, n_classes):
    """Return the shape of each weight, in the order in which Keras lists them."""
    units = classifier.units
    shapes: dict[str, tuple[int, ...]] = {}
    for direction in ("forward", "backward"):
        shapes[f"{direction}_kernel"] = (n_features, 4 * units)
        shapes[f"{direction}_recurrent_kernel"] = (units, 4 * units)
        shapes[f"{direction}_bias"] = (4 * units,)
    if classifier._attention:
        shapes["attention_hidden_kernel"] = (2 * units, units)
        shapes["attention_energy_kernel"] = (units, 1)
    summary = 4 * units if classifier._attention else 2 * units
    shapes["output_kernel"] = (summary, n_classes)
    shapes["output_bias"] = (n_classes,)
    return shapes
