"""One recording: decode, mix down, resample, fix the length."""

# ruff: noqa: F401 - what is not in __all__ is for the modules of this project
from skemotion.audio._decoding import (
    Start,
    decode,
    decode_start,
    iter_blocks,
    load_audio,
)
from skemotion.audio._files import Encoded, can_seek, header_seconds
from skemotion.audio._findings import Findings
from skemotion.audio._kinds import (
    Recording,
    as_segment,
    cache_key_of,
    check_audio,
    is_segment,
    recording_name,
    stays_here,
)
from skemotion.audio._sequence import check_recordings
from skemotion.audio._signals import (
    check_positive,
    check_samples,
    count_samples,
    fix_length,
    resample,
    scale_to_peak,
)

__all__ = [
    "check_audio",
    "check_recordings",
    "fix_length",
    "load_audio",
    "recording_name",
]
