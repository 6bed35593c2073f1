"""Parts of the graph compute what the package computes."""

import numpy as np
import pytest

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    NoveltyDetector,
    SequenceScaler,
)
from skemotion._sequences import FUNCTIONALS
from skemotion._sequences import summarise as summarise_by_numpy
from skemotion.networks import WhisperEncoder, find_encoder
from skemotion.persistence._save import weights_of_classifier
from skemotion.preprocessing import padding_mask

onnx = pytest.importorskip("onnx", reason="exporting needs onnx")
# What is imported below needs both.
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime runs the graphs")

from skemotion.export._encoder import EncoderGraph
from skemotion.export._graph import OLDEST_OPSET, Graph
from skemotion.export._network import NetworkGraph
from skemotion.export._sequences import (
    find_bounds,
    mark_real,
    summarise,
)
from skemotion.export._steps import (
    measure_distance,
    place_frames,
    scale,
)

RNG = np.random.default_rng(0)
N_FRAMES, N_FEATURES = 23, 5


def padded_sequences(n_samples=12):
    """Sequences with silence in front, behind, in the middle, and nothing else."""
    X = RNG.normal(size=(n_samples, N_FRAMES, N_FEATURES)).astype(np.float32)
    X[..., 0] = np.abs(X[..., 0])
    X[1, :7] = X[2, 15:] = X[3, 9:12] = X[4, :3] = X[4, 5:] = X[5] = 0
    X[6, 1:] = 0
    X[7, :-1] = 0
    return X


def run(graph, outputs, dtype=np.float32, ndim=2, **inputs):
    for name, tensor in outputs.items():
        shape = tuple(f"{name}_{axis}" for axis in range(ndim))
        graph.add_output(tensor, name, dtype, shape)
    content = graph.to_model({}).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(list(outputs), inputs)


def sequence_graph(opset=OLDEST_OPSET):
    graph = Graph(opset)
    shape = ("batch", "n_frames", N_FEATURES)
    return graph, graph.add_input("X", np.float32, shape)


@pytest.mark.parametrize("loudness", [None, 0])
def test_real_frames_are_those_of_the_package(loudness):
    X = padded_sequences()
    graph, tensor = sequence_graph()
    real = mark_real(graph, tensor, find_bounds(graph, tensor, loudness))
    (found,) = run(graph, {"real": real}, bool, X=X)
    np.testing.assert_array_equal(found, ~padding_mask(X, loudness))


@pytest.mark.parametrize("functionals", [FUNCTIONALS, ("p0", "p33.3", "p100", "std")])
def test_functionals_are_those_of_the_package(functionals):
    X = padded_sequences()
    X[8] = 4.25
    graph, tensor = sequence_graph()
    real = mark_real(graph, tensor, find_bounds(graph, tensor))
    (found,) = run(graph, {"f": summarise(graph, tensor, real, functionals)}, X=X)
    expected = summarise_by_numpy(X, ~padding_mask(X), functionals)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "params",
    [{}, {"ignore_padding": True}, {"ignore_padding": True, "loudness": 0}]
    + [{"scope": "cell"}],
)
def test_scalers(params):
    X = padded_sequences()
    scaler = SequenceScaler(**params).fit(1e3 + X if not params else X)
    graph, tensor = sequence_graph()
    (found,) = run(graph, {"scaled": scale(graph, tensor, scaler)}, ndim=3, X=X)
    np.testing.assert_array_equal(found, scaler.transform(X))


@pytest.mark.parametrize("ignore_padding", [True, False])
def test_distance_of_the_detector(ignore_padding):
    X = padded_sequences(40)
    detector = NoveltyDetector(8, ignore_padding=ignore_padding).fit(X[:30])
    graph, tensor = sequence_graph()
    distance = measure_distance(graph, tensor, detector)
    (found,) = run(graph, {"distance": distance}, np.float64, 1, X=X)
    np.testing.assert_allclose(found, -detector.score_samples(X), rtol=1e-5)


NETWORKS = {
    "post": (AttentionBLSTMClassifier, {}),
    "without attention": (BLSTMClassifier, {}),
    "without attention, masked": (BLSTMClassifier, {"ignore_padding": True}),
    "masked": (AttentionBLSTMClassifier, {"ignore_padding": True}),
    "joined": (AttentionBLSTMClassifier, {"frame_step": 4}),
    "masked and joined": (
        AttentionBLSTMClassifier,
        {"frame_step": 4, "ignore_padding": True},
    ),
    "members and functionals": (
        AttentionBLSTMClassifier,
        {
            "frame_step": 3,
            "ignore_padding": True,
            "functionals_units": 6,
            "n_members": 3,
            "dropout": 0.3,
            "noise": 0.1,
        },
    ),
    "functionals of all frames": (
        BLSTMClassifier,
        {"functionals_units": 6, "functionals": ("mean", "p50"), "n_members": 2},
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    cls, params = NETWORKS[name]
    X, y = padded_sequences(), np.repeat(["anger", "fear", "sadness"], 4)
    classifier = cls(
        units=4, epochs=3, early_stopping=False, random_state=0, **params
    ).fit(X, y)
    graph, tensor = sequence_graph()
    network = NetworkGraph(
        graph,
        classifier.estimator_.network_.architecture,
        weights_of_classifier(classifier),
    )
    probabilities, attention = network.classify(tensor)
    outputs = {"p": probabilities} | ({"a": attention} if attention else {})
    found = run(graph, outputs, X=X)
    np.testing.assert_allclose(found[0], classifier.predict_proba(X), atol=1e-6)
    if attention is not None:
        np.testing.assert_allclose(found[1], classifier.attention(X), atol=1e-6)


def test_encoder_hears_recordings_of_any_length_together(encoder_arrays):
    architecture = WhisperEncoder(80, 64, 256, (1, 3))
    weights = {name: encoder_arrays[name] for name in architecture.weight_shapes()}
    lengths = [4, 97, 200, 33]
    mel = RNG.normal(size=(4, 200, 80)).astype(np.float32)
    encode = find_encoder(architecture, weights, "of this test")
    graph = Graph(OLDEST_OPSET)
    tensors = (
        graph.add_input("mel", np.float32, ("batch", "n", 80)),
        graph.add_input("lengths", np.int64, ("batch", 1)),
    )
    encoder = EncoderGraph(graph, architecture, weights, n_frames=100)
    column = np.array(lengths)[:, np.newaxis]
    outputs = {"frames": encoder.encode(*tensors)}
    (found,) = run(graph, outputs, ndim=3, mel=mel, lengths=column)
    assert found.shape == (4, 100, 128)
    for row, length in enumerate(lengths):
        alone = encode(mel[[row], :length], np.array([length], np.int32))[0]
        np.testing.assert_allclose(found[row, : len(alone)], alone, atol=1e-4)


@pytest.mark.parametrize("step", [1, 4])
def test_frames_are_joined_and_placed(step):
    encoded = RNG.normal(size=(3, 10, 2)).astype(np.float32)
    n_real, first = np.array([[10], [7], [0]]), np.array([[2], [5], [0]])
    graph = Graph(OLDEST_OPSET)
    tensors = (
        graph.add_input("encoded", np.float32, ("batch", "n", 2)),
        graph.add_input("n_real", np.int64, ("batch", 1)),
        graph.add_input("first", np.int64, ("batch", 1)),
    )
    placed = place_frames(graph, *tensors, step=step, n_frames=14)
    (found,) = run(
        graph, {"placed": placed}, ndim=3, encoded=encoded, n_real=n_real, first=first
    )
    expected = np.zeros((3, 14, 2), np.float32)
    for row in range(3):
        real = encoded[row, : n_real[row, 0]]
        for place, start in enumerate(range(0, len(real), step), first[row, 0]):
            if place < 14:
                expected[row, place] = real[start : start + step].mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
