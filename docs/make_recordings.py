"""Make a folder for each emotion, and a table that also says who speaks."""

import csv
from pathlib import Path

from skemotion.datasets import make_emotional_speech

make_emotional_speech(n_speakers=4, folder="my-recordings", random_state=0)
with open("speech.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["path", "label", "speaker"])
    for path in sorted(Path("my-recordings").rglob("*.wav")):
        table.writerow([path, path.parent.name, path.name[:3]])
