"""A model for each of several voices, whose recordings come mixed."""

import sys
from typing import Any

from skemotion._messages import shorten
from skemotion.cli._models import adapt_model
from skemotion.cli._recordings import Recordings
from skemotion.cli._warnings import noted
from skemotion.exceptions import AdaptationWarning

_FEWEST = 2  # of which a deviation can be taken


def adapt_to_voices(
    model: Any, recordings: Recordings, options: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Adapt a model to the recordings of each speaker that a column names.

    Parameters
    ----------
    model : estimator
        Trained by speaker.
    recordings : Recordings
        All of them, with the column.
    options : Namespace
        Of the command.

    Returns
    -------
    models : dict of str to estimator
        One for each speaker.
    failures : dict of str to str
        The reason for each path that cannot be read.

    Raises
    ------
    ValueError
        If the column is not there, or speakers have too few recordings.
    """
    voices = recordings.split(options.speaker_column)
    few = [name for name, of_one in voices.items() if len(of_one) < _FEWEST]
    if few:
        raise ValueError(
            f"{len(few)} of {len(voices)} speakers have a single recording, which "
            f"cannot be compared with others of the same voice: {shorten(few)}."
        )
    models: dict[str, Any] = {}
    failures: dict[str, str] = {}
    with noted(AdaptationWarning) as warned:
        for name, of_one in voices.items():
            try:
                models[name], failed = adapt_model(model, of_one, options)
            except ValueError as error:
                raise ValueError(f"speaker {name}: {error}") from error
            failures |= failed
    if warned:
        print(
            f"skemotion: warning: {len(warned)} of {len(voices)} speakers have fewer "
            "recordings than adapting to a voice takes: with few, predictions can "
            f"become worse than without. The first: {warned[0]}",
            file=sys.stderr,
        )
    return models, failures
