"""Which effects are meant, known ones and a user's own, and how they are told apart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from skemotion.audio import cache_key_of
from skemotion.augmentation._effects import EFFECTS, Signal

# What an effect may ask for by its attribute `wants`.
WANTS = ("snr", "voices")


def name_of(effect: Any) -> str:
    """Return what an effect is called: by its attribute `name`, or as a function."""
    if isinstance(effect, str):
        return effect
    for holder, attribute in ((effect, "name"), (effect, "__name__")):
        name = getattr(holder, attribute, None)
        if isinstance(name, str) and name:
            return name
    return type(effect).__name__


def check_effects(effects: Sequence[Any]) -> None:
    """Raise ValueError unless all are known, or callables, by names of their own."""
    known = ", ".join(map(repr, EFFECTS))
    for effect in effects:
        if isinstance(effect, str):
            usable = effect in EFFECTS
        else:
            usable = callable(effect) and not isinstance(effect, type)
        if not usable:
            raise ValueError(
                f"effects must be some of {known}, or functions of your own, such as "
                f"Noise(snr=(0, 10)); got {effects!r}, of which {effect!r} is neither."
            )
        unknown = {*getattr(effect, "wants", ())} - {*WANTS}
        if unknown:
            raise ValueError(
                f"the effect {name_of(effect)!r} wants {', '.join(sorted(unknown))}, "
                f"and can have {' and '.join(WANTS)}."
            )
        own = not isinstance(effect, str) and not is_of_package(effect)
        if own and name_of(effect) in EFFECTS:
            raise ValueError(
                f"effects has one of your own that is called {name_of(effect)!r}, as a "
                "known one is: give it an attribute name, or another name."
            )
    names = [name_of(effect) for effect in effects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise ValueError(
            f"effects must be some of {known}, or functions of your own, each once; "
            + (f"got {twice[0]!r} twice." if twice else "got none.")
        )


def is_of_package(effect: Any) -> bool:
    """Tell whether an effect is of a class of this package, whatever its ranges."""
    return any(type(effect) is type(known) for known in EFFECTS.values())


def in_order(effects: Sequence[Any]) -> list[Any]:
    """Return effects in the order in which they happen.

    Known ones happen in that of the table, and others behind the one that they stand
    behind.
    """
    ranks = {name: rank for rank, name in enumerate(EFFECTS)}
    rank, places = -1, []
    for effect in effects:
        is_own = name_of(effect) not in ranks
        rank = rank if is_own else ranks[name_of(effect)]
        places.append((rank, is_own))
    order = sorted(range(len(effects)), key=places.__getitem__)
    return [_shorten(effects[i]) for i in order]


def _shorten(effect):
    """Return the name of an effect that is as its name says."""
    known = EFFECTS.get(name_of(effect))
    is_known = type(effect) is type(known) and effect == known
    return name_of(effect) if is_known else effect


def n_voices_of(effects: Iterable[Any]) -> int:
    """Return how many voices effects want to be heard, 0 if none does."""
    found = [EFFECTS[each] if isinstance(each, str) else each for each in effects]
    wanted = [each for each in found if "voices" in getattr(each, "wants", ())]
    # Of Babble, which alone among the effects has a number of voices.
    usual = EFFECTS["babble"].n_voices  # type: ignore[attr-defined]
    return max((getattr(each, "n_voices", usual) for each in wanted), default=0)


def key_of(effect: Any) -> Any:
    """Return what tells an effect from others in JSON; None if nothing does."""
    if isinstance(effect, str):
        return effect
    key = cache_key_of(effect)
    return None if key is None else [name_of(effect), key]


def apply(
    effect: Any,
    signal: Signal,
    rate: float,
    rng: np.random.Generator,
    given: Mapping[str, Callable[[], Any]],
) -> tuple[Signal, float]:
    """Let an effect happen to a signal.

    Parameters
    ----------
    effect : str or callable
    signal : ndarray of shape (n_samples,), dtype float64
    rate : float
        In Hz.
    rng : Generator
    given : mapping of str to callable
        What makes the values that effects may want, at that moment.

    Returns
    -------
    signal : ndarray of shape (n_samples_new,)
    rate : float

    Raises
    ------
    TypeError
        If a user's own effect returns no signal.
    ValueError
        If the signal is empty or not finite.
    """
    if isinstance(effect, str):
        effect = EFFECTS[effect]
    wanted = {name: given[name]() for name in getattr(effect, "wants", ())}
    made = effect(signal, rate, rng, **wanted)
    made, rate = made if isinstance(made, tuple) else (made, rate)
    return (made if is_of_package(effect) else _check(effect, made, rate)), rate


def _check(effect, signal, rate):
    array = np.asarray(signal)
    if array.ndim != 1 or array.dtype.kind != "f" or not rate > 0:
        raise TypeError(
            f"the effect {name_of(effect)!r} must return a signal of shape "
            "(n_samples,) in floating point, or such a signal and its rate; got "
            f"{type(signal).__name__} of shape {array.shape} and dtype {array.dtype}, "
            f"at {rate!r} Hz."
        )
    if not array.size or not np.isfinite(array).all():
        raise ValueError(
            f"the effect {name_of(effect)!r} has returned no samples, or some that are "
            "not finite"
        )
    return array
