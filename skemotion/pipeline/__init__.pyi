from ._emotion import EmotionPipeline as EmotionPipeline
from ._recipe_table import RECIPES as RECIPES
from ._recipe_table import Recipe as Recipe
from ._recipes import make_emotion_pipeline as make_emotion_pipeline
