"""
Train, test on new speakers, look at attention
==============================================

The whole way from recordings to emotions on synthetic speech, which the package makes
itself. The numbers show that everything works, and say nothing about human voices.
"""

# %%
# Six synthetic speakers say four texts in seven emotions. `signals` could as well be
# paths of files.
from skemotion import make_emotion_pipeline
from skemotion.datasets import make_emotional_speech

speech = make_emotional_speech(random_state=0)
print(len(speech.signals), "recordings of", ", ".join(speech.target_names))

# %%
# A third of the speakers is left out. Passing the other speakers as `groups` lets
# training stop on recordings of speakers that are not trained on.
from sklearn.model_selection import StratifiedGroupKFold

splitter = StratifiedGroupKFold(3, shuffle=True, random_state=0)
train, test = next(splitter.split(speech.signals, speech.target, speech.speakers))
pipeline = make_emotion_pipeline(validation_fraction=0.2, random_state=0)
pipeline.fit(speech.signals[train], speech.target[train], groups=speech.speakers[train])

# %%
# How well are the emotions of the new speakers recognised?
from sklearn.metrics import ConfusionMatrixDisplay

from skemotion.metrics import bootstrap_interval, unweighted_average_recall

y_true, y_pred = speech.target[test], pipeline.predict(speech.signals[test])
low, high = bootstrap_interval(y_true, y_pred, random_state=0)
uar = unweighted_average_recall(y_true, y_pred)
print(f"unweighted average recall {uar:.2f}, 95 % interval {low:.2f} to {high:.2f}")
ConfusionMatrixDisplay.from_predictions(y_true, y_pred, xticks_rotation=45)

# %%
# Where does the network look? Recordings are padded in front, so that their end is at
# 5 s.
from skemotion.inspection import AttentionDisplay, TrainingHistoryDisplay

AttentionDisplay.from_estimator(pipeline, speech.signals[test])
TrainingHistoryDisplay.from_estimator(pipeline)
