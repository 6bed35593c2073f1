"""
How do I tune it? A grid search that extracts features once
===========================================================

Any parameter of any step can be searched. With `memory`, each recording is decoded and
described once, however many candidates and folds there are.
"""

# %%
# Human voices of EMO-DB, if `SKEMOTION_EMODB` names a folder with it, and synthetic
# ones otherwise.
import os

from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings = corpus.paths
else:
    corpus = make_emotional_speech(n_speakers=3, n_texts=3, random_state=0)
    recordings = corpus.signals

# %%
# The features are kept in a folder. It may stay for the next search.
import tempfile

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skemotion import SequenceFunctionals, SpeechFeatureExtractor

cache = tempfile.TemporaryDirectory()
model = make_pipeline(
    SpeechFeatureExtractor(descriptors="extended", normalize="peak", memory=cache.name),
    SequenceFunctionals(),
    StandardScaler(),
    SVC(),
)

# %%
# Sixteen candidates, in as many folds as there are speakers. Candidates are compared on
# speakers that were left out, by unweighted average recall.
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut

from skemotion.metrics import uar_scorer

grid = {"svc__C": [1, 10, 100, 1000], "svc__gamma": [1e-6, 1e-5, 1e-4, 1e-3]}
search = GridSearchCV(
    model, grid, scoring=uar_scorer, cv=LeaveOneGroupOut(), refit=False
)
search.fit(recordings, corpus.target, groups=corpus.speakers)

# %%
# Each fold would have extracted its features anew. The first fold of the first
# candidate did; all others read them from the cache.
results = search.cv_results_
seconds = results["mean_fit_time"]
print(f"the first candidate took {seconds[0]:.2f} s a fold to fit, ", end="")
print(f"the others {seconds[1:].mean():.2f} s")

# %%
# The best score of a search is a little too high, since it was chosen for being
# highest. To know how good the chosen model is, put the search itself in a
# cross-validation.
print("best:", search.best_params_, f"{search.best_score_:.2f}")

# %%
# All candidates in a picture.
import matplotlib.pyplot as plt
import numpy as np

scores = results["mean_test_score"].reshape(4, 4)
fig, ax = plt.subplots(figsize=(6, 4.4))
image = ax.imshow(scores, cmap="viridis", vmin=1 / 7, vmax=1)
for (row, column), score in np.ndenumerate(scores):
    colour = "black" if score > 0.6 else "white"
    ax.text(column, row, f"{score:.2f}", ha="center", va="center", color=colour)
ax.set_xticks(range(4), grid["svc__gamma"])
ax.set_yticks(range(4), grid["svc__C"])
ax.set(xlabel="gamma", ylabel="C", title="Unweighted average recall, speakers left out")
fig.colorbar(image)
fig.show()
