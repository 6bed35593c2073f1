"""The way from recordings to emotions, as one estimator."""

from skemotion.pipeline._emotion import EmotionPipeline
from skemotion.pipeline._recipes import make_emotion_pipeline

__all__ = ["EmotionPipeline", "make_emotion_pipeline"]
