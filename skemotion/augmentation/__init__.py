"""Copies of recordings as they would sound elsewhere, to train on."""

from skemotion.augmentation._augmenter import SpeechAugmenter
from skemotion.augmentation._effects import Babble, Band, Lead, Noise, Room, Speed

__all__ = ["Babble", "Band", "Lead", "Noise", "Room", "SpeechAugmenter", "Speed"]
