"""One recording: decode, mix down, resample, fix the length."""

from skemotion.audio._decoding import (
    Start,
    decode,
    decode_start,
    iter_blocks,
    load_audio,
)
from skemotion.audio._files import Encoded, can_seek
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
    check_samples,
    count_samples,
    fix_length,
    resample,
    scale_to_peak,
)

__all__ = [
    "Encoded",
    "Recording",
    "Start",
    "as_segment",
    "cache_key_of",
    "can_seek",
    "check_audio",
    "check_recordings",
    "check_samples",
    "count_samples",
    "decode",
    "decode_start",
    "fix_length",
    "is_segment",
    "iter_blocks",
    "load_audio",
    "recording_name",
    "resample",
    "scale_to_peak",
    "stays_here",
]
