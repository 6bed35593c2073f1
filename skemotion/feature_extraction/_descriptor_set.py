"""What a set of descriptors is."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class DescriptorSet:
    """Descriptors that belong together: a function, and the names of its columns.

    It is given to :class:`~skemotion.SpeechFeatureExtractor` as `descriptors`, alone or
    in a list with others, which puts their columns side by side.

    Parameters
    ----------
    name : str
        What the set is called.

    compute : callable
        Called as ``compute(signal, sampling_rate=..., hop_length=...)`` with the mono
        samples of a recording, cut and padded, an ndarray of shape (n_samples,) and
        dtype float32; the rate in Hz; and the step from one frame to the next in
        samples. If it has parameters `frame_length`, `n_mfcc` or `n_mels`, it gets
        those of the extractor, too. It returns an array-like of shape
        (n_frames, n_descriptors) of finite numbers, where ``n_frames`` is
        ``1 + n_samples // hop_length``, as if frames were centred at multiples of
        `hop_length`.

    names : sequence of str, or callable
        A name for each column that `compute` returns. If their number depends on
        the parameters of the extractor, a function that returns them, called with
        those parameters that it has.

    version : int, default=1
        Raise it whenever the numbers change: cached ones and models are found by it.

    min_sampling_rate : float, default=0
        Lowest rate at which the descriptors can be computed, in Hz.

    check : callable, default=None
        Called like `names` before any recording is opened, with `sampling_rate` and
        `n_frames` beside; it raises ValueError, with a message for the user, where
        the set cannot be computed.

    Raises
    ------
    TypeError
        If a parameter is of another type.
    ValueError
        If `name` or `names` are empty, or names are used twice.

    See Also
    --------
    skemotion.SpeechFeatureExtractor : Computes the descriptors of recordings.

    Notes
    -----
    `memory` finds cached frames by name, version and by what `compute` is: its own
    code, its defaults, and what it encloses. The code of functions that it calls
    is not looked at; raise the version when these change. A portable bundle
    (:func:`skemotion.save_model`) holds the name and the version, but no code:
    :func:`skemotion.load_model` must be given the set.

    Examples
    --------
    >>> import numpy as np
    >>> from skemotion import SpeechFeatureExtractor
    >>> from skemotion.feature_extraction import DescriptorSet
    >>> def peaks(signal, sampling_rate, hop_length):
    ...     padded = np.pad(np.abs(signal), (0, hop_length))
    ...     n_frames = 1 + len(signal) // hop_length
    ...     return padded[: n_frames * hop_length].reshape(n_frames, -1).max(
    ...         axis=1, keepdims=True
    ...     )
    >>> mine = DescriptorSet("peaks", peaks, names=["peak"])
    >>> extractor = SpeechFeatureExtractor(descriptors=["post", mine])
    >>> extractor.transform([np.random.default_rng(0).normal(size=16000)]).shape
    (1, 157, 47)
    >>> extractor.get_feature_names_out()[-1]
    'peak'
    """

    name: str
    compute: Callable[..., Any]
    names: Sequence[str] | Callable[..., Sequence[str]]
    version: int = 1
    min_sampling_rate: float = 0
    check: Callable[..., None] | None = None

    def __post_init__(self):
        if not isinstance(self.name, str):
            raise TypeError(f"name must be a str, got {self.name!r}.")
        if not self.name:
            raise ValueError("name must not be empty.")
        if not callable(self.compute):
            raise TypeError(f"compute must be a function, got {self.compute!r}.")
        if isinstance(self.version, bool) or not isinstance(self.version, int):
            raise TypeError(f"version must be an int, got {self.version!r}.")
        if not isinstance(self.min_sampling_rate, (int, float)):
            raise TypeError(
                f"min_sampling_rate must be a number, got {self.min_sampling_rate!r}."
            )
        if self.check is not None and not callable(self.check):
            raise TypeError(f"check must be a function or None, got {self.check!r}.")
        if not callable(self.names):
            self._check_names(self.names)

    def names_of(self, **settings: Any) -> list[str]:
        """Name the columns.

        Parameters
        ----------
        **settings : Any
            Parameters of the extractor that `names` may have.

        Returns
        -------
        list of str

        Raises
        ------
        TypeError, ValueError
            If `names` returns something else, nothing, or names twice.
        """
        if not callable(self.names):
            return list(self.names)
        names = _call(self.names, (), settings)
        self._check_names(names)
        return list(names)

    def describe(
        self, signal: NDArray[np.float32], n_frames: int, **settings: Any
    ) -> NDArray[np.float32]:
        """Compute the descriptors of a recording.

        Parameters
        ----------
        signal : ndarray of shape (n_samples,), dtype float32
            Cut and padded.
        n_frames : int
            Number of frames that there must be.
        **settings : Any
            Parameters of the extractor that `compute` may have.

        Returns
        -------
        ndarray of shape (n_frames, n_descriptors), dtype float32

        Raises
        ------
        ValueError
            If `compute` returns another shape, or no finite numbers.
        """
        values = np.asarray(_call(self.compute, (signal,), settings))
        expected = (n_frames, len(self.names_of(**settings)))
        if values.shape != expected:
            raise ValueError(
                f"the function of the descriptors {self.name!r} returned an array of "
                f"shape {values.shape}, where {expected} is expected: a row for each "
                "frame, a column for each name"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise ValueError(
                f"the function of the descriptors {self.name!r} returned numbers that "
                "are not finite"
            )
        return values

    def check_settings(self, **settings: Any) -> None:
        """Raise ValueError if an extractor with such parameters cannot compute it.

        Parameters
        ----------
        **settings : Any
            Those of :class:`~skemotion.SpeechFeatureExtractor` that decide what is
            computed, such as `sampling_rate` in Hz, by name.

        Raises
        ------
        ValueError
            If the rate is too low, or `check` says so.
        """
        if settings["sampling_rate"] < self.min_sampling_rate:
            raise ValueError(
                f"descriptors={self.name!r} cannot be computed at "
                f"{settings['sampling_rate']} Hz; use a sampling_rate of at least "
                f"{self.min_sampling_rate}."
            )
        if self.check is not None:
            _call(self.check, (), settings)

    def _check_names(self, names):
        if isinstance(names, str) or not all(isinstance(each, str) for each in names):
            raise TypeError(
                f"names must be a sequence of str, one for each column, got {names!r}."
            )
        if not len(names) or len(set(names)) < len(names):
            raise ValueError(
                f"names must be one or more, all different, got {list(names)!r}."
            )


def _call(function, arguments, settings):
    """Call a function with those of the settings that it has parameters for."""
    wanted = _parameters(function)
    if wanted is not None:
        settings = {name: settings[name] for name in settings.keys() & wanted}
    return function(*arguments, **settings)


def _parameters(function):
    """Return the names of a function's parameters, None if it takes any."""
    # What cannot be told from another by its hash is looked at each time.
    try:
        return _look_at_parameters(function)
    except TypeError:
        return _look_at_parameters.__wrapped__(function)


@lru_cache(maxsize=32)
def _look_at_parameters(function):
    parameters = inspect.signature(function).parameters.values()
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return frozenset(each.name for each in parameters)


def function_digest(function: Callable[..., Any]) -> str:
    """Name a function by what it does, as far as its own code shows.

    Parameters
    ----------
    function : callable

    Returns
    -------
    str
        Hexadecimal digits. They depend on the version of Python.
    """
    from joblib import hash as digest

    code = getattr(function, "__code__", None)
    if code is None:
        return str(digest(function))
    enclosed = [cell.cell_contents for cell in function.__closure__ or ()]
    enclosed += [function.__defaults__, function.__kwdefaults__]
    parts = [each if not callable(each) else function_digest(each) for each in enclosed]
    return str(digest([_code_parts(code), *parts]))


def _code_parts(code):
    constants = [
        _code_parts(each) if hasattr(each, "co_code") else repr(each)
        for each in code.co_consts
    ]
    return [code.co_code.hex(), code.co_names, code.co_varnames, constants]
