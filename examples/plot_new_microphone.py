"""
Another microphone: adapting without labels
===========================================

A telephone line, a room or another microphone changes all recordings alike, and a model
from a studio errs on them. :func:`~skemotion.adapt` estimates the scalers of a trained
model anew on such recordings. It needs no labels.
"""

# %%
# Human voices of EMO-DB, if `SKEMOTION_EMODB` names a folder with it, and synthetic
# ones otherwise.
import os

import numpy as np

from skemotion.audio import load_audio
from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings = np.empty(len(corpus.paths), dtype=object)
    recordings[:] = [load_audio(path) for path in corpus.paths]
else:
    corpus = make_emotional_speech(n_speakers=6, n_texts=2, random_state=0)
    recordings = corpus.signals

# %%
# What a poor line does to a recording: nothing is left below 300 and above 3,400 Hz,
# and there is hum and hiss.
from scipy.signal import butter, sosfilt

band = butter(4, [300, 3400], "bandpass", fs=16000, output="sos")
rng = np.random.default_rng(0)


def transmit(signal):
    noise = rng.normal(scale=0.01 * np.abs(signal).max(), size=len(signal))
    return (sosfilt(band, signal) + noise).astype("float32")


by_telephone = np.empty(len(recordings), dtype=object)
by_telephone[:] = [transmit(signal) for signal in recordings]

# %%
# Train on clean recordings of all speakers but two. One network makes this quick, and
# there is speech in all recordings. Without noisy copies in training, which every
# recipe but the post's has, it is all the more lost.
from skemotion import make_emotion_pipeline

new = np.isin(corpus.speakers, np.unique(corpus.speakers)[-2:])
model = make_emotion_pipeline("descriptors", random_state=0)
model.set_params(augment="passthrough", classify__n_members=1, detect_speech=False)
model.fit(recordings[~new], corpus.target[~new])

# %%
# Adapt it to the telephone. The recordings of the two new speakers are looked at, but
# not their labels. This is called *transductive*, and numbers reached so should say it.
# Below 50 recordings there is a warning.
import warnings

from skemotion import adapt
from skemotion.exceptions import AdaptationWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", AdaptationWarning)
    adapted = adapt(model, by_telephone[new])

# %%
# The two speakers were never trained on. By chance, the score is 1/7.
from skemotion.metrics import unweighted_average_recall

tests = {
    "clean": (model, recordings),
    "by telephone": (model, by_telephone),
    "by telephone, adapted\n(transductive)": (adapted, by_telephone),
}
scores = {
    name: unweighted_average_recall(corpus.target[new], predictor.predict(heard[new]))
    for name, (predictor, heard) in tests.items()
}

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(7, 2.8))
bars = ax.barh(list(scores), list(scores.values()), color=["0.7", "0.7", "tab:blue"])
ax.bar_label(bars, fmt="%.2f", padding=4)
ax.axvline(1 / 7, color="black", linestyle=":", label="chance")
ax.set(xlim=(0, 1.1), xlabel="unweighted average recall of two new speakers")
ax.set_title("One model, trained on clean recordings")
ax.invert_yaxis()
ax.legend(loc="lower right")
fig.show()
