"""The recipes that there are: steps and parameters that were scored as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a pipeline is set, for :func:`~skemotion.make_emotion_pipeline`.

    :func:`dataclasses.replace` makes one that differs a little from another.

    Parameters
    ----------
    encode : mapping of str to object, default=None
        Parameters of :class:`~skemotion.SpeechEncoder`, or None for acoustic
        descriptors.

    extract : mapping of str to object, default=None
        Parameters of :class:`~skemotion.SpeechFeatureExtractor`, where there is no
        encoder. None means its defaults.

    augment : mapping of str to object, default=None
        Parameters of :class:`~skemotion.SpeechAugmenter`, or None for no copies.

    scale : mapping of str to object, default=None
        Parameters of :class:`~skemotion.SequenceScaler`. None means its defaults.

    balance : bool, default=False
        Whether :class:`~skemotion.SequenceSampler` balances the classes, by SMOTE.

    classify : mapping of str to object, default=None
        Parameters of :class:`~skemotion.AttentionBLSTMClassifier`. None means its
        defaults.

    validation_fraction : float, default=None
        Part of the training recordings that are held out for early stopping.

    hop_duration : float, default=None
        Seconds from one window to the next. None means one window.

    detect_speech : bool, default=False
        Whether it looks for speech, and answers ``no speech``.

    detect_novelty : bool, default=False
        Whether it has a :class:`~skemotion.NoveltyDetector`.

    Raises
    ------
    ValueError
        If there are both `encode` and `extract`.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from skemotion import make_emotion_pipeline
    >>> from skemotion.pipeline import RECIPES
    >>> longer = replace(RECIPES["recommended"], hop_duration=1.0)
    >>> make_emotion_pipeline(longer).hop_duration
    1.0
    """

    encode: Mapping[str, Any] | None = None
    extract: Mapping[str, Any] | None = None
    augment: Mapping[str, Any] | None = None
    scale: Mapping[str, Any] | None = None
    balance: bool = False
    classify: Mapping[str, Any] | None = None
    validation_fraction: float | None = None
    hop_duration: float | None = None
    detect_speech: bool = False
    detect_novelty: bool = False

    def __post_init__(self):
        if self.encode is not None and self.extract is not None:
            raise ValueError(
                "a recipe has encode or extract, since one step takes recordings."
            )


_EFFECTS = ("lead", "room", "babble", "noise", "band")
RECIPES = {
    "recommended": Recipe(
        encode={"layer": (2, 3), "frame_step": 4},
        augment={
            "n_copies": 4,
            "effects": ("speed", *_EFFECTS),
            "probability": {"speed": 0.5, **dict.fromkeys(_EFFECTS, 0.4)},
        },
        scale={"ignore_padding": True},
        classify={
            "units": 16,
            "dropout": 0.5,
            "ignore_padding": True,
            "frame_step": 4,
            "noise": 0.2,
            "functionals_units": 64,
            "functionals": ("mean", "std"),
            "n_members": 3,
            "label_smoothing": 0.02,
            "learning_rate": 3e-3,
            "schedule": "one_cycle",
            "epochs": 5,
            "class_weight": "balanced",
        },
        hop_duration=2.5,
        detect_speech=True,
        detect_novelty=True,
    ),
    "descriptors": Recipe(
        extract={"descriptors": "extended", "normalize": "peak"},
        augment={},
        scale={"ignore_padding": True},
        classify={
            "units": 16,
            "dropout": 0.5,
            "ignore_padding": True,
            "frame_step": 5,
            "noise": 0.2,
            "functionals_units": 256,
            "n_members": 3,
            "label_smoothing": 0.1,
            "learning_rate": 1e-3,
            "schedule": "one_cycle",
            "epochs": 20,
            "class_weight": "balanced",
        },
        hop_duration=2.5,
        detect_speech=True,
    ),
    "post": Recipe(scale={"scope": "cell"}, balance=True, validation_fraction=0.1),
}
"""Recipes that are known by name. A new one is added here."""

RecipeName = Literal["recommended", "descriptors", "post"]  # for checkers of types

DEFAULT_RECIPE: RecipeName = "recommended"
