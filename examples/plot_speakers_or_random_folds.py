"""
How good is it on new speakers? Random folds mislead
====================================================

Random folds put recordings of one speaker on both sides of a split. A model then
recognises voices, besides emotions, and the score is too high for anyone who is new.
Leaving whole speakers out is what tells how it will do.
"""

# %%
# Human voices of EMO-DB, if `SKEMOTION_EMODB` names a folder with it. Otherwise, five
# synthetic speakers, who say each sentence twice.
import os

from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings = corpus.paths
else:
    corpus = make_emotional_speech(
        n_speakers=5, n_texts=2, n_repetitions=2, random_state=0
    )
    recordings = corpus.signals

# %%
# A support vector machine on statistics of 46 acoustic descriptors. It trains in no
# time, and what is shown here holds for networks, too.
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skemotion import SequenceFunctionals, SpeechFeatureExtractor

frames = SpeechFeatureExtractor(normalize="peak").fit_transform(recordings)
model = make_pipeline(SequenceFunctionals(loudness=5), StandardScaler(), SVC(C=10))

# %%
# The same model, recordings and scores. Nothing differs but the split.
# `LeaveOneGroupOut` tests on one speaker after the other. The random folds are as many.
import numpy as np
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_predict

from skemotion.metrics import bootstrap_interval, unweighted_average_recall

n_speakers = len(np.unique(corpus.speakers))
splits = {
    "random folds\n(leaky: voices are known)": StratifiedKFold(
        n_speakers, shuffle=True, random_state=0
    ),
    "speakers left out\n(honest: voices are new)": LeaveOneGroupOut(),
}
scores, intervals = [], []
for name, split in splits.items():
    groups = corpus.speakers if isinstance(split, LeaveOneGroupOut) else None
    predicted = cross_val_predict(model, frames, corpus.target, groups=groups, cv=split)
    scores.append(unweighted_average_recall(corpus.target, predicted))
    intervals.append(
        bootstrap_interval(
            corpus.target, predicted, groups=corpus.speakers, random_state=0
        )
    )
    print(f"{name.splitlines()[0]:18} unweighted average recall {scores[-1]:.2f}")

# %%
# The lines are 95 % intervals over speakers. Synthetic speakers differ little from one
# another, so the gap is small here. Human voices differ more.
import matplotlib.pyplot as plt

low, high = np.transpose(intervals)
fig, ax = plt.subplots(figsize=(7, 2.6))
ax.barh(
    list(splits),
    scores,
    xerr=[np.subtract(scores, low), np.subtract(high, scores)],
    color=["0.75", "tab:blue"],
    height=0.6,
    capsize=4,
)
ax.axvline(1 / 7, color="black", linestyle=":")
ax.text(1 / 7, 1.45, " chance", va="bottom")
ax.set(xlim=(0, 1), xlabel="unweighted average recall")
ax.set_title("The same model, split in two ways", pad=20)
fig.show()
