"""Encoders that are built, with their weights, and kept for whoever asks next."""

import gc
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.networks._backend import (
    import_keras,
    names_from_the_start,
    without_retracing_log,
)
from skemotion.networks._graphs import RecentlyUsed
from skemotion.networks._whisper import HEAD_WIDTH, WhisperEncoder

# Weights take some 30 MB. To trace a graph takes seconds, and megabytes that
# TensorFlow never gives back, so that weights of the same sizes take turns in it.
_encoders = RecentlyUsed(2)
_graphs = RecentlyUsed(16)

Encode = Callable[[NDArray[np.float32], NDArray[np.int32]], NDArray[np.float32]]


def find_encoder(
    architecture: WhisperEncoder, weights: Mapping[str, NDArray], digest: str
) -> Encode:
    """Return the function from log-mel frames to those of an encoder.

    Parameters
    ----------
    architecture : WhisperEncoder
        Its sizes.
    weights : mapping of str to ndarray
        With the names and shapes of its `weight_shapes`.
    digest : str
        Tells these weights from others, as :func:`hash_weights` does.

    Returns
    -------
    callable
        Called with frames of shape (batch, n, n_mels), float32, and how many
        of each recording are real, (batch,), int32. Returns an array of shape
        (batch, ceil(n / 2), len(layers) * width), float32. Several threads may
        call it at once.
    """
    import_keras()
    return _encoders.get_or_make(
        (architecture, digest), lambda: _make(architecture, weights)
    )


def hash_weights(weights: Mapping[str, NDArray]) -> str:
    """Return the SHA-256 of names and values, whatever the precision they are in."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        array = np.ascontiguousarray(weights[name], dtype="<f4")
        digest.update(f"{name} {array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()


def _make(architecture, weights) -> Encode:
    import tensorflow as tf

    graph = _graphs.get_or_make(architecture, lambda: _trace_once(architecture))
    values = [
        tf.constant(array, tf.float32)
        for layer in graph.layers
        for array in _as_keras(layer, weights)
    ]
    return lambda mel, lengths: graph.run(values, mel, lengths).numpy()


class _Graph(NamedTuple):
    run: Callable
    layers: list[str]  # whose arrays it takes, one after the other


def _trace_once(architecture):
    graph = _trace(architecture)
    gc.collect()  # the model, a ring with megabytes of variables that nobody needs
    return graph


def _trace(architecture) -> _Graph:
    import tensorflow as tf

    with names_from_the_start():
        model = architecture.build()
    model.trainable = False

    def run(values, mel, lengths):
        return model.stateless_call([], values, [mel, lengths], training=False)[0]

    specifications = (
        [tf.TensorSpec(variable.shape) for variable in model.variables],
        tf.TensorSpec((None, None, architecture.n_mels)),
        tf.TensorSpec((None,), tf.int32),
    )
    with without_retracing_log():
        traced = tf.function(run, autograph=False).get_concrete_function(
            *specifications
        )
    return _Graph(traced, [layer.name for layer in model.layers if layer.weights])


def _as_keras(name: str, weights: Mapping[str, NDArray]) -> list[Any]:
    """Return the arrays of a layer in the order and layout of Keras."""
    if name.endswith("self_attn"):
        return _attention_as_keras(name, weights)
    kernel = weights[f"{name}.weight"]
    if name == "embed_positions":
        return [kernel]
    return [kernel.T, weights[f"{name}.bias"]]


def _attention_as_keras(name, weights):
    """Split kernels (width, width) into heads, and give the keys a bias of 0."""
    arrays = []
    for part in ("q_proj", "k_proj", "v_proj"):
        kernel = weights[f"{name}.{part}.weight"].T
        heads = (len(kernel) // HEAD_WIDTH, HEAD_WIDTH)
        bias = weights.get(f"{name}.{part}.bias", np.zeros(len(kernel)))
        arrays += [kernel.reshape(-1, *heads), bias.reshape(heads)]
    kernel = weights[f"{name}.out_proj.weight"].T
    return [*arrays, kernel.reshape(*heads, -1), weights[f"{name}.out_proj.bias"]]
