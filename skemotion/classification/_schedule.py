"""How the step size goes through the epochs of a training."""

from typing import Any

import numpy as np

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
    rates = learning_rates(schedule, peak, epochs)
    scheduler = import_keras().callbacks.LearningRateScheduler(rates.__getitem__)

    def put_back(logs=None):
        scheduler.model.optimizer.learning_rate = peak

    scheduler.on_train_end = put_back
    return scheduler


def learning_rates(schedule: str, peak: float, epochs: int) -> list[float]:
    """Return the step size of every epoch."""
    warm_up = max(round(_WARM_UP * epochs), 1) if schedule == "one_cycle" else 0
    rising = 0.5 - 0.5 * np.cos(np.pi * (np.arange(warm_up) + 0.5) / max(warm_up, 1))
    falling = np.arange(epochs - warm_up) + 0.5
    falling = 0.5 + 0.5 * np.cos(np.pi * falling / max(epochs - warm_up, 1))
    return (peak * np.concatenate([rising, falling])[:epochs]).tolist()
