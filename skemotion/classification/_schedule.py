"""How the step size goes through the epochs of a training."""

import math
from functools import partial
from typing import Any

from skemotion.networks import import_keras

_WARM_UP = 0.3  # of the epochs, in "one_cycle"


def make_schedule(schedule: str, peak: Any, epochs: int) -> Any:
    """Return a callback that sets the step size, and at the end puts it back.

    Parameters
    ----------
    schedule : {"one_cycle", "cosine"}
        Its course.
    peak : float
        Largest step size, and the one that stands when training has ended.
    epochs : int
        Passes over the training set.

    Returns
    -------
    keras.callbacks.Callback

    Raises
    ------
    ValueError
        If the optimizer has a schedule of its own.
    """
    if not isinstance(peak, float):
        raise ValueError(
            f"schedule={schedule!r} sets the step size of every epoch, but "
            "learning_rate is a schedule of its own; give a number, or schedule=None."
        )
    scheduler = import_keras().callbacks.LearningRateScheduler(
        partial(rate_of, schedule, peak, epochs)
    )

    def put_back(logs=None):
        scheduler.model.optimizer.learning_rate = peak

    scheduler.on_train_end = put_back
    return scheduler


def rate_of(schedule: str, peak: float, epochs: int, epoch: int) -> float:
    """Return the step size of an epoch, numbered from 0."""
    warm_up = max(round(_WARM_UP * epochs), 1) if schedule == "one_cycle" else 0
    if epoch < warm_up:
        return peak * (0.5 - 0.5 * math.cos(math.pi * (epoch + 0.5) / warm_up))
    position = (epoch - warm_up + 0.5) / (epochs - warm_up)
    return peak * (0.5 + 0.5 * math.cos(math.pi * position))
