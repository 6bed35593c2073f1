"""Portable bundles: fitted models in one file, without pickle."""

from skemotion.persistence._load import load_model
from skemotion.persistence._save import save_model

__all__ = ["load_model", "save_model"]
