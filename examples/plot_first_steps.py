"""
First steps: which emotion is it?
=================================

Which emotion does a recording hold, how sure is the model, and where did it listen? The
model that comes with the package answers offline, in three lines. It learnt from acted
German speech.
"""

# %%
# First, some recordings. These are of EMO-DB if `SKEMOTION_EMODB` names a folder with
# it, and of a speech synthesiser otherwise, which the model has never heard. A
# recording may be the path of a file, or the samples at 16 kHz.
import os

from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings = corpus.paths
else:
    corpus = make_emotional_speech(n_speakers=1, n_texts=1, random_state=1)
    recordings = corpus.signals

# %%
# Load the model, and ask.
from skemotion import load_pretrained

model = load_pretrained()
print(model.predict(recordings[:7]))

# %%
# `predict_proba` has a probability for each emotion. The highest is the confidence.
# `novelty` says how unlike the training data a recording is, from 0 to 1. Above 0.95,
# do not trust the answer. Synthetic voices are that strange; recordings of EMO-DB are
# not.
probabilities, novelty = model.predict_with_novelty(recordings[:7])
for emotion, row, strange in zip(corpus.target, probabilities, novelty, strict=False):
    likely = model.classes_[row.argmax()]
    print(f"{emotion:10} taken for {likely:10} {row.max():.2f}  novelty {strange:.2f}")

# %%
# One recording in a picture: its waveform, its spectrogram, where the network attends
# to, and the probabilities.
from skemotion.inspection import RecordingDisplay

RecordingDisplay.from_estimator(model, recordings[0])
