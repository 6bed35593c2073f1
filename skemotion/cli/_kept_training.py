"""A training that goes on where it was killed, with what it has heard until then."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from skemotion.cli._journal import alone_in
from skemotion.feature_extraction._cache import FeatureCache

_FEATURES = "features"


@contextmanager
def kept_training(pipeline: Any, options: Any) -> Iterator[None]:
    """Keep what is trained within the block, until the block is done.

    Parameters
    ----------
    pipeline : EmotionPipeline
        It has a step "classify", and is trained and saved within the block.
    options : argparse.Namespace
        `checkpoint` is the folder, where None keeps nothing. Features are kept
        there, too, unless there is a `cache`.

    Raises
    ------
    ValueError
        If another process is at it.
    """
    if not options.checkpoint:
        yield
        return
    folder = Path(options.checkpoint)
    features = folder / _FEATURES
    with alone_in(folder):
        pipeline.set_params(classify__checkpoint=options.checkpoint)
        if not options.cache:
            pipeline.set_params(extract__memory=str(features))
        yield
        pipeline["classify"].forget_checkpoint()
        with suppress(OSError, ValueError):  # there is none
            FeatureCache(features).clear()
            features.rmdir()


def keep_no_more(pipeline: Any, options: Any) -> None:
    """Set a trained pipeline as if nothing of it were kept, to be saved so."""
    if options.checkpoint:
        pipeline.set_params(classify__checkpoint=None, extract__memory=options.cache)
