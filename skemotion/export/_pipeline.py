"""A fitted pipeline as one graph of ONNX, and what has to be known beside it."""

import json
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skemotion._sequences._names import is_passed_by
from skemotion._version import __version__
from skemotion.classification import AttentionBLSTMClassifier, BLSTMClassifier
from skemotion.export._encoder import EncoderGraph
from skemotion.export._graph import Graph
from skemotion.export._network import NetworkGraph
from skemotion.export._steps import measure_distance, place_frames, scale
from skemotion.feature_extraction import SpeechEncoder, SpeechFeatureExtractor
from skemotion.feature_extraction._encoding import count_encoded
from skemotion.feature_extraction._sets import find_sets, is_known_set
from skemotion.networks import BLSTM
from skemotion.novelty import NoveltyDetector
from skemotion.persistence._save import weights_of_classifier
from skemotion.pipeline._rules import find_rule
from skemotion.preprocessing import SequenceScaler
from skemotion.runtime._format import FORMAT_VERSION, METADATA_KEY, Names

_FRONTS = (SpeechFeatureExtractor, SpeechEncoder)
_CLASSIFIERS = (AttentionBLSTMClassifier, BLSTMClassifier)
_EXPORTED = (*_FRONTS, SequenceScaler, *_CLASSIFIERS)


def build_model(
    pipeline: Any, *, opset: int, folded: bool = False, made_of: str | None = None
) -> Any:
    """Return a fitted pipeline as an onnx.ModelProto.

    Parameters
    ----------
    pipeline : estimator
        As :func:`skemotion.export.export_onnx` takes it.
    opset : int
        Version of ONNX' operators.
    folded : bool, default=False
        Whether weights of half precision are written in single, and as they are
        multiplied, so that they can be quantised.
    made_of : str, default=None
        SHA-256 of the file that the pipeline was loaded from.

    Raises
    ------
    TypeError
        If it has a part that cannot be exported.
    """
    front, scalers, classifier = _find_steps(pipeline)
    graph = Graph(opset)
    sequence = _add_front(graph, front, folded)
    for scaler in scalers:
        sequence = scale(graph, sequence, scaler)
    network = NetworkGraph(
        graph,
        classifier.estimator_.network_.architecture,
        weights_of_classifier(classifier),
    )
    probabilities, attention = network.classify(sequence)
    n_classes, n_frames = len(classifier.classes_), classifier.n_frames_in_
    graph.add_output(
        probabilities, Names.PROBABILITIES, np.float32, ("batch", n_classes)
    )
    if attention is not None:
        graph.add_output(attention, Names.ATTENTION, np.float32, ("batch", n_frames))
    detector = getattr(pipeline, "novelty_detector_", None)
    if detector is not None:
        distance = measure_distance(graph, sequence, detector)
        graph.add_output(distance, Names.DISTANCE, np.float64, ("batch",))
    described = _describe(pipeline, front, classifier, detector)
    if made_of is not None:
        described["made_of"] = made_of
    return graph.to_model({METADATA_KEY: json.dumps(described)})


def _find_steps(pipeline):
    """Return the front end, the scalers and the classifier, or say what hinders."""
    steps = getattr(pipeline, "steps", None)
    if steps is None:
        raise TypeError(
            f"a pipeline is exported, from recordings to emotions, but this is a "
            f"{type(pipeline).__name__}."
        )
    check_is_fitted(pipeline)
    known = [(name, step) for name, step in steps if not is_passed_by(step)]
    for name, step in known:
        if type(step) not in _EXPORTED:
            raise TypeError(
                f"step {name!r} is of type {type(step).__name__}, which cannot be "
                f"exported, only {', '.join(cls.__name__ for cls in _EXPORTED)}, and "
                "what acts in training alone."
            )
    found = [step for _, step in known]
    kinds = [isinstance(step, _FRONTS) for step in found]
    if (
        len(found) < 2
        or kinds != [True] + [False] * (len(found) - 1)
        or not isinstance(found[-1], _CLASSIFIERS)
        or not all(isinstance(step, SequenceScaler) for step in found[1:-1])
    ):
        raise TypeError(
            "a pipeline is exported that begins with "
            f"{' or '.join(cls.__name__ for cls in _FRONTS)}, goes on with "
            "SequenceScaler, and ends with "
            f"{' or '.join(cls.__name__ for cls in _CLASSIFIERS)}; this one has "
            f"{', '.join(type(step).__name__ for step in found)}."
        )
    _refuse_own_descriptors(found[0])
    architecture = found[-1].estimator_.network_.architecture
    if not isinstance(architecture, BLSTM):
        raise TypeError("a network of one's own cannot be exported.")
    detector = getattr(pipeline, "novelty_detector_", None)
    if detector is not None and type(detector) is not NoveltyDetector:
        raise TypeError(
            f"novelty_detector is of type {type(detector).__name__}, which cannot be "
            "exported, only NoveltyDetector."
        )
    return found[0], found[1:-1], found[-1]


def _refuse_own_descriptors(front):
    if not isinstance(front, SpeechFeatureExtractor):
        return
    for each in find_sets(front.descriptors):
        if not is_known_set(each):
            raise TypeError(
                f"descriptors {each.name!r} cannot be exported, since they are code of "
                "your own."
            )


def _add_front(graph, front, folded):
    """Add the inputs, and return the sequences that the steps behind get."""
    settings = front._settings()
    if isinstance(front, SpeechFeatureExtractor):
        return graph.add_input(
            Names.SEQUENCE, np.float32, ("batch", *settings["shape"])
        )
    mel = graph.add_input(
        Names.LOG_MEL, np.float32, ("batch", "n_mel_frames", settings["n_mels"])
    )
    n_heard, n_real, first = (
        graph.add_input(name, np.int64, ("batch", 1))
        for name in (Names.N_HEARD, Names.N_REAL, Names.FIRST)
    )
    encoder = EncoderGraph(
        graph,
        front._architecture,
        front.weights_,
        count_encoded(settings["n_samples"], frame_step=1),
        folded,
    )
    return place_frames(
        graph,
        encoder.encode(mel, n_heard),
        n_real,
        first,
        step=settings["frame_step"],
        n_frames=settings["shape"][0],
    )


def _describe(pipeline, front, classifier, detector):
    """Return what the runtime has to know, of JSON's types."""
    rule = find_rule(pipeline)
    settings = front._settings()
    settings.pop("weights", None)
    kind = "encoder" if isinstance(front, SpeechEncoder) else "descriptors"
    classes = classifier.classes_
    return {
        "format_version": FORMAT_VERSION,
        "skemotion": __version__,
        "front": {"kind": kind, "settings": settings},
        "windows": {
            "duration": float(front.duration),
            "sampling_rate": int(settings["sampling_rate"]),
            "hop_duration": rule and rule.hop_duration,
            "detect_speech": bool(rule and rule.detect_speech),
            "goes_on": bool(rule and rule.goes_on),
        },
        "classes": {"dtype": classes.dtype.str, "labels": classes.tolist()},
        "novelty": None
        if detector is None
        else {
            "offset": float(detector.offset_),
            "distances": detector.distances_.tolist(),
        },
        "adapted_to": getattr(pipeline, "adapted_to_", None),
    }
