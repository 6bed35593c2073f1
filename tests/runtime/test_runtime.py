"""The runtime imports little, and refuses what it cannot run."""

import json
import subprocess
import sys

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the tests make models by onnx")
# What is imported below needs both.
pytest.importorskip("onnxruntime", reason="onnxruntime runs exported models")

from onnx import TensorProto, helper

from skemotion.runtime import load_exported
from skemotion.runtime._format import read_description
from skemotion.runtime._plain import PlainSession

HEAVY = ("tensorflow", "keras", "sklearn", "librosa", "matplotlib", "pandas", "joblib")
DESCRIBED = {
    "format_version": 1,
    "front": {"kind": "encoder", "settings": {"shape": [3, 2]}},
    "windows": {
        "duration": 1.0,
        "sampling_rate": 16000,
        "hop_duration": None,
        "detect_speech": False,
        "goes_on": False,
    },
    "classes": {"dtype": "<U1", "labels": ["a", "b"]},
    "novelty": None,
}


def model_with(metadata):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, (1,))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1,))
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "g", [x], [y])
    model = helper.make_model_gen_version(
        graph, opset_imports=[helper.make_opsetid("", 18)]
    )
    helper.set_model_props(model, metadata)
    return model.SerializeToString()


def test_import_is_light():
    code = (
        "import sys, skemotion.runtime; "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no model of ONNX"),
        (b"no model", "no model of ONNX"),
        (model_with({}), "was not exported by skemotion"),
        (model_with({"skemotion": "{"}), "description is damaged"),
        (model_with({"skemotion": "[1]"}), "description is damaged"),
        (model_with({"skemotion": '{"format_version": 2}'}), "format version is 2"),
        (model_with({"skemotion": '{"format_version": 1}'}), "description is damaged"),
    ],
)
def test_other_files_are_refused(content, reason, tmp_path, capfd):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason) as error:
        load_exported(path)
    assert str(path) in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_exported(tmp_path / "m.onnx")


@pytest.mark.parametrize(
    "change",
    [
        {"front": {"kind": "other", "settings": {"shape": [3, 2]}}},
        {"front": {"kind": "encoder", "settings": {"shape": [10**12, 2]}}},
        {"front": {"kind": "encoder", "settings": {"shape": [0, 2]}}},
        {"front": None},
        {"windows": {"duration": 1.0, "sampling_rate": 16000, "hop_duration": None}},
        {"windows": DESCRIBED["windows"] | {"hop_duration": 1e-9}},
        {"windows": DESCRIBED["windows"] | {"duration": 1e9}},
        {"windows": DESCRIBED["windows"] | {"duration": float("nan")}},
        {"classes": {"dtype": "<U9999999", "labels": ["a", "b"]}},
        {"classes": {"dtype": "object", "labels": ["a"]}},
        {"classes": {"dtype": "nonsense", "labels": ["a", "b"]}},
        {"novelty": {"offset": "x", "distances": [1.0]}},
        {"novelty": {"offset": -1.0, "distances": []}},
    ],
    ids=repr,
)
def test_hostile_descriptions(change):
    with pytest.raises(ValueError, match="damaged|implausible"):
        read_description(json.dumps(DESCRIBED | change))


def test_description_as_it_should_be():
    described = read_description(json.dumps(DESCRIBED))
    assert described.classes.tolist() == ["a", "b"]
    assert described.settings["shape"] == (3, 2)


def test_threads_get_the_same_bits(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    from skemotion import load_pretrained
    from skemotion.datasets import make_emotional_speech
    from skemotion.export import export_onnx

    path = tmp_path / "m.onnx"
    export_onnx(load_pretrained("emodb-descriptors"), path)
    speech = make_emotional_speech(n_speakers=1, n_texts=1, random_state=0).signals
    alone = load_exported(path).predict_proba(speech)
    shared = load_exported(path)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shared.predict_proba(speech), range(16)))
    for each in found:
        np.testing.assert_array_equal(each, alone)


@pytest.mark.parametrize("n_threads", [0, -1, 1.5, "2"])
def test_number_of_threads(n_threads, tmp_path):
    with pytest.raises(ValueError, match="n_threads=.* must be an int from 1 on"):
        load_exported(tmp_path / "m.onnx", n_threads=n_threads)


def test_operators_that_numpy_does_not_compute_are_named(tmp_path):
    node = helper.make_node("Einsum", ["x"], ["y"], equation="i->i")
    graph = helper.make_graph([node], "g", [], [])
    (tmp_path / "m.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(NotImplementedError, match="operator Einsum"):
        PlainSession(tmp_path / "m.onnx")
