"""Opening of the model that predicts: as it was exported, or else the pipeline."""

from pathlib import Path
from typing import Any

from skemotion.cli._model_names import comes_with_package, find_file


def open_model(options: Any) -> Any:
    """Return what predicts: an exported model, where there is one, or a pipeline.

    The models that come with the package are run by ONNX Runtime, or by NumPy where
    that is not installed, and so are others by ONNX Runtime where what was exported
    from them stands beside them, unless they are to be adapted or features are to be
    cached. So they answer without TensorFlow, and the same to 1e-5.

    Raises
    ------
    ValueError
        If the model cannot be used as the options say.
    """
    options.model = find_file(options.model)
    if is_exported(options.model):
        return _open_exported(options)
    if _can_be_small(options):
        small = _open_small(options)
        if small is not None:
            return small
    from skemotion.cli._models import open_pipeline

    return open_pipeline(options)


def is_exported(path: Any) -> bool:
    """Tell whether a file is called as those of ``skemotion export`` are."""
    from skemotion.runtime._format import SUFFIX

    return Path(path).suffix.lower() == SUFFIX


def _open_exported(options):
    from skemotion.runtime import load_exported

    if _changes_model(options):
        raise ValueError(
            f"{options.model} is an exported model, which cannot be adapted: give the "
            "model that it was exported from."
        )
    return load_exported(options.model, n_threads=_count_threads(options))


def _can_be_small(options):
    return not _changes_model(options) and options.cache is None


def _open_small(options):
    from skemotion.runtime._model import load_beside, load_linked

    load = load_linked if comes_with_package(options.model) else load_beside
    return load(options.model, n_threads=_count_threads(options))


def _changes_model(options):
    wishes = ("adapt", "one_speaker", "speaker_column")
    return any(getattr(options, wish, None) for wish in wishes)


def _count_threads(options):
    n_jobs = options.n_jobs
    return n_jobs if n_jobs and n_jobs > 0 else None


def predict_with_novelty(model: Any, X: Any) -> tuple[Any, Any]:
    """Return probabilities and novelty, which is None in each row if not known."""
    if find_novelty_limit(model) is None:
        return model.predict_proba(X), [None] * len(X)
    return model.predict_with_novelty(X)


def find_novelty_limit(model: Any) -> float | None:
    """Return the novelty above which recordings are marked, None if not known."""
    detector = getattr(model, "novelty_detector_", None)
    if detector is None:
        return None
    return float(detector.rank_scores([detector.offset_])[0])
