"""
How do I train a model, and test it on new speakers?
====================================================

The whole way from recordings to emotions: leave speakers out, train, score with an
interval, and look at confusions and attention.
"""

# %%
# Human voices of EMO-DB, if `SKEMOTION_EMODB` names a folder with it. Otherwise, six
# synthetic speakers say two texts in seven emotions.
import os

from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings = corpus.paths
else:
    corpus = make_emotional_speech(n_speakers=6, n_texts=2, random_state=0)
    recordings = corpus.signals
print(len(recordings), "recordings of", ", ".join(corpus.target_names))

# %%
# A third of the speakers is left out. The recipe "descriptors" is made small here, so
# that it trains in seconds: one network instead of three, and no noisy copies. Leave
# out the line with `set_params` for a model to use.
from sklearn.model_selection import StratifiedGroupKFold

from skemotion import make_emotion_pipeline

splitter = StratifiedGroupKFold(3, shuffle=True, random_state=0)
train, test = next(splitter.split(recordings, corpus.target, corpus.speakers))
pipeline = make_emotion_pipeline("descriptors", random_state=0)
pipeline.set_params(augment="passthrough", classify__n_members=1)
pipeline.fit(recordings[train], corpus.target[train])

# %%
# How well are the emotions of the new speakers recognised? The unweighted average
# recall (UAR) counts every emotion alike; by chance it is 1/7 = 0.14. The interval says
# how far the score would move on other recordings of this kind.
from sklearn.metrics import ConfusionMatrixDisplay

from skemotion.metrics import bootstrap_interval, unweighted_average_recall

y_true, y_pred = corpus.target[test], pipeline.predict(recordings[test])
low, high = bootstrap_interval(y_true, y_pred, random_state=0)
uar = unweighted_average_recall(y_true, y_pred)
print(f"unweighted average recall {uar:.2f}, 95 % interval {low:.2f} to {high:.2f}")
display = ConfusionMatrixDisplay.from_predictions(
    y_true, y_pred, xticks_rotation=45, colorbar=False
)
display.ax_.set_title("Speakers who were left out")

# %%
# Where does the network attend to, from the begin of the speech to its end?
from skemotion.inspection import AttentionDisplay

AttentionDisplay.from_estimator(pipeline, recordings[test], time="speech")
