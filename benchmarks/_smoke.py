"""Benchmarks in seconds: with ``--smoke`` they show that they run, not what they find.

Then recordings are synthetic, networks are tiny, and what is written goes to a folder
that is gone at the end. ``smoke.py`` runs all of them so. A process that such a run
starts is one, too, of the same folder and recordings.
"""

import argparse
import atexit
import os
import shutil
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

_FOLDER = "SKEMOTION_SMOKE"  # tells those that are started
SMOKE = "--smoke" in sys.argv[1:] or _FOLDER in os.environ
SKIPPED = 77  # the status of what could not be tried
_SPEAKERS = ("03", "08", "09")
_TEXTS = ("a01", "a02")
_SECONDS = 1.4  # of each recording, which no emotion is shorter than
# Of the classifier, where it has them.
_TINY = {"epochs": 1, "units": 2, "n_members": 1, "functionals_units": 2}


def parse_options(
    parser: argparse.ArgumentParser, smoke: str = ""
) -> argparse.Namespace:
    """Return the options of a benchmark, which has an option ``--smoke`` as well.

    Parameters
    ----------
    parser : ArgumentParser
    smoke : str, default=""
        The arguments with which it takes seconds; those that are given behind
        ``--smoke`` count more. ``{work}`` stands for a folder that is there, and
        ``{corpus}`` for that of the recordings.
    """
    parser.add_argument(
        "--smoke", action="store_true", help="show in seconds that this runs"
    )
    arguments = sys.argv[1:]
    if SMOKE:
        corpus = make_corpus()
        os.environ["SKEMOTION_EMODB"] = str(corpus)
        parser.set_defaults(emodb=str(corpus))
        folders = {"work": work_folder(), "corpus": corpus}
        arguments = smoke.format(**folders).split() + arguments
    return parser.parse_args(arguments)


def skip(reason: str) -> NoReturn:
    """End a run that cannot be made here, and say why."""
    print(f"skipped: {reason}")
    sys.exit(SKIPPED if SMOKE else 1)


def fewer(number: int, few: int) -> int:
    """Return `number`, or `few` in a smoke run."""
    return few if SMOKE else number


def elsewhere(path: Path) -> Path:
    """Return where to write a file of the package: in a smoke run, not there."""
    return work_folder() / path.name if SMOKE else path


def shrink(pipeline: Any) -> Any:
    """Return a pipeline that is quick to train, in a smoke run."""
    if SMOKE:
        parameters = pipeline.get_params()
        tiny = {f"classify__{name}": value for name, value in _TINY.items()}
        if parameters.get("classify__functionals_units", 0) is None:
            tiny.pop("classify__functionals_units")
        pipeline.set_params(
            **{name: value for name, value in tiny.items() if name in parameters}
        )
        if "augment__n_copies" in parameters:
            pipeline.set_params(augment__n_copies=1)
    return pipeline


@lru_cache
def work_folder() -> Path:
    """Return a folder for this process, which is gone at its end."""
    folder = os.environ.get(_FOLDER)
    if folder is None:
        folder = tempfile.mkdtemp(prefix="skemotion-smoke-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        if SMOKE:
            os.environ[_FOLDER] = folder
    return Path(folder)


@lru_cache
def make_corpus() -> Path:
    """Make a corpus that is named as EMO-DB is: three speakers of two sentences."""
    folder = work_folder() / "corpus"
    if folder.exists():  # made by who started this process
        return folder
    import numpy as np
    import soundfile

    from skemotion.datasets import make_emotional_speech
    from skemotion.datasets._emodb import EMOTIONS

    letters = {emotion: letter for letter, emotion in EMOTIONS["en"].items()}
    folder.mkdir()
    speech = make_emotional_speech(len(_SPEAKERS), len(_TEXTS), random_state=0)
    n_samples = int(_SECONDS * speech.sampling_rate)
    names = sorted(set(speech.speakers.tolist()))
    speakers = dict(zip(names, _SPEAKERS, strict=True))
    texts = dict(zip(np.unique(speech.text_ids), _TEXTS, strict=True))
    for signal, speaker, text, emotion in zip(
        speech.signals, speech.speakers, speech.text_ids, speech.target, strict=True
    ):
        name = f"{speakers[speaker]}{texts[text]}{letters[emotion]}a.wav"
        soundfile.write(folder / name, signal[:n_samples], speech.sampling_rate)
    return folder
