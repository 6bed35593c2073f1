"""Emotions over time, in recordings of any length and in streams."""

from skemotion.timeline._result import EmotionTimeline, Segment
from skemotion.timeline._stream import emotion_timeline, iter_timeline

__all__ = ["EmotionTimeline", "Segment", "emotion_timeline", "iter_timeline"]
