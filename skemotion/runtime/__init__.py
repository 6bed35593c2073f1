"""Predictions of exported models by ONNX Runtime, without TensorFlow.

Nothing here imports TensorFlow, Keras, scikit-learn, librosa or Matplotlib.
"""

from skemotion.runtime._format import SUFFIX
from skemotion.runtime._model import ExportedModel, load_exported

__all__ = ["SUFFIX", "ExportedModel", "load_exported"]
