"""From an evaluation to a folder with a page."""

import os
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skemotion._files import atomic_path, refuse_existing
from skemotion._messages import shorten
from skemotion._validation._parameters import validate_params
from skemotion.inspection._estimators import last_step
from skemotion.metrics import expected_calibration_error
from skemotion.report._corpus import count_corpus
from skemotion.report._evaluation import Evaluation
from skemotion.report._figures import (
    draw_calibration,
    draw_histories,
    draw_risk_coverage,
)
from skemotion.report._listening import choose_recordings
from skemotion.report._page import load_engine, render_page
from skemotion.report._scores import (
    class_scores,
    confusions,
    interval_groups,
    overall_scores,
    speaker_scores,
    with_speech,
)
from skemotion.report._snippets import SnippetMaker

PAGE = "index.html"


@validate_params(
    {
        "evaluation": [Evaluation],
        "out": [str, os.PathLike],
        "audio": ["boolean"],
        "n_recordings": [
            StrOptions({"auto"}),
            Interval(Integral, 0, None, closed="left"),
        ],
        "pipeline": [HasMethods("predict_proba"), None],
        "title": [str],
        "verbose": ["verbose"],
    }
)
def write_report(
    evaluation: Evaluation,
    out: str | os.PathLike[str],
    *,
    audio: bool = True,
    n_recordings: Any = "auto",
    pipeline: Any = None,
    title: str = "Speech emotion recognition",
    verbose: int = 0,
) -> Path:
    """Write a page that shows an evaluation, and plays its recordings.

    The page is one file that holds all it needs: it is opened from disk, sent by
    mail or printed, asks no server for anything, and follows the reader's choice
    of light or dark.

    Parameters
    ----------
    evaluation : Evaluation
        What was predicted of recordings, as ``skemotion evaluate`` finds it.
    out : str or path-like
        A folder, which is made where it is missing. The page is its
        ``index.html``; other files in it are left alone.
    audio : bool, default=True
        Whether the recordings can be heard. They are then part of the page, the
        first 20 s of each, as Ogg Opus: think of who may hear them.
    n_recordings : int or "auto", default="auto"
        How many recordings are shown, the most confident mistakes first. "auto"
        shows as many as keep the page below 10 MB. 0 shows none.
    pipeline : fitted Pipeline, default=None
        The model that predicted. Where it looks is drawn into the pictures, if its
        last step has a method `attention`.
    title : str, default="Speech emotion recognition"
        The heading.
    verbose : int, default=0
        Whether to show progress over the recordings on standard error.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    FileExistsError
        If there is a page already.
    NotADirectoryError
        If `out` is a file.
    ValueError
        If `evaluation` holds no recordings, arrays of different lengths, or labels
        that are not among its classes.
    ImportError
        If Jinja2 is not installed.

    Notes
    -----
    Intervals are those of :func:`~skemotion.metrics.bootstrap_interval`, over
    speakers where there are at least five, else over recordings. A recording that
    holds no speech counts as not recognised. Recordings that cannot be read any
    more are named on the page. Paths are shown relative to the folder that all
    recordings have in common.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skemotion.report import Evaluation, write_report
    >>> from skemotion.datasets import make_emotional_speech
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = make_emotional_speech(n_speakers=1, n_texts=1, folder=folder)
    ...     evaluation = Evaluation(
    ...         paths=data.paths,
    ...         y_true=data.target,
    ...         probabilities=np.eye(7),
    ...         classes=data.target_names,
    ...         protocol="Nothing was held out: these are the labels themselves.",
    ...     )
    ...     page = write_report(evaluation, folder)
    ...     print(page.name, page.stat().st_size < 1e6)
    index.html True
    """
    page = Path(out) / PAGE
    check_page(out)
    _check_evaluation(evaluation)
    if pipeline is not None and not hasattr(last_step(pipeline), "attention"):
        pipeline = None
    spoken = with_speech(evaluation)
    content = render_page(
        title=title,
        evaluation=evaluation,
        corpus=count_corpus(evaluation),
        scores=overall_scores(evaluation),
        over_speakers=interval_groups(evaluation) is not None,
        class_scores=class_scores(evaluation),
        speaker_scores=speaker_scores(evaluation),
        confusions=confusions(evaluation),
        calibration=draw_calibration(spoken) if len(spoken) else None,
        risk_coverage=draw_risk_coverage(spoken) if len(spoken) else None,
        histories=draw_histories(evaluation.histories),
        listening=choose_recordings(
            evaluation,
            SnippetMaker(audio=audio, pipeline=pipeline),
            None if n_recordings == "auto" else n_recordings,
            verbose=verbose,
        ),
        audio=audio,
        attention=pipeline is not None,
        ece=expected_calibration_error(
            spoken.y_true, spoken.probabilities, labels=spoken.classes
        )
        if len(spoken)
        else None,
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(page) as temporary:
        temporary.write_bytes(content)
    return page


def check_page(out: str | os.PathLike[str]) -> None:
    """Raise where no page can be written, before any work.

    Parameters
    ----------
    out : str or path-like
        As :func:`write_report` takes it.
    """
    folder = Path(out)
    load_engine()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(
            f"{folder} is a file: name a folder, in which the page goes."
        )
    refuse_existing([folder / PAGE])


def _check_evaluation(evaluation):
    n_recordings, n_classes = len(evaluation), len(evaluation.classes)
    if not n_recordings:
        raise ValueError(
            "The evaluation holds no recordings: there is nothing to show."
        )
    if np.shape(evaluation.probabilities) != (n_recordings, n_classes):
        raise ValueError(
            f"The evaluation has probabilities of shape "
            f"{np.shape(evaluation.probabilities)} for {n_recordings} recordings and "
            f"{n_classes} classes."
        )
    for name in ("y_true", "speakers", "folds", "silent"):
        values = getattr(evaluation, name)
        if values is not None and len(values) != n_recordings:
            raise ValueError(
                f"The evaluation has {len(values)} {name} for {n_recordings} "
                "recordings."
            )
    known = {str(name) for name in evaluation.classes}
    if unknown := sorted({str(label) for label in evaluation.y_true} - known):
        raise ValueError(
            f"Recordings are labelled {shorten(list(map(repr, unknown)))}, which the "
            f"model does not know; its classes are {', '.join(sorted(known))}. Map "
            "the labels, or leave these recordings out."
        )
