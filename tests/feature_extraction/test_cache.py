"""The cache of descriptors: never stale, never broken, shared by processes."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from imblearn.pipeline import make_pipeline
from joblib import Memory
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_validate
from sklearn.neighbors import KNeighborsClassifier

from skemotion import (
    AudioError,
    SequenceFunctionals,
    SpeechAugmenter,
    SpeechFeatureExtractor,
)
from skemotion.augmentation import _augmenter, _effects
from skemotion.cli import main
from skemotion.feature_extraction import _cache, _sets

RATE = 16000
RNG = np.random.default_rng(0)


def make_signals(n):
    return [0.1 * RNG.normal(size=4000) for _ in range(n)]


@pytest.fixture
def n_computed(monkeypatch):
    """Count the recordings whose descriptors are computed."""
    calls = []
    post = _sets.DESCRIPTOR_SETS["post"]

    def counted(signal, **parameters):
        calls.append(len(signal))
        return post.compute(signal, **parameters)

    monkeypatch.setitem(_sets.DESCRIPTOR_SETS, "post", replace(post, compute=counted))
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


# Another value of each parameter that changes features; the others change none.
CHANGED = {
    "sampling_rate": 22050,
    "duration": 1.0,
    "hop_length": 256,
    "frame_length": 1024,
    "n_mfcc": 19,
    "n_mels": 64,
    "padding_side": "right",
    "normalize": "peak",
    "descriptors": "extended",
}
LOCAL = {"n_jobs", "memory", "on_error", "verbose"}


def test_all_parameters_are_tried():
    assert CHANGED.keys() | LOCAL == SpeechFeatureExtractor().get_params().keys()


@pytest.mark.parametrize("as_memory", [str, lambda folder: Memory(folder, verbose=0)])
@pytest.mark.parametrize("name", CHANGED)
def test_every_parameter_is_part_of_the_key(folder, name, as_memory):
    recording = (make_signals(1)[0], RATE)
    changed = {name: CHANGED[name]}
    plain, other = SpeechFeatureExtractor(), SpeechFeatureExtractor(**changed)
    expected = [one.transform([recording]) for one in (plain, other)]
    assert not np.array_equal(*expected)
    for one in (plain, other):
        one.set_params(memory=as_memory(folder))
    for _ in range(2):
        for one, features in zip((plain, other), expected, strict=True):
            np.testing.assert_array_equal(one.transform([recording]), features)


@pytest.mark.parametrize("name", CHANGED)
def test_every_parameter_is_part_of_the_key_of_functions(folder, name):
    """A function with a key is not asked for its samples again."""
    changed = {name: CHANGED[name]}
    plain, other = (
        SpeechFeatureExtractor(memory=folder, **parameters)
        for parameters in ({}, changed)
    )
    for one in (plain, other, plain, other):
        expected = clone(one).set_params(memory=None).transform([named_noise])
        np.testing.assert_array_equal(one.transform([named_noise]), expected)


def named_noise(sampling_rate, duration):
    return 0.1 * np.random.default_rng(1).normal(size=4000), RATE


named_noise.cache_key = "noise of seed 1"


@pytest.mark.parametrize("name", sorted(LOCAL - {"memory"}))
def test_what_changes_no_feature_is_not_part_of_the_key(folder, name, n_computed):
    recording = make_signals(1)[0]
    other = "warn" if name == "on_error" else 2
    for parameters in ({}, {name: other}):
        SpeechFeatureExtractor(memory=folder, **parameters).transform([recording])
    assert n_computed() == 1


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
    older = replace(_sets.DESCRIPTOR_SETS["post"], version=-1)
    monkeypatch.setitem(_sets.DESCRIPTOR_SETS, "post", older)
    extractor.transform(signals)
    assert n_computed() == 2


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
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


def test_a_folder_that_cannot_be_made_stops_nothing(tmp_path):
    file = tmp_path / "file"
    file.touch()
    signals = make_signals(1)
    with pytest.warns(UserWarning, match=r"memory='.*file' cannot be used"):
        features = SpeechFeatureExtractor(memory=file).transform(signals)
    np.testing.assert_array_equal(features, SpeechFeatureExtractor().transform(signals))


def test_an_entry_of_another_recording_is_computed_anew(folder, n_computed):
    signals = make_signals(2)
    extractor = SpeechFeatureExtractor(memory=folder)
    expected = extractor.transform(signals)
    first, second = entries(folder)
    first.write_bytes(second.read_bytes())
    np.testing.assert_array_equal(extractor.transform(signals), expected)
    assert n_computed() == 3


def test_features_that_cannot_be_are_computed_anew(folder, n_computed):
    signals = make_signals(1)
    extractor = SpeechFeatureExtractor(memory=folder)
    expected = extractor.transform(signals)
    (entry,) = entries(folder)
    key = entry.parent.name + entry.stem
    _cache.FeatureCache(folder).store(key, np.full_like(expected[0], np.nan))
    np.testing.assert_array_equal(extractor.transform(signals), expected)
    assert n_computed() == 2


def test_info_and_clear(folder, capfd):
    SpeechFeatureExtractor(memory=folder).transform(make_signals(3))
    (folder / "notes.txt").write_text("mine")
    assert main(["cache", "info", str(folder)]) == 0
    assert f"3 entries of 0.1 MB in {folder}" in capfd.readouterr().out
    assert main(["cache", "clear", str(folder)]) == 0
    assert "deleted 3 entries" in capfd.readouterr().out
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_clear_deletes_nothing_but_entries(folder):
    SpeechFeatureExtractor(memory=folder).transform(make_signals(1))
    inside = folder / "skemotion-features"
    foreign = [
        inside / "notes.txt",
        inside / "thesis" / "chapter.features",
        entries(folder)[0].parent / "mine.csv",
    ]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    left_by_a_killed_writer = (
        entries(folder)[0].parent / ".skemotion-half" / "x.features"
    )
    left_by_a_killed_writer.parent.mkdir()
    left_by_a_killed_writer.touch()
    assert main(["cache", "clear", str(folder)]) == 0
    assert all(path.exists() for path in foreign)
    assert entries(folder) == [foreign[1]]
    assert not left_by_a_killed_writer.parent.exists()
    # It is still known as a cache.
    assert main(["cache", "clear", str(folder)]) == 0


@pytest.mark.parametrize("action", ["info", "clear"])
def test_what_is_no_cache_is_left_alone(tmp_path, capfd, action):
    other = tmp_path / "skemotion-features" / "ab" / "c.features"
    other.parent.mkdir(parents=True)
    other.touch()
    for folder in (tmp_path, tmp_path / "missing"):
        assert main(["cache", action, str(folder)]) == 1
        assert f"{folder} is no cache of features" in capfd.readouterr().err
    assert other.exists()


ALONE = ("lead", "room", "noise", "band")  # what depends on no other recording


def with_copies(recordings, n_copies=2, random_state=0, **options):
    augmenter = SpeechAugmenter(n_copies, random_state=random_state, **options)
    return augmenter.fit_resample(recordings, range(len(recordings)))[0]


@pytest.fixture
def n_happened(monkeypatch):
    """Count the effects that happen to copies."""
    calls = []

    def counted(effect, *arguments):
        calls.append(effect)
        return apply(effect, *arguments)

    apply = _augmenter.apply
    monkeypatch.setattr(_augmenter, "apply", counted)
    return lambda: len(calls)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_copies_are_found_again_as_they_were(folder, n_computed, n_happened, n_jobs):
    signals = make_signals(5)
    extractor = SpeechFeatureExtractor(duration=0.3, n_jobs=n_jobs)
    expected = extractor.transform(with_copies(signals))
    extractor.set_params(memory=folder)
    np.testing.assert_array_equal(extractor.transform(with_copies(signals)), expected)
    before = n_computed(), n_happened()
    np.testing.assert_array_equal(extractor.transform(with_copies(signals)), expected)
    assert before == (n_computed(), n_happened())
    assert len(entries(folder)) == 15


def test_what_is_found_again_is_not_decoded(folder, tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, make_signals(1)[0], RATE)
    copies = with_copies([path], effects=ALONE)[1:]
    extractor = SpeechFeatureExtractor(duration=0.3, memory=folder)
    expected = extractor.transform(copies)
    path.unlink()
    np.testing.assert_array_equal(extractor.transform(copies), expected)


def test_orders_names_and_other_parameters_find_the_same_copies(
    folder, tmp_path, n_computed
):
    signals = make_signals(6)
    extractor = SpeechFeatureExtractor(duration=0.3, memory=folder)
    expected = extractor.transform(with_copies(signals, 1, effects=ALONE))
    paths = [tmp_path / f"{i}.wav" for i in range(6)]
    for path, signal in zip(paths, signals, strict=True):
        soundfile.write(path, signal.astype("f"), RATE, subtype="FLOAT")
    files = [(signal, RATE) for signal in signals]
    extractor.transform(with_copies(files, 1, effects=ALONE))
    n_before = n_computed()
    for X in (paths, files):
        features = extractor.transform(with_copies(X[::-1], 1, effects=ALONE[::-1]))
        np.testing.assert_array_equal(
            features, np.concatenate([expected[5::-1], expected[:5:-1]])
        )
    assert n_computed() == n_before
    extractor.transform(with_copies(paths, 2, effects=ALONE))
    assert n_computed() == n_before + 6


CHANGED_COPIES = [
    {"n_copies": 3},
    {"random_state": 1},
    {"probability": 0.9},
    {"snr": (1.0, 2.0)},
    {"effects": ("noise",)},
    {"effects": ("babble",)},
]


def test_all_parameters_of_copies_are_tried():
    tried = {name for changed in CHANGED_COPIES for name in changed}
    assert tried == SpeechAugmenter().get_params().keys()


@pytest.mark.parametrize("changed", CHANGED_COPIES, ids=str)
def test_what_makes_other_copies_is_part_of_the_key(folder, changed):
    signals, plain = make_signals(4), {"effects": ("lead", "noise", "band")}
    extractor = SpeechFeatureExtractor(duration=0.3)
    cached = clone(extractor).set_params(memory=folder)
    for options in (plain, plain | changed, plain):
        X = with_copies(signals, **options)
        np.testing.assert_array_equal(cached.transform(X), extractor.transform(X))


def test_voices_are_part_of_the_key(folder):
    signals = make_signals(12)
    extractor = SpeechFeatureExtractor(duration=0.3)
    cached = clone(extractor).set_params(memory=folder)
    for start in range(6):
        X = with_copies(signals[start : start + 7], effects=("babble",))
        np.testing.assert_array_equal(cached.transform(X), extractor.transform(X))


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
def test_the_rate_of_a_copied_signal_is_part_of_the_key(folder):
    signal = make_signals(1)[0]
    extractor = SpeechFeatureExtractor(duration=0.3)
    cached = clone(extractor).set_params(memory=folder)
    for sampling_rate in (16000, 22050):
        for recording in (signal, (signal, 8000), (signal, 16000)):
            extractor.set_params(sampling_rate=sampling_rate)
            cached.set_params(sampling_rate=sampling_rate)
            X = with_copies([recording], effects=("noise",))
            np.testing.assert_array_equal(cached.transform(X), extractor.transform(X))


def test_effects_of_another_version_are_not_served(folder, n_computed, monkeypatch):
    copies = with_copies(make_signals(2), 1)[2:]
    extractor = SpeechFeatureExtractor(duration=0.3, memory=folder)
    extractor.transform(copies)
    monkeypatch.setattr(_effects, "EFFECTS_VERSION", -1)
    extractor.transform(copies)
    assert n_computed() == 4


def test_copies_that_will_not_be_met_again_are_not_kept(folder, n_computed):
    signals = make_signals(3)
    extractor = SpeechFeatureExtractor(duration=0.3, memory=folder)
    for _ in range(2):
        extractor.transform(with_copies(signals, random_state=None))
    assert len(entries(folder)) == 3
    assert n_computed() == 3 + 6 + 6


def test_folds_and_candidates_share_copies(folder, n_computed):
    signals, y = make_signals(20), [0, 1] * 10
    groups = np.repeat(range(5), 4)
    pipeline = make_pipeline(
        SpeechAugmenter(1, effects=ALONE, random_state=0),
        SpeechFeatureExtractor(memory=folder, duration=0.3),
        SequenceFunctionals(("mean",)),
        KNeighborsClassifier(),
    )
    cross_validate(pipeline, signals, y, groups=groups, cv=LeaveOneGroupOut())
    assert n_computed() == 20 + 20
    grid = {"kneighborsclassifier__n_neighbors": [1, 3]}
    search = GridSearchCV(pipeline, grid, cv=LeaveOneGroupOut())
    search.fit(signals, y, groups=groups)
    assert n_computed() == 20 + 20
    pipeline.set_params(speechaugmenter__effects=(*ALONE, "babble"))
    search.fit(signals, y, groups=groups)
    n_before = n_computed()
    search.fit(signals, y, groups=groups)
    assert n_computed() == n_before < 20 + 20 + 5 * 16


def test_joblib_keeps_copies_by_their_samples(folder, n_computed):
    signals = make_signals(3)
    extractor = SpeechFeatureExtractor(duration=0.3, memory=Memory(folder, verbose=0))
    options = {"effects": ("noise", "band")}  # a lead may leave nothing but silence
    X = with_copies(signals, **options)
    expected = SpeechFeatureExtractor(duration=0.3).transform(X)
    n_before = n_computed()
    for _ in range(2):
        features = extractor.transform(with_copies(signals, **options))
        np.testing.assert_array_equal(features, expected)
    assert n_computed() == n_before + 9


class Counter:
    def __init__(self, cache_key=None):
        self.cache_key = cache_key
        self.n_calls = 0

    def __call__(self, sampling_rate, duration):
        self.n_calls += 1
        return np.full(4000, 0.1 * self.n_calls), RATE


def test_functions_with_a_key_are_called_once(folder):
    extractor = SpeechFeatureExtractor(duration=0.3, memory=folder)
    named, other = Counter("a"), Counter("b")
    expected = extractor.transform([named, other])
    np.testing.assert_array_equal(extractor.transform([named, other]), expected)
    np.testing.assert_array_equal(extractor.transform([Counter("b")]), expected[1:])
    assert (named.n_calls, other.n_calls) == (1, 1)
    clone(extractor).set_params(duration=0.5).transform([named])
    assert named.n_calls == 2


@pytest.mark.parametrize("cache_key", [None, "", 5, len])
@pytest.mark.parametrize("as_memory", [str, lambda folder: Memory(folder, verbose=0)])
def test_functions_without_a_key_are_always_called(folder, cache_key, as_memory):
    extractor = SpeechFeatureExtractor(duration=0.3, memory=as_memory(folder))
    function = Counter(cache_key)
    first, second = (extractor.transform([function]) for _ in range(2))
    assert function.n_calls == 2
    assert not np.array_equal(first, second)
    assert not entries(folder)


def test_failures_of_functions_are_not_kept(folder):
    def fail_once(sampling_rate, duration):
        if not fail_once.failed:
            fail_once.failed = True
            raise ValueError("it is on its way")
        return np.ones(4000), RATE

    fail_once.failed, fail_once.cache_key = False, "late"
    extractor = SpeechFeatureExtractor(duration=0.3, memory=folder)
    with pytest.raises(AudioError, match="on its way"):
        extractor.transform([fail_once])
    assert extractor.transform([fail_once]).any()
