"""From estimators to a bundle."""

import importlib.metadata
import io
import json
import os
import platform
from contextlib import suppress
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from skemotion._files import write_file
from skemotion._limits import LABEL_DTYPE
from skemotion._text import json_text
from skemotion._version import __version__
from skemotion.feature_extraction import (
    ENCODER_VERSION,
    WEIGHTS_SUFFIX,
    SpeechEncoder,
    SpeechFeatureExtractor,
    descriptor_set_version,
    name_weights,
)
from skemotion.persistence._archive import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    Members,
    pack,
    sha256,
)
from skemotion.persistence._format import (
    CLASSIFIERS,
    DETECTOR,
    DETECTORS,
    LOCAL,
    PIPELINES,
    STEPS,
    TRAINING,
    encode_parameter,
)
from skemotion.preprocessing import SequenceScaler


def save_model(model: BaseEstimator, path: str | os.PathLike) -> None:
    """Save a fitted model as a portable bundle.

    A bundle holds what predictions need, as text and plain numbers. It is for
    giving a model to others: :func:`load_model` runs no code from it.

    Parameters
    ----------
    model : estimator
        A fitted :class:`~skemotion.EmotionPipeline`, or a pipeline of
        imbalanced-learn or scikit-learn, whose steps are
        :class:`~skemotion.SpeechAugmenter`,
        :class:`~skemotion.SpeechFeatureExtractor`, :class:`~skemotion.SpeechEncoder`,
        :class:`~skemotion.SequenceScaler`, :class:`~skemotion.SequenceSampler`,
        :class:`~skemotion.AttentionBLSTMClassifier`,
        :class:`~skemotion.BLSTMClassifier` or "passthrough"; or one of these
        estimators alone. The pipeline may have a :class:`~skemotion.NoveltyDetector`.
    path : str or path-like
        Where to write the file, by convention with the suffix ``.skemotion``.
        A file that is there is replaced, at once and only when the new one is
        complete.

    Raises
    ------
    TypeError
        If the model, a step of it, its labels or a parameter that predictions
        depend on is of another kind.
    ValueError
        If parameters of a classifier were changed after `fit`.
    sklearn.exceptions.NotFittedError
        If the model or a step of it is not fitted.

    See Also
    --------
    load_model : Loads the file.

    Notes
    -----
    The file is a zip archive of ``manifest.json``, which can be read without
    this package, of one ``.npy`` file for each array, and of one ``.safetensors``
    file for what an encoder learnt before. The manifest holds
    the version of the format and of the packages, the steps with their
    parameters, the feature names, the class labels, the course of training,
    and the SHA-256 of each array. The same model always gives the same bytes.

    `n_jobs`, `memory` and `verbose` are not saved, and come back as their
    defaults. So does a parameter that matters in training only, such as
    `callbacks`, `sampler`, `optimizer`, `learning_rate`,
    `class_weight` or `random_state`, where JSON cannot hold its value; the
    manifest lists it as omitted. Of `effects` of your own, the names alone are
    saved: what is loaded predicts as before, and asks for them by name before it
    is fitted again. The state of the optimizer is not saved
    either. To go on working on a model at home, :func:`joblib.dump` keeps all
    of it.

    Pickle, and with it joblib, runs code while it loads. Keras' own format
    names the classes and functions that its reader calls, which has let files
    run code in spite of its safe mode [1]_. Skops [2]_ asks its reader which
    types to trust (:func:`~skemotion.persistence.skops_types`). A bundle asks
    for no trust: it holds the weights of the network alone, and its graph is
    built anew from the parameters.

    References
    ----------
    .. [1] "Arbitrary code execution via crafted Keras config for model
       loading", CVE-2025-1550, 2025.
    .. [2] "Secure persistence with skops",
       https://skops.readthedocs.io/en/stable/persistence.html

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from skemotion import SequenceScaler
    >>> from skemotion.persistence import load_model, save_model
    >>> X = np.random.default_rng(0).normal(3.0, 2.0, size=(20, 157, 46))
    >>> scaler = SequenceScaler(scope="cell").fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "scaler.skemotion")
    ...     save_model(scaler, path)
    ...     loaded = load_model(path)
    >>> loaded
    SequenceScaler(scope='cell')
    >>> bool((loaded.transform(X) == scaler.transform(X)).all())
    True
    """
    members = Members()
    description = _describe(model, members)
    contents = members.contents
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "versions": _package_versions(),
        "model": description,
        "sha256": {name: sha256(content) for name, content in contents.items()},
    }
    text = json_text(manifest, indent=1)
    write_file(Path(path), pack({MANIFEST: text.encode()} | contents))


def _describe(model, members):
    for kind, cls in PIPELINES.items():
        if type(model) is cls:
            return {
                "type": kind,
                **_describe_parameters(
                    model, "the pipeline", leave_out={"steps", DETECTOR}
                ),
                **_describe_adaptation(model),
                "steps": [
                    {"name": name, **_describe_step(step, f"step {name!r}", members)}
                    for name, step in model.steps
                ],
                **_describe_detector(model, members),
            }
    return _describe_step(model, "the model", members)


def _describe_adaptation(model):
    n_recordings = getattr(model, "adapted_to_", None)
    return {} if n_recordings is None else {"adapted_to": int(n_recordings)}


def _describe_step(step, where, members):
    if step is None or step == "passthrough":
        return {"type": "passthrough"}
    if type(step) not in STEPS.values():
        raise TypeError(
            f"{where} is of type {type(step).__name__}, which a bundle cannot hold, "
            f"only {', '.join(STEPS)}; use joblib.dump for this model."
        )
    kind = {"type": type(step).__name__}
    if isinstance(step, SpeechEncoder):
        check_is_fitted(step)
        return kind | _describe_encoder(step, where, members)
    if isinstance(step, SpeechFeatureExtractor):
        return kind | _describe_extractor(step, where)
    description = kind | _describe_parameters(step, where)
    if isinstance(step, SequenceScaler):
        check_is_fitted(step)
        description |= _describe_input(step) | _describe_padding(step)
        description["arrays"] = _store(
            {"mean": step.mean_, "scale": step.scale_}, members
        )
    elif isinstance(step, CLASSIFIERS):
        check_is_fitted(step)
        description |= _describe_input(step)
        description |= _describe_training(step)
        description["arrays"] = _store(weights_of_classifier(step), members)
    return description


def _describe_extractor(extractor, where):
    return {
        **_describe_parameters(extractor, where),
        "descriptors_version": descriptor_set_version(extractor.descriptors),
        "feature_names": extractor.get_feature_names_out().tolist(),
    }


def _describe_encoder(encoder, where, members):
    name = name_weights(encoder.weights)  # the weights themselves come along
    described = _describe_parameters(clone(encoder).set_params(weights=name), where)
    return described | {
        "frames_version": ENCODER_VERSION,
        "layers": list(encoder.layers_),
        "weights": members.add(encoder.to_safetensors(), WEIGHTS_SUFFIX),
    }


def _describe_detector(pipeline, members):
    """Describe the fitted detector of a pipeline, if it has one."""
    detector = getattr(pipeline, f"{DETECTOR}_", None)
    if detector is None:
        return {}
    if type(detector) not in DETECTORS.values():
        raise TypeError(
            f"the pipeline has a {DETECTOR} of type {type(detector).__name__}, which a "
            f"bundle cannot hold, only {', '.join(DETECTORS)}; use joblib.dump for "
            "this model."
        )
    named = {
        "mean": detector.mean_,
        "scale": detector.scale_,
        "components": detector.components_,
        "variances": detector.variances_,
        "distances": detector.distances_,
    }
    return {
        DETECTOR: {
            "type": type(detector).__name__,
            **_describe_parameters(detector, f"the {DETECTOR}"),
            **_describe_input(detector),
            **_describe_padding(detector),
            "residual": float(detector.residual_),
            "offset": float(detector.offset_),
            "arrays": _store(named, members),
        }
    }


def _describe_parameters(estimator, where, leave_out=frozenset()):
    parameters, omitted = {}, []
    for name, value in estimator.get_params(deep=False).items():
        if name in LOCAL | leave_out:
            continue
        value = encode_parameter(name, value)
        if _survives_json(value):
            parameters[name] = value
        elif name in TRAINING:
            omitted.append(name)
        else:
            raise TypeError(
                f"{where} has {name}={value!r}, which JSON cannot hold; set it to a "
                "plain number or string, or use joblib.dump for this model."
            )
    return {"parameters": parameters} | ({"omitted": omitted} if omitted else {})


def _survives_json(value):
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False


def _describe_input(estimator):
    names = getattr(estimator, "feature_names_in_", None)
    return {
        "n_dims_in": int(estimator.n_dims_in_),
        "n_features_in": int(estimator.n_features_in_),
    } | ({} if names is None else {"feature_names_in": names.tolist()})


def _describe_padding(scaler):
    loudness = scaler.loudness_
    return {"ignores_padding": bool(scaler.ignores_padding_)} | (
        {} if loudness is None else {"loudness_column": int(loudness)}
    )


def _describe_training(classifier):
    classes = classifier.classes_
    labels = classes.tolist()
    if not (
        LABEL_DTYPE.fullmatch(classes.dtype.str)
        and all(type(label) in (str, int, bool) for label in labels)
    ):
        raise TypeError(
            f"the class labels are of dtype {classes.dtype}, but a bundle holds "
            "strings, integers and booleans only; fit on such labels, or use "
            "joblib.dump for this model."
        )
    return {
        "sequence_shape": [
            classifier.n_frames_in_,
            classifier.model_.inputs[0].shape[-1],
        ],
        "n_classes": len(labels),
        "classes": {"dtype": classes.dtype.str, "labels": labels},
        "history": classifier.history_,
    }


def weights_of_classifier(classifier):
    """Return what the network of a fitted classifier has learnt, by name."""
    network = classifier.estimator_.network_
    fitted = network.architecture
    now = classifier._make_architecture(
        fitted.n_frames, fitted.n_features, fitted.n_classes
    )
    for name, value in vars(now).items():
        if getattr(fitted, name) != value:
            raise ValueError(
                f"{name} was changed after fit, from {getattr(fitted, name)!r} to "
                f"{value!r}; set it back, or fit again."
            )
    network.check_is_as_built()
    values = [variable.numpy() for variable in fitted.weights_of(network.model)]
    return dict(zip(fitted.weight_shapes(), values, strict=True))


def _store(named, members):
    """Add arrays in NumPy's format; return the name of the member of each."""
    stored = {}
    for name, array in named.items():
        file = io.BytesIO()
        np.lib.format.write_array(
            file, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False
        )
        stored[name] = members.add(file.getvalue(), ".npy")
    return stored


def _package_versions():
    versions = {"python": platform.python_version(), "skemotion": __version__}
    for name in ("keras", "librosa", "numpy", "scikit-learn", "tensorflow"):
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions
