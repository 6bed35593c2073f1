"""Trained pipelines, in files and by speaker."""

import zipfile

import joblib

from skemotion._by_speaker import SpeakerStandardized
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
    pipeline.set_params(steps=[("extract", extract), mark, *rest.steps])
    pipeline._take_detector(rest)
    return pipeline


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
    """Predict as `predict_with_novelty` does, standardised by speaker."""
    X = standardized_features(model["extract"], paths, speakers)
    return predict_with_novelty(model.sequence_steps, X)


def predict_with_novelty(model, X):
    """Return probabilities and novelty, which is None in each row if not known."""
    if find_novelty_limit(model) is None:
        return model.predict_proba(X), [None] * len(X)
    return model.predict_with_novelty(X)


def find_novelty_limit(model):
    """Return the novelty above which recordings are marked, None if not known."""
    detector = getattr(model, "novelty_detector_", None)
    if detector is None:
        return None
    return float(detector.rank_scores([detector.offset_])[0])
