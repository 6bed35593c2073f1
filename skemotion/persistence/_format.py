"""What a bundle can hold."""

import re
from typing import Any

import imblearn.pipeline
import sklearn.pipeline

from skemotion._sequences import FUNCTIONALS
from skemotion.augmentation import SpeechAugmenter
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
        SpeechAugmenter,
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
    "effects",
    "learning_rate",
    "optimizer",
    "random_state",
    "sampler",
    "snr",
    "transform_input",
}
LABEL_DTYPE = re.compile(r"[<>]U\d{1,4}|[<>|][iu][1248]|\|b1|\|O", re.ASCII)


def weight_shapes(classifier, n_features, n_classes):
    """Return the shape of each weight, in the order of `ordered_variables`."""
    units, read = classifier.units, classifier.functionals_units
    recurrent: dict[str, tuple[int, ...]] = {}
    for direction in ("forward", "backward"):
        recurrent[f"{direction}_kernel"] = (n_features, 4 * units)
        recurrent[f"{direction}_recurrent_kernel"] = (units, 4 * units)
        recurrent[f"{direction}_bias"] = (4 * units,)
    layers = [recurrent]
    if classifier._attention:
        layers.append({"attention_hidden_kernel": (2 * units, units)})
        layers.append({"attention_energy_kernel": (units, 1)})
    summary = 4 * units if classifier._attention else 2 * units
    if read is not None:
        summary, n_functionals = summary + read, n_features * len(FUNCTIONALS)
        layers.append(
            {
                "functionals_mean": (n_functionals,),
                "functionals_variance": (n_functionals,),
            }
        )
        layers.append(
            {
                "functionals_hidden_kernel": (n_functionals, read),
                "functionals_hidden_bias": (read,),
            }
        )
    layers.append({"output_kernel": (summary, n_classes), "output_bias": (n_classes,)})
    return {
        name if member == 0 else f"{name}_{member + 1}": shape
        for layer in layers
        for member in range(_n_copies(layer, classifier.n_members))
        for name, shape in layer.items()
    }


def _n_copies(layer, n_members):
    """Return in how many members a layer stands: one scales functionals for all."""
    return 1 if "functionals_mean" in layer else n_members
