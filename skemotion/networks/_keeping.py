"""How far a training is, and keeping that to go on from there."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.networks._callbacks import (
    decode_state,
    get_state,
    remembering,
    set_state,
)
from skemotion.networks._checkpoint import Checkpoint, Kept
from skemotion.networks._graphs import all_variables

SECONDS = 10.0  # which a kill can cost
_MAX_SHARE = 0.02  # of the time that may go into keeping


@dataclasses.dataclass
class Place:
    """How far a training is.

    Parameters
    ----------
    order : dict
        State of the generator that shuffles, as this epoch begins.
    epoch : int, default=0
        Number of the epoch, from 0 on.
    batch : int, default=0
        Number of the next batch. The epoch has begun unless it is 0.
    score : list of float, default=[0, 0, 0]
        Sums of the loss, of correct rows and of rows in this epoch.
    is_finished : bool, default=False
        Whether there will be no more epochs.
    """

    order: dict[str, Any]
    epoch: int = 0
    batch: int = 0
    score: list[float] = dataclasses.field(default_factory=lambda: [0.0] * 3)
    is_finished: bool = False


class Found(NamedTuple):
    """A training that was kept.

    Attributes
    ----------
    place : Place
        How far it is.
    values, memories : list of tuple
        Variables, and callbacks, each with what it had there.
    """

    place: Place
    values: list[tuple[Any, NDArray]]
    memories: list[tuple[Any, Any]]

    def put_back(self) -> None:
        """Let everything stand as it did there."""
        for variable, value in self.values:
            variable.assign(value)
        for callback, memory in self.memories:
            set_state(callback, memory)


class Keeper:
    """Keeps a training every few seconds, so that a kill costs no more.

    Parameters
    ----------
    checkpoint : Checkpoint or None
        Where. None keeps nothing.
    """

    def __init__(self, checkpoint: Checkpoint | None):
        self._checkpoint = checkpoint
        self._wait = SECONDS
        self._last = time.monotonic()

    def find(
        self, model: Any, callbacks: Sequence[Any], start: Place
    ) -> "Found | None":
        """Return what was kept of this training, if all of it can be put back.

        Parameters
        ----------
        model : keras.Model
            Compiled, with an optimizer that has all of its variables.
        callbacks : sequence of keras.callbacks.Callback
            Those of the training, which has begun.
        start : Place
            Where the training would begin.

        Returns
        -------
        Found or None
        """
        if self._checkpoint is None:
            return None
        kept = self._checkpoint.load()
        if kept is None:
            return None
        try:
            return _find(kept, all_variables(model), remembering(callbacks), start)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self._checkpoint.reject(f"it is damaged: {error}")
            return None

    def keep(self, model: Any, callbacks: Sequence[Any], place: Place) -> None:
        """Keep the training, if it is due, or finished."""
        if self._checkpoint is None:
            return
        start = time.monotonic()
        if not place.is_finished and start - self._last < self._wait:
            return
        variables = enumerate(all_variables(model))
        arrays = {_name(number): variable.numpy() for number, variable in variables}
        try:
            memories = [get_state(each, arrays) for each in remembering(callbacks)]
        except TypeError as error:
            self._checkpoint.tell_of_loss(error)
            return
        state = {
            "place": dataclasses.asdict(place),
            "is_finished": place.is_finished,
            "callbacks": memories,
        }
        self._checkpoint.save(Kept(state, arrays))
        self._last = time.monotonic()
        self._wait = max(SECONDS, (self._last - start) / _MAX_SHARE)


def _name(number):
    return f"variable-{number}"


def _find(kept, variables, callbacks, start):
    """Check all that was kept before anything of it is put back."""
    values = [kept.arrays[_name(number)] for number in range(len(variables))]
    _check_values(values, variables)
    memories = [decode_state(each, kept.arrays) for each in kept.state["callbacks"]]
    return Found(
        _read_place(kept.state["place"], start),
        list(zip(variables, values, strict=True)),
        list(zip(callbacks, memories, strict=True)),
    )


def _read_place(state, start):
    place = Place(**state)
    for name, value in vars(start).items():
        if type(getattr(place, name)) is not type(value):
            raise TypeError(f"{name} is {getattr(place, name)!r}")
    np.random.default_rng().bit_generator.state = place.order  # raises, or fits
    sums = [each for each in place.score if type(each) is float]
    if len(sums) != len(start.score) or (place.batch and sums[-1] <= 0):
        raise ValueError(f"score is {place.score!r}")
    if min(place.epoch, place.batch) < 0:
        raise ValueError(f"epoch and batch are {place.epoch} and {place.batch}")
    return place


def _check_values(values, variables):
    for value, variable in zip(values, variables, strict=True):
        found = value.shape, str(value.dtype)
        wanted = tuple(variable.shape), variable.dtype
        if found != wanted:
            raise ValueError(f"{found} stands where {wanted} belongs")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ValueError("a weight is NaN or infinity")
