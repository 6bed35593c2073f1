"""Recipes and models that are compared on EMO-DB; ``emodb.py`` says what they are."""

import argparse

import numpy as np
from _opensmile import SETS, OpenSmileExtractor
from _smoke import shrink
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    SequenceFunctionals,
    SequenceSampler,
    make_emotion_pipeline,
)
from skemotion.pipeline import RECIPES

NETWORKS = {"attention": AttentionBLSTMClassifier, "blstm": BLSTMClassifier}
# Makers of what reads functionals.
FLAT = {
    "svm": lambda: SVC(class_weight="balanced"),
    "lda": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
}
VOTES = {"attention": 4, "lda": 1}
# What is changed in the recipe "descriptors", parameter by parameter.
ABLATIONS = {
    "without-copies": {"augment": "passthrough"},
    "without-copies-longer": {"augment": "passthrough", "classify__epochs": 30},
    "with-post-descriptors": {"extract__descriptors": "post"},
    "with-smote": {"balance": SequenceSampler(), "classify__class_weight": None},
    "with-scaled-cells": {"scale__scope": "cell"},
    "with-padding": {"scale__ignore_padding": False, "classify__ignore_padding": False},
    "without-peak": {"extract__normalize": None},
    "without-balance": {"classify__class_weight": None},
    "without-functionals": {"classify__functionals_units": None},
    "without-joining": {"classify__frame_step": 1},
    "without-members": {"classify__n_members": 1},
    "without-noise": {"classify__noise": 0.0},
    "without-schedule": {"classify__schedule": None},
    "without-smoothing": {"classify__label_smoothing": 0.0},
}


def check_recipe(text):
    """Return the name of a recipe, for argparse, if there is one."""
    if text not in (*RECIPES, *SETS):
        for change in text.split("+"):
            if change not in ABLATIONS:
                raise argparse.ArgumentTypeError(
                    f"{change!r} is none of {', '.join(sorted(ABLATIONS))}"
                )
    return text


def make_model(args, model, seed):
    """Return the pipeline of a recipe, with the classifier that `model` names."""
    pipeline = shrink(_make_pipeline(args.recipe, seed))
    pipeline.set_params(extract__memory=args.cache)
    if model == "blstm":
        parameters = pipeline["classify"].get_params()
        pipeline.set_params(classify=BLSTMClassifier(**parameters))
    if model in FLAT:
        pipeline.set_params(
            scale="passthrough",
            balance="passthrough",
            classify=_make_flat(args.recipe, model),
            novelty_detector=None,
        )
    if model == "lda":
        pipeline.set_params(augment="passthrough")
    return pipeline


def _make_flat(recipe, model):
    """Return what reads functionals, standardised."""
    classifier, functionals = FLAT[model](), SequenceFunctionals()
    if recipe in SETS:
        functionals = FunctionTransformer(_only_frame)
    if recipe == "recommended":
        functionals = SequenceFunctionals(("mean", "std"))
        if model == "svm":
            classifier = SVC(kernel="linear", C=0.01)
    return make_pipeline(functionals, StandardScaler(), classifier)


def _make_pipeline(recipe, seed):
    if recipe in SETS:
        extractor = OpenSmileExtractor(SETS[recipe])
        return make_emotion_pipeline("descriptors", random_state=seed).set_params(
            augment="passthrough",
            extract=extractor,
            hop_duration=None,  # of whole recordings
            detect_speech=False,
        )
    if recipe in RECIPES:
        return make_emotion_pipeline(recipe, random_state=seed)
    pipeline = make_emotion_pipeline("descriptors", random_state=seed)
    for change in recipe.split("+"):
        pipeline.set_params(**clone(ABLATIONS[change], safe=False))
        if change == "with-smote":
            pipeline.set_params(balance__random_state=seed)
    return pipeline


def _only_frame(X):
    return X[:, 0]


def predict_probabilities(model, X_test):
    """Return probabilities, or certainties where the model gives none."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(X_test)
    return (model.predict(X_test)[:, np.newaxis] == model.classes_).astype(float)
