"""
Tune the pipeline over the speakers of EMO-DB
=============================================

A small grid, scored by leaving speakers out, with features cached, so that every
recording is extracted once. It trains fifteen networks, which takes its time:

    python examples/search_emodb.py [FOLDER OF EMO-DB]

Without a folder, the corpus is downloaded.
"""

import sys

import sklearn
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from skemotion import SequenceSampler, make_emotion_pipeline
from skemotion.datasets import fetch_emodb, load_emodb
from skemotion.metrics import uar_scorer

emodb = load_emodb(sys.argv[1]) if len(sys.argv) > 1 else fetch_emodb()
pipeline = make_emotion_pipeline(
    validation_fraction=0.1, memory="feature-cache", random_state=0
)
# Each step can be tuned or replaced; "passthrough" leaves it out.
grid = [
    {"classify__units": [32, 64], "classify__dropout": [0.3, 0.5]},
    {"balance": [SequenceSampler(random_state=0)], "classify__class_weight": [None]},
]
search = GridSearchCV(
    pipeline, grid, scoring=uar_scorer, cv=StratifiedGroupKFold(3), refit=False
)
# With routing, the speakers also reach the pipeline, which then stops training on
# recordings of speakers that it does not train on.
with sklearn.config_context(enable_metadata_routing=True):
    search.fit(emodb.paths, emodb.target, groups=emodb.speakers)

print("  UAR    std  seconds  parameters")
results = search.cv_results_
for row, parameters in enumerate(results["params"]):
    mean, std = results["mean_test_score"][row], results["std_test_score"][row]
    seconds = results["mean_fit_time"][row]
    print(f"{mean:.3f}  {std:.3f}  {seconds:7.1f}  {parameters}")
