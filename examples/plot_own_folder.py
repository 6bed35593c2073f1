"""
How do I train on my own recordings?
====================================

Recordings are sorted in a folder for each emotion, or listed in a table. They are
checked, a model is trained on them, and it is tested on a speaker that it does not
know.
"""

# %%
# A folder for each emotion is made here, out of EMO-DB if `SKEMOTION_EMODB` names a
# folder with it, and of synthetic speech otherwise. Yours is there already.
import os
import shutil
import tempfile
from pathlib import Path

from skemotion.datasets import load_emodb, make_emotional_speech

mine = Path(tempfile.mkdtemp())
folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    for path, emotion in zip(corpus.paths, corpus.target, strict=True):
        (mine / emotion).mkdir(exist_ok=True)
        shutil.copy(path, mine / emotion)
else:
    make_emotional_speech(n_speakers=4, n_texts=3, folder=mine, random_state=0)
print(*sorted(path.name for path in mine.iterdir()), sep="/  ", end="/\n")

# %%
# Read the folder. Who speaks is not known from it. Here, the names of the files tell:
# those of EMO-DB begin with the speaker's number, and the synthetic ones with "s01" and
# so on. A table with the columns `path`, `label` and `speaker` would say it as well.
import numpy as np

from skemotion.datasets import load_recordings

data = load_recordings(mine)
speakers = np.array([Path(path).name[: 2 if folder else 3] for path in data.paths])
print(len(data.paths), "recordings of", len(set(speakers)), "speakers")

# %%
# Look at the recordings before anything is trained on them. This finds what cannot be
# read, is silent, clipped, too short, or twice there.
from skemotion.datasets import check_corpus

print(check_corpus(data.paths, data.target, speakers))

# %%
# Train on all speakers but the last. The recipe "descriptors" is made small here, so
# that this takes seconds: one network instead of three, and no noisy copies. Leave out
# the line with `set_params` for a model to use.
from skemotion import make_emotion_pipeline

last = sorted(set(speakers))[-1]
new = speakers == last
model = make_emotion_pipeline("descriptors", random_state=0)
model.set_params(augment="passthrough", classify__n_members=1, classify__epochs=15)
model.fit(data.paths[~new], data.target[~new])

# %%
# What is taken for what, of the speaker that was left out?
from sklearn.metrics import ConfusionMatrixDisplay

display = ConfusionMatrixDisplay.from_estimator(
    model, data.paths[new], data.target[new], xticks_rotation=45, colorbar=False
)
display.ax_.set_title(f"Speaker {last}, who was left out")

# %%
# The folder of this example is not needed any more.
shutil.rmtree(mine)
