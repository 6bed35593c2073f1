"""What a bundle may ask of the machine that loads it, checked before it is made.

A file that nobody trusts must not make anything larger than itself, or than what the
longest plausible recording takes.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion._limits import (
    MAX_DURATION,
    MAX_LABEL_BYTES,
    MAX_NUMBERS,
    MAX_WINDOWS_A_SECOND,
)
from skemotion.persistence._archive import COPY_AGAIN


def check_extent_of_extractor(extractor: Any) -> None:
    """Refuse settings by which features of one recording would fill the memory."""
    settings = extractor.get_params()
    n_samples = settings["duration"] * settings["sampling_rate"]
    n_frames = 1 + n_samples / settings["hop_length"]
    per_frame = settings["frame_length"] + settings["n_mels"] + settings["n_mfcc"]
    if (
        settings["duration"] > MAX_DURATION
        or n_frames * per_frame > MAX_NUMBERS
        or settings["n_mels"] * settings["frame_length"] > MAX_NUMBERS
    ):
        shown = ("duration", "sampling_rate", "hop_length", "frame_length", "n_mels")
        listed = ", ".join(f"{name}={settings[name]!r}" for name in shown)
        raise ValueError(f"its extractor has implausible {listed}; {COPY_AGAIN}.")


def check_extent_of_windows(pipeline: Any) -> None:
    """Refuse windows that follow each other so closely that none gets done."""
    hop = getattr(pipeline, "hop_duration", None)
    if hop is not None and hop < 1 / MAX_WINDOWS_A_SECOND:
        raise ValueError(f"hop_duration={hop!r} seconds is implausible; {COPY_AGAIN}.")


def check_extent_of_labels(dtype: np.dtype, labels: list) -> None:
    """Refuse labels that would take far more room than their text."""
    if dtype.itemsize * len(labels) > MAX_LABEL_BYTES:
        raise ValueError(
            f"{len(labels)} class labels of dtype {dtype} are implausible; "
            f"{COPY_AGAIN}."
        )


def check_extent_of_network(
    shape: tuple[int, ...],
    n_classes: int,
    architecture: Any,
    arrays: Mapping[str, NDArray],
) -> None:
    """Refuse a network that is larger than what the file holds for it.

    Parameters
    ----------
    shape : tuple of int
        Frames and features of its input.
    n_classes : int
        Number of its outputs.
    architecture : object
        Settings that know `n_weights`.
    arrays : mapping of str to ndarray
        What the file holds for it.
    """
    # One sequence for each class is shown to scikeras.
    if math.prod(shape) * n_classes > MAX_NUMBERS:
        raise ValueError(
            f"sequences of shape {shape} are implausibly large; {COPY_AGAIN}."
        )
    n_held = sum(array.size for array in arrays.values())
    n_asked = architecture.n_weights()
    if n_held != n_asked:
        raise ValueError(
            f"it holds {n_held} weights, but {n_classes} class labels and its "
            f"parameters ask for {n_asked}; {COPY_AGAIN}."
        )
