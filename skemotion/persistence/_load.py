"""From a bundle to estimators."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from skemotion._files import refuse_pipes
from skemotion._limits import LABEL_DTYPE
from skemotion._version import __version__
from skemotion.feature_extraction import (
    ENCODER_VERSION,
    DescriptorSet,
    SpeechEncoder,
    SpeechFeatureExtractor,
    descriptor_set_version,
)
from skemotion.persistence._archive import COPY_AGAIN, get_entry, unpack
from skemotion.persistence._format import (
    CLASSIFIERS,
    DETECTOR,
    DETECTORS,
    LOCAL,
    PIPELINES,
    STEPS,
    decode,
    decode_descriptors,
)
from skemotion.persistence._limits import (
    check_extent_of_extractor,
    check_extent_of_labels,
    check_extent_of_network,
    check_extent_of_windows,
)
from skemotion.preprocessing import SequenceScaler

_FIRST_VERSION = 1
# By what else than ValueError a false description can end.
_OTHER_ENDS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
)


def load_model(
    path: str | os.PathLike, *, descriptor_sets: Iterable[DescriptorSet] = ()
) -> Any:
    """Load a model from a portable bundle.

    No code from the file is run: estimators are made from a fixed list of
    classes, arrays are read as plain numbers, and the network is built by this
    package.

    Parameters
    ----------
    path : str or path-like
        A file written by :func:`save_model`.
    descriptor_sets : iterable of DescriptorSet, default=()
        What a model was trained on that has descriptors of your own. Their code is
        not in the file; their name and version are, and have to be the same.

    Returns
    -------
    estimator
        The model, fitted. It predicts exactly what the saved one does, as far
        as TensorFlow and librosa compute the same on both machines.

    Raises
    ------
    ValueError
        If the file is no bundle, is damaged or was changed, or was written in
        a format that this version does not know.
    OSError
        If the file cannot be read, or is a pipe or a device.

    See Also
    --------
    save_model : Writes the file, and says what it holds.

    Notes
    -----
    The SHA-256 sums find damage and careless changes. They do not show who
    made a file: a false model can be made to predict anything.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skemotion import SequenceScaler
    >>> from skemotion.persistence import load_model, save_model
    >>> scaler = SequenceScaler().fit([[[1.0], [3.0]], [[5.0], [7.0]]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "scaler.skemotion")
    ...     save_model(scaler, path)
    ...     loaded = load_model(path)
    >>> loaded.mean_
    array([4.])
    """
    refuse_pipes(path)
    content = Path(path).read_bytes()
    try:
        manifest, arrays = unpack(content)
        description = get_entry(manifest, "model", dict)
        _find_own_sets(description, list(descriptor_sets))
        return _restore(description, arrays)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)!r} cannot be loaded: {error}") from error
    except _OTHER_ENDS as error:
        raise ValueError(
            f"{os.fspath(path)!r} cannot be loaded: its manifest describes no model "
            f"({type(error).__name__}: {error}); {COPY_AGAIN}."
        ) from error


def _find_own_sets(description, descriptor_sets):
    """Put descriptor sets that have no code in the file in place of their names."""
    for step in description.get("steps", [description]):
        parameters = step.get("parameters") if type(step) is dict else None
        if type(parameters) is dict and "descriptors" in parameters:
            parameters["descriptors"] = decode_descriptors(
                parameters["descriptors"], descriptor_sets
            )


def _restore(description, arrays):
    kind = get_entry(description, "type", str)
    if kind == "passthrough":
        raise ValueError(f"it holds no model, only a step {kind!r}; {COPY_AGAIN}.")
    cls = PIPELINES.get(kind)
    if cls is None:
        return _restore_step(description, arrays)
    steps = [
        (get_entry(step, "name", str), _restore_step(step, arrays))
        for step in get_entry(description, "steps", list)
    ]
    pipeline = _construct(cls, description, steps=steps)
    check_extent_of_windows(pipeline)
    try:
        pipeline._validate_steps()
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"its steps make no pipeline ({error}); {COPY_AGAIN}."
        ) from error
    if "adapted_to" in description:
        pipeline.adapted_to_ = get_entry(description, "adapted_to", int)
    if DETECTOR in description:
        _restore_detector(pipeline, get_entry(description, DETECTOR, dict), arrays)
    return pipeline


def _restore_detector(pipeline, description, arrays):
    """Give a pipeline its fitted detector, and the same again as a parameter."""
    kind = get_entry(description, "type", str)
    if kind not in DETECTORS or DETECTOR not in pipeline.get_params(deep=False):
        raise ValueError(
            f"its {type(pipeline).__name__} has a {DETECTOR} of type {kind!r}, which "
            f"skemotion {__version__} does not load; a newer version may."
        )
    detector = _construct(DETECTORS[kind], description)
    _restore_input(detector, description)
    _restore_padding(detector, description)
    names = ("mean", "scale", "components", "variances", "distances")
    taken = _take(description, arrays, names)
    _check_detector(detector, taken)
    for name, array in taken.items():
        setattr(detector, f"{name}_", array)
    for name in ("residual", "offset"):
        setattr(detector, f"{name}_", get_entry(description, name, float))
    if not (detector.residual_ >= 0 and detector.offset_ < 0):
        raise ValueError(f"its {DETECTOR} has no plausible limit; {COPY_AGAIN}.")
    pipeline.novelty_detector_ = detector
    pipeline.novelty_detector = _construct(DETECTORS[kind], description)


def _check_detector(detector, arrays):
    per_feature = 2 if detector.n_dims_in_ == 3 else 1
    n_statistics = per_feature * detector.n_features_in_
    n_components = arrays["variances"].size
    expected = {
        "mean": (n_statistics,),
        "scale": (n_statistics,),
        "components": (n_components, n_statistics),
        "variances": (n_components,),
        "distances": (arrays["distances"].size,),
    }
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected or not n_components or not arrays["distances"].size:
        raise ValueError(
            f"the arrays of its {DETECTOR} have shapes {found}, which do not fit "
            f"{detector.n_features_in_} features; {COPY_AGAIN}."
        )


def _restore_step(description, arrays):
    kind = get_entry(description, "type", str)
    if kind == "passthrough":
        return kind
    if kind not in STEPS:
        raise ValueError(
            f"it has a step of type {kind!r}, which skemotion {__version__} does not "
            "load; a newer version may."
        )
    step = _construct(STEPS[kind], description)
    if isinstance(step, SpeechFeatureExtractor):
        check_extent_of_extractor(step)
        _check_descriptors(step, description)
    elif isinstance(step, SpeechEncoder):
        _restore_encoder(step, description, arrays)
    elif isinstance(step, SequenceScaler):
        _restore_scaler(step, description, arrays)
    elif isinstance(step, CLASSIFIERS):
        _restore_classifier(step, description, arrays)
    return step


def _construct(cls, description, **parameters):
    saved = get_entry(description, "parameters", dict)
    unknown = saved.keys() - (set(cls._get_param_names()) - parameters.keys() - LOCAL)
    if unknown:
        raise ValueError(
            f"{cls.__name__} of skemotion {__version__} has no parameter "
            f"{', '.join(sorted(unknown))}; a newer version may have it."
        )
    saved = {name: decode(value) for name, value in saved.items()}
    estimator = cls(**parameters, **saved)
    estimator._validate_params()
    return estimator


def _check_descriptors(extractor, description):
    # Bundles of the first version of a set do not name it.
    found = description.get("descriptors_version", _FIRST_VERSION)
    known = descriptor_set_version(extractor.descriptors)
    if found != known:
        raise ValueError(
            f"it was trained on version {found!r} of the descriptors "
            f"{extractor.descriptors!r}, and skemotion {__version__} computes version "
            f"{known}, which measures other things: train the model again, or install "
            "the version that the manifest names."
        )
    names = get_entry(description, "feature_names", list)
    if (
        extractor.n_mfcc > len(names)
        or names != extractor.get_feature_names_out().tolist()
    ):
        raise ValueError(
            "its features are not those that SpeechFeatureExtractor of skemotion "
            f"{__version__} computes; install the version that the manifest names."
        )


def _restore_encoder(encoder, description, arrays):
    version = get_entry(description, "frames_version", int)
    if version != ENCODER_VERSION:
        raise ValueError(
            f"it was trained on version {version} of the encoder's frames, and "
            f"skemotion {__version__} computes version {ENCODER_VERSION}: train the "
            "model again, or install the version that the manifest names."
        )
    layers = get_entry(description, "layers", list)
    content = arrays.pop(get_entry(description, "weights", str), None)
    if (
        not layers
        or not _all_of(layers, int)
        or min(layers) < 1
        or len(set(layers)) < len(layers)
    ):
        raise ValueError(f"layers {layers} are no different blocks; {COPY_AGAIN}.")
    if type(content) is not bytes:
        raise ValueError(f"it holds no weights of the encoder; {COPY_AGAIN}.")
    encoder.from_safetensors(content, tuple(layers))


def _restore_scaler(scaler, description, arrays):
    _restore_input(scaler, description)
    moments = _take(description, arrays, ("mean", "scale"))
    shape = moments["mean"].shape
    if (
        len(shape) not in (1, 2)
        or shape[-1] != scaler.n_features_in_
        or moments["scale"].shape != shape
    ):
        raise ValueError(
            f"mean of shape {shape} and scale of shape {moments['scale'].shape} do not "
            f"fit {scaler.n_features_in_} features; {COPY_AGAIN}."
        )
    scaler.mean_, scaler.scale_ = moments["mean"], moments["scale"]
    _restore_padding(scaler, description)


def _restore_padding(scaler, description):
    scaler.ignores_padding_ = get_entry(description, "ignores_padding", bool)
    scaler.loudness_ = None
    if "loudness_column" in description:
        scaler.loudness_ = get_entry(description, "loudness_column", int)
        if not 0 <= scaler.loudness_ < scaler.n_features_in_:
            raise ValueError(
                f"loudness_column {scaler.loudness_} is none of the "
                f"{scaler.n_features_in_} features; {COPY_AGAIN}."
            )


def _restore_classifier(classifier, description, arrays):
    _restore_input(classifier, description)
    classes = _restore_classes(get_entry(description, "classes", dict))
    shape = _restore_shape(classifier, get_entry(description, "sequence_shape", list))
    architecture = classifier._make_architecture(*shape, len(classes))
    weights = _take(description, arrays, get_entry(description, "arrays", dict))
    check_extent_of_network(shape, len(classes), architecture, weights)
    expected = architecture.weight_shapes()
    if weights.keys() != expected.keys():
        raise ValueError(
            f"its arrays are not named as the weights of {type(classifier).__name__}; "
            f"{COPY_AGAIN}."
        )
    for name, array in weights.items():
        if array.shape != expected[name]:
            raise ValueError(
                f"{name} has shape {array.shape}, but {len(classes)} class labels and "
                f"the parameters of {type(classifier).__name__} ask for "
                f"{expected[name]}; {COPY_AGAIN}."
            )
    history = _restore_history(get_entry(description, "history", dict))
    try:
        classifier._restore(
            [weights[name] for name in expected],
            shape=shape,
            classes=classes,
            history=history,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"Keras does not build its network ({error!r}); {COPY_AGAIN}."
        ) from error


def _restore_input(estimator, description):
    estimator.n_dims_in_ = get_entry(description, "n_dims_in", int)
    if estimator.n_dims_in_ not in (2, 3):
        raise ValueError(f"n_dims_in is {estimator.n_dims_in_}, neither 2 nor 3.")
    estimator.n_features_in_ = get_entry(description, "n_features_in", int)
    if estimator.n_features_in_ < 1:
        raise ValueError(f"n_features_in is {estimator.n_features_in_}, not positive.")
    if "feature_names_in" in description:
        names = get_entry(description, "feature_names_in", list)
        if len(names) != estimator.n_features_in_ or not _all_of(names, str):
            raise ValueError(
                f"feature_names_in does not name {estimator.n_features_in_} features; "
                f"{COPY_AGAIN}."
            )
        estimator.feature_names_in_ = np.array(names, dtype=object)


def _restore_shape(classifier, shape):
    """Return frames and features of the network's input."""
    # Two-dimensional X is a sequence of one feature with as many frames as columns.
    n_features = classifier.n_features_in_
    if len(shape) == 2 and _all_of(shape, int) and shape[0] > 0:
        expected = {2: [n_features, 1], 3: [shape[0], n_features]}
        if shape == expected[classifier.n_dims_in_]:
            return tuple(shape)
    raise ValueError(
        f"sequence_shape {shape} does not fit {n_features} features; {COPY_AGAIN}."
    )


def _restore_classes(description):
    dtype = get_entry(description, "dtype", str)
    labels = get_entry(description, "labels", list)
    if (
        LABEL_DTYPE.fullmatch(dtype)
        and _all_of(labels, str, int, bool)
        and len(set(labels)) == len(labels) >= 2
    ):
        check_extent_of_labels(np.dtype(dtype), labels)
        with suppress(OverflowError, ValueError):
            classes = np.array(labels, dtype=dtype)
            if classes.tolist() == labels:
                return classes
    raise ValueError(
        "its class labels are no two or more different strings, integers or booleans "
        f"of dtype {dtype!r}; {COPY_AGAIN}."
    )


def _restore_history(history):
    for log in history.values():
        if type(log) is not list or not _all_of(log, float):
            raise ValueError(
                f"history must hold lists of floating-point numbers; {COPY_AGAIN}."
            )
    return history


def _take(description, arrays, names):
    members = get_entry(description, "arrays", dict)
    # Each is taken once, so that all of them together are no larger than the file.
    taken = {name: arrays.pop(get_entry(members, name, str), None) for name in names}
    for name, array in taken.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(
                f"the manifest names no member of the archive for {name!r}; "
                f"{COPY_AGAIN}."
            )
    return taken


def _all_of(values, *kinds):
    return all(type(value) in kinds for value in values)
