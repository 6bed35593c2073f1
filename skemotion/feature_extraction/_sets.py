"""The sets of descriptors that there are, and how they are computed together."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skemotion.audio import fix_length, resample, scale_to_peak
from skemotion.feature_extraction import _descriptors, _extended
from skemotion.feature_extraction._descriptor_set import DescriptorSet, function_digest

_LOUDEST = 1e10  # in full scales; sums of its squares are far from the largest number

DESCRIPTOR_SETS = {
    each.name: each for each in (_descriptors.DESCRIPTORS, _extended.DESCRIPTORS)
}
"""Sets that are known by name. A new one is added here, and nowhere else."""

Descriptors = str | DescriptorSet | Iterable[str | DescriptorSet]


def find_sets(descriptors: Descriptors) -> list[DescriptorSet]:
    """Return the sets that a parameter `descriptors` asks for.

    Parameters
    ----------
    descriptors : str, DescriptorSet or iterable of these
        As :class:`SpeechFeatureExtractor` takes it.

    Raises
    ------
    ValueError
        If a name is unknown, or there is none.
    TypeError
        If one is neither a name nor a set.
    """
    if isinstance(descriptors, (str, DescriptorSet)):
        descriptors = [descriptors]
    sets = [_find_set(each) for each in descriptors]
    if not sets:
        raise ValueError("descriptors is empty; name a set, or give one.")
    return sets


def _find_set(descriptors):
    if isinstance(descriptors, DescriptorSet):
        return descriptors
    if not isinstance(descriptors, str):
        raise TypeError(
            "descriptors must be names of sets or instances of DescriptorSet, got "
            f"{descriptors!r}."
        )
    if descriptors not in DESCRIPTOR_SETS:
        raise ValueError(
            f"there are no descriptors {descriptors!r}; known by name are "
            f"{', '.join(map(repr, DESCRIPTOR_SETS))}. Give a DescriptorSet for others."
        )
    return DESCRIPTOR_SETS[descriptors]


def is_known_set(descriptors: DescriptorSet) -> bool:
    """Tell whether a set is one that is known by name."""
    return DESCRIPTOR_SETS.get(descriptors.name) == descriptors


def names_of_sets(sets: list[DescriptorSet], **settings: Any) -> list[str]:
    """Name the columns of some sets side by side.

    Parameters
    ----------
    sets : list of DescriptorSet
    **settings
        Parameters of the extractor.

    Raises
    ------
    ValueError
        If two sets have descriptors of the same name.
    """
    names = [name for each in sets for name in each.names_of(**settings)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"more than one set of descriptors has the name {twice[0]!r}: leave one "
            'out ("extended" begins with the descriptors of "post"), or rename it.'
        )
    return names


def describe(
    signal: NDArray,
    native_rate: float,
    settings: dict[str, Any],
    sets: list[DescriptorSet] | None = None,
) -> NDArray:
    """Compute the descriptors of a recording.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,), dtype float32
        As decoded.
    native_rate : float
        Of the signal, in Hz.
    settings : dict
        As :class:`SpeechFeatureExtractor` makes them.
    sets : list of DescriptorSet, default=None
        None means those that the settings name.

    Returns
    -------
    ndarray of shape (n_frames, n_features), dtype float32

    Raises
    ------
    ValueError
        If the recording is so loud that its squares would overflow, or a function of
        the user's does not return what it should.
    """
    signal = resample(signal, native_rate, settings["sampling_rate"])
    if settings["normalize"] == "peak":
        signal = scale_to_peak(signal)
    else:
        _refuse_too_loud(signal)
    signal = fix_length(
        signal, settings["n_samples"], padding_side=settings["padding_side"]
    )
    columns = [
        each.describe(
            signal,
            settings["shape"][0],
            sampling_rate=settings["sampling_rate"],
            **settings["descriptors"],
        )
        for each in sets or find_sets(settings["set"])
    ]
    return columns[0] if len(columns) == 1 else np.hstack(columns)


def _refuse_too_loud(signal):
    peak = float(np.abs(signal).max(initial=0))
    if peak > _LOUDEST:
        raise ValueError(
            f"its largest sample is {peak:.3g}, where 1 is full scale: scale it, or "
            'set normalize="peak"'
        )


def descriptor_set_version(descriptors: Descriptors) -> int | list[int]:
    """Return the version of a set, which is raised whenever its numbers change.

    Parameters
    ----------
    descriptors : str, DescriptorSet or list of these
        As ``SpeechFeatureExtractor(descriptors=...)`` takes it.

    Returns
    -------
    int or list of int
        A list if there is more than one set.

    Raises
    ------
    ValueError
        If there is no such set.

    Examples
    --------
    >>> from skemotion.feature_extraction import descriptor_set_version
    >>> descriptor_set_version("extended")
    2
    """
    versions = [each.version for each in find_sets(descriptors)]
    return versions[0] if len(versions) == 1 else versions


def cached_version(sets: list[DescriptorSet]) -> Any:
    """Return what the cache's keys hold of the versions of some sets.

    Returns
    -------
    int or list
        Of JSON's types.
    """
    versions = [_cached_version(each) for each in sets]
    return versions[0] if len(versions) == 1 else versions


def _cached_version(descriptors):
    if not is_known_set(descriptors):
        return [descriptors.version, function_digest(descriptors.compute)]
    # All known sets begin with the post's descriptors, so theirs counts for every set.
    post = DESCRIPTOR_SETS["post"].version
    return post if descriptors.name == "post" else [post, descriptors.version]
