"""Files of models on the Hugging Face hub, fetched once."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_TIMEOUT = 10  # seconds without an answer

Get = Callable[[str], Path | None]


def fetch_from_hub(model: str, find: Callable[[Get], list[Path]]) -> list[Path]:
    """Find the files of a model, in the hub's cache on disk or on the hub.

    What was fetched before is found without a connection, and nothing is
    printed.

    Parameters
    ----------
    model : str
        Its id, such as ``"openai/whisper-base"``.
    find : callable
        Called with a function from the name of a file to its path, None if there
        is no such file. Returns the paths that are wanted, or nothing if one
        is not there.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If the hub cannot be asked, or does not have them.
    ImportError
        If huggingface_hub is not installed.
    """
    try:
        from huggingface_hub.utils import RepositoryNotFoundError
    except ImportError as error:
        raise ImportError(
            f"weights={model!r} is no file, and to fetch it from the Hugging Face hub, "
            'huggingface_hub is needed: pip install "skemotion[hub]".'
        ) from error
    try:
        with _silent():
            files = find(lambda file: _cached(model, file))
            files = files or find(lambda file: _fetched(model, file))
    except RepositoryNotFoundError as error:
        raise ValueError(
            "there is no such file, and the Hugging Face hub has no model of this "
            "name that may be read."
        ) from error
    except Exception as error:  # of several libraries, by what went wrong
        lines = [*str(error).strip().splitlines(), "no reason given"]
        raise ValueError(
            "there is no such file, and the Hugging Face hub does not give it "
            f"({type(error).__name__}: {lines[0].rstrip('.')})."
        ) from error
    if not files:
        raise ValueError("the model on the Hugging Face hub has no safetensors files.")
    return files


def _cached(model, file):
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model, file)
    return Path(found) if isinstance(found, str) else None


def _fetched(model, file):
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.utils import EntryNotFoundError

    try:
        # Where there is no connection, the download tries for half a minute.
        get_hf_file_metadata(hf_hub_url(model, file), timeout=_TIMEOUT)
    except EntryNotFoundError:
        return None
    return Path(hf_hub_download(model, file, etag_timeout=_TIMEOUT))


@contextmanager
def _silent() -> Iterator[None]:
    """Hold back the library's log and bars; what goes wrong is raised."""
    from huggingface_hub import hf_hub_download, utils  # noqa: F401 - the first sets the level of the log

    logger = logging.getLogger("huggingface_hub")
    level, had_bars = logger.level, not utils.are_progress_bars_disabled()
    logger.setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        # It warns of bars that the environment asks for, which then stay.
        warnings.simplefilter("ignore", UserWarning)
        utils.disable_progress_bars()
        try:
            yield
        finally:
            logger.setLevel(level)
            if had_bars:
                utils.enable_progress_bars()
