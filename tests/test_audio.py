"""One recording: librosa is the oracle of decoding and resampling."""

import codecs
import io
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from skemotion import AudioError, SpeechAugmenter, SpeechFeatureExtractor
from skemotion.audio import (
    check_audio,
    check_recordings,
    fix_length,
    load_audio,
    recording_name,
)
from skemotion.exceptions import IncompleteAudioWarning

RNG = np.random.default_rng(0)


def write(path, signal, rate, **options):
    soundfile.write(path, signal, rate, **options)
    return path


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_file_equals_librosa(tmp_path, rate, n_channels):
    signal = RNG.uniform(-0.5, 0.5, size=(2 * rate, n_channels))
    path = write(tmp_path / "a.wav", signal, rate)
    expected, _ = librosa.load(path, sr=16000, mono=True, duration=1.5)
    loaded = load_audio(path, sampling_rate=16000, duration=1.5)
    np.testing.assert_array_equal(loaded, expected)
    assert loaded.dtype == np.float32


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".mp3", ".aiff"])
def test_formats_of_libsndfile(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", 0.1 * RNG.normal(size=16000), 16000)
    assert load_audio(path).size >= 16000


@pytest.mark.emodb
def test_emodb_equals_librosa(emodb_path):
    for path in sorted((emodb_path / "wav").glob("*.wav"))[::50]:
        expected, _ = librosa.load(path, sr=16000, mono=True, duration=5)
        np.testing.assert_array_equal(load_audio(path, duration=5), expected)


def test_duration_limits_what_is_read(tmp_path):
    path = write(tmp_path / "long.wav", np.zeros(160000), 16000)
    with open(path, "rb") as raw:
        head = io.BytesIO(raw.read(44 + 2 * 16000))
    # The file breaks off after a second, behind what is asked for.
    with pytest.warns(IncompleteAudioWarning, match="1 of 1 recordings holds less"):
        assert load_audio(head, duration=0.5).shape == (8000,)


def test_file_object_is_read_from_its_start(tmp_path):
    path = write(tmp_path / "a.wav", 0.1 * RNG.normal(size=4000), 16000)
    with open(path, "rb") as file:
        first = load_audio(file)
        second = load_audio(file)
    np.testing.assert_array_equal(first, load_audio(path))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8"])
def test_integer_signals_are_scaled_like_files(tmp_path, dtype):
    signal = (0.5 * np.sin(np.arange(3000))).astype(np.float64)
    subtype = {"int16": "PCM_16", "int32": "PCM_32", "uint8": "PCM_U8"}[dtype]
    path = write(tmp_path / "a.wav", signal, 16000, subtype=subtype)
    if dtype == "uint8":
        raw = np.frombuffer(path.read_bytes()[-3000:], dtype="uint8")
    else:
        raw, _ = soundfile.read(path, dtype=dtype)
    np.testing.assert_array_equal(load_audio(raw), load_audio(path))


def test_pair_is_resampled_and_cut():
    signal = 0.1 * RNG.normal(size=44100)
    expected = librosa.resample(
        signal[:22050].astype(np.float32), orig_sr=44100, target_sr=16000
    )
    loaded = load_audio((signal, 44100), sampling_rate=16000, duration=0.5)
    np.testing.assert_array_equal(loaded, expected)


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        ("missing.wav", "no such file"),
        (".", "it is a folder"),
        (np.zeros((3, 4)), r"1-D numeric signal.*shape \(3, 4\)"),
        (np.zeros(0), "no samples"),
        ([0.0, np.nan], "NaN or infinite"),
        ([0.0, np.inf], "NaN or infinite"),
        (["a", "b"], "1-D numeric signal"),
        ([[1.0], [1.0, 2.0]], "1-D numeric signal"),
        (b"RIFF", "io.BytesIO"),
        (None, "1-D numeric signal"),
        ((np.zeros(9), 0), "sampling rate must be a positive number"),
        ((np.zeros(9), "16k"), "sampling rate must be a positive number"),
        (io.BytesIO(b"not audio at all"), "it is text, not a recording"),
    ],
)
def test_unreadable_recordings_say_why(recording, message):
    with pytest.raises(ValueError, match=message):
        load_audio(recording)


def test_text_file_is_no_audio(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no audio")
    with pytest.raises(ValueError, match="it is text, not a recording"):
        load_audio(path)


def test_functions_are_called_where_recordings_are_needed():
    calls = []

    def record(sampling_rate, duration):
        calls.append((sampling_rate, duration))
        return np.ones(8000, dtype="f"), 8000

    check_audio(record)
    assert calls == []
    assert len(load_audio(record, sampling_rate=16000, duration=0.5)) == 8000
    assert calls == [(16000, 0.5)]
    with pytest.raises(ValueError, match="function that returns one"):
        load_audio(lambda sampling_rate, duration: "a.wav")


@given(
    n=st.integers(1, 50),
    n_samples=st.integers(1, 50),
    side=st.sampled_from(["left", "right"]),
)
def test_fix_length_keeps_the_beginning_and_pads_one_side(n, n_samples, side):
    signal = np.arange(1.0, n + 1)
    fixed = fix_length(signal, n_samples, padding_side=side)
    assert fixed.shape == (n_samples,)
    np.testing.assert_array_equal(fixed[fixed > 0], signal[:n_samples])
    if n < n_samples:
        assert (fixed[-1] > 0) == (side == "left")


def test_recording_names(tmp_path):
    assert recording_name(tmp_path / "a.wav", 3) == str(tmp_path / "a.wav")
    assert recording_name(np.zeros(3), 3) == "X[3]"
    assert recording_name((np.zeros(3), 16000), 0) == "X[0]"
    path = write(tmp_path / "b.wav", np.zeros(9), 16000)
    with open(path, "rb") as file:
        assert recording_name(file, 0) == str(path)


class CountingFile(io.FileIO):
    """A file that knows how much of it was read."""

    n_read = 0

    def read(self, size=-1):
        content = super().read(size)
        self.n_read += len(content)
        return content

    def readinto(self, buffer):
        size = super().readinto(buffer)
        self.n_read += size
        return size


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_no_more_of_a_long_recording_is_read_than_is_used(tmp_path, subtype):
    path = write(tmp_path / "long.wav", np.full(16000, 0.5), 16000, subtype=subtype)
    make_hours_long(path)
    assert soundfile.info(path).duration > 3600
    with CountingFile(path) as file:
        samples = load_audio(file, duration=2.0)
        n_read = file.n_read
        file.n_read = 0
        features = SpeechFeatureExtractor(duration=2.0).transform([file])
        assert file.n_read == n_read
    used = 2 * 16000 * (2 if subtype == "PCM_16" else 4)
    assert used <= n_read < used + 100_000
    assert samples.shape == (32000,)
    np.testing.assert_array_equal(
        features, SpeechFeatureExtractor(duration=2.0).transform([path])
    )


def make_hours_long(path):
    """Claim hours in the header, and let the disk keep a hole for them."""
    header = bytearray(path.read_bytes())
    n_bytes = 3 * 3600 * 16000 * soundfile.info(path).channels * 2
    start = header.index(b"data") + 8
    header[4:8] = (start - 8 + n_bytes).to_bytes(4, "little")
    header[start - 4 : start] = n_bytes.to_bytes(4, "little")
    path.write_bytes(header)
    os.truncate(path, start + n_bytes)


def test_file_objects_are_put_back_to_where_they_were(tmp_path):
    path = write(tmp_path / "a.wav", 0.1 * RNG.normal(size=4000), 16000)
    with open(path, "rb") as file:
        file.seek(17)
        check_audio(file)
        load_audio(file)
        assert file.tell() == 17
    broken = io.BytesIO(b"no audio at all")
    broken.seek(3)
    with pytest.raises(ValueError, match="it is text"):
        load_audio(broken)
    assert broken.tell() == 3


def test_threads_that_read_one_file_object_do_not_disturb_each_other():
    file = io.BytesIO()
    soundfile.write(file, 0.1 * RNG.normal(size=160000), 16000, format="FLAC")
    expected = load_audio(file)
    with ThreadPoolExecutor(4) as threads:
        for loaded in threads.map(lambda _: load_audio(file), range(40)):
            np.testing.assert_array_equal(loaded, expected)


class Pipe(io.RawIOBase):
    """What can be read once, as from a socket."""

    def __init__(self, content):
        self.rest = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.rest.readinto(buffer)


def test_what_cannot_be_rewound_is_read_once(tmp_path):
    path = write(tmp_path / "a.wav", 0.1 * RNG.normal(size=4000), 16000)
    pipe = Pipe(path.read_bytes())
    check_audio(pipe)
    np.testing.assert_array_equal(load_audio(pipe), load_audio(path))
    with pytest.raises(ValueError, match=r"nothing is left.*read but once"):
        load_audio(pipe)


def in_text_mode(path):
    return open(path, encoding="latin-1")


def for_writing(path):
    return open(path, "ab")


def closed(path):
    file = open(path, "rb")  # noqa: SIM115 - closed at the end of the test
    file.close()
    return file


@pytest.mark.parametrize(
    ("open_it", "message"),
    [
        (in_text_mode, "gives str and not bytes; open it with mode 'rb'"),
        (lambda path: io.StringIO("RIFF"), "gives str and not bytes"),
        (lambda path: codecs.getreader("latin-1")(path.open("rb")), "gives str and"),
        (lambda path: soundfile.SoundFile(path), "gives ndarray and not bytes"),
        (for_writing, "it cannot be read .*open it with mode 'rb'"),
        (closed, "closed file; open it again, or pass its path"),
    ],
    ids=["text", "StringIO", "codecs", "SoundFile", "for writing", "closed"],
)
def test_file_objects_that_give_no_bytes_say_so(tmp_path, open_it, message):
    path = write(tmp_path / "a.wav", np.zeros(100), 16000)
    file = open_it(path)
    try:
        for look in (check_audio, load_audio):
            with pytest.raises(ValueError, match=message):
                look(file)
        with pytest.raises(AudioError, match=message):
            SpeechFeatureExtractor().transform([file])
    finally:
        file.close()


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array(["a.wav"], dtype="S"), r"holds bytes; pass X.astype\(str\)"),
        ({"a.wav"}, "a set, which has no order"),
        (frozenset(["a.wav"]), "a set, which has no order"),
        ({"a": "a.wav"}, r"pass list\(X.values\(\)\)"),
        (np.array("a.wav"), r"no dimension; pass the list \[X.item\(\)\]"),
        (np.array(0.5), r"pass the list \[signal\]"),
        (np.array([["a.wav"], ["b.wav"]]), r"shape \(2, 1\); pass the column"),
        (np.array([["a.wav"], ["b.wav"]], dtype=object), "pass the column"),
        ([0.1, 0.2], r"single signal pass the list \[signal\]"),
        (np.zeros(3), r"single signal pass the list \[signal\]"),
        (pd.Series([0.1, 0.2]), r"single signal pass the list \[signal\]"),
        ((np.zeros(3), 16000), r"pass the list \[\(signal, sampling_rate\)\]"),
        (b"a.wav", r"is bytes; pass the list \[path\]"),
        (io.BytesIO(), r"pass the list \[file\]"),
        (io.StringIO(), r"pass the list \[file\]"),
        (len, r"pass the list \[function\]"),
        (np.str_("a.wav"), r"pass the list \['a.wav'\]"),
        (pd.DataFrame({"file": ["a.wav"]}), "Got the columns file: .*pass the column"),
        (None, "got None"),
        (5, "got int"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_sequence_of_recordings_says_so(X, message):
    extractor = SpeechFeatureExtractor()
    for call in (
        extractor.fit,
        extractor.transform,
        lambda X: SpeechAugmenter().fit_resample(X, [0]),
    ):
        with pytest.raises(TypeError, match=message):
            call(X)


@pytest.mark.parametrize(
    "iterate", [iter, lambda X: map(np.copy, X), lambda X: (signal for signal in X)]
)
def test_iterators_are_read_once_and_never_by_fit(iterate):
    signals = [np.ones(100), np.zeros(100)]
    extractor = SpeechFeatureExtractor(duration=0.3)
    iterator = iterate(signals)
    for fit in (extractor.fit, extractor.fit_transform, SpeechAugmenter().fit):
        with pytest.raises(TypeError, match=r"is an iterator .*pass list\(X\)"):
            fit(iterator)
    features = extractor.transform(iterator)
    np.testing.assert_array_equal(features, extractor.transform(signals))
    with pytest.raises(ValueError, match="empty once it has been read: pass a list"):
        extractor.transform(iterator)


@pytest.mark.parametrize(
    "kind",
    [
        tuple,
        np.array,
        lambda paths: np.array(paths, dtype=object),
        pd.Series,
        pd.Index,
        lambda paths: pd.Series(paths, dtype="string"),
        lambda paths: pd.Series(paths, dtype="string").values,
        lambda paths: [np.str_(path) for path in paths],
        lambda paths: dict.fromkeys(paths).keys(),
        deque,
    ],
)
def test_every_sequence_of_paths_is_taken(kind):
    assert check_recordings(kind(["a.wav", "b.wav"])) == ["a.wav", "b.wav"]


def test_arrays_of_arrow_are_taken():
    arrow = pytest.importorskip("pyarrow")
    paths = check_recordings(arrow.array(["a.wav", "b.wav"]))
    assert [type(path) for path in paths] == [str, str]


def test_bytes_are_no_path_but_a_path_may_be_spelt_in_bytes(tmp_path):
    path = os.fsencode(write(tmp_path / "a.wav", np.zeros(100), 16000))
    with pytest.raises(ValueError, match=r"decode a path by os\.fsdecode"):
        load_audio(path)
    (entry,) = os.scandir(os.fsencode(tmp_path))
    assert load_audio(entry).size == 100
    assert recording_name(entry, 0) == os.fsdecode(path)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_paths_are_named(missing):
    with pytest.raises(AudioError, match=rf"X\[1\]: .*got {missing!r}"):
        SpeechFeatureExtractor().transform([np.zeros(100), missing])
