"""How recordings are looked at unless something else is asked for, in seconds.

They were chosen by ``benchmarks/timeline.py``.
"""

WINDOW = 3.0
HOP = 0.5
SMOOTHING = 1.0
MIN_PAUSE = 0.5
MAX_UTTERANCE = 5.0
