"""thin path"""
import json
import numpy as np
from skemotion.export._encoder import EncoderGraph
from skemotion.export._graph import Graph
from skemotion.export._network import NetworkGraph
from skemotion.export._steps import measure_distance, place_frames, scale
from skemotion.persistence._save import _weights
from skemotion.preprocessing import SequenceScaler
from skemotion.classification import AttentionBLSTMClassifier, BLSTMClassifier
from skemotion.feature_extraction import SpeechEncoder

def build(pipeline, opset=18):
    graph = Graph(opset)
    x = None
    for name, step in pipeline.steps:
        if isinstance(step, SpeechEncoder):
            s = step._settings()
            mel = graph.add_input("log_mel", np.float32, ("batch", "n_mel_frames", s["n_mels"]))
            lengths = graph.add_input("n_heard", np.int64, ("batch", 1))
            n_real = graph.add_input("n_real", np.int64, ("batch", 1))
            first = graph.add_input("first", np.int64, ("batch", 1))
            enc = EncoderGraph(graph, step._architecture, step.weights_).encode(mel, lengths)
            x = place_frames(graph, enc, n_real, first, step=s["frame_step"], n_frames=s["shape"][0])
        elif isinstance(step, SequenceScaler):
            x = scale(graph, x, step)
        elif isinstance(step, (BLSTMClassifier, AttentionBLSTMClassifier)):
            net = step.estimator_.network_
            p, a = NetworkGraph(graph, net.architecture, _weights(step)).classify(x)
    graph.add_output(p, "probabilities", np.float32, ("batch", len(pipeline.classes_)))
    if a: graph.add_output(a, "attention", np.float32, ("batch", s["shape"][0]))
    if hasattr(pipeline, "novelty_detector_"):
        graph.add_output(measure_distance(graph, x, pipeline.novelty_detector_), "distance", np.float64, ("batch",))
    graph.add_output(x, "seq", np.float32, ("batch", s["shape"][0], s["shape"][1]))
    return graph.to_model({"skemotion": json.dumps({})})
