"""Pictures of a data set, of a training run, and of what a model makes of speech.

Confusion matrices are drawn by
:class:`sklearn.metrics.ConfusionMatrixDisplay`.
"""

from skemotion.inspection._attention import AttentionDisplay
from skemotion.inspection._attention_heatmap import attention_heatmap
from skemotion.inspection._attention_over_time import attention_over_time
from skemotion.inspection._class_balance import ClassBalanceDisplay
from skemotion.inspection._importance import sequence_permutation_importance
from skemotion.inspection._occlusion import occlusion_over_time
from skemotion.inspection._recording import RecordingDisplay
from skemotion.inspection._risk_coverage import RiskCoverageDisplay
from skemotion.inspection._speaker_score import SpeakerScoreDisplay
from skemotion.inspection._timeline import TimelineDisplay
from skemotion.inspection._training_history import TrainingHistoryDisplay

__all__ = [
    "AttentionDisplay",
    "ClassBalanceDisplay",
    "RecordingDisplay",
    "RiskCoverageDisplay",
    "SpeakerScoreDisplay",
    "TimelineDisplay",
    "TrainingHistoryDisplay",
    "attention_heatmap",
    "attention_over_time",
    "occlusion_over_time",
    "sequence_permutation_importance",
]
