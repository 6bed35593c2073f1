"""Portable bundles: the same predictions after loading, and a refusal of bad files."""

import copy
import hashlib
import importlib.metadata
import io
import json
import os
import platform
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import imblearn.pipeline
import joblib
import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import sklearn.pipeline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import RandomOverSampler
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

import skemotion
from skemotion import (
    AttentionBLSTMClassifier,
    BLSTMClassifier,
    EmotionPipeline,
    NoveltyDetector,
    SequenceSampler,
    SequenceScaler,
    SpeechAugmenter,
    SpeechEncoder,
    SpeechFeatureExtractor,
)
from skemotion.augmentation import Babble, Noise, Room, Speed
from skemotion.networks import import_keras
from skemotion.persistence import load_model, save_model
from skemotion.persistence._archive import _read_array
from skemotion.persistence._format import decode

DATA = Path(__file__).parent / "data"
RNG = np.random.default_rng(0)
SIGNALS = [RNG.normal(size=2500 + 150 * i).astype(np.float32) for i in range(16)]
y = np.repeat(["anger", "fear", "sadness"], [4, 6, 6])
TABLE = pd.DataFrame(RNG.normal(size=(12, 3)), columns=["low", "mid", "high"])


@pytest.fixture(scope="module")
def pipeline():
    pipeline = EmotionPipeline(
        [
            (
                "extract",
                SpeechFeatureExtractor(duration=0.3, n_mfcc=2, n_mels=8, n_jobs=1),
            ),
            ("scale", SequenceScaler(ignore_padding=True)),
            ("balance", SequenceSampler(RandomOverSampler(random_state=0))),
            (
                "classify",
                AttentionBLSTMClassifier(
                    units=2, epochs=1, ignore_padding=True, random_state=0
                ),
            ),
        ],
        validation_fraction=0.2,
        random_state=0,
    )
    return pipeline.fit(SIGNALS, y)


@pytest.fixture(scope="module")
def sequences(pipeline):
    return pipeline["extract"].transform(SIGNALS)


@pytest.fixture(scope="module")
def scaled(pipeline, sequences):
    return pipeline["scale"].transform(sequences)


@pytest.fixture(scope="module")
def bundle(pipeline, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "model.skemotion"
    save_model(pipeline, path)
    return path


@pytest.fixture(scope="module")
def loaded(bundle):
    return load_model(bundle)


@pytest.fixture
def round_trip(tmp_path):
    def save_and_load(model):
        save_model(model, tmp_path / "model.skemotion")
        return load_model(tmp_path / "model.skemotion")

    return save_and_load


@pytest.fixture(scope="module")
def scaler_bundle(tmp_path_factory):
    """A bundle that loads without Keras, as bytes."""
    path = tmp_path_factory.mktemp("scaler") / "scaler.skemotion"
    save_model(SequenceScaler().fit(RNG.normal(size=(5, 4, 3))), path)
    return path.read_bytes()


@pytest.fixture
def load_bytes(tmp_path):
    def load(content):
        path = tmp_path / "given.skemotion"
        path.write_bytes(content)
        return load_model(path)

    return load


def unpack(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(members.pop("manifest.json")), members


def pack(manifest, members, compression=zipfile.ZIP_STORED):
    """Archive a bundle; a manifest in a dict gets the right sums."""
    if isinstance(manifest, dict) and "sha256" in manifest:
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in members}
        manifest = manifest | {"sha256": sums}
    if not isinstance(manifest, bytes):
        manifest = json.dumps(manifest).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in [("manifest.json", manifest), *members]:
            archive.writestr(name, data)
    return file.getvalue()


def change(content, *keys_and_value):
    """Change an entry of the manifest that a path of keys leads to."""
    manifest, members = unpack(content)
    *keys, last, value = keys_and_value
    entry = manifest
    for key in keys:
        entry = entry[key]
    entry[last] = value
    return pack(manifest, members.items())


def saved_array(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def with_header(header, data):
    header += b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


# What comes back


def test_pipeline_predicts_the_same(pipeline, loaded):
    assert type(loaded) is EmotionPipeline
    np.testing.assert_array_equal(
        loaded.predict_proba(SIGNALS), pipeline.predict_proba(SIGNALS)
    )
    np.testing.assert_array_equal(loaded.predict(SIGNALS), pipeline.predict(SIGNALS))
    assert loaded.classes_.dtype == pipeline.classes_.dtype
    np.testing.assert_array_equal(loaded.classes_, pipeline.classes_)


def test_fitted_attributes_come_back(pipeline, loaded, scaled):
    old, new = pipeline["classify"], loaded["classify"]
    np.testing.assert_array_equal(new.attention(scaled), old.attention(scaled))
    assert new.history_ == old.history_
    assert new.n_features_in_ == old.n_features_in_ == 10
    assert new.n_frames_in_ == old.n_frames_in_ == scaled.shape[1]
    assert loaded["scale"].mean_.dtype == np.float64
    np.testing.assert_array_equal(loaded["scale"].mean_, pipeline["scale"].mean_)
    np.testing.assert_array_equal(loaded["scale"].scale_, pipeline["scale"].scale_)


def test_parameters_come_back(pipeline, loaded):
    old, new = pipeline.get_params(), loaded.get_params()
    assert list(loaded.named_steps) == list(pipeline.named_steps)
    assert new["extract__n_jobs"] is None
    assert new["balance__sampler"] is None
    compared = {
        name
        for name, value in old.items()
        if isinstance(value, (bool, int, float, str)) and name in new
    } - {"extract__n_jobs"}
    assert len(compared) > 20
    assert {name: new[name] for name in compared} == {
        name: old[name] for name in compared
    }


def test_how_many_it_was_adapted_to_comes_back(pipeline, loaded, round_trip):
    adapted = copy.copy(pipeline)
    adapted.adapted_to_ = np.int64(7)
    assert round_trip(adapted).adapted_to_ == 7
    assert not hasattr(loaded, "adapted_to_")


@pytest.mark.parametrize(
    "parameters", [{"duration": 600.0}, {"duration": 20.0, "hop_length": 16}]
)
def test_what_is_plausible_is_loaded(parameters, round_trip):
    loaded = round_trip(SpeechFeatureExtractor(**parameters))
    assert loaded.get_params().items() >= parameters.items()


def test_manifest_tells_what_is_inside(bundle):
    manifest, members = unpack(bundle.read_bytes())
    assert (manifest["format"], manifest["format_version"]) == ("skemotion", 1)
    assert manifest["versions"] == {
        "python": platform.python_version(),
        **{
            name: importlib.metadata.version(name)
            for name in ("keras", "librosa", "numpy", "scikit-learn", "tensorflow")
        },
        "skemotion": skemotion.__version__,
    }
    extract, scale, balance, classify = manifest["model"]["steps"]
    assert extract["feature_names"][0] == "spectral_centroid"
    assert extract["parameters"]["duration"] == 0.3
    assert not {"n_jobs", "memory", "verbose"} & extract["parameters"].keys()
    assert scale["n_features_in"] == 10
    assert balance["omitted"] == ["sampler"]
    assert classify["classes"] == {"dtype": "<U7", "labels": sorted(set(y.tolist()))}
    assert classify["n_classes"] == 3
    assert classify["history"].keys() == {
        "accuracy",
        "loss",
        "val_accuracy",
        "val_loss",
    }
    assert manifest["sha256"].keys() == members.keys()


def test_numpy_alone_reads_the_arrays(bundle, pipeline):
    manifest, _ = unpack(bundle.read_bytes())
    member = manifest["model"]["steps"][1]["arrays"]["mean"]
    with zipfile.ZipFile(bundle) as archive, archive.open(member) as file:
        np.testing.assert_array_equal(np.load(file), pipeline["scale"].mean_)


def test_loaded_model_is_saved_and_dumped_again(loaded, bundle, tmp_path):
    save_model(loaded, tmp_path / "again.skemotion")
    old, new = (
        unpack(path.read_bytes()) for path in (bundle, tmp_path / "again.skemotion")
    )
    assert new[1] == old[1]
    assert new[0]["sha256"] == old[0]["sha256"]
    joblib.dump(loaded, tmp_path / "model.joblib")
    np.testing.assert_array_equal(
        joblib.load(tmp_path / "model.joblib").predict_proba(SIGNALS),
        loaded.predict_proba(SIGNALS),
    )


def test_equal_models_are_equal_files(pipeline, bundle, tmp_path):
    save_model(copy.deepcopy(pipeline), tmp_path / "copy.skemotion")
    assert (tmp_path / "copy.skemotion").read_bytes() == bundle.read_bytes()


def test_loaded_classifier_trains_on(loaded, scaled):
    classifier = copy.deepcopy(loaded["classify"])
    before = classifier.predict_proba(scaled)
    classifier.partial_fit(scaled, y)
    assert len(classifier.history_["loss"]) == 2
    assert not np.array_equal(classifier.predict_proba(scaled), before)


def test_two_dimensional_table_with_integer_labels(round_trip):
    labels = np.arange(12) % 2 - 1
    classifier = BLSTMClassifier(units=2, epochs=1, random_state=0)
    classifier.fit(TABLE, labels)
    loaded = round_trip(classifier)
    np.testing.assert_array_equal(
        loaded.predict_proba(TABLE), classifier.predict_proba(TABLE)
    )
    assert loaded.classes_.dtype == labels.dtype
    assert loaded.classes_.tolist() == [-1, 0]
    assert loaded.feature_names_in_.tolist() == ["low", "mid", "high"]
    assert (loaded.n_features_in_, loaded.n_frames_in_) == (3, 3)


@pytest.mark.parametrize(
    "classes",
    [
        np.array([3, 5, 70000], dtype=np.uint32),
        np.array(["Ärger", "neutral", "фу"]),
        np.array(["a", "b", "c"], dtype=object),
        np.array([False, True, 2], dtype=object),
    ],
    ids=["int", "str", "object", "mixed"],
)
def test_labels_keep_their_type(classes, pipeline, round_trip):
    classifier = copy.deepcopy(pipeline["classify"])
    classifier.classes_ = classes
    loaded = round_trip(classifier)
    assert loaded.classes_.dtype == classes.dtype
    assert list(map(type, loaded.classes_.tolist())) == list(
        map(type, classes.tolist())
    )


@pytest.mark.parametrize(
    "Pipeline", [sklearn.pipeline.Pipeline, imblearn.pipeline.Pipeline]
)
def test_pipelines_of_other_packages(Pipeline, pipeline, sequences, round_trip):
    steps = [
        ("nothing", "passthrough"),
        ("scale", pipeline["scale"]),
        ("classify", pipeline["classify"]),
    ]
    model = Pipeline(steps, verbose=False)
    loaded = round_trip(model)
    assert type(loaded) is Pipeline
    assert loaded["nothing"] == "passthrough"
    np.testing.assert_array_equal(
        loaded.predict_proba(sequences), model.predict_proba(sequences)
    )


@pytest.mark.parametrize("scope", ["feature", "cell"])
def test_scaler_alone(scope, round_trip):
    X = RNG.normal(3, 2, size=(20, 7, 6))
    scaler = SequenceScaler(scope=scope, ignore_padding=True).fit(X)
    np.testing.assert_array_equal(round_trip(scaler).transform(X), scaler.transform(X))


def test_extractor_alone(round_trip):
    extractor = SpeechFeatureExtractor(n_mfcc=np.int64(7), memory="cache", verbose=1)
    loaded = round_trip(extractor)
    assert loaded.get_params() == SpeechFeatureExtractor(n_mfcc=7).get_params()


@pytest.mark.parametrize(
    "parameters",
    [
        {"effects": ("noise",), "snr": (15, 20)},
        {"effects": ["noise", "band"], "snr": [15.0, 20.0]},
        {"effects": ("lead", Noise(snr=(0, 10)), Speed(speeds=(0.9, 1.1)))},
        {"effects": [Room(), "band", Babble(n_voices=2)]},
    ],
)
def test_tuples_and_lists_come_back_as_they_were(parameters, round_trip):
    loaded = round_trip(SpeechAugmenter(**parameters))
    for name, value in parameters.items():
        assert getattr(loaded, name) == value
        assert type(getattr(loaded, name)) is type(value)


def mumble(signal, sampling_rate, rng):
    return signal * rng.uniform(0.5, 1)


def test_effects_of_ones_own_are_asked_for_by_name_after_loading(round_trip):
    chances = {"noise": 0.5, "mumble": 0.5}
    loaded = round_trip(SpeechAugmenter(effects=("noise", mumble), probability=chances))
    assert loaded.effects == ("noise", "mumble")
    assert loaded.probability == chances
    with pytest.raises(ValueError, match=r"of which 'mumble' is neither"):
        loaded.fit([np.zeros(100)])
    loaded.set_params(effects=("noise", mumble)).fit([np.zeros(100)])


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"effect": "echo", "ranges": {}}, "an effect that is unknown, 'echo'"),
        ({"effect": ["noise"], "ranges": {}}, "an effect that is unknown"),
        ({"effect": "noise", "ranges": {"loud": 1}}, "an effect that cannot be"),
        ({"effect": "room", "ranges": {"decays": [9, 1]}}, "decays of Room must be"),
    ],
)
def test_effects_that_cannot_be_are_not_loaded(ranges, message):
    with pytest.raises(ValueError, match=message):
        decode({"tuple": ["lead", ranges]})


def test_names_that_a_pipeline_was_told_come_back(pipeline, sequences, round_trip):
    part = pipeline.sequence_steps
    loaded = round_trip(part)
    assert loaded.feature_names == part.feature_names
    assert loaded["scale"].loudness_ == part["scale"].loudness_ == 5
    np.testing.assert_array_equal(
        loaded.predict_proba(sequences), part.predict_proba(sequences)
    )


@pytest.fixture(scope="module")
def with_detector(pipeline, sequences):
    model = clone(pipeline.sequence_steps)
    model.set_params(novelty_detector=NoveltyDetector(4, n_splits=3, random_state=0))
    return model.fit(sequences, y)


def test_detector_of_a_pipeline_comes_back(with_detector, sequences, round_trip):
    loaded = round_trip(with_detector)
    strange = sequences[::-1] ** 2
    for X in (sequences, strange):
        for found, expected in zip(
            loaded.predict_with_novelty(X),
            with_detector.predict_with_novelty(X),
            strict=True,
        ):
            np.testing.assert_array_equal(found, expected)
    assert repr(loaded.novelty_detector) == repr(with_detector.novelty_detector)
    fitted, expected = loaded.novelty_detector_, with_detector.novelty_detector_
    assert vars(fitted).keys() == vars(expected).keys()
    np.testing.assert_array_equal(fitted.predict(strange), expected.predict(strange))
    assert not hasattr(loaded.novelty_detector, "offset_")


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["type"], "StandardScaler", "novelty_detector of type 'StandardScaler'"),
        (["n_features_in"], 3, "does not name 3 features"),
        (["n_dims_in"], 2, "do not fit 10 features"),
        (["offset"], 0.0, "no plausible limit"),
        (["residual"], -1.0, "no plausible limit"),
        (["residual"], "much", "'residual' of type float"),
        (["arrays", "mean"], "999.npy", "no member of the archive for 'mean'"),
        (["parameters", "contamination"], 2.0, "'contamination' parameter"),
    ],
)
def test_bad_detectors(keys, value, message, with_detector, load_bytes, tmp_path):
    save_model(with_detector, tmp_path / "model.skemotion")
    bundle = (tmp_path / "model.skemotion").read_bytes()
    keys = ["model", "novelty_detector", *keys]
    with pytest.raises(ValueError, match=message):
        load_bytes(change(bundle, *keys, value))


def test_other_detectors_are_refused(with_detector, tmp_path):
    model = copy.copy(with_detector)
    model.novelty_detector_ = StandardScaler()
    with pytest.raises(TypeError, match="novelty_detector of type StandardScaler"):
        save_model(model, tmp_path / "model.skemotion")


@pytest.fixture(scope="module")
def with_encoder(encoder_file):
    pipeline = EmotionPipeline(
        [
            (
                "extract",
                SpeechEncoder(
                    weights=encoder_file, layer=(3, 1), duration=0.4, frame_step=4
                ),
            ),
            ("scale", SequenceScaler(ignore_padding=True)),
            (
                "classify",
                AttentionBLSTMClassifier(
                    units=2, epochs=1, ignore_padding=True, random_state=0
                ),
            ),
        ],
        validation_fraction=None,
    )
    return pipeline.fit(SIGNALS, y)


@pytest.fixture(scope="module")
def encoder_bundle(with_encoder, tmp_path_factory):
    path = tmp_path_factory.mktemp("encoder") / "model.skemotion"
    save_model(with_encoder, path)
    return path.read_bytes()


def test_encoder_comes_back(with_encoder, round_trip):
    loaded = round_trip(with_encoder)
    np.testing.assert_array_equal(
        loaded.predict_proba(SIGNALS), with_encoder.predict_proba(SIGNALS)
    )
    old, new = with_encoder["extract"], loaded["extract"]
    np.testing.assert_array_equal(new.transform(SIGNALS), old.transform(SIGNALS))
    assert new.layers_ == old.layers_ == (3, 1)
    assert new.layer == (3, 1)
    assert new.get_feature_names_out()[[0, 64]].tolist() == ["layer3_0", "layer1_0"]
    assert new.weights_.keys() == old.weights_.keys()
    for name, array in new.weights_.items():
        np.testing.assert_array_equal(array, old.weights_[name], strict=True)
        assert array.dtype == np.float16


def test_encoder_stands_beside_the_arrays(encoder_bundle, with_encoder):
    manifest, members = unpack(encoder_bundle)
    described = manifest["model"]["steps"][0]
    assert described["layers"] == [3, 1]
    (name,) = [name for name in members if name.endswith(".safetensors")]
    assert described["weights"] == name
    assert manifest["sha256"][name] == hashlib.sha256(members[name]).hexdigest()
    stored = safetensors.numpy.load(members[name])
    bias = "layers.2.fc1.bias"
    np.testing.assert_array_equal(
        stored[f"model.encoder.{bias}"], with_encoder["extract"].weights_[bias]
    )


def test_no_folder_of_the_weights_is_in_the_bundle(
    encoder_bundle, encoder_file, tmp_path, round_trip
):
    """Not even where they are gone meanwhile."""
    assert str(encoder_file.parent).encode() not in encoder_bundle
    manifest, _ = unpack(encoder_bundle)
    saved = manifest["model"]["steps"][0]["parameters"]["weights"]
    assert saved == encoder_file.name == "model.safetensors"
    gone = tmp_path / "gone" / "mine.safetensors"
    gone.parent.mkdir()
    gone.write_bytes(encoder_file.read_bytes())
    encoder = SpeechEncoder(weights=str(gone), layer=1).fit(SIGNALS)
    gone.unlink()
    loaded = round_trip(encoder)
    assert loaded.weights == "mine.safetensors"
    np.testing.assert_array_equal(
        loaded.transform(SIGNALS[:2]), encoder.transform(SIGNALS[:2])
    )
    for name in ("openai/whisper-base", "whisper-base"):
        assert round_trip(encoder.set_params(weights=name)).weights == name


def test_weights_of_single_precision_come_back(encoder_arrays, tmp_path, round_trip):
    rng = np.random.default_rng(0)
    arrays = {
        name: (array * rng.uniform(0.9, 1.1, array.shape)).astype(np.float32)
        for name, array in encoder_arrays.items()
    }
    safetensors.numpy.save_file(arrays, tmp_path / "single.safetensors")
    encoder = SpeechEncoder(weights=tmp_path / "single.safetensors").fit(SIGNALS)
    loaded = round_trip(encoder)
    for name, array in loaded.weights_.items():
        np.testing.assert_array_equal(array, arrays[name], strict=True)


def test_encoder_that_is_not_fitted(encoder_file, tmp_path):
    encoder = SpeechEncoder(weights=encoder_file)
    with pytest.raises(NotFittedError):
        save_model(encoder, tmp_path / "model.skemotion")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("layers", [4], "it holds 3 blocks, and layer 4 is asked for"),
        ("layers", [10**12], "it holds 3 blocks, and layer 1000000000000"),
        ("layers", [0], r"layers \[0\] are no different blocks"),
        ("layers", [1, 1], r"layers \[1, 1\] are no different blocks"),
        ("layers", [], r"layers \[\] are no different blocks"),
        ("layers", [1.0], r"layers \[1.0\] are no different blocks"),
        ("layers", 2, "'layers' of type list"),
        ("frames_version", 2, "version 2 of the encoder's frames.*computes version 1"),
        ("frames_version", "1", "'frames_version' of type int"),
        ("weights", "99.safetensors", "no weights of the encoder"),
        ("weights", "1.npy", "no weights of the encoder"),
        ("weights", None, "'weights' of type str"),
    ],
)
def test_bad_encoders(key, value, message, encoder_bundle, load_bytes):
    content = change(encoder_bundle, "model", "steps", 0, key, value)
    with pytest.raises(ValueError, match=rf"given.skemotion' cannot .*{message}"):
        load_bytes(content)


def test_bad_weights_of_an_encoder(encoder_bundle, load_bytes):
    manifest, members = unpack(encoder_bundle)
    (name,) = [name for name in members if name.endswith(".safetensors")]
    intact = members[name]
    arrays = safetensors.numpy.load(intact)
    lacking = {key: arrays[key] for key in arrays if not key.endswith("2.fc1.bias")}
    infinite = {key: np.full_like(array, np.inf) for key, array in arrays.items()}
    bad_weights = {
        "no intact safetensors file": intact[:-10],
        "no intact safetensors": b"",
        "intact safetensors file; give": b"no weights at all",
        "no Whisper encoder": safetensors.numpy.save({"a": np.ones(3)}),
        "it lacks layers.2.fc1.bias": safetensors.numpy.save(lacking),
        "other values than finite": safetensors.numpy.save(infinite),
    }
    for message, content in bad_weights.items():
        changed = {**members, name: content}
        with pytest.raises(ValueError, match=message):
            load_bytes(pack(manifest, list(changed.items())))
        # Whoever changes the file alone is found out by its sum.
        with pytest.raises(ValueError, match=f"'{name}' was changed since it was"):
            load_bytes(pack(json.dumps(manifest).encode(), list(changed.items())))
    del members[name]
    with pytest.raises(ValueError, match=f"'{name}' is only in the manifest"):
        load_bytes(pack(json.dumps(manifest).encode(), list(members.items())))


@pytest.mark.parametrize("version", [None, 1, "2", 3])
def test_other_versions_of_descriptors_are_refused(version, load_bytes, tmp_path):
    save_model(SpeechFeatureExtractor(descriptors="extended"), tmp_path / "extractor")
    content = (tmp_path / "extractor").read_bytes()
    manifest, members = unpack(content)
    manifest = copy.deepcopy(manifest)
    if version is None:  # as the first bundles have it
        del manifest["model"]["descriptors_version"]
    else:
        manifest["model"]["descriptors_version"] = version
    message = rf"version {version or 1!r} of the descriptors 'extended'.*version 2"
    with pytest.raises(ValueError, match=message):
        load_bytes(pack(manifest, list(members.items())))


def test_what_only_training_needs_is_left_out(pipeline, tmp_path):
    keras = import_keras()
    classifier = copy.deepcopy(pipeline["classify"]).set_params(
        callbacks=keras.callbacks.TerminateOnNaN(),
        class_weight={0: 1.0},
        epochs=7,
        learning_rate=keras.optimizers.schedules.CosineDecay(0.1, 10),
        optimizer=keras.optimizers.SGD(),
        random_state=np.random.RandomState(0),
    )
    save_model(classifier, tmp_path / "model.skemotion")
    manifest, _ = unpack((tmp_path / "model.skemotion").read_bytes())
    assert manifest["model"]["omitted"] == [
        "callbacks",
        "class_weight",
        "learning_rate",
        "optimizer",
        "random_state",
    ]
    loaded = load_model(tmp_path / "model.skemotion")
    assert loaded.optimizer == "adam"
    assert loaded.callbacks is loaded.random_state is loaded.class_weight is None
    assert loaded.epochs == 7


def test_random_streams_are_left_alone(bundle):
    import random

    import tensorflow as tf

    def draw():
        return random.random(), np.random.random(), float(tf.random.uniform(()))

    import_keras().utils.set_random_seed(3)
    expected = draw()
    import_keras().utils.set_random_seed(3)
    load_model(bundle)
    assert draw() == expected


def test_frozen_bundle_loads_in_a_fresh_process():
    code = """
import sys
from pathlib import Path
import warnings
import numpy as np
from skemotion.exceptions import TruncationWarning
from skemotion.persistence import load_model

data = Path(sys.argv[1])
pipeline = load_model(data / "bundle-1.skemotion")
assert (pipeline.hop_duration, pipeline.detect_speech) == (None, False)
warnings.simplefilter("ignore", TruncationWarning)  # one signal is longer
frozen = np.load(data / "bundle-1.npz", allow_pickle=False)
scaled = pipeline["scale"].transform(frozen["sequences"])
classifier = pipeline["classify"]
np.testing.assert_allclose(
    classifier.predict_proba(scaled), frozen["probabilities"], rtol=0, atol=1e-5
)
np.testing.assert_allclose(
    classifier.attention(scaled), frozen["attention"], rtol=0, atol=1e-5
)
signals = [frozen[f"signal_{row}"] / np.float32(32768) for row in range(len(scaled))]
# Features may differ a little between versions of librosa.
np.testing.assert_allclose(
    pipeline.predict_proba(signals), frozen["probabilities"], rtol=0, atol=1e-3
)
labels = classifier.classes_[frozen["probabilities"].argmax(axis=1)]
assert pipeline.predict(signals).tolist() == labels.tolist()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, DATA],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


# What is not saved


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            EmotionPipeline([("extract", SpeechFeatureExtractor()), ("pca", "x")]),
            "step 'pca' is of type str.*joblib.dump",
        ),
        (
            sklearn.pipeline.Pipeline([("standardise", StandardScaler())]),
            "step 'standardise' is of type StandardScaler.*joblib.dump",
        ),
        (
            sklearn.pipeline.Pipeline([("inner", EmotionPipeline([]))]),
            "step 'inner' is of type EmotionPipeline",
        ),
        (
            GridSearchCV(SequenceScaler(), {}),
            "the model is of type GridSearchCV.*joblib.dump",
        ),
        (type("Scaler", (SequenceScaler,), {})(), "the model is of type Scaler"),
        (
            SpeechFeatureExtractor(duration={1.0}),
            r"the model has duration=\{1.0\}, which JSON cannot hold",
        ),
    ],
)
def test_other_models_are_refused(model, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        save_model(model, tmp_path / "model.skemotion")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "classes",
    [np.array([0.5, 1.0, 2.0]), np.array([b"a", b"b", b"c"], dtype=object)],
    ids=["float", "bytes"],
)
def test_other_labels_are_refused(classes, pipeline, tmp_path):
    classifier = copy.deepcopy(pipeline["classify"])
    classifier.classes_ = classes
    with pytest.raises(TypeError, match="class labels are of dtype.*joblib.dump"):
        save_model(classifier, tmp_path / "model.skemotion")


@pytest.mark.parametrize(
    "model",
    [
        SequenceScaler(),
        BLSTMClassifier(),
        EmotionPipeline([("classify", AttentionBLSTMClassifier())]),
    ],
    ids=["scaler", "classifier", "pipeline"],
)
def test_unfitted_models_are_refused(model, tmp_path):
    with pytest.raises(NotFittedError):
        save_model(model, tmp_path / "model.skemotion")


@pytest.mark.parametrize("changed", [{"units": 3}, {"ignore_padding": False}])
def test_network_that_is_not_the_parameters(changed, pipeline, tmp_path):
    classifier = copy.deepcopy(pipeline["classify"]).set_params(**changed)
    with pytest.raises(ValueError, match="was changed after fit.*fit again"):
        save_model(classifier, tmp_path / "model.skemotion")


@pytest.mark.parametrize("place", ["fsync", "replace"])
def test_failed_write_leaves_the_old_file(place, tmp_path, monkeypatch):
    path = tmp_path / "model.skemotion"
    path.write_text("old")

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, place, fail)
    with pytest.raises(OSError, match="disk full"):
        save_model(SpeechFeatureExtractor(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_all_is_on_the_disk_before_the_file_is_in_its_place(tmp_path, monkeypatch):
    path, sizes = tmp_path / "model.skemotion", []

    def note(descriptor):
        assert not path.exists()
        sizes.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", note)
    save_model(SpeechFeatureExtractor(), path)
    assert sizes == [path.stat().st_size]


def test_old_file_is_replaced(tmp_path):
    path = tmp_path / "model"
    path.write_text("old")
    save_model(SpeechFeatureExtractor(n_mfcc=3), str(path))
    assert load_model(str(path)).n_mfcc == 3
    assert list(tmp_path.iterdir()) == [path]


# What is not loaded


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "none.skemotion")


def test_other_files(load_bytes, tmp_path):
    for content in [b"", b"RIFF....WAVE", os.urandom(3000)]:
        with pytest.raises(ValueError, match=r"given.skemotion.*no intact zip archive"):
            load_bytes(content)
    joblib.dump({"a": 1}, tmp_path / "model.joblib")
    with pytest.raises(ValueError, match=r"joblib\.load"):
        load_model(tmp_path / "model.joblib")
    with pytest.raises(ValueError, match="belongs in no bundle"):
        load_bytes(pack({}, [("data.txt", b"text")]))
    file = io.BytesIO()
    np.savez(file, np.ones(3))
    with pytest.raises(ValueError, match="belongs in no bundle"):
        load_bytes(file.getvalue())


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_corrupted_byte(data, scaler_bundle, load_bytes):
    position = data.draw(st.integers(0, len(scaler_bundle) - 1))
    corrupted = bytearray(scaler_bundle)
    corrupted[position] ^= data.draw(st.integers(1, 255))
    expected = load_bytes(scaler_bundle)
    try:
        loaded = load_bytes(bytes(corrupted))
    except ValueError:
        return
    np.testing.assert_array_equal(loaded.mean_, expected.mean_)
    np.testing.assert_array_equal(loaded.scale_, expected.scale_)
    assert loaded.get_params() == expected.get_params()


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_truncated_file(data, scaler_bundle, load_bytes):
    length = data.draw(st.integers(0, len(scaler_bundle) - 1))
    with pytest.raises(ValueError, match="no intact zip archive"):
        load_bytes(scaler_bundle[:length])


@pytest.mark.parametrize(
    "name",
    [
        "../1.npy",
        "/1.npy",
        "..\\1.npy",
        "C:1.npy",
        "sub/",
        "network.keras",
        "x.npy",
    ],
)
def test_unexpected_members(name, scaler_bundle, load_bytes, tmp_path):
    manifest, members = unpack(scaler_bundle)
    with pytest.raises(ValueError, match="belongs in no bundle"):
        load_bytes(pack(manifest, [*members.items(), (name, b"data")]))
    assert [path.name for path in tmp_path.iterdir()] == ["given.skemotion"]


def test_member_twice(scaler_bundle, load_bytes):
    manifest, members = unpack(scaler_bundle)
    with pytest.warns(UserWarning, match="Duplicate"):
        content = pack(manifest, [*members.items(), ("0.npy", members["0.npy"])])
    with pytest.raises(ValueError, match=r"'0\.npy', which belongs in no bundle"):
        load_bytes(content)


def test_members_and_manifest_disagree(scaler_bundle, load_bytes):
    manifest, members = unpack(scaler_bundle)
    text = json.dumps(manifest).encode()
    with pytest.raises(ValueError, match=r"'1\.npy' is only in the manifest"):
        load_bytes(pack(text, [("0.npy", members["0.npy"])]))
    with pytest.raises(ValueError, match=r"'2\.npy' is only in the archive"):
        load_bytes(pack(text, [*members.items(), ("2.npy", members["0.npy"])]))
    with pytest.raises(ValueError, match=r"'0\.npy' was changed since it was saved"):
        load_bytes(
            pack(text, [("0.npy", members["1.npy"]), ("1.npy", members["1.npy"])])
        )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("0.npy", members["0.npy"])
    with pytest.raises(ValueError, match=r"without manifest\.json"):
        load_bytes(file.getvalue())


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (b"\xff\xfe", "is no JSON"),
        (b"{'format': 1}", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "'format' of type str"),
        ({"format": 1}, "'format' of type str"),
        ({"format": "tar"}, "its format is 'tar'"),
        ({"format": "skemotion"}, "'format_version' of type int"),
        ({"format": "skemotion", "format_version": True}, "of type int"),
        (
            {"format": "skemotion", "format_version": 2},
            "version is 2, .* reads version 1 only; install a newer",
        ),
        ({"format": "skemotion", "format_version": 1}, "'sha256' of type dict"),
        (b" " * 2**24 + b"{}", "no plausible size"),
    ],
)
def test_bad_manifests(manifest, message, load_bytes):
    with pytest.raises(ValueError, match=message):
        load_bytes(pack(manifest, []))


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["model"], None, "'model' of type dict"),
        (["model", "type"], ["SequenceScaler"], "'type' of type str"),
        (["model", "type"], "antigravity.Flight", "'antigravity.Flight', which"),
        (["model", "type"], "EmotionPipeline", "'steps' of type list"),
        (["model", "parameters"], [], "'parameters' of type dict"),
        (["model", "parameters"], {"speed": 1}, "has no parameter speed"),
        (["model", "parameters", "scope"], "row", "'scope' parameter"),
        (["model", "parameters", "loudness"], 5.5, "'loudness' parameter"),
        (["model", "n_features_in"], 3.0, "'n_features_in' of type int"),
        (["model", "n_features_in"], 0, "not positive"),
        (["model", "n_features_in"], 4, "do not fit 4 features"),
        (["model", "feature_names_in"], ["a", "b", 3], "does not name 3 features"),
        (["model", "n_dims_in"], 1, "n_dims_in is 1, neither 2 nor 3"),
        (["model", "n_dims_in"], 4, "n_dims_in is 4, neither 2 nor 3"),
        (["model", "n_dims_in"], None, "'n_dims_in' of type int"),
        (["model", "ignores_padding"], 1, "'ignores_padding' of type bool"),
        (["model", "loudness_column"], 3, "3 is none of the 3 features"),
        (["model", "loudness_column"], -1, "-1 is none of the 3 features"),
        (["model", "loudness_column"], True, "'loudness_column' of type int"),
        (["model", "feature_names_in"], ["a", "b"], "does not name 3 features"),
        (["model", "arrays"], {"mean": "0.npy"}, "'scale' of type str"),
        (["model", "arrays", "mean"], "7.npy", "no member of the archive for 'mean'"),
    ],
)
def test_bad_descriptions(keys, value, message, scaler_bundle, load_bytes):
    with pytest.raises(ValueError, match=message):
        load_bytes(change(scaler_bundle, *keys, value))
    assert "antigravity" not in sys.modules


LABELS = [str(number) for number in range(100)]


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (["steps"], [], "its steps make no pipeline"),
        (["steps", 0, "name"], "classify", "its steps make no pipeline"),
        (["steps", 0, "name"], 3, "'name' of type str"),
        (["steps", 1], "passthrough", "'name' of type str"),
        (["steps", 0, "feature_names"], ["pitch"], "its features are not those"),
        (["steps", 0, "parameters", "n_mfcc"], 10**12, "has implausible duration"),
        (["steps", 0, "parameters", "duration"], 1e9, "implausible duration=10+.0"),
        (["steps", 0, "parameters", "duration"], float("inf"), "parameter that is inf"),
        (["steps", 0, "parameters", "n_mels"], 10**9, "implausible .*n_mels=10+"),
        (["steps", 0, "parameters", "frame_length"], 10**9, "implausible"),
        (["steps", 0, "parameters", "sampling_rate"], 10**12, "implausible"),
        (["steps", 0, "parameters", "sampling_rate"], 10**400, "cannot be loaded"),
        (["steps", 0, "parameters", "frame_length"], 7 * 10**6, "implausible"),
        (["steps", 0, "parameters", "duration"], 601.0, "implausible duration=601.0"),
        (["steps", 0, "parameters", "hop_length"], 0, "'hop_length' parameter"),
        (["parameters", "hop_duration"], 1e-9, "hop_duration=1e-09 seconds"),
        (["parameters", "hop_duration"], 0.0098, "hop_duration=0.0098 seconds"),
        (["steps", 3, "parameters", "n_members"], 10**9, "has .* weights"),
        (["steps", 3, "parameters", "n_members"], 2, "class labels .* ask for"),
        (["steps", 3, "classes"], {"dtype": "<U9999", "labels": LABELS}, "implausible"),
        (["steps", 3, "arrays"], {}, "it holds 0 weights"),
        (["steps", 3, "parameters", "units"], 10**6, "units=1000000.* weights"),
        (["steps", 3, "parameters", "units"], -1, "'units' parameter"),
        (["steps", 3, "parameters", "optimizer"], "__tensor__", "does not build"),
        (["steps", 3, "n_features_in"], 9, "does not fit 9 features"),
        (["steps", 3, "sequence_shape"], [10**15, 10], "implausibly large"),
        (["steps", 3, "sequence_shape"], [0, 10], "does not fit 10 features"),
        (["steps", 3, "history"], {"loss": "low"}, "lists of floating-point"),
        (["steps", 3, "history"], {"loss": [1]}, "lists of floating-point"),
        (["steps", 3, "history"], {"loss": 0.5}, "lists of floating-point"),
        (["steps", 3, "sequence_shape"], [10], "does not fit 10 features"),
        (["steps", 3, "sequence_shape"], [10, 1], "does not fit 10 features"),
        (["steps", 3, "sequence_shape"], [9.0, 10], "does not fit 10 features"),
        (["steps", 3, "classes", "labels"], ["anger", "fear"], "2 class labels"),
        (["steps", 3, "classes", "labels"], ["a", "a", "b"], "class labels are no two"),
        (["steps", 3, "classes", "labels"], ["a", "b", None], "class labels are no"),
        (["steps", 3, "classes", "labels"], [1, 2, 3], "class labels are no"),
        (["steps", 3, "classes", "dtype"], "<U2", "class labels are no"),
        (["steps", 3, "classes", "dtype"], "<i8", "class labels are no"),
        (["steps", 3, "classes", "dtype"], "V9999999", "class labels are no"),
    ],
)
def test_bad_steps(keys, value, message, bundle, load_bytes):
    with pytest.raises(ValueError, match=message):
        load_bytes(change(bundle.read_bytes(), "model", *keys, value))


def test_bad_arrays(scaler_bundle, load_bytes, tmp_path):
    class Payload:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    huge = saved_array(np.ones(3)).replace(b"(3,)", b"(999999999999999,)")
    bad_arrays = {
        "its header is none of float32 or float64": saved_array(
            np.array([Payload()]), allow_pickle=True
        ),
        "does not agree with shape": saved_array(np.ones(3))[:-1],
        "is no array": huge,
        "NaN or infinity": saved_array(np.array([1.0, np.nan, 1.0])),
        "infinity); copy": saved_array(np.array([1.0, -np.inf, 1.0])),
        "do not fit 3 features": saved_array(np.ones((2, 3))),
        "NumPy makes no array of shape": with_header(
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }"
            % (99 * b"1, "),
            bytes(8),
        ),
    }
    manifest, members = unpack(scaler_bundle)
    for message, array in bad_arrays.items():
        content = pack(manifest, [("0.npy", array), ("1.npy", members["1.npy"])])
        with pytest.raises(ValueError, match=re.escape(message)):
            load_bytes(content)
    assert not (tmp_path / "ran").exists()


OTHER_HEADERS = [
    b"{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }",
    b"{'descr': '>f8', 'fortran_order': False, 'shape': (3,), }",
    b"{'descr': '<f8', 'fortran_order': True, 'shape': (3,), }",
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), ",
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (3L,), }",
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }",
    b"{'descr': '<f8', 'fortran_order': False, 'shape': 3, }",
    b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }",
    b"{'descr': '<f8', 'shape': (3,), }",
    b"(" * 60_000,
    b"-" * 60_000 + b"1",
    b"'''",
    b"\x00\xff",
    b"",
]


@pytest.mark.parametrize("header", OTHER_HEADERS)
def test_headers_that_save_model_never_writes(header, scaler_bundle, load_bytes):
    manifest, members = unpack(scaler_bundle)
    array = with_header(header, bytes(24))
    content = pack(manifest, [("0.npy", array), ("1.npy", members["1.npy"])])
    with pytest.raises(ValueError, match=r"'0\.npy' is no array of a bundle"):
        load_bytes(content)


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 2), (1, 2, 3, 4)])
def test_headers_of_numpy_are_read(dtype, shape):
    array = np.ones(shape, dtype)
    read = _read_array("0.npy", saved_array(array))
    np.testing.assert_array_equal(read, array)
    assert read.dtype == dtype


def test_an_array_serves_once(bundle, load_bytes):
    manifest, members = unpack(bundle.read_bytes())
    arrays = manifest["model"]["steps"][1]["arrays"]
    arrays["scale"] = arrays["mean"]
    with pytest.raises(ValueError, match="no member of the archive for 'scale'"):
        load_bytes(pack(manifest, members.items()))


def test_no_model_but_a_step_that_does_nothing(scaler_bundle, load_bytes):
    with pytest.raises(ValueError, match="it holds no model"):
        load_bytes(change(scaler_bundle, "model", "type", "passthrough"))


def test_zip_bomb(scaler_bundle, load_bytes):
    manifest, members = unpack(scaler_bundle)
    bomb = pack(manifest, [*members.items(), ("2.npy", bytes(10**8))], zipfile.ZIP_LZMA)
    assert len(bomb) < 100_000
    with pytest.raises(ValueError, match="is compressed, which save_model never does"):
        load_bytes(bomb)


def test_nothing_from_the_file_is_imported(bundle, load_bytes):
    content = change(bundle.read_bytes(), "model", "steps", 1, "type", "this.Zen")
    with pytest.raises(ValueError, match="'this.Zen', which skemotion"):
        load_bytes(content)
    assert "this" not in sys.modules


def test_names_that_are_no_text_in_utf_8_are_saved_and_loaded(tmp_path):
    X = RNG.normal(size=(5, 4, 2))
    scaler = SequenceScaler().fit(X, feature_names=["low\ud800", "é"])
    for name in ("a.skemotion", "b.skemotion"):
        save_model(scaler, tmp_path / name)
        scaler = load_model(tmp_path / name)
    assert scaler.feature_names_in_.tolist() == ["low\ud800", "é"]
