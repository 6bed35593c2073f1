"""Whole pipelines in ONNX: the same predictions, or a refusal that names why."""

import json
import warnings

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.svm import SVC

from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    EmotionPipeline,
    NoveltyDetector,
    SequenceFunctionals,
    SequenceSampler,
    SequenceScaler,
    SpeechEncoder,
    SpeechFeatureExtractor,
    adapt,
    load_pretrained,
    save_model,
)
from skemotion.exceptions import AudioError, NoSpeechWarning, TruncationWarning

onnx = pytest.importorskip("onnx", reason="exporting needs onnx")
# What is imported below needs both.
pytest.importorskip("onnxruntime", reason="onnxruntime runs what is exported")

from skemotion.export import export_onnx
from skemotion.export._linking import link_weights
from skemotion.export._pipeline import build_model
from skemotion.runtime import load_exported
from skemotion.runtime._model import ExportedModel, open_session

RATE = 16_000
RNG = np.random.default_rng(0)
SIGNALS = [RNG.normal(size=2500 + 150 * i).astype(np.float32) for i in range(16)]
SPEAKERS = np.tile(list("abcd"), 4)
y = np.repeat(["anger", "fear", "sadness"], [4, 6, 6])
# Of other lengths, rates and kinds than those trained on.
OTHERS = [
    RNG.normal(size=12_000).astype(np.float32),
    (RNG.normal(size=4000).astype(np.float32), 8000),
    (RNG.normal(size=9000), 48_000),
    np.pad(RNG.normal(size=1500), (700, 400)).astype(np.float32),
    RNG.normal(size=50).astype(np.float32),
    np.zeros(3000, np.float32),
]


def make_pipeline(front, scaler=None, classifier=None, **params):
    scaler = scaler or SequenceScaler(ignore_padding=True)
    classifier = classifier or AttentionBLSTMClassifier(ignore_padding=True)
    classifier.set_params(
        units=4, epochs=2, early_stopping=False, batch_size=8, random_state=0
    )
    return EmotionPipeline(
        [
            ("extract", front),
            ("scale", scaler),
            ("balance", SequenceSampler(RandomOverSampler(random_state=0))),
            ("classify", classifier),
        ],
        validation_fraction=None,
        **params,
    ).fit(SIGNALS, y, groups=SPEAKERS)


def descriptors(**params):
    return SpeechFeatureExtractor(duration=0.3, n_mfcc=2, n_mels=8, **params)


@pytest.fixture(scope="module")
def of_descriptors():
    return make_pipeline(descriptors(), hop_duration=0.15)


@pytest.fixture(scope="module")
def of_encoder(encoder_file):
    front = SpeechEncoder(
        weights=encoder_file, layer=(1, 3), duration=0.5, frame_step=3
    )
    members = AttentionBLSTMClassifier(
        ignore_padding=True, functionals_units=5, n_members=2, frame_step=2
    )
    return make_pipeline(
        front,
        classifier=members,
        hop_duration=0.25,
        novelty_detector=NoveltyDetector(5),
    )


PIPELINES = ["of_descriptors", "of_encoder"]


@pytest.mark.parametrize("name", PIPELINES)
def test_exported_pipelines_predict_the_same(name, request, tmp_path):
    pipeline = request.getfixturevalue(name)
    report = export_onnx(pipeline, tmp_path / "model.onnx", recordings=OTHERS)
    assert report.n_recordings == len(OTHERS)
    assert report.difference < 1e-5
    assert report.agreement == 1
    assert report.n_bytes == (tmp_path / "model.onnx").stat().st_size
    exported = load_exported(tmp_path / "model.onnx")
    np.testing.assert_allclose(
        exported.predict_proba(OTHERS), pipeline.predict_proba(OTHERS), atol=1e-5
    )
    np.testing.assert_array_equal(exported.predict(OTHERS), pipeline.predict(OTHERS))
    assert exported.classes_.tolist() == pipeline.classes_.tolist()


def test_novelty_is_that_of_the_pipeline(of_encoder, tmp_path):
    export_onnx(of_encoder, tmp_path / "model.onnx", recordings=OTHERS)
    exported = load_exported(tmp_path / "model.onnx")
    probabilities, novelty = exported.predict_with_novelty(OTHERS)
    expected = of_encoder.predict_with_novelty(OTHERS)
    np.testing.assert_allclose(probabilities, expected[0], atol=1e-5)
    np.testing.assert_allclose(novelty, expected[1])
    np.testing.assert_array_equal(exported.novelty(OTHERS), novelty)


@pytest.mark.parametrize("name", PIPELINES)
def test_attention_is_that_of_the_pipeline(name, request, tmp_path):
    pipeline = request.getfixturevalue(name)
    export_onnx(pipeline, tmp_path / "model.onnx", recordings=OTHERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)
        found = load_exported(tmp_path / "model.onnx").attention(OTHERS)
        sequences = pipeline["extract"].transform(OTHERS)
    for _, step in pipeline.steps[1:-1]:
        if hasattr(step, "transform"):
            sequences = step.transform(sequences)
    expected = pipeline["classify"].attention(sequences)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_model_without_detector_does_not_tell_novelty(of_descriptors, tmp_path):
    export_onnx(of_descriptors, tmp_path / "model.onnx", recordings=OTHERS)
    exported = load_exported(tmp_path / "model.onnx")
    assert not hasattr(exported, "novelty_detector_")
    assert np.isnan(exported.predict_with_novelty(OTHERS)[1]).all()


@pytest.mark.parametrize(
    "parts",
    [
        {"front": descriptors(normalize="peak", padding_side="right")},
        {"scaler": SequenceScaler(scope="cell")},
        {"classifier": BLSTMClassifier()},
        {"hop_duration": None},
        {"hop_duration": 0.1, "detect_speech": True},
    ],
    ids=repr,
)
def test_other_settings(parts, tmp_path):
    pipeline = make_pipeline(**{"front": descriptors()} | parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoSpeechWarning)
        warnings.simplefilter("ignore", TruncationWarning)
        report = export_onnx(pipeline, tmp_path / "m.onnx", recordings=OTHERS)
    assert report.difference < 1e-5


def test_extended_descriptors(tmp_path):
    front = SpeechFeatureExtractor(duration=0.5, descriptors="extended")
    pipeline = make_pipeline(front, hop_duration=0.25)
    report = export_onnx(pipeline, tmp_path / "m.onnx", recordings=OTHERS)
    assert report.difference < 1e-5


def test_adapted_pipelines(of_encoder, tmp_path):
    adapted = adapt(of_encoder, OTHERS[:4] * 13)
    report = export_onnx(adapted, tmp_path / "m.onnx", recordings=OTHERS)
    assert report.difference < 1e-5


def test_loudness_by_which_the_scaler_knows_padding(tmp_path):
    scaler = SequenceScaler(ignore_padding=True, loudness="rms")
    pipeline = make_pipeline(descriptors(), scaler, hop_duration=0.15)
    report = export_onnx(pipeline, tmp_path / "m.onnx", recordings=OTHERS[:5])
    assert report.difference < 1e-5


@pytest.mark.parametrize("name", ["emodb", "emodb-descriptors"])
def test_models_that_come_with_the_package(name, tmp_path):
    pipeline = load_pretrained(name)
    report = export_onnx(pipeline, tmp_path / "m.onnx")
    assert report.difference < 1e-5
    assert report.n_recordings > 5


@pytest.mark.emodb
@pytest.mark.parametrize("name", ["emodb", "emodb-descriptors"])
def test_real_recordings(name, emodb, tmp_path):
    report = export_onnx(
        load_pretrained(name), tmp_path / "m.onnx", recordings=emodb.paths[::30]
    )
    assert report.difference < 1e-5
    assert report.agreement == 1


def test_silence_is_answered_as_the_pipeline_does(tmp_path):
    pipeline = load_pretrained()
    export_onnx(pipeline, tmp_path / "m.onnx")
    exported = load_exported(tmp_path / "m.onnx")
    with pytest.warns(NoSpeechWarning, match="row 0"):
        probabilities, novelty = exported.predict_with_novelty([np.zeros(RATE)])
    np.testing.assert_allclose(probabilities, 1 / 7)
    assert np.isnan(novelty).all()


def test_bad_recordings_are_all_named(of_descriptors, tmp_path):
    export_onnx(of_descriptors, tmp_path / "m.onnx", recordings=OTHERS)
    exported = load_exported(tmp_path / "m.onnx")
    with pytest.raises(AudioError) as error:
        exported.predict([OTHERS[0], "nowhere.wav", tmp_path / "neither.wav"])
    assert len(error.value.failures) == 2


def test_quantised_models_are_smaller(of_encoder, tmp_path, capfd):
    whole = export_onnx(of_encoder, tmp_path / "a.onnx", recordings=OTHERS)
    small = export_onnx(
        of_encoder, tmp_path / "b.onnx", recordings=OTHERS, quantize=True
    )
    assert small.n_bytes < whole.n_bytes
    assert 0 < small.difference < 0.2
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("opset", [18, 20, 21])
def test_opsets(opset, of_encoder, tmp_path):
    export_onnx(of_encoder, tmp_path / "m.onnx", recordings=OTHERS, opset=opset)
    model = onnx.load(tmp_path / "m.onnx")
    assert [entry.version for entry in model.opset_import] == [opset]


@pytest.mark.parametrize("opset", [17, 99, "18"])
def test_opsets_that_there_are_not(opset, of_descriptors, tmp_path):
    with pytest.raises(ValueError, match="opset"):
        export_onnx(of_descriptors, tmp_path / "m.onnx", opset=opset)
    assert not any(tmp_path.iterdir())


def refused(steps):
    pipeline = EmotionPipeline(steps, validation_fraction=None)
    return pipeline.fit(SIGNALS, y)


def test_what_cannot_be_exported_is_named(of_descriptors, tmp_path):
    path = tmp_path / "m.onnx"
    machine = refused(
        [
            ("extract", descriptors()),
            ("summarise", SequenceFunctionals()),
            ("classify", SVC()),
        ]
    )
    with pytest.raises(TypeError, match=r"'summarise' is of type SequenceFunctionals"):
        export_onnx(machine, path)
    with pytest.raises(TypeError, match="a pipeline is exported, .* a SVC"):
        export_onnx(SVC(), path)
    with pytest.raises(TypeError, match="VotingClassifier"):
        export_onnx(VotingClassifier([("a", of_descriptors)]), path)
    with pytest.raises(TypeError, match="begins with SpeechFeatureExtractor or"):
        export_onnx(of_descriptors.sequence_steps, path)
    with pytest.raises(NotFittedError):
        export_onnx(EmotionPipeline(of_descriptors.steps[:1] + [("c", SVC())]), path)
    assert not path.exists()


def test_changed_classifiers_are_refused(tmp_path):
    pipeline = make_pipeline(descriptors())
    pipeline.set_params(classify__units=7)
    with pytest.raises(ValueError, match="units was changed after fit"):
        export_onnx(pipeline, tmp_path / "m.onnx")


def test_model_that_differs_is_not_written(of_descriptors, tmp_path, monkeypatch):
    from skemotion.export import _export

    def build_other(*args, **params):
        model = build_model(*args, **params)
        for tensor in model.graph.initializer:
            values = onnx.numpy_helper.to_array(tensor)
            if values.shape == (3,) and values.dtype == np.float32:
                values = values + np.float32([0, 1, 2])  # the bias of the output
                tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        return model

    monkeypatch.setattr(_export, "build_model", build_other)
    with pytest.raises(ValueError, match="differs by .* it was not written"):
        export_onnx(of_descriptors, tmp_path / "m.onnx", recordings=OTHERS)
    assert not any(tmp_path.iterdir())


def test_weights_can_stay_in_the_bundle(of_encoder, tmp_path):
    bundle, path = tmp_path / "model.skemotion", tmp_path / "model.onnx"
    save_model(of_encoder, bundle)
    model = build_model(of_encoder, opset=18)
    whole = len(model.SerializeToString())
    saved = link_weights(model, bundle)
    assert 0.5 * whole < saved < whole
    path.write_bytes(model.SerializeToString())
    exported = ExportedModel(open_session(str(path), path))
    np.testing.assert_allclose(
        exported.predict_proba(OTHERS), of_encoder.predict_proba(OTHERS), atol=1e-5
    )


def test_metadata_tells_what_the_model_is(of_encoder, tmp_path):
    export_onnx(of_encoder, tmp_path / "m.onnx", recordings=OTHERS)
    (entry,) = onnx.load(tmp_path / "m.onnx").metadata_props
    described = json.loads(entry.value)
    assert entry.key == "skemotion"
    assert described["classes"]["labels"] == ["anger", "fear", "sadness"]
    assert described["front"]["settings"]["frame_step"] == 3
    assert described["windows"]["hop_duration"] == 0.25
