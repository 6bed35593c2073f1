"""Keras graphs; they know nothing of scikit-learn."""

from skemotion.networks._backend import import_keras, without_retracing_log
from skemotion.networks._blstm import ATTENTION_LAYER, build_blstm

__all__ = ["ATTENTION_LAYER", "build_blstm", "import_keras", "without_retracing_log"]
