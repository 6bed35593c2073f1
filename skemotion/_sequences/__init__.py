"""What a sequence is: its base class, its padding, its functionals."""

from skemotion._sequences._base import SequenceTransformerMixin
from skemotion._sequences._functionals import (
    FUNCTIONALS,
    check_functionals,
    summarise,
)
from skemotion._sequences._padding import (
    common_frames,
    find_loudness,
    mark_real,
    padding_mask,
    real_bounds,
    true_bounds,
)

__all__ = [
    "FUNCTIONALS",
    "SequenceTransformerMixin",
    "check_functionals",
    "common_frames",
    "find_loudness",
    "mark_real",
    "padding_mask",
    "real_bounds",
    "summarise",
    "true_bounds",
]
