"""Copies of recordings as they would sound elsewhere, to train on."""

from skemotion.augmentation._augmenter import SpeechAugmenter

__all__ = ["SpeechAugmenter"]
