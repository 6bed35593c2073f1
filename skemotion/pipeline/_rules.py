"""How a pipeline looks at recordings: what its parameters and steps say of it."""

import copy
from typing import Any

from sklearn.pipeline import FeatureUnion, Pipeline

from skemotion._sequences import takes_recordings
from skemotion._sequences._names import is_passed_by
from skemotion.pipeline._windows import WindowRule

DEFAULT_RATE = 16000


def find_rule(pipeline: Any) -> WindowRule | None:
    """Return the rule of a pipeline; None if its steps see X as it is.

    Raises
    ------
    ValueError
        If the step that takes the recordings has no `duration`.
    """
    hop_duration = getattr(pipeline, "hop_duration", None)
    detect_speech = getattr(pipeline, "detect_speech", False)
    fronts = find_fronts(pipeline)
    goes_on = goes_on_without(fronts)
    if not fronts or (hop_duration is None and not detect_speech and not goes_on):
        return None
    for front in fronts:
        if getattr(front, "duration", None) is None:
            raise ValueError(
                f"{type(front).__name__} has no duration, of which windows could "
                "be: set hop_duration=None and detect_speech=False, or the "
                "duration."
            )
    return WindowRule(
        float(max(front.duration for front in fronts)),
        getattr(fronts[0], "sampling_rate", DEFAULT_RATE),
        hop_duration,
        bool(detect_speech),
        goes_on,
    )


def find_fronts(step: Any) -> list[Any]:
    """List what takes the recordings: one step, or those of a union."""
    if isinstance(step, Pipeline):
        real = [part for _, part in step.steps if not is_passed_by(part)]
        return find_fronts(real[0]) if real else []
    if not takes_recordings(step):
        return []
    if isinstance(step, FeatureUnion):
        parts = [part for _, part in step.transformer_list]
        return [front for part in parts for front in find_fronts(part)]
    return [step]


def goes_on_without(fronts: list[Any]) -> bool:
    """Tell whether recordings that cannot be read stop none of what takes them."""
    return bool(fronts) and all(
        getattr(front, "on_error", "raise") == "warn" for front in fronts
    )


def that_raises(step: Any) -> Any:
    """Return a step that raises AudioError, whatever `on_error` is in it.

    It shares what is fitted, and is the same if nothing in it takes recordings.
    """
    if not takes_recordings(step):
        return step
    if isinstance(step, (FeatureUnion, Pipeline)):
        name = "transformer_list" if isinstance(step, FeatureUnion) else "steps"
        parts = [(key, that_raises(part)) for key, part in getattr(step, name)]
        step = copy.copy(step)
        setattr(step, name, parts)
    elif getattr(step, "on_error", "raise") == "warn":
        step = copy.copy(step)
        step.on_error = "raise"
    return step
