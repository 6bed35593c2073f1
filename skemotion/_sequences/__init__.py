"""What a sequence is: its base class, names, padding and functionals."""

from skemotion._sequences._base import SequenceTransformerMixin, takes_recordings
from skemotion._sequences._functionals import (
    FUNCTIONALS,
    check_functionals,
    summarise,
)
from skemotion._sequences._moments import merge_moments
from skemotion._sequences._names import hand_on_names, is_passed_by, names_behind
from skemotion._sequences._padding import (
    LOUDNESS_CONSTRAINTS,
    common_frames,
    find_loudness,
    find_padding_column,
    learn_padding,
    mark_real,
    padding_mask,
    real_bounds,
    resolve_loudness,
    true_bounds,
)

__all__ = [
    "FUNCTIONALS",
    "LOUDNESS_CONSTRAINTS",
    "SequenceTransformerMixin",
    "check_functionals",
    "common_frames",
    "find_loudness",
    "find_padding_column",
    "hand_on_names",
    "is_passed_by",
    "learn_padding",
    "mark_real",
    "merge_moments",
    "names_behind",
    "padding_mask",
    "real_bounds",
    "resolve_loudness",
    "summarise",
    "takes_recordings",
    "true_bounds",
]
