"""
How do I save a model, and use it elsewhere?
============================================

A fitted pipeline can be kept in three ways: by joblib, as a bundle that runs no code
when it is loaded, and as an ONNX graph that needs no TensorFlow. All three predict the
same.
"""

# %%
# Human voices of EMO-DB, if `SKEMOTION_EMODB` names a folder with it, and synthetic
# ones otherwise. A small model, so that this is quick.
import os

from skemotion import make_emotion_pipeline
from skemotion.datasets import load_emodb, make_emotional_speech

folder = os.environ.get("SKEMOTION_EMODB")
if folder:
    corpus = load_emodb(folder)
    recordings = corpus.paths
else:
    corpus = make_emotional_speech(n_speakers=3, n_texts=2, random_state=0)
    recordings = corpus.signals

model = make_emotion_pipeline("descriptors", random_state=0)
model.set_params(augment="passthrough", classify__n_members=1, classify__epochs=4)
model.fit(recordings, corpus.target)

# %%
# **joblib** keeps any pipeline, steps of your own included. Loading such a file runs
# code from it: load none from a source that you do not trust.
import tempfile
from pathlib import Path

import joblib

temporary = tempfile.TemporaryDirectory()
kept = Path(temporary.name)
joblib.dump(model, kept / "model.joblib")

# %%
# **A bundle** keeps pipelines of this package as arrays and JSON. Loading it runs no
# code from it, so it is the one to give to others. The command line writes it, too.
from skemotion import load_model, save_model

save_model(model, kept / "model.skemotion")

# %%
# **ONNX** is for services: a process with NumPy and ONNX Runtime, no TensorFlow, and a
# start in a fraction of the time. The export compares both models before it writes.
from skemotion.export import export_onnx
from skemotion.runtime import load_exported

export_onnx(model, kept / "model.onnx")

# %%
# All three answer alike.
import numpy as np

heard = recordings[:28]
expected = model.predict_proba(heard)
loaded = {
    "model.joblib": joblib.load(kept / "model.joblib"),
    "model.skemotion": load_model(kept / "model.skemotion"),
    "model.onnx": load_exported(kept / "model.onnx"),
}
differences = {
    name: np.abs(other.predict_proba(heard) - expected).max()
    for name, other in loaded.items()
}
for name, difference in differences.items():
    print(f"{name:16} largest difference of a probability {difference:.0e}")

# %%
# Their sizes on disk, and the probabilities of the graph beside those of the pipeline:
# all lie on the diagonal.
import matplotlib.pyplot as plt

sizes = [(kept / name).stat().st_size / 1e6 for name in loaded]
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), width_ratios=[3, 2])
bars = left.barh(list(loaded), sizes, color="tab:blue")
left.bar_label(bars, fmt="%.1f", padding=4)
left.margins(x=0.15)
left.invert_yaxis()
left.set(xlabel="size in MB", title="What is kept")
right.plot([0, 1], [0, 1], color="0.7")
right.plot(expected, loaded["model.onnx"].predict_proba(heard), ".", color="tab:blue")
right.set(xlabel="pipeline", ylabel="ONNX graph", title="Probabilities", aspect=1)
fig.show()
