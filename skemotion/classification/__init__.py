"""Classifiers of sequences."""

from skemotion.classification._blstm import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
)

__all__ = ["AttentionBLSTMClassifier", "BLSTMClassifier"]
