from ._emotion import EmotionPipeline as EmotionPipeline
from ._recipes import make_emotion_pipeline as make_emotion_pipeline
