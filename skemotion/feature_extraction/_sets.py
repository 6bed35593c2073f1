"""The sets of descriptors that there are, and the version of each."""

from collections.abc import Callable
from typing import NamedTuple

from skemotion.feature_extraction import _descriptors, _extended


class DescriptorSet(NamedTuple):
    """What is known of a set before anything is computed."""

    names: Callable[[int], list[str]]
    version: int


DESCRIPTOR_SETS = {
    "post": DescriptorSet(_descriptors.descriptor_names, _descriptors.VERSION),
    "extended": DescriptorSet(_extended.extended_descriptor_names, _extended.VERSION),
}


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
