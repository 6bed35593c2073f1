"""``skemotion adapt``."""

from skemotion.cli._model_files import check_new_model
from skemotion.cli._models import adapt_model, open_pipeline
from skemotion.cli._recordings import find_recordings
from skemotion.cli._terminal import say
from skemotion.cli._training import save_pipeline
from skemotion.exceptions import AudioError


def run(options):
    """Adapt a model to recordings, without labels, and save it."""
    recordings = find_recordings(options)
    check_new_model(options.out)
    model, failures = adapt_model(open_pipeline(options), recordings, options)
    if len(failures) == len(recordings):
        raise AudioError(failures.items())
    save_pipeline(model, options.out)
    say(f"adapted to {model.adapted_to_} recordings, without labels")
    say(f"saved {options.out}")
    if failures:
        raise AudioError(failures.items())
