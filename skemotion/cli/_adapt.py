"""``skemotion adapt``."""

from skemotion.cli._models import adapt_model, open_model
from skemotion.cli._recordings import find_recordings
from skemotion.cli._training import save_pipeline
from skemotion.exceptions import AudioError
from skemotion.persistence import save_model

_BUNDLE = ".skemotion"


def run(options):
    """Adapt a model to recordings, without labels, and save it."""
    recordings = find_recordings(options)
    model, failures = adapt_model(open_model(options), recordings, options)
    if len(failures) == len(recordings):
        raise AudioError(failures.items())
    if options.out.endswith(_BUNDLE):
        save_model(model, options.out)
    else:
        save_pipeline(model, options.out)
    print(f"adapted to {model.adapted_to_} recordings, without labels")
    print(f"saved {options.out}")
    if failures:
        raise AudioError(failures.items())
