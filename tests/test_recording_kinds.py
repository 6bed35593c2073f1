"""What a recording can be besides a file and a signal, and what holds many of them."""

import datetime
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from joblib import parallel_config
from sklearn.neighbors import KNeighborsClassifier

from skemotion import (
    AudioError,
    EmotionPipeline,
    SequenceFunctionals,
    SpeechAugmenter,
    SpeechFeatureExtractor,
)
from skemotion.audio import (
    check_audio,
    check_recordings,
    count_samples,
    iter_blocks,
    load_audio,
    recording_name,
)
from skemotion.audio._windowing import iter_windows
from skemotion.datasets import make_emotional_speech
from skemotion.exceptions import TruncationWarning

RATE = 16000
RNG = np.random.default_rng(0)


def smooth_noise(n_samples, n_channels=1):
    noise = RNG.normal(size=(n_samples + 7, n_channels)) / 8
    return np.stack([noise[i : i + n_samples] for i in range(8)]).mean(axis=0)


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    return make_emotional_speech(n_speakers=2, n_texts=2, folder=folder, random_state=0)


def segmented(rows):
    """Make an index as audformat does."""
    files, starts, ends = zip(*rows, strict=True)
    times = [pd.to_timedelta(list(column), unit="s") for column in (starts, ends)]
    return pd.MultiIndex.from_arrays(
        [list(files), *times], names=["file", "start", "end"]
    )


FORMATS = [
    ("wav", "PCM_16", 0),
    ("wav", "GSM610", 0),
    ("wav", "IMA_ADPCM", 0),
    ("flac", "PCM_24", 0),
    ("aiff", "FLOAT", 0),
    ("ogg", "VORBIS", 1e-6),
    ("ogg", "OPUS", 1e-3),
    ("mp3", "MPEG_LAYER_III", 1e-6),
]


@pytest.mark.parametrize(("suffix", "subtype", "tolerance"), FORMATS)
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("as_file", [False, True])
def test_segments_are_slices_of_the_whole(
    tmp_path, suffix, subtype, tolerance, n_channels, as_file
):
    if subtype == "GSM610" and n_channels == 2:
        pytest.skip("the format has one channel")
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, smooth_noise(5 * RATE, n_channels), RATE, subtype=subtype)
    whole = load_audio(path)
    recording = io.BytesIO(path.read_bytes()) if as_file else path
    for start, end in [(0, 0.5), (0.29, 1.0001), (2.5, 4.25), (4, None), (4.9, 77)]:
        first = count_samples(start, RATE)
        expected = whole[first : None if end is None else count_samples(end, RATE)]
        part = load_audio((recording, start, end))
        np.testing.assert_allclose(part, expected, rtol=0, atol=tolerance)
        blocks = [block for block, _ in iter_blocks((recording, start, end), 5000)]
        assert {len(block) for block in blocks[:-1]} <= {5000}
        np.testing.assert_array_equal(np.concatenate(blocks), part)
        short = load_audio((recording, start, end), duration=0.1)
        np.testing.assert_array_equal(short, part[: len(short)])


def test_only_the_segment_is_decoded(tmp_path):
    """What lies before it and behind it is no audio at all."""
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(3 * RATE, 0.5), RATE, subtype="FLOAT")
    content = bytearray(path.read_bytes())
    data = len(content) - 3 * RATE * 4
    for second in (0, 2):
        start = data + second * RATE * 4
        content[start : start + RATE * 4] = b"\xff" * RATE * 4  # NaN
    path.write_bytes(content)
    with pytest.raises(ValueError, match="NaN"):
        load_audio(path)
    np.testing.assert_array_equal(load_audio((path, 1, 2)), np.full(RATE, 0.5))


@pytest.mark.parametrize(
    "kind",
    [
        float,
        np.float32,
        lambda s: datetime.timedelta(seconds=s),
        lambda s: pd.Timedelta(s, unit="s"),
        lambda s: np.timedelta64(int(s * 1e9), "ns"),
    ],
)
def test_times_of_every_kind(kind):
    signal = smooth_noise(RATE)[:, 0]
    part = load_audio(((signal, RATE), kind(0.25), kind(0.5)))
    np.testing.assert_array_equal(part, np.float32(signal[4000:8000]))


@pytest.mark.parametrize("end", [None, pd.NaT, np.nan, np.timedelta64("NaT", "ns")])
def test_without_an_end_a_segment_goes_to_the_end(end):
    signal = smooth_noise(RATE)[:, 0]
    part = load_audio(((signal, RATE), 0.25, end))
    np.testing.assert_array_equal(part, np.float32(signal[4000:]))


def test_segments_have_the_name_of_path_and_times():
    assert recording_name(("a.wav", 0.5, 2), 0) == "a.wav (0.5 s to 2 s)"
    assert recording_name(("a.wav", 1.25, None), 0) == "a.wav (from 1.25 s)"
    assert recording_name(("a.wav", 0, pd.NaT), 0) == "a.wav"
    assert recording_name((np.zeros(9), 1.0, 2.0), 3) == "X[3] (1 s to 2 s)"


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        (("a.wav", 2.0, 1.0), "segment from 2.0 to 1.0 holds no time"),
        (("a.wav", 1.0, 1.0), "holds no time"),
        (("a.wav", -1.0, 1.0), "start must be 0 or more"),
        (("gone.wav", 0.0, 1.0), "no such file"),
        ((np.zeros(9), 0.0, 1.0), "a segment .* is one of .* got ndarray"),
        ((len, 0.0, 1.0), "got builtin_function"),
        (("a.wav", "b.wav", "c.wav"), "a recording is a path"),
        (np.zeros((9, 2)), r"of shape \(9, 2\); .* pass one, such as signal\[:, 0\]"),
        ((np.zeros((2, 9)), 16000), r"of shape \(2, 9\); .* such as signal\[0\]"),
    ],
)
def test_segments_that_cannot_be_are_seen_without_decoding(recording, message):
    for look in (check_audio, load_audio):
        with pytest.raises(ValueError, match=message):
            look(recording)


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg"])
def test_segments_behind_the_end_say_so(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, smooth_noise(RATE), RATE)
    with pytest.raises(ValueError, match=r"ends before 2\.5 s|no samples"):
        load_audio((path, 2.5, 3))


def test_transformers_take_segments(speech):
    path, other = speech.paths[:2]
    whole = load_audio(path)
    index = segmented([(path, 0.2, 0.9), (other, 0, np.nan), (path, 0.9, np.nan)])
    extractor = SpeechFeatureExtractor(duration=0.4)
    signals = [whole[3200:14400], load_audio(other), whole[14400:]]
    with pytest.warns(TruncationWarning):
        expected = extractor.fit_transform(signals)
    with pytest.warns(TruncationWarning) as caught:
        found = extractor.fit_transform(index)
    np.testing.assert_array_equal(found, expected)
    assert f"{path} (from 0.9 s)" in str(caught[0].message)
    frame = pd.DataFrame({"emotion": ["a", "b", "c"]}, index=index)
    for X in (list(index), np.asarray(index), frame):
        with pytest.warns(TruncationWarning):
            again = extractor.transform(X)
        np.testing.assert_array_equal(again, found)


def test_errors_name_the_segment(speech):
    index = segmented([(speech.paths[0], 0.2, 0.9), (speech.paths[0], 50, 51)])
    with pytest.raises(AudioError) as caught:
        SpeechFeatureExtractor().transform(index)
    ((name, _),) = caught.value.failures
    assert name == f"{speech.paths[0]} (50 s to 51 s)"


def test_caches_tell_segments_apart(speech, tmp_path):
    path = speech.paths[0]
    extractor = SpeechFeatureExtractor(duration=0.5, memory=tmp_path)
    X = [(path, 0.0, 0.4), (path, 0.4, 0.8), (path, 0.0, 0.4)]
    first = extractor.transform(X)
    assert not np.array_equal(first[0], first[1])
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(extractor.transform(X[::-1]), first[::-1])


def test_windows_are_of_the_segment(speech):
    path = speech.paths[0]
    whole = load_audio(path)
    options = {"sampling_rate": RATE, "duration": 0.3, "hop_duration": 0.2}
    windows = list(iter_windows((path, 0.25, 1.1), **options))
    expected = list(iter_windows((whole[4000:17600], RATE), **options))
    assert len(windows) == len(expected) == 4
    for (found, _), (wanted, _) in zip(windows, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_copies_are_of_the_segment(speech):
    path = speech.paths[0]
    augmenter = SpeechAugmenter(1, effects=("noise",), random_state=0)
    X, _ = augmenter.fit_resample([(path, 0.2, 0.6), (path, 0.6, 1.0)], [0, 1])
    for copy, start in zip(X[2:], (0.2, 0.6), strict=True):
        heard, rate = copy(sampling_rate=RATE, duration=None)
        clean = load_audio((path, start, start + 0.4), sampling_rate=rate)
        assert np.corrcoef(heard, clean)[0, 1] > 0.7
    assert X[2].name == f"{path} (0.2 s to 0.6 s)"


class Pipe(io.BytesIO):
    """What can be read once."""

    def seekable(self):
        return False


@pytest.mark.parametrize("kind", [io.BytesIO, Pipe])
def test_copies_are_of_segments_of_file_objects(speech, kind):
    content = Path(speech.paths[0]).read_bytes()
    augmenter = SpeechAugmenter(1, effects=("noise",), random_state=0)
    X, y = [(speech.paths[0], 0.2, 0.6)] * 2, [0, 1]
    expected = SpeechFeatureExtractor().transform(augmenter.fit_resample(X, y)[0])
    X = [(kind(content), 0.2, 0.6), (kind(content), 0.2, 0.6)]
    found = SpeechFeatureExtractor().transform(augmenter.fit_resample(X, y)[0])
    np.testing.assert_array_equal(found, expected)


def test_workers_are_given_segments_of_file_objects(speech):
    content = Path(speech.paths[0]).read_bytes()
    X = [(io.BytesIO(content), 0.2, 0.6), Decoder(speech.paths[0])]
    expected = SpeechFeatureExtractor().transform(X)
    with parallel_config(backend="loky"):
        found = SpeechFeatureExtractor(n_jobs=2).transform(X)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    "entry",
    [
        lambda path: {"array": load_audio(path), "sampling_rate": RATE, "path": None},
        lambda path: {"array": load_audio(path).tolist(), "sampling_rate": RATE},
        lambda path: {"array": None, "bytes": Path(path).read_bytes(), "path": "x.wav"},
        lambda path: {"bytes": Path(path).read_bytes(), "path": None},
        lambda path: {"bytes": None, "path": path},
        lambda path: {"path": path, "transcription": "…"},
        lambda path: Decoder(path),
    ],
)
def test_dicts_of_hugging_face(speech, entry, tmp_path):
    path = speech.paths[0]
    expected = load_audio(path)
    recording = entry(path)
    check_audio(recording)
    np.testing.assert_array_equal(load_audio(recording), expected)
    np.testing.assert_array_equal(next(iter_blocks(recording, 10**6))[0], expected)
    extractor = SpeechFeatureExtractor(memory=tmp_path)
    np.testing.assert_array_equal(
        extractor.transform([recording]), extractor.transform([path])
    )
    np.testing.assert_array_equal(
        load_audio((recording, 0.1, 0.2)), expected[1600:3200]
    )


class Decoder:
    """What newer versions of datasets give, by torchcodec."""

    def __init__(self, path):
        self._path = path

    def get_all_samples(self):
        return Samples(load_audio(self._path)[np.newaxis], RATE)


class Samples:
    def __init__(self, data, sample_rate):
        self.data, self.sample_rate = data, sample_rate


def test_channels_of_arrays_are_averaged_as_those_of_files(tmp_path):
    stereo = (smooth_noise(RATE, 2) * 2**15).astype(np.int16)
    path = tmp_path / "a.wav"
    soundfile.write(path, stereo, RATE)
    recording = {"array": stereo.T, "sampling_rate": RATE}
    np.testing.assert_array_equal(load_audio(recording), load_audio(path))
    with pytest.raises(ValueError, match=r"shape \(16000, 2\), and not \(n_channels"):
        check_audio({**recording, "array": stereo})


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        ({"bytes": None, "path": None}, "got bytes, path"),
        ({"audio": {"path": "a.wav"}, "label": 1}, "got audio, label"),
        ({"array": [0.0, 0.1]}, "no sampling_rate"),
        ({"array": [0.0], "sampling_rate": 0}, "positive number"),
        ({"bytes": b"no audio", "path": "a.wav"}, "it is text"),
        ({"bytes": None, "path": "gone.wav"}, "no such file"),
    ],
)
def test_dicts_that_hold_no_recording_say_so(recording, message):
    for look in (check_audio, load_audio):
        with pytest.raises(ValueError, match=message):
            look(recording)
    with pytest.raises(AudioError, match=message):
        SpeechFeatureExtractor().transform([recording])


def test_dicts_have_the_name_of_their_path():
    assert recording_name({"bytes": b"", "path": "a.wav"}, 0) == "a.wav"
    assert recording_name({"bytes": None, "path": Path("a.wav")}, 0) == "a.wav"
    assert recording_name({"array": [0.0], "sampling_rate": 1}, 2) == "X[2]"


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
def test_data_frames_hold_recordings_in_a_column(speech):
    paths = speech.paths[[2, 0, 1]]
    frame = pd.DataFrame({"label": list("abc"), "path": paths}, index=[7, 3, 5])
    extractor = SpeechFeatureExtractor(duration=0.5)
    found = extractor.fit(frame).transform(frame)
    np.testing.assert_array_equal(found, extractor.transform(paths))


def test_arrow_tables_hold_recordings_in_a_column():
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"path": ["a.wav", "b.wav"], "label": ["x", "y"]})
    assert check_recordings(table) == ["a.wav", "b.wav"]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"file": ["a"], "emotion": ["b"]}), "Got the columns file, emo"),
        (pd.DataFrame({}), r"Got the columns \(none\)"),
        (
            pd.DataFrame({"path": ["a"]}, index=pd.Index(["b"], name="file")),
            "in its column path and in its index",
        ),
        (pd.MultiIndex.from_tuples([("a", 1)], names=["x", "y"]), "got x, y"),
        (("a.wav", 0.0, 1.0), r"pass the list \[\(recording, start, end\)\]"),
        ({"array": [0.0], "sampling_rate": 1}, r"pass the list \[dict\]"),
        ({"bytes": b"", "path": None}, r"pass the list \[dict\]"),
    ],
)
def test_what_holds_no_recordings_says_what_was_meant(X, message):
    with pytest.raises(TypeError, match=message):
        check_recordings(X)


def test_three_paths_are_no_segment():
    paths = ("a.wav", "b.wav", "c.wav")
    assert check_recordings(paths) == list(paths)


@pytest.mark.filterwarnings("ignore::skemotion.exceptions.TruncationWarning")
def test_pipelines_take_frames_and_segments(speech):
    steps = [
        ("extract", SpeechFeatureExtractor(duration=0.5)),
        ("pool", SequenceFunctionals()),
        ("classify", KNeighborsClassifier(3)),
    ]
    y = speech.target
    frame = pd.DataFrame({"path": speech.paths})
    index = segmented([(path, 0.1, 0.6) for path in speech.paths])
    signals = [load_audio(path)[1600:9600] for path in speech.paths]
    pipeline = EmotionPipeline(steps, hop_duration=0.25)
    by_path = pipeline.fit(list(speech.paths), y).predict_proba(speech.paths)
    by_frame = pipeline.fit(frame, y).predict_proba(frame)
    np.testing.assert_array_equal(by_frame, by_path)
    by_signal = pipeline.fit(signals, y).predict_proba(signals)
    by_index = pipeline.fit(index, y).predict_proba(index)
    np.testing.assert_array_equal(by_index, by_signal)


@pytest.mark.parametrize(
    ("duration", "rate", "expected"),
    [(0.29, 100, 29), (4.35, 100, 435), (0.5, 3, 1), (1 / 3, 16000, 5333), (0, 9, 0)],
)
def test_binary_fractions_cost_no_sample(duration, rate, expected):
    assert count_samples(duration, rate) == expected
    assert len(load_audio((np.ones(500), rate), sampling_rate=rate)) == 500
    if expected:
        loaded = load_audio(
            (np.ones(9000), rate), sampling_rate=rate, duration=duration
        )
        assert len(loaded) == expected


def test_durations_that_binary_fractions_miss_are_whole_windows(tmp_path):
    signal = np.ones(1000)
    options = {"sampling_rate": 100, "duration": 0.29, "hop_duration": 0.29}
    assert [len(w) for w, _ in iter_windows(signal, **options)][:-1] == [29] * 34
    assert SpeechFeatureExtractor(duration=0.57, sampling_rate=10000)._n_samples == 5700


def write_vbr_without_length(path):
    """Join MPEG audio of low and of high bit rate, without the frame that tells."""
    signal = smooth_noise(8 * 1152)[:, 0]
    parts = []
    for loudness in (1e-4, 1.0):
        encoded = io.BytesIO()
        soundfile.write(
            encoded,
            loudness * signal,
            32000,
            format="MP3",
            bitrate_mode="VARIABLE",
            compression_level=0.2,
        )
        parts.append(without_first_frame(encoded.getvalue()))
    path.write_bytes(b"".join(parts))
    return parts


def without_first_frame(content):
    """Cut the frame that holds no sound but the number of frames."""
    assert content[:2] == b"\xff\xfb"
    assert b"Xing" in content[:200] or b"Info" in content[:200]
    second = content.index(b"\xff\xfb", 2)
    return content[second:]


def test_all_of_an_mp3_is_read_whose_length_would_be_guessed(tmp_path):
    pytest.importorskip("soundfile", minversion="0.13")  # writes a variable rate
    path = tmp_path / "a.mp3"
    parts = write_vbr_without_length(path)
    assert len(parts[1]) > 2 * len(parts[0])
    n_frames = sum(len(load_audio(io.BytesIO(part))) for part in parts)
    with soundfile.SoundFile(path) as guessed:
        guessed.seekable = lambda: False
        n_guessed = len(guessed.read(10**6))
    found = load_audio(path, sampling_rate=32000)
    assert n_guessed / 32000 != len(found) / 32000
    assert abs(len(found) - 2 * n_frames) <= 2 * 1152
    with path.open("rb") as file:
        np.testing.assert_array_equal(load_audio(file, sampling_rate=32000), found)
        assert file.tell() == 0
    part = load_audio((path, 0.1, 0.4), sampling_rate=32000)
    np.testing.assert_allclose(part, found[3200:12800], rtol=0, atol=1e-6)


@pytest.mark.parametrize("rate", [2_130_714_432, 3])
def test_rates_that_no_recording_has_are_refused_before_any_work(tmp_path, rate):
    path, fine = tmp_path / "a.wav", tmp_path / "b.wav"
    for name in (path, fine):
        soundfile.write(name, smooth_noise(RATE), RATE, subtype="GSM610")
    content = bytearray(path.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"claims a sampling rate of {rate} Hz"):
        check_audio(path)
    with pytest.raises(AudioError, match="1 recording cannot be read") as caught:
        SpeechFeatureExtractor().transform([fine, path])
    assert caught.value.failures[0][0] == str(path)


def test_no_more_memory_is_taken_than_there_are_samples(tmp_path):
    """Whatever the header promises."""
    path = tmp_path / "a.au"
    soundfile.write(path, smooth_noise(RATE), RATE, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[8:12] = (2**31 - 100).to_bytes(4, "big")
    path.write_bytes(content)
    assert len(load_audio(path, duration=1e9)) == RATE
    assert len(load_audio(path)) == RATE


def test_files_of_many_channels_are_read_in_whole_blocks(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, smooth_noise(2**15, 32), RATE)
    lengths = [len(block) for block, _ in iter_blocks(path, 2**14)]
    assert lengths == [2**14, 2**14]


def test_pandas_is_not_imported(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, smooth_noise(RATE), RATE)
    code = (
        "import sys\nfrom skemotion.audio import check_recordings, load_audio\n"
        f"X = check_recordings([({str(path)!r}, 0, None), {{'path': {str(path)!r}}}])\n"
        "for each in X: load_audio(each)\nassert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
