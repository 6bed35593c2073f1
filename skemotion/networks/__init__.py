"""Keras graphs; they know nothing of scikit-learn."""

from skemotion.networks._backend import import_keras, without_retracing_log
from skemotion.networks._batches import fed_by_batches
from skemotion.networks._blstm import (
    ATTENTION_LAYER,
    attention_layers,
    build_blstm,
    build_compiled_blstm,
    build_trainer,
    ordered_variables,
)
from skemotion.networks._graphs import run_forward, trained_twin
from skemotion.networks._seeding import seeded

__all__ = [
    "ATTENTION_LAYER",
    "attention_layers",
    "build_blstm",
    "build_compiled_blstm",
    "build_trainer",
    "fed_by_batches",
    "import_keras",
    "ordered_variables",
    "run_forward",
    "seeded",
    "trained_twin",
    "without_retracing_log",
]
