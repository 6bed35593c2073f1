"""Corpora of emotional speech, real and synthetic."""

from skemotion.datasets._check import CorpusCheck, check_corpus
from skemotion.datasets._emodb import load_emodb
from skemotion.datasets._fetch import fetch_emodb, get_data_home
from skemotion.datasets._recordings import load_recordings
from skemotion.datasets._synthetic import make_emotional_speech

__all__ = [
    "CorpusCheck",
    "check_corpus",
    "fetch_emodb",
    "get_data_home",
    "load_emodb",
    "load_recordings",
    "make_emotional_speech",
]
