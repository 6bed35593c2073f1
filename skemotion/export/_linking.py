"""Exported models that share their weights with a bundle beside them."""

import os
from pathlib import Path
from typing import Any

_LEAST = 1024  # bytes of an array that is worth a link


def link_weights(model: Any, bundle: str | os.PathLike) -> int:
    """Replace arrays of a model by links to where they stand in a bundle.

    The bundle must lie beside the file of the model, and stay as it is.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed in place.
    bundle : str or path-like
        A file of :func:`skemotion.save_model`, which holds arrays as they are.

    Returns
    -------
    int
        How many bytes the model has lost.
    """
    from onnx import TensorProto

    content, saved = Path(bundle).read_bytes(), 0
    for tensor in model.graph.initializer:
        length = len(tensor.raw_data)
        offset = content.find(tensor.raw_data) if length >= _LEAST else -1
        if offset < 0:
            continue
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        entries = {"location": Path(bundle).name, "offset": offset, "length": length}
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))
        saved += length
    return saved
