"""How a pipeline looks at recordings: what its parameters and steps say of it."""

from typing import Any

from sklearn.pipeline import FeatureUnion, Pipeline

from skemotion._sequences import takes_recordings
from skemotion._sequences._names import is_passed_by
from skemotion.pipeline._windows import WindowRule

_DEFAULT_RATE = 16000


def find_rule(pipeline: Any) -> WindowRule | None:
    """Return the rule of a pipeline; None if its steps see X as it is.

    Raises
    ------
    ValueError
        If the step that takes the recordings has no `duration`.
    """
    hop_duration = getattr(pipeline, "hop_duration", None)
    detect_speech = getattr(pipeline, "detect_speech", False)
    if hop_duration is None and not detect_speech:
        return None
    fronts = find_fronts(pipeline)
    if not fronts:
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
        getattr(fronts[0], "sampling_rate", _DEFAULT_RATE),
        hop_duration,
        bool(detect_speech),
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
