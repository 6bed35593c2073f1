"""
Which emotion is heard when?
============================

A recording of any length becomes a timeline: where each emotion begins and ends. What
is heard here are recordings of a speaker whom the model does not know, one after the
other, with pauses between.
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
    corpus = make_emotional_speech(n_speakers=4, n_texts=3, random_state=0)
    recordings = corpus.signals

# %%
# Train on all speakers but the last. One network and no noisy copies make this quick.
from skemotion import make_emotion_pipeline

new = corpus.speakers == corpus.speakers[-1]
model = make_emotion_pipeline("descriptors", random_state=0)
model.set_params(augment="passthrough", classify__n_members=1)
model.fit(recordings[~new], corpus.target[~new])

# %%
# Join some recordings of the last speaker. It could as well be the path of a file of
# hours, which is read block by block.
import numpy as np

from skemotion.audio import load_audio

chosen = np.flatnonzero(new)[::4][:5]
pause = np.zeros(16000, dtype="float32")
parts = [load_audio(recordings[row]) for row in chosen]
signal = np.concatenate([sound for part in parts for sound in (part, pause)])

# %%
# Where does which emotion begin and end?
from skemotion import emotion_timeline

timeline = emotion_timeline(model, (signal, 16000))
print(f"{timeline.duration:.1f} s, in which are said:", *corpus.target[chosen])
for segment in timeline.segments:
    print(
        f"{segment.start:5.2f} to {segment.end:5.2f} s  {segment.emotion}  "
        f"({segment.confidence:.2f})"
    )

# %%
# The same as a picture. On the command line, ``skemotion timeline FILE`` prints it.
from skemotion.inspection import TimelineDisplay

TimelineDisplay.from_predictions(timeline)
