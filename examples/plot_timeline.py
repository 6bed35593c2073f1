"""
Emotions over time, in a recording of any length
================================================

Which emotion is heard when? A model is trained on synthetic speech, which the package
makes itself, and listens to recordings of a speaker that it does not know, one after
the other with pauses between. The numbers say nothing about human voices.
"""

# %%
# Train on all speakers but the last.
from skemotion import make_emotion_pipeline
from skemotion.datasets import make_emotional_speech

speech = make_emotional_speech(random_state=0)
new = speech.speakers == speech.speakers[-1]
pipeline = make_emotion_pipeline(random_state=0)
pipeline.fit(speech.signals[~new], speech.target[~new], groups=speech.speakers[~new])

# %%
# Join some recordings of the last speaker. It could as well be the path of a file of
# hours, which is read block by block.
import numpy as np

chosen = np.flatnonzero(new)[::2][:6]
pause = np.zeros(speech.sampling_rate)
signal = np.concatenate(
    [part for row in chosen for part in (speech.signals[row], pause)]
)

# %%
# Where does which emotion begin and end?
from skemotion import emotion_timeline

timeline = emotion_timeline(pipeline, (signal, speech.sampling_rate))
print(f"{timeline.duration:.1f} s, in which are said:", *speech.target[chosen])
for segment in timeline.segments:
    print(
        f"{segment.start:5.2f} to {segment.end:5.2f} s  {segment.emotion}  "
        f"({segment.confidence:.2f})"
    )

# %%
# The same as a picture.
from skemotion.inspection import TimelineDisplay

TimelineDisplay.from_predictions(timeline)
