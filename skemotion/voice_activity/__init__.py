"""Where someone speaks in a recording, found by energy and voicing.

What speech does and other sounds do not is to move: while the voice goes on, its
pitch glides and its formants shift. Notes and hums keep still, beats of chords
have no lasting pitch, and noise has none. So frames are looked for that have a
pitch, near that of the frame before but not equal to it, and another spectrum;
windows of 2 s in which such frames prevail are speech.
"""

# ruff: noqa: F401 - what is not in __all__ is for the modules of this project
from skemotion.voice_activity._recordings import speech_mask
from skemotion.voice_activity._speech import (
    SHORTEST_SPEECH,
    has_speech,
    speech_frames,
    speech_seconds,
    voice_activity,
)
from skemotion.voice_activity._voice import FRAME_SECONDS

__all__ = ["has_speech", "speech_mask", "speech_seconds", "voice_activity"]
