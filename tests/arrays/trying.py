"""Giving odd values to public names, and judging what comes back."""

import contextlib
import io
import warnings
from typing import Any

import numpy as np
from messages import find_fault
from public import MAY_BE_NAN, Accepted, Place, without_training

REFUSED, TAKEN = "refused", "taken"


class Defect(AssertionError):
    """Something that nobody should meet."""


def try_value(place: Place, value: Any, *, train: bool = False) -> str:
    """Give a value to an argument, and return whether it was refused or taken.

    Parameters
    ----------
    place : Place
        The argument.
    value : object
        What it is given.
    train : bool, default=False
        Whether to go on to training, where that would begin.

    Raises
    ------
    Defect
        If the error is not one for users, or the result is none.
    """
    context = contextlib.nullcontext() if train else without_training()
    try:
        with (
            context,
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("error")
            warnings.filterwarnings(
                "ignore", module="(?!skemotion)", category=FutureWarning
            )
            warnings.filterwarnings("ignore", category=UserWarning)
            outcome = place.call(value)
    except Accepted:
        return TAKEN
    except Exception as error:
        fault = find_fault(error, place.names)
        if fault is None:
            return REFUSED
        raise Defect(f"{place}: the error {fault}:\n{error}") from error
    check_finite(place, outcome)
    return TAKEN


def check_finite(place: Place, outcome: Any) -> None:
    """Raise if numbers of a result are not finite."""
    if place.owner in MAY_BE_NAN:
        return
    for part in outcome if isinstance(outcome, tuple) else (outcome,):
        has_floats = isinstance(part, np.ndarray) and part.dtype.kind == "f"
        if has_floats and not np.isfinite(part).all():
            raise Defect(f"{place}: a result is not finite")
