"""A page that shows, and lets listen to, what an evaluation has found."""

from skemotion.report._evaluation import Evaluation
from skemotion.report._write import write_report

__all__ = ["Evaluation", "write_report"]
