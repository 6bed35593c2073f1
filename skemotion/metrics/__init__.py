"""How well emotions are recognised, how surely, and what confidence is worth."""

from skemotion.metrics._confidence import (
    expected_calibration_error,
    risk_coverage_curve,
)
from skemotion.metrics._recall import (
    bootstrap_interval,
    speaker_report,
    uar_scorer,
    unweighted_average_recall,
)

__all__ = [
    "bootstrap_interval",
    "expected_calibration_error",
    "risk_coverage_curve",
    "speaker_report",
    "uar_scorer",
    "unweighted_average_recall",
]
