"""Trained pipelines, in files and by speaker."""

import zipfile

import joblib
import numpy as np

from skemotion._by_speaker import SpeakerStandardized
from skemotion.pipeline._answers import Answers
from skemotion.pipeline._windows import WindowedRecordings, WindowRule
from skemotion.preprocessing import speaker_standardize


def load_model(path):
    """Load a bundle or a pipeline of joblib, or say what is wrong with the file."""
    if zipfile.is_zipfile(path):
        from skemotion.persistence import load_model as load_bundle

        return _check_model(load_bundle(path), path)
    try:
        model = joblib.load(path)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(
            f"{path} is not a model saved by skemotion train, or was saved under other "
            f"versions: {error}"
        ) from error
    return _check_model(model, path)


def _check_model(model, path):
    if not hasattr(model, "predict_proba"):
        raise ValueError(f"{path} holds no model that predicts probabilities")
    return model


def fit_by_speaker(pipeline, corpus):
    """Fit a pipeline on features that are standardised by speaker, and mark it."""
    check_speakers(corpus)
    extract, rest = pipeline["extract"], pipeline.sequence_steps
    X = standardized_features(extract, corpus.paths, corpus.speakers)
    rest.fit(X, corpus.target, groups=corpus.speakers)
    mark = ("by_speaker", SpeakerStandardized())
    return pipeline.set_params(steps=[("extract", extract), mark, *rest.steps])


def standardized_features(extract, paths, speakers):
    """Extract features and standardise them by speaker."""
    return speaker_standardize(
        extract.fit_transform(paths),
        speakers,
        feature_names=extract.get_feature_names_out(),
    )


def check_speakers(corpus):
    """Raise where features cannot be standardised by speaker."""
    if corpus.speakers is None:
        raise ValueError(
            "--by-speaker needs to know who speaks: give a CSV table with a column "
            "speaker."
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
    rule = WindowRule.of(model)
    if rule is None:
        X = standardized_features(model["extract"], paths, speakers)
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
    return answers.collect(recordings.silent)
