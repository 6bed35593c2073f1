"""Trained pipelines: in files, by speaker, and adapted."""

import os
import warnings

import numpy as np

from skemotion._files import refuse_pipes
from skemotion._messages import shorten
from skemotion._speakers._standardized import (
    SpeakerStandardized,
    extract_standardized,
    fit_standardized,
)
from skemotion.adaptation import adapt
from skemotion.cli._model_files import read_model
from skemotion.cli._model_names import PRETRAINED, find_file
from skemotion.cli._recordings import keep_readable
from skemotion.cli._terminal import note, shows_progress
from skemotion.exceptions import AudioError
from skemotion.pipeline._answers import Answers
from skemotion.pipeline._rules import find_rule
from skemotion.pipeline._windows import WindowedRecordings
from skemotion.preprocessing import speaker_standardize

_FEW_OF_A_VOICE = 3


def load_model(path):
    """Load a bundle or a pipeline of joblib, or say what is wrong with the file."""
    refuse_pipes(path)
    if not os.path.isfile(path):
        from skemotion.pretrained._files import BUNDLES

        raise FileNotFoundError(
            f"there is no model {path}: give a file, or one of the models that come "
            f"with the package, {', '.join([PRETRAINED, *BUNDLES])}."
        )
    return _check_model(read_model(path), path)


def _check_model(model, path):
    if not hasattr(model, "predict_proba"):
        raise ValueError(f"{path} holds no model that predicts probabilities")
    return model


def open_pipeline(options):
    """Load the model that is asked for, to be used as the options say.

    Raises ValueError where it cannot be used for one voice, or for others.
    """
    options.model = find_file(options.model)
    model = load_model(options.model)
    if is_by_speaker(model) != options.one_speaker:
        raise ValueError(_MISMATCH[options.one_speaker].format(options.model))
    return set_extraction(model, options)


def set_extraction(model, options):
    """Let a model extract features as the options say."""
    known = model.get_params()
    wanted = {
        "extract__n_jobs": options.n_jobs,
        "extract__memory": options.cache,
        "extract__on_error": "raise",  # commands name what has no answer themselves
    }
    return model.set_params(**{key: wanted[key] for key in wanted if key in known})


_MISMATCH = {
    True: (
        "{} was not trained on features standardised by speaker, so --one-speaker and "
        "--speaker-column would mislead it: leave them out, or train with "
        "--by-speaker. To adapt it to recordings of one setting there is --adapt."
    ),
    False: (
        "{} was trained with --by-speaker: add --one-speaker if all these recordings "
        "are of one voice, --speaker-column if a table tells whose they are, or use a "
        "model trained without."
    ),
}


def adapt_model(model, recordings, options):
    """Adapt a model to those recordings that can be read.

    Returns
    -------
    model : estimator
        As it was, if none can be read.
    failures : dict of str to str
        The reason for each path that cannot be read.
    """
    chunks = recordings.chunks(options.chunk_size)
    paths = [row[0] for rows in chunks for row in rows]
    if shows_progress():
        note(f"adapting to {len(paths)} recordings")

    def work(kept):
        try:
            found = recordings.audio(kept)
            return adapt(model, found, chunk_size=options.chunk_size)
        except AudioError:
            raise
        except ValueError as error:
            others = sorted(set(paths) - set(kept))
            if not others:
                raise
            raise ValueError(
                f"{error} Of those given, {len(others)} cannot be read: "
                f"{', '.join(others[:10])}."
            ) from error

    adapted, failures = keep_readable(work, paths)
    return (model if adapted is None else adapted), failures


def fit_by_speaker(pipeline, paths, y, speakers):
    """Fit a pipeline on features that are standardised by speaker, and mark it."""
    rest = fit_standardized(pipeline, paths, y, speakers)
    extract = pipeline["extract"]
    mark = ("by_speaker", SpeakerStandardized())
    pipeline.set_params(steps=[("extract", extract), mark, *rest.steps])
    pipeline._take_detector(rest)
    return pipeline


def check_speakers(corpus):
    """Raise where features cannot be standardised by speaker, warn where few can."""
    if corpus.speakers is None:
        raise ValueError(
            "--by-speaker needs to know who speaks: give a CSV table with a column "
            "speaker."
        )
    names, counts = np.unique(corpus.speakers, return_counts=True)
    few = names[counts < _FEW_OF_A_VOICE].tolist()
    if few:
        verb = "has" if len(few) == 1 else "have"
        warnings.warn(
            f"{len(few)} of {len(names)} speakers {verb} fewer than "
            f"{_FEW_OF_A_VOICE} recordings: {shorten(few)}. --by-speaker does harm "
            "there, most where there is one: leave it out, or add recordings of "
            "these voices.",
            stacklevel=2,
        )


def is_by_speaker(model):
    """Tell whether a model was trained with --by-speaker."""
    steps = getattr(model, "steps", [])
    return any(isinstance(step, SpeakerStandardized) for _, step in steps)


def predict_by_speaker(model, paths, speakers):
    """Predict probabilities from features that are standardised by speaker.

    Windows are those of the model, of which none is longer than what it was
    trained on. All of them are held in memory.
    """
    rule = find_rule(model)
    if rule is None:
        X = extract_standardized(model["extract"], paths, speakers)
        return model.sequence_steps.predict_proba(X)
    recordings, extract = WindowedRecordings(paths, rule), model["extract"]
    found = [
        (extract.transform(batch.windows), batch.rows, batch.weights, batch.alone)
        for batch in recordings.batches()
    ]
    answers = Answers(model.sequence_steps, "predict_proba", len(recordings))
    if found:
        X, rows, weights, alone = map(np.concatenate, zip(*found, strict=True))
        X = speaker_standardize(
            X,
            np.asarray(speakers)[rows],
            feature_names=extract.get_feature_names_out(),
        )
        for chosen in (alone, ~alone):
            if chosen.any():
                is_alone = chosen is alone
                answers.add(
                    X[chosen], rows[chosen], None if is_alone else weights[chosen], {}
                )
    recordings.warn()
    answers.silent = recordings.silent
    return answers.collect()
