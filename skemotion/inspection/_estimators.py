"""What the displays ask of estimators."""

from typing import Any

from sklearn.pipeline import Pipeline


def last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, or the estimator itself."""
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator


def transform_before_last(estimator: Any, X: Any) -> Any:
    """Put X through the steps before the last; samplers are passed over."""
    steps = estimator.steps[:-1] if isinstance(estimator, Pipeline) else []
    for _, step in steps:
        if hasattr(step, "transform"):
            X = step.transform(X)
    return X


def check_attends(classifier: Any) -> None:
    """Raise TypeError for a classifier without attention."""
    if not hasattr(classifier, "attention"):
        raise TypeError(
            f"{type(classifier).__name__} has no method attention; give an "
            "AttentionBLSTMClassifier or a pipeline that ends in one."
        )


def find_frame_seconds(estimator: Any) -> float | None:
    """Return the time between frames as the extractor of a pipeline has it, if any."""
    if not isinstance(estimator, Pipeline):
        return None
    steps = (step for _, step in estimator.steps[:-1])
    known = (getattr(step, "frame_seconds", None) for step in steps)
    return next((step for step in known if step is not None), None)
