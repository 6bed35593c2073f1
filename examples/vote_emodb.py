"""
Let a network and a discriminant analysis vote
==============================================

A soft vote of scikit-learn, scored by leaving speakers out. One member is the pipeline
that reads acoustic descriptors by networks; the other is a linear discriminant analysis
of their functionals, which errs elsewhere, and is so sure of itself that the network
counts four times. Both take recordings. The analysis trains on none of the network's
copies, which spoil it, so expect nothing of it outside a studio:

    python examples/vote_emodb.py [FOLDER OF EMO-DB]

Without a folder, the corpus is downloaded. It trains ten times, for about a minute each
on an idle machine.
"""

import sys

from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skemotion import SequenceFunctionals, make_emotion_pipeline
from skemotion.datasets import fetch_emodb, load_emodb
from skemotion.metrics import speaker_report

emodb = load_emodb(sys.argv[1]) if len(sys.argv) > 1 else fetch_emodb()
network = make_emotion_pipeline("descriptors", memory="feature-cache", random_state=0)
analysis = make_pipeline(
    clone(network["extract"]),
    SequenceFunctionals(loudness=5),  # the root mean square, silent in padding
    StandardScaler(),
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
)
vote = VotingClassifier(
    [("network", network), ("analysis", analysis)], voting="soft", weights=[4, 1]
)
predicted = cross_val_predict(
    vote, emodb.paths, emodb.target, groups=emodb.speakers, cv=LeaveOneGroupOut()
)
print(speaker_report(emodb.target, predicted, emodb.speakers))
