"""The cache of descriptors: never stale, never broken, shared by processes."""

import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from joblib import Memory
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skemotion import SequenceFunctionals, SpeechFeatureExtractor
from skemotion.cli import main
from skemotion.feature_extraction import _cache, _extraction, _sets

RATE = 16000
RNG = np.random.default_rng(0)


def make_signals(n):
    return [0.1 * RNG.normal(size=4000) for _ in range(n)]


@pytest.fixture
def n_computed(monkeypatch):
    """Count the recordings whose descriptors are computed."""
    calls = []
    compute = _extraction._SETS["post"]

    def counted(signal, **parameters):
        calls.append(len(signal))
        return compute(signal, **parameters)

    monkeypatch.setitem(_extraction._SETS, "post", counted)
    return lambda: len(calls)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def entries(folder):
    return sorted(folder.rglob("*.features"))


def test_a_second_pass_computes_nothing_and_returns_the_same(folder, n_computed):
    signals = make_signals(5)
    expected = SpeechFeatureExtractor().transform(signals)
    for n_jobs in (1, 2):
        extractor = SpeechFeatureExtractor(memory=str(folder), n_jobs=n_jobs)
        np.testing.assert_array_equal(extractor.transform(signals), expected)
    assert n_computed() == 5 + 5
    assert len(entries(folder)) == 5


def test_what_is_cached_does_not_depend_on_how_it_is_handed_over(
    tmp_path, folder, n_computed
):
    signal = make_signals(1)[0].astype(np.float32)
    path = tmp_path / "a.wav"
    soundfile.write(path, signal, RATE, subtype="FLOAT")
    extractor = SpeechFeatureExtractor(memory=folder)
    for recording in (path, signal, (signal, RATE), signal.astype(np.float64)):
        extractor.transform([recording])
    assert n_computed() == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"sampling_rate": 22050},
        {"duration": 1.0},
        {"hop_length": 256},
        {"frame_length": 1024},
        {"n_mfcc": 19},
        {"n_mels": 64},
        {"padding_side": "right"},
    ],
)
def test_every_parameter_is_part_of_the_key(folder, changed):
    recording = (make_signals(1)[0], RATE)
    SpeechFeatureExtractor(memory=folder).transform([recording])
    features = SpeechFeatureExtractor(memory=folder, **changed).transform([recording])
    expected = SpeechFeatureExtractor(**changed).transform([recording])
    np.testing.assert_array_equal(features, expected)


def test_the_rate_is_part_of_the_key(folder):
    signal = make_signals(1)[0]
    extractor = SpeechFeatureExtractor(memory=folder)
    slow = extractor.transform([(signal, 8000)])
    fast = extractor.transform([(signal, 16000)])
    assert not np.array_equal(slow, fast)


@pytest.mark.parametrize("as_memory", [str, lambda folder: Memory(folder, verbose=0)])
def test_descriptors_of_another_version_are_not_served(
    folder, n_computed, monkeypatch, as_memory
):
    signals = make_signals(1)
    extractor = SpeechFeatureExtractor(memory=as_memory(folder))
    extractor.transform(signals)
    extractor.transform(signals)
    assert n_computed() == 1
    older = _sets.DESCRIPTOR_SETS["post"]._replace(version=-1)
    monkeypatch.setitem(_sets.DESCRIPTOR_SETS, "post", older)
    extractor.transform(signals)
    assert n_computed() == 2


def test_samples_beyond_the_duration_do_not_matter(folder, n_computed):
    signal = 0.1 * RNG.normal(size=6 * RATE)
    extractor = SpeechFeatureExtractor(memory=folder)
    extractor.transform([signal])
    extractor.transform([signal[: 5 * RATE]])
    assert n_computed() == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content[:1000],
        lambda content: bytes(len(content)),
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: b"other" + content[5:],
    ],
    ids=["empty", "one byte short", "cut", "zeros", "one bit", "other format"],
)
def test_a_damaged_entry_is_computed_anew(folder, n_computed, damage):
    signals = make_signals(1)
    extractor = SpeechFeatureExtractor(memory=folder)
    expected = extractor.transform(signals)
    (entry,) = entries(folder)
    entry.write_bytes(damage(entry.read_bytes()))
    for _ in range(2):
        np.testing.assert_array_equal(extractor.transform(signals), expected)
    assert n_computed() == 2  # and mended


def test_a_killed_writer_leaves_nothing_that_is_served(folder, n_computed):
    signal = np.linspace(-0.5, 0.5, 4000)
    killed_while_writing = f"""
import os
import numpy as np
from pathlib import Path
from skemotion import SpeechFeatureExtractor

def write_half(path, data, write=Path.write_bytes):
    write(path, data[: len(data) // 2])
    os._exit(9)

Path.write_bytes = write_half
extractor = SpeechFeatureExtractor(memory={os.fspath(folder)!r})
extractor.transform([np.linspace(-0.5, 0.5, 4000)])
"""
    assert subprocess.run([sys.executable, "-c", killed_while_writing]).returncode == 9
    assert len(entries(folder)) == 1  # half of one, under another name
    assert _cache.FeatureCache(folder).info().n_entries == 0
    features = SpeechFeatureExtractor(memory=folder).transform([signal])
    assert n_computed() == 1
    np.testing.assert_array_equal(
        features, SpeechFeatureExtractor().transform([signal])
    )


def test_processes_share_a_folder(folder):
    code = f"""
import numpy as np
from skemotion import SpeechFeatureExtractor
signals = np.random.default_rng(0).normal(size=(20, 4000))
for _ in range(3):
    X = SpeechFeatureExtractor(memory={os.fspath(folder)!r}).transform(list(signals))
print(np.array_equal(X, SpeechFeatureExtractor().transform(list(signals))))
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    assert [process.communicate()[0] for process in processes] == ["True\n"] * 2
    assert _cache.FeatureCache(folder).info().n_entries == 20


def test_cross_validation_extracts_each_recording_once(folder, n_computed):
    signals, y = make_signals(20), [0, 1] * 10
    pipeline = make_pipeline(
        SpeechFeatureExtractor(memory=folder, duration=0.3),
        SequenceFunctionals(("mean",)),
        KNeighborsClassifier(),
    )
    cross_validate(pipeline, signals, y, cv=10)
    assert n_computed() == 20
    grid = {"kneighborsclassifier__n_neighbors": [1, 3]}
    GridSearchCV(pipeline, grid, cv=2).fit(signals, y)
    assert n_computed() == 20


def test_a_full_disk_costs_the_cache_and_not_the_features(folder, monkeypatch):
    signals = make_signals(2)
    extractor = SpeechFeatureExtractor(memory=folder)

    def fail(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.warns(UserWarning, match=r"not kept in .*cache: No space left"):
        features = extractor.transform(signals)
    np.testing.assert_array_equal(features, SpeechFeatureExtractor().transform(signals))


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OSError, match="file"):
        SpeechFeatureExtractor(memory=file).transform(make_signals(1))


def test_info_and_clear(folder, capfd):
    SpeechFeatureExtractor(memory=folder).transform(make_signals(3))
    (folder / "notes.txt").write_text("mine")
    assert main(["cache", "info", str(folder)]) == 0
    assert f"3 entries of 0.1 MB in {folder}" in capfd.readouterr().out
    assert main(["cache", "clear", str(folder)]) == 0
    assert "deleted 3 entries" in capfd.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("action", ["info", "clear"])
def test_what_is_no_cache_is_left_alone(tmp_path, capfd, action):
    other = tmp_path / "skemotion-features" / "ab" / "c.features"
    other.parent.mkdir(parents=True)
    other.touch()
    for folder in (tmp_path, tmp_path / "missing"):
        assert main(["cache", action, str(folder)]) == 1
        assert f"{folder} is no cache of features" in capfd.readouterr().err
    assert other.exists()
