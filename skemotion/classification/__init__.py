"""Classifiers of sequences: the post's, and one for a network of one's own."""

from skemotion.classification._blstm import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
)
from skemotion.classification._custom import SequenceClassifier

__all__ = ["AttentionBLSTMClassifier", "BLSTMClassifier", "SequenceClassifier"]
