"""
Rare emotions: SMOTE or class weights?
======================================

Corpora have more anger than disgust. SMOTE mixes new recordings of rare emotions from
those that there are; class weights let each rare one count more. The trap with SMOTE is
to apply it before the split: then mixtures of test recordings are trained on.
"""

# %%
# Human voices of EMO-DB, if `SKEMOTION_EMODB` names a folder with it, and synthetic
# ones otherwise, of which a part is dropped to make some emotions rare.
import os

import numpy as np

from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings, emotions, speakers = corpus.paths, corpus.target, corpus.speakers
else:
    corpus = make_emotional_speech(n_speakers=6, n_texts=4, random_state=0)
    rare = np.isin(corpus.target, ["disgust", "fear", "sadness"])
    kept = ~rare | np.isin(corpus.text_ids, ["t01"])
    recordings, emotions = corpus.signals[kept], corpus.target[kept]
    speakers = corpus.speakers[kept]

from skemotion import SpeechFeatureExtractor

frames = SpeechFeatureExtractor(normalize="peak").fit_transform(recordings)

# %%
# Three ways, with the same classifier. :class:`~skemotion.SequenceSampler` stands in a
# pipeline of imbalanced-learn, which samples in `fit` alone. So nothing synthetic is
# tested.
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skemotion import SequenceFunctionals, SequenceSampler, SequenceScaler

sampler = SequenceSampler(SMOTE(k_neighbors=3, random_state=0))


def make_model(*steps, class_weight=None):
    return make_pipeline(
        SequenceScaler(),
        *steps,
        SequenceFunctionals(["mean", "std"], ignore_padding=False),
        StandardScaler(),
        SVC(kernel="linear", C=0.01, class_weight=class_weight),
    )


models = {
    "nothing": make_model(),
    "class weights": make_model(class_weight="balanced"),
    "SMOTE in the pipeline": make_model(sampler),
}

# %%
# Speakers are left out. Recall of the rare emotions is what should rise.
from sklearn.metrics import recall_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_predict

names = np.unique(emotions)
recalls = {
    name: recall_score(
        emotions,
        cross_val_predict(
            model, frames, emotions, groups=speakers, cv=LeaveOneGroupOut()
        ),
        average=None,
        labels=names,
    )
    for name, model in models.items()
}

# %%
# And the trap, *leaky*: sample first, then split. What is scored are mixtures of
# recordings that were trained on. The number is worth nothing.
mixed, mixed_emotions = sampler.fit_resample(frames, emotions)
folds = StratifiedKFold(len(set(speakers)), shuffle=True, random_state=0)
recalls["SMOTE before the split (leaky)"] = recall_score(
    mixed_emotions,
    cross_val_predict(models["nothing"], mixed, mixed_emotions, cv=folds),
    average=None,
    labels=names,
)
for name, recall in recalls.items():
    print(f"{name:31} unweighted average recall {recall.mean():.2f}")

# %%
# How many recordings there are of each emotion, and how many of them are recognised.
import matplotlib.pyplot as plt

from skemotion.inspection import ClassBalanceDisplay

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4.6), width_ratios=[1, 2])
ClassBalanceDisplay.from_arrays(emotions, mixed_emotions, ax=left)
places = np.arange(len(names))
colours = ["0.6", "tab:blue", "tab:green", "0.85"]
for row, (name, recall) in enumerate(recalls.items()):
    bars = right.barh(places + 0.2 * row - 0.3, recall, 0.2, label=name)
    plt.setp(bars, color=colours[row])
right.set(yticks=places, yticklabels=names, xlim=(0, 1), xlabel="recall")
right.set_title("Recognised, speakers left out")
right.invert_yaxis()
fig.legend(
    handles=right.get_legend_handles_labels()[0], loc="outside lower center", ncols=2
)
fig.show()
