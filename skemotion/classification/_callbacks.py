"""The callbacks of a training, which never are those of a parameter."""

import copy
from typing import Any

from skemotion.networks import import_keras


def copy_callbacks(callbacks: Any) -> list[Any]:
    """Return copies of the callbacks that a parameter names.

    Parameters
    ----------
    callbacks : keras.callbacks.Callback, list or tuple of them, or None
        None are none.

    Returns
    -------
    list of keras.callbacks.Callback

    Raises
    ------
    TypeError
        If any is no callback.
    """
    if callbacks is None:
        callbacks = []
    elif not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    kind = import_keras().callbacks.Callback
    for callback in callbacks:
        if not isinstance(callback, kind):
            raise TypeError(
                "callbacks must be instances of keras.callbacks.Callback; got "
                f"{callback!r}."
            )
    return copy.deepcopy(list(callbacks))


def make_stopping(patience: int) -> Any:
    """Return a callback that stops after so many epochs without improvement."""
    return import_keras().callbacks.EarlyStopping(
        monitor="val_loss", patience=patience, restore_best_weights=True
    )
