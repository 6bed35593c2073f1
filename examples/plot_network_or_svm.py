"""
Network or support vector machine, encoder or descriptors?
==========================================================

What does a pretrained speech encoder give, and what does a network give? All four
combinations are scored on speakers that were left out. :doc:`/evaluation` has the
scores of all ten speakers of EMO-DB: there, features make more of a difference than
classifiers.
"""

# %%
# Human voices of EMO-DB, if `SKEMOTION_EMODB` names a folder with it, and synthetic
# ones otherwise. The synthetic voices were made by rules about pitch and loudness,
# which descriptors measure as they are, so they favour descriptors.
import os

from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings = corpus.paths
else:
    corpus = make_emotional_speech(n_speakers=3, n_texts=2, random_state=0)
    recordings = corpus.signals

# %%
# Frames of the first three seconds of each recording, once. Neither of the two learns
# anything from the corpus, so this can be done before the split.
from skemotion import SpeechEncoder, SpeechFeatureExtractor

frames = {
    "Whisper encoder": SpeechEncoder(duration=3).fit_transform(recordings),
    "acoustic descriptors": SpeechFeatureExtractor(
        descriptors="extended", normalize="peak", duration=3
    ).fit_transform(recordings),
}

# %%
# The same two classifiers on both. The support vector machine reads mean and deviation
# over time, the network the frames themselves. Scalers are part of them, so they are
# fitted on training speakers alone.
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skemotion import AttentionBLSTMClassifier, SequenceFunctionals, SequenceScaler

network = AttentionBLSTMClassifier(
    units=16,
    dropout=0.3,
    frame_step=5,
    functionals_units=64,
    functionals=("mean", "std"),
    epochs=15,
    schedule="one_cycle",
    class_weight="balanced",
    random_state=0,
)
models = {
    "attention BLSTM": make_pipeline(SequenceScaler(ignore_padding=True), network),
    "SVM": make_pipeline(
        SequenceFunctionals(["mean", "std"]),
        StandardScaler(),
        SVC(kernel="linear", C=0.01, class_weight="balanced"),
    ),
}

# %%
# Leave one speaker out at a time.
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score

from skemotion.metrics import uar_scorer

scores = {}
for features, X in frames.items():
    for name, model in models.items():
        recalls = cross_val_score(
            model,
            X,
            corpus.target,
            groups=corpus.speakers,
            cv=LeaveOneGroupOut(),
            scoring=uar_scorer,
        )
        scores[f"{name},\n{features}"] = recalls
        print(f"{name:16} {features:21} {recalls.mean():.2f}")

# %%
# A point for each speaker, and a bar for the mean. Where points of two bars overlap, so
# few speakers do not tell which is better.
import matplotlib.pyplot as plt

fig, ax = plt.subplots()
ax.barh(list(scores), [values.mean() for values in scores.values()], color="0.85")
for place, values in enumerate(scores.values()):
    ax.plot(values, [place] * len(values), "o", color="tab:blue", clip_on=False)
ax.axvline(1 / 7, color="black", linestyle=":", label="chance")
ax.set(xlim=(0, 1), xlabel="unweighted average recall of each speaker left out")
ax.set_title("Two classifiers on two kinds of features")
ax.invert_yaxis()
ax.legend(loc="lower right")
fig.show()
