"""Pictures of a data set, a training run, emotions over time, and attention.

Confusion matrices are drawn by
:class:`sklearn.metrics.ConfusionMatrixDisplay`.
"""

from skemotion.inspection._attention import AttentionDisplay, attention_heatmap
from skemotion.inspection._class_balance import ClassBalanceDisplay
from skemotion.inspection._importance import sequence_permutation_importance
from skemotion.inspection._timeline import TimelineDisplay
from skemotion.inspection._training_history import TrainingHistoryDisplay

__all__ = [
    "AttentionDisplay",
    "ClassBalanceDisplay",
    "TimelineDisplay",
    "TrainingHistoryDisplay",
    "attention_heatmap",
    "sequence_permutation_importance",
]
