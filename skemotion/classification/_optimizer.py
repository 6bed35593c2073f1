"""The optimizer as settings: checked, and with the classifier's step size."""

from numbers import Real
from typing import Any

from skemotion.networks import import_keras, names_from_the_start

_MADE_OF_OTHERS = ("LossScaleOptimizer", "MultiOptimizer")


def serialize_optimizer(optimizer: Any, learning_rate: Any) -> dict[str, Any]:
    """Return what an optimizer is made from.

    Parameters
    ----------
    optimizer : str or keras.optimizers.Optimizer
        Its name, or an instance, which is not changed.
    learning_rate : float, LearningRateSchedule or None
        Step size. None means the optimizer's own.

    Returns
    -------
    dict
        What ``keras.optimizers.deserialize`` takes.

    Raises
    ------
    ValueError
        If Keras has no optimizer of this name.
    TypeError
        If it is no optimizer, or the rate is no schedule.
    """
    optimizers = import_keras().optimizers
    with names_from_the_start():
        return _serialize(optimizer, learning_rate, optimizers)


def _serialize(optimizer, learning_rate, optimizers):
    if isinstance(optimizer, str):
        optimizer = _find(optimizer, optimizers)
    if not isinstance(optimizer, optimizers.Optimizer):
        raise TypeError(
            "optimizer must be the name of a Keras optimizer, such as 'adam', or an "
            f"instance of keras.optimizers.Optimizer; got {optimizer!r}."
        )
    settings = optimizers.serialize(optimizer)
    if learning_rate is None:
        return settings
    schedule = optimizers.schedules.LearningRateSchedule
    if isinstance(learning_rate, Real):
        learning_rate = float(learning_rate)
    elif not isinstance(learning_rate, schedule):
        raise TypeError(
            "learning_rate must be a positive number, or an instance of "
            f"keras.optimizers.schedules.LearningRateSchedule; got {learning_rate!r}."
        )
    copied = optimizers.deserialize(settings)
    copied.learning_rate = learning_rate
    return optimizers.serialize(copied)


def _find(name, optimizers):
    known = sorted(
        key.lower()
        for key, value in vars(optimizers).items()
        if isinstance(value, type)
        and issubclass(value, optimizers.Optimizer)
        and value is not optimizers.Optimizer
        and key not in _MADE_OF_OTHERS
    )
    if name.lower() not in known:
        raise ValueError(
            f"optimizer={name!r} is no optimizer of Keras; known are "
            f"{', '.join(map(repr, known))}."
        )
    return optimizers.get(name)
