"""Descriptors of one's own, alone and beside those of the package."""

from functools import partial

import numpy as np
import pytest
from joblib import parallel_config
from sklearn import clone

from skemotion import SpeechFeatureExtractor, load_model, save_model
from skemotion.exceptions import AudioError
from skemotion.feature_extraction import DescriptorSet, descriptor_set_version
from skemotion.feature_extraction._descriptor_set import function_digest

RNG = np.random.default_rng(0)
X = [0.1 * RNG.normal(size=16000), 0.1 * RNG.normal(size=90000)[:80000]]


def energy(signal, sampling_rate, hop_length, order=2):
    padded = np.pad(np.abs(signal) ** order, (0, hop_length))
    n_frames = 1 + len(signal) // hop_length
    frames = padded[: n_frames * hop_length].reshape(n_frames, hop_length)
    return np.stack([frames.mean(axis=1), frames.max(axis=1)], axis=1)


def make_energy(**parameters):
    names = ["mean_energy", "max_energy"]
    return DescriptorSet("energy", **{"compute": energy, "names": names} | parameters)


ENERGY = make_energy()


def test_alone():
    extractor = SpeechFeatureExtractor(descriptors=ENERGY)
    features = extractor.fit_transform(X)
    assert features.shape == (2, 157, 2)
    assert features.dtype == np.float32
    assert extractor.get_feature_names_out().tolist() == ["mean_energy", "max_energy"]
    expected = energy(X[1].astype(np.float32), 16000, 512)
    np.testing.assert_allclose(features[1], expected, rtol=1e-6)


def test_beside_those_of_the_package():
    both = SpeechFeatureExtractor(descriptors=["post", ENERGY])
    features = both.transform(X)
    post, own = (
        SpeechFeatureExtractor(descriptors=each).transform(X)
        for each in ("post", ENERGY)
    )
    np.testing.assert_array_equal(features, np.concatenate([post, own], axis=2))
    assert len(both.get_feature_names_out()) == features.shape[2]


@pytest.mark.parametrize("descriptors", ["post", "extended"])
def test_names_of_the_package_are_as_many_as_columns(descriptors):
    for n_mfcc in (1, 13, 20):
        extractor = SpeechFeatureExtractor(descriptors=descriptors, n_mfcc=n_mfcc)
        n_columns = extractor.transform(X[:1]).shape[2]
        assert len(extractor.get_feature_names_out()) == n_columns


def test_number_of_columns_may_follow_parameters():
    def bands(signal, hop_length, n_mels):
        return np.ones((1 + len(signal) // hop_length, n_mels))

    def names(n_mels):
        return [f"band_{i}" for i in range(n_mels)]

    extractor = SpeechFeatureExtractor(
        descriptors=DescriptorSet("bands", bands, names=names), n_mels=30
    )
    assert extractor.transform(X).shape == (2, 157, 30)
    assert extractor.get_feature_names_out()[-1] == "band_29"


def test_clones_and_processes_have_it():
    def peaks(signal, hop_length):  # which workers could not import from here
        padded = np.pad(np.abs(signal), (0, hop_length))
        n_frames = 1 + len(signal) // hop_length
        frames = padded[: n_frames * hop_length].reshape(n_frames, hop_length)
        return frames.max(axis=1, keepdims=True)

    own = make_energy(compute=peaks, names=["peak"])
    extractor = SpeechFeatureExtractor(descriptors=["post", own], n_jobs=2)
    copy = clone(extractor)
    assert copy.descriptors == extractor.descriptors
    with parallel_config("loky"):
        features = copy.transform(X)
    np.testing.assert_array_equal(features, extractor.set_params(n_jobs=1).transform(X))


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda signal: np.ones((157, 3)), r"\(157, 3\), where \(157, 2\)"),
        (lambda signal: np.ones((156, 2)), r"\(156, 2\), where \(157, 2\)"),
        (lambda signal: np.full((157, 2), np.nan), "not finite"),
        (lambda signal: np.full((157, 2), 1e300), "not finite"),
    ],
)
def test_what_a_function_must_not_return(compute, message):
    extractor = SpeechFeatureExtractor(descriptors=make_energy(compute=compute))
    with pytest.raises(AudioError, match=f"'energy' returned.*{message}"):
        extractor.transform(X)


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"compute": 3}, TypeError),
        ({"names": "energy"}, TypeError),
        ({"names": [1, 2]}, TypeError),
        ({"names": []}, ValueError),
        ({"names": ["a", "a"]}, ValueError),
        ({"version": "1"}, TypeError),
        ({"min_sampling_rate": "8000"}, TypeError),
        ({"check": 1}, TypeError),
    ],
)
def test_what_is_no_set(parameters, error):
    with pytest.raises(error, match=next(iter(parameters))):
        make_energy(**parameters)


@pytest.mark.parametrize(
    ("descriptors", "error", "message"),
    [
        ("nosuch", ValueError, "nosuch"),
        ([], ValueError, "empty"),
        (["post", "extended"], ValueError, "'delta_mfcc_0'"),
        (["post", 3], TypeError, "3"),
        (make_energy(min_sampling_rate=44100), ValueError, "at least 44100"),
    ],
)
def test_what_cannot_be_computed_is_told_in_fit(descriptors, error, message):
    with pytest.raises(error, match=message):
        SpeechFeatureExtractor(descriptors=descriptors).fit(X)


def test_a_check_of_ones_own():
    def check(n_frames):
        if n_frames > 10:
            raise ValueError("at most ten frames")

    extractor = SpeechFeatureExtractor(descriptors=make_energy(check=check))
    with pytest.raises(ValueError, match="at most ten"):
        extractor.fit(X)
    short = [signal[:3000] for signal in X]
    assert extractor.set_params(duration=0.2).fit_transform(short).shape == (2, 7, 2)


def make_counted(calls, factor, version=1):
    def compute(signal, sampling_rate, hop_length):
        calls.append(factor)
        return factor * energy(signal, sampling_rate, hop_length)

    return make_energy(compute=compute, version=version)


def test_cache_tells_functions_and_versions_apart(tmp_path):
    def extract(**parameters):
        calls: list = []
        counted = make_counted(calls, **parameters)
        extractor = SpeechFeatureExtractor(descriptors=counted, memory=tmp_path)
        return extractor.transform(X[:1]), len(calls)

    once, _ = extract(factor=1.0)
    twice, n_calls = extract(factor=2.0)
    assert n_calls == 1
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)
    assert extract(factor=2.0, version=2)[1] == 1


def test_cache_finds_a_function_again(tmp_path):
    extractor = SpeechFeatureExtractor(descriptors=ENERGY, memory=tmp_path)
    first = extractor.transform(X)
    n_files = len(list(tmp_path.rglob("*.features")))
    np.testing.assert_array_equal(clone(extractor).transform(X), first)
    assert len(list(tmp_path.rglob("*.features"))) == n_files


def test_digests_of_functions():
    def make(constant):
        return lambda signal: constant * signal

    same = [function_digest(make(1)) for _ in range(2)]
    assert same[0] == same[1]
    others = [energy, make(2), lambda signal: signal + 1, lambda signal: signal + 2]
    others += [partial(energy, order=1), partial(energy, order=3)]
    digests = [function_digest(each) for each in others]
    assert len({*digests, same[0]}) == len(others) + 1


def test_a_bundle_needs_the_code(tmp_path):
    path = tmp_path / "extractor.skemotion"
    extractor = SpeechFeatureExtractor(descriptors=["post", ENERGY])
    save_model(extractor, path)
    with pytest.raises(ValueError, match=r"'energy'.*descriptor_sets="):
        load_model(path)
    with pytest.raises(ValueError, match=r"version \[2, 1\].*version \[2, 5\]"):
        load_model(path, descriptor_sets=[make_energy(version=5)])
    loaded = load_model(path, descriptor_sets=[ENERGY])
    np.testing.assert_array_equal(loaded.transform(X), extractor.transform(X))
    assert descriptor_set_version(loaded.descriptors) == [2, 1]
