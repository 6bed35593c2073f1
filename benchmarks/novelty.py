"""Ask the model that comes with the package about what is no speech of its kind.

    python benchmarks/novelty.py

draws 1,000 sounds in which nobody speaks (``_sounds.py``), and takes the synthetic
speech of the package. It writes to ``benchmarks/results/novelty.json``, and prints,
which part the model calls "no speech", which part it calls unlike its training data,
and which part gets an emotion with a confidence above 0.5: as it comes, and where no
speech is looked for, so that the novelty detector is alone. Nothing was trained or
chosen on these sounds, but that the kinds of sounds are those that the detector of
speech was chosen on (``speech_detection.py``). What is said of speech by speakers left
out is in the tables of ``robustness.py``.
"""

import warnings

import numpy as np
from _degradations import RATE
from _results import RESULTS, made_by, write
from _revisions import find_outdated, footnote, made_with
from _runs import table
from _smoke import fewer
from _sounds import make_sound

from skemotion import load_pretrained
from skemotion.datasets import make_emotional_speech
from skemotion.exceptions import NoSpeechWarning

PATH = RESULTS / "novelty.json"
N_SOUNDS = fewer(1000, 3)
LIMIT = 0.95  # of novelty, from which a recording is called unlike the training data


def main():
    rng = np.random.default_rng(1)
    sounds = [(make_sound(rng)[1], RATE) for _ in range(N_SOUNDS)]
    speech = make_emotional_speech(fewer(6, 1), fewer(4, 1), random_state=0)
    model = load_pretrained()
    judged = {
        name: {
            "as it comes": judge(model.set_params(detect_speech=True), recordings),
            "novelty alone": judge(model.set_params(detect_speech=False), recordings),
        }
        for name, recordings in {
            "sounds": sounds,
            "synthetic speech": speech.signals,
        }.items()
    }
    of_model = made_with("loso", "recommended", "attention")
    result = {"judged": judged, **of_model, **made_by()}
    write(PATH, result)
    print(markdown_table(result))


def judge(model, recordings):
    """Return shares of recordings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSpeechWarning)
        probabilities, novelty = model.predict_with_novelty(recordings)
    silent = np.isnan(novelty)
    return {
        "n": len(recordings),
        "no speech": float(silent.mean()),
        "unlike": float(np.mean(novelty[~silent] > LIMIT)) if (~silent).any() else 0.0,
        "sure": float(np.mean(probabilities.max(axis=1) > 0.5)),
        "largest confidence": float(probabilities.max()),
    }


def markdown_table(result):
    """Make a table with a row for each kind of recordings and way to judge them."""
    header = ["recordings", "model", "no speech", "of the others, unlike training"]
    rows = [
        [f"{found['n']} {name}", how, f"{found['no speech']:.1%}"]
        + [f"{found['unlike']:.1%}", f"{found['sure']:.1%}"]
        + [f"{found['largest confidence']:.2f}"]
        for name, ways in result["judged"].items()
        for how, found in ways.items()
    ]
    return table([*header, "confidence above 0.5", "largest confidence"], rows) + (
        footnote(find_outdated(result), "novelty.py", "Stale: these were")
    )


if __name__ == "__main__":
    main()
