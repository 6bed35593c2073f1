"""The sets of descriptors that there are, and the version of each."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skemotion.audio import fix_length, resample, scale_to_peak
from skemotion.feature_extraction import _descriptors, _extended

_LOUDEST = 1e10  # in full scales; sums of its squares are far from the largest number


class DescriptorSet(NamedTuple):
    """What computes a set, and what is known of it before."""

    names: Callable[[int], list[str]]
    compute: Callable[..., NDArray]
    version: int


DESCRIPTOR_SETS = {
    "post": DescriptorSet(
        _descriptors.descriptor_names,
        _descriptors.compute_descriptors,
        _descriptors.VERSION,
    ),
    "extended": DescriptorSet(
        _extended.extended_descriptor_names,
        _extended.compute_extended_descriptors,
        _extended.VERSION,
    ),
}


def describe(signal: NDArray, native_rate: float, settings: dict[str, Any]) -> NDArray:
    """Compute the descriptors of a recording.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        As decoded.
    native_rate : float
        Of the signal, in Hz.
    settings : dict
        As :class:`SpeechFeatureExtractor` makes them.

    Returns
    -------
    ndarray of shape (n_frames, n_features), dtype float32

    Raises
    ------
    ValueError
        If the recording is so loud that its squares would overflow.
    """
    signal = resample(signal, native_rate, settings["sampling_rate"])
    if settings["normalize"] == "peak":
        signal = scale_to_peak(signal)
    else:
        _refuse_too_loud(signal)
    signal = fix_length(
        signal, settings["n_samples"], padding_side=settings["padding_side"]
    )
    return DESCRIPTOR_SETS[settings["set"]].compute(
        signal, sampling_rate=settings["sampling_rate"], **settings["descriptors"]
    )


def _refuse_too_loud(signal):
    peak = float(np.abs(signal).max(initial=0))
    if peak > _LOUDEST:
        raise ValueError(
            f"its largest sample is {peak:.3g}, where 1 is full scale: scale it, or "
            'set normalize="peak"'
        )


def descriptor_set_version(name: str) -> int:
    """Return the version of a set, which is raised whenever its numbers change.

    Parameters
    ----------
    name : {"post", "extended"}
        As ``SpeechFeatureExtractor(descriptors=...)`` takes it.

    Returns
    -------
    int

    Raises
    ------
    KeyError
        If there is no such set.

    Examples
    --------
    >>> from skemotion.feature_extraction._sets import descriptor_set_version
    >>> descriptor_set_version("extended")
    2
    """
    return DESCRIPTOR_SETS[name].version


def cached_version(name: str) -> int | list[int]:
    """Return what the cache's keys hold in place of the name's version.

    All sets begin with the post's descriptors, so theirs counts for every set.
    """
    post = descriptor_set_version("post")
    return post if name == "post" else [post, descriptor_set_version(name)]
