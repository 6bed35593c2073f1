"""
Why this answer? Attention and occlusion
========================================

Attention says where a network looks. Occlusion says what its answer depends on: each
stretch of the recording is silenced in turn, and the model is asked again. The two need
not agree, so attention alone explains nothing.
"""

# %%
# Human voices of EMO-DB, if `SKEMOTION_EMODB` names a folder with it, and synthetic
# ones otherwise. The last speaker is left out of training.
import os

from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings = corpus.paths
else:
    corpus = make_emotional_speech(n_speakers=4, n_texts=2, random_state=0)
    recordings = corpus.signals

from skemotion import make_emotion_pipeline

new = corpus.speakers == corpus.speakers[-1]
model = make_emotion_pipeline("descriptors", random_state=0)
model.set_params(augment="passthrough", classify__n_members=1)
model.fit(recordings[~new], corpus.target[~new])

# %%
# A recording of the last speaker. `attention_over_time` has the share of attention of
# each stretch of time, and `occlusion_over_time` by how much the probability of the
# predicted emotion falls when the stretch is silenced.
import numpy as np

from skemotion.inspection import attention_over_time, occlusion_over_time

row = np.flatnonzero(new & (corpus.target == "happiness"))[0]
edges, attention = attention_over_time(model, recordings[row])
stretches, falls = occlusion_over_time(model, recordings[row])

# %%
# Do they agree? The rank correlation is 1 if the same stretches matter most to both,
# and 0 if they have nothing to do with each other.
from scipy.stats import spearmanr

middles = (stretches[:-1] + stretches[1:]) / 2
looked = np.interp(middles, (edges[:-1] + edges[1:]) / 2, attention)
print(f"rank correlation of attention and occlusion: {spearmanr(looked, falls)[0]:.2f}")

# %%
# Both in one picture: attention lies over the waveform, occlusion stands at the bottom.
from skemotion.inspection import RecordingDisplay

RecordingDisplay.from_estimator(
    model, recordings[row], occlusion=True, y_true=corpus.target[row]
)
