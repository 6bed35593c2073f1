"""Fitted models in files: portable bundles, without pickle, and what skops needs."""

from skemotion.persistence._load import load_model
from skemotion.persistence._save import save_model
from skemotion.persistence._skops import skops_types

__all__ = ["load_model", "save_model", "skops_types"]
