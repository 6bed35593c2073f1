"""Every kind of audio: read as it is, said to be odd, or refused by name."""

import io
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from joblib import parallel_config
from sklearn.dummy import DummyClassifier

from skemotion import (
    AttentionBLSTMClassifier,
    AudioError,
    EmotionPipeline,
    SequenceFunctionals,
    SequenceScaler,
    SpeechEncoder,
    SpeechFeatureExtractor,
    emotion_timeline,
    speech_mask,
)
from skemotion.audio import check_audio, load_audio
from skemotion.exceptions import (
    AudioWarning,
    CancellationWarning,
    IncompleteAudioWarning,
    SilentBeginningWarning,
    TruncationWarning,
)

RATE = 16000
POSIX = os.name == "posix"


def smooth_noise(n_samples, seed=0):
    """Low frequencies alone, which every codec keeps."""
    noise = np.random.default_rng(seed).normal(size=n_samples + 31) / 2
    return np.convolve(noise, np.ones(32) / 32, "valid")


NOISE = smooth_noise(2 * RATE)


def encode(signal=NOISE, rate=RATE, **how):
    file = io.BytesIO()
    soundfile.write(file, signal, rate, **how)
    return file.getvalue()


def extract(recordings, **parameters):
    return SpeechFeatureExtractor(duration=1.0, **parameters).transform(recordings)


def names(caught, kind):
    """The names in the one warning of a kind; None if there is none."""
    found = [each.message.names for each in caught if each.category is kind]
    assert len(found) <= 1
    return found[0] if found else None


# Formats, word lengths, channels and rates

# What a sample may be off by, at 1 of full scale, by the word length of a codec.
TOLERANCES = {
    **{"PCM_S8": 2**-7, "PCM_U8": 2**-7, "DPCM_8": 2**-6, "PCM_16": 2**-15},
    **{"DPCM_16": 2**-14, "DWVW_16": 2**-15, "ALAC_16": 2**-15, "DWVW_12": 2**-11},
    **{"ULAW": 2**-5, "ALAW": 2**-5},
}
LOSSY = {"VORBIS", "OPUS", "MPEG_LAYER_III", "GSM610", "IMA_ADPCM", "MS_ADPCM"} | {
    *(f"G72{each}" for each in ("1_32", "3_24", "3_40")),
    *(f"NMS_ADPCM_{each}" for each in (16, 24, 32)),
}
# RAW has no header; libsndfile writes DWVW_12, but reads none of it; and PVF, of which
# it says that it is of 8 bits, it reads as if it were not.
FORMATS = [
    (kind, subtype)
    for kind in soundfile.available_formats()
    for subtype in soundfile.available_subtypes(kind)
    if kind != "RAW" and subtype not in ("DWVW_12", "MPEG_LAYER_I", "MPEG_LAYER_II")
    if (kind, subtype) != ("WAV", "MPEG_LAYER_III")
]


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
def test_formats(tmp_path, kind, subtype):
    path = tmp_path / f"a.{kind.lower()}"
    rate = 8000 if kind == "WVE" else RATE
    soundfile.write(path, NOISE, rate, format=kind, subtype=subtype)
    check_audio(path)
    rate = soundfile.info(path).samplerate  # some have but a few rates
    found = load_audio(path, sampling_rate=rate)
    assert found.dtype == np.float32
    assert len(NOISE) <= len(found) <= len(NOISE) + 640  # what fills up the last block
    found = found[: len(NOISE) - 40 if kind == "SDS" else None][: len(NOISE)]
    if subtype in LOSSY:
        delays = range(400) if subtype.startswith("NMS") else [0]
        likeness = [
            np.corrcoef(found[d:], NOISE[: len(NOISE) - d])[0, 1] for d in delays
        ]
        assert max(likeness) > 0.9
    else:
        tolerance = TOLERANCES.get(subtype, 2**-19)
        np.testing.assert_allclose(found, NOISE[: len(found)], rtol=0, atol=tolerance)


def test_raw_samples_are_no_recording(tmp_path):
    path = tmp_path / "a.raw"
    soundfile.write(path, NOISE, RATE, format="RAW", subtype="PCM_16")
    with pytest.raises(AudioError, match=r"a\.raw: "):
        extract([path])


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "AIFF", "CAF", "W64"])
@pytest.mark.parametrize("n_channels", [1, 2, 3, 6])
def test_channels_are_averaged(kind, n_channels):
    channels = np.stack(
        [smooth_noise(RATE, seed) for seed in range(n_channels)], axis=1
    )
    found = load_audio(io.BytesIO(encode(channels, format=kind)))
    expected = channels.mean(axis=1)
    assert np.corrcoef(found, expected)[0, 1] > 0.98
    if kind != "OGG":
        np.testing.assert_allclose(found, expected, rtol=0, atol=2**-15)


@pytest.mark.parametrize(
    "rate", [4000, 6000, 8000, 11025, 12000, 22050, 32000, 44100, 48000, 96000, 192000]
)
def test_rates(rate):
    seconds = np.arange(rate) / rate
    tone = np.sin(2 * np.pi * 440 * seconds) / 2
    found = load_audio(io.BytesIO(encode(tone, rate, format="WAV", subtype="FLOAT")))
    assert found.shape == (RATE,)
    expected = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) / 2
    np.testing.assert_allclose(found[500:-500], expected[500:-500], atol=2e-4)
    assert np.isfinite(extract([(tone, rate)])).all()


IMPOSSIBLE = {
    **{"10**15": 1e15, "inf": float("inf"), "10**400": 10**400, "10**5000": 10**5000},
    **{"10**7 + 1": 10_000_001, "tiny": 1e-300, "half": 0.5},
}
NO_RATES = {
    **{"0": 0, "-1": -1, "NaN": float("nan"), "-(10**5000)": -(10**5000)},
    **{"text": "16k", "None": None, "complex": 1j},
}


@pytest.mark.parametrize("rate", IMPOSSIBLE)
def test_rates_that_nobody_has(rate):
    rate = IMPOSSIBLE[rate]
    recordings = [np.ones(100), (np.ones(100), rate), ((np.ones(100), rate), 0, 1)]
    with pytest.raises(AudioError, match="must be from 1 to 10000000 Hz") as caught:
        extract(recordings)
    assert [name[:4] for name, _ in caught.value.failures] == ["X[1]", "X[2]"]

    def function(sampling_rate, duration):
        return np.ones(100), rate

    with pytest.raises(AudioError, match="must be from 1 to 10000000 Hz"):
        extract([function])


@pytest.mark.parametrize("rate", NO_RATES)
def test_rates_that_are_none(rate):
    with pytest.raises(AudioError, match="must be a positive number"):
        extract([(np.ones(100), NO_RATES[rate])])


# Contents


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ([], "no samples"),
        ([0.1, np.nan], "NaN or infinite"),
        ([0.1, np.inf], "NaN or infinite"),
        ([1e300, 0.1], "NaN or infinite"),
    ],
)
@pytest.mark.parametrize("n_channels", [1, 2])
def test_samples_that_are_none(tmp_path, signal, message, n_channels):
    path = tmp_path / "a.wav"
    channels = np.repeat(np.array(signal)[:, np.newaxis], n_channels, axis=1)
    soundfile.write(path, channels, RATE, subtype="DOUBLE")
    recordings = [NOISE, path, {"array": channels.T, "sampling_rate": RATE}]
    if not signal:
        del recordings[2:]
    with pytest.raises(AudioError, match=message) as caught:
        extract(recordings)
    assert len(caught.value.failures) == len(recordings) - 1


@pytest.mark.parametrize("n_samples", [1, 2, 3, 100])
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_few_samples(tmp_path, n_samples, value):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(n_samples, value), RATE, subtype="FLOAT")
    np.testing.assert_array_equal(load_audio(path), np.full(n_samples, value, "f"))
    for descriptors in ("post", "extended"):
        assert np.isfinite(extract([path], descriptors=descriptors)).all()


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF"])
def test_headers_without_samples(kind):
    content = encode(np.zeros(0), format=kind)
    for cut in (content, content[: len(content) // 2], content[:20]):
        with pytest.raises(AudioError, match=r"^1 recording cannot be read:\n  X\[0\]"):
            extract([io.BytesIO(cut)])


def failures_of(call, recordings):
    """What is refused of recordings; nothing else may be raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        try:
            assert np.isfinite(call(recordings)).all()
        except AudioError as error:
            return dict(error.failures)
    return {}


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "AIFF", "AU", "RF64", "W64"])
def test_noise_and_zeros_behind_a_header(kind):
    """Whatever it is taken for, it is read or refused."""
    head = encode(NOISE[:100], format=kind)[:40]
    rng = np.random.default_rng(0)
    for rest in (bytes(5000), rng.bytes(5000), b"\xff" * 5000):
        assert failures_of(extract, [io.BytesIO(head + rest)]).keys() <= {"X[0]"}


# What is cut


def without_length(content):
    """MP3 without the frame that tells how long it is."""
    return content[content.index(content[:3], 3) :]


CUT = {
    **{kind: encode(format=kind) for kind in ("WAV", "AIFF", "AU", "W64", "RF64")},
    **{kind: encode(format=kind) for kind in ("WAVEX", "SVX", "NIST", "AVR", "VOC")},
    **{kind: encode(format=kind) for kind in ("FLAC", "MP3", "MAT4", "MAT5")},
    "OGG": encode(np.resize(NOISE, 10 * RATE), format="OGG"),
    "Opus": encode(np.resize(NOISE, 10 * RATE), format="OGG", subtype="OPUS"),
    **{"MPC2K": encode(format="MPC2K"), "WVE": encode(rate=8000, format="WVE")},
    "ADPCM": encode(format="WAV", subtype="MS_ADPCM"),
    "GSM": encode(format="WAV", subtype="GSM610"),
    "AIFF-C": encode(format="AIFF", subtype="FLOAT"),
    "MP3 without length": without_length(encode(format="MP3")),
    "MP3 with a tag": b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + encode(format="MP3"),
    "stereo": encode(np.stack([NOISE, NOISE / 2], axis=1), format="FLAC"),
}


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("part", [1 / 2, 2 / 3, 0.93])
def test_cut_recordings_are_named_and_used(tmp_path, kind, part):
    rate = 8000 if kind == "WVE" else RATE
    whole = load_audio(io.BytesIO(CUT[kind]), sampling_rate=rate)
    path = tmp_path / "cut"
    path.write_bytes(CUT[kind][: int(part * len(CUT[kind])) + 1])
    for recording in (path, io.BytesIO(path.read_bytes())):
        with pytest.warns(IncompleteAudioWarning, match="1 of 1 recordings holds less"):
            found = load_audio(recording, sampling_rate=rate)
        assert 0 < len(found) < 0.97 * len(whole)
        alike = slice(0, max(len(found) - 2 * 1152, len(found) // 2))
        np.testing.assert_allclose(found[alike], whole[: len(found)][alike], atol=1e-3)


@pytest.mark.parametrize("kind", CUT)
def test_whole_recordings_are_not_named(tmp_path, kind):
    for end in (b"", b"TAG" + bytes(125)) if "MP3" in kind else (b"",):
        load_audio(io.BytesIO(CUT[kind] + end))


@pytest.mark.parametrize("n_samples", [1, 2, 999, 12345, 12346])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_odd_lengths_are_not_taken_for_cuts(n_samples, n_channels):
    signal = np.repeat(smooth_noise(n_samples)[:, np.newaxis], n_channels, axis=1)
    for kind, subtype in FORMATS:
        if kind == "SD2":  # of which a part is a file of its own
            continue
        try:
            content = encode(signal, 8000, format=kind, subtype=subtype)
        except (soundfile.LibsndfileError, ValueError):  # not of so many channels
            continue
        with suppress(ValueError):  # libsndfile does not read all that it writes
            load_audio(io.BytesIO(content))


def test_all_cut_recordings_are_in_one_warning(tmp_path):
    whole, cut, other = (tmp_path / f"{name}.wav" for name in ("whole", "cut", "other"))
    whole.write_bytes(encode(format="WAV")[:])
    cut.write_bytes(encode(format="WAV")[:20_000])
    other.write_bytes(encode(format="FLAC")[:20_000])
    recordings = [str(path) for path in (cut, whole, other)]
    for parameters in ({}, {"n_jobs": 2}, {"memory": tmp_path}, {"memory": tmp_path}):
        with pytest.warns(AudioWarning) as caught:
            extract(recordings, **parameters)
        assert names(caught, IncompleteAudioWarning) == [str(cut), str(other)]
        assert names(caught, TruncationWarning) == [str(whole)]
        assert caught[0].filename == __file__


def test_workers_of_other_processes_tell_what_is_cut(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(encode(format="WAV")[:20_000])
    with (
        parallel_config(backend="loky"),
        pytest.warns(
            IncompleteAudioWarning, match=r"2 of 3 recordings hold less .*a\.wav"
        ),
    ):
        extract([str(path), NOISE[:100], str(path)], n_jobs=2)


@pytest.mark.parametrize("read", [load_audio, lambda path: speech_mask([path])])
def test_whoever_reads_says_what_is_cut(tmp_path, read):
    path = tmp_path / "a.wav"
    path.write_bytes(encode(format="WAV")[:20_000])
    with pytest.warns(IncompleteAudioWarning, match=r"a\.wav") as caught:
        read(str(path))
    assert caught[0].filename == __file__


def test_segments_before_the_cut_are_whole(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(encode(format="WAV")[:20_000])
    load_audio((path, 0.1, 0.3))
    for end in (1.5, None):
        with pytest.warns(IncompleteAudioWarning):
            load_audio((path, 0.1, end))


def test_breaks_amid_a_file_are_errors():
    content = bytearray(encode(smooth_noise(20 * RATE), format="FLAC"))
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    with pytest.raises(AudioError, match="breaks off while decoding"):
        SpeechFeatureExtractor(duration=20).transform([io.BytesIO(content)])


# Headers that were never finished, and ones that promise too much


def patch(content, *patches):
    content = bytearray(content)
    for place, form, value in patches:
        content[place : place + struct.calcsize(form)] = struct.pack(form, value)
    return bytes(content)


WAV, AU, AIFF = (encode(format=kind) for kind in ("WAV", "AU", "AIFF"))
STREAMED = {
    f"{kind}-{told:#x}-{size:#x}": content
    for size in (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0xFFFFFFDB)
    for told in (0, 36, 0xFFFFFFFF, size)
    for kind, content in {
        "WAV": patch(WAV, (4, "<I", told), (40, "<I", size)),
        "AU": patch(AU, (8, ">I", size)),
        "AIFF": patch(
            AIFF,
            (4, ">I", told),
            (AIFF.index(b"SSND") + 4, ">I", size),
            (AIFF.index(b"COMM") + 10, ">I", size),
        ),
    }.items()
}


@pytest.mark.parametrize("kind", STREAMED)
def test_streamed_headers_are_read_to_the_end(tmp_path, kind):
    path = tmp_path / "a"
    path.write_bytes(STREAMED[kind])
    for recording in (path, io.BytesIO(STREAMED[kind])):
        np.testing.assert_allclose(load_audio(recording), NOISE, rtol=0, atol=2**-15)
    part = load_audio((path, 0.5, 1.0))
    np.testing.assert_allclose(part, NOISE[8000:16000], rtol=0, atol=2**-15)


def test_an_empty_chunk_before_others_is_empty():
    content = patch(WAV[:44], (40, "<I", 0)) + b"LIST" + struct.pack("<I", 4) + b"INFO"
    content = patch(content, (4, "<I", len(content) - 8))
    with pytest.raises(ValueError, match="no samples"):
        load_audio(io.BytesIO(content))


def test_streams_of_flac_have_no_length():
    content = bytearray(encode(format="FLAC"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    assert load_audio(io.BytesIO(content)).shape == NOISE.shape


PROMISES = {
    "WAV": patch(WAV, (40, "<I", 1_900_000_000)),
    "WAV of 3 GB": patch(WAV, (4, "<I", 3_000_000_036), (40, "<I", 3_000_000_000)),
    "AU": patch(AU, (8, ">I", 1_900_000_000)),
    "AIFF": patch(
        AIFF,
        (AIFF.index(b"SSND") + 4, ">I", 1_900_000_008),
        (AIFF.index(b"COMM") + 10, ">I", 950_000_000),
    ),
    "FLAC": patch(encode(format="FLAC"), (22, ">I", 0xFFFFFFF0)),
}


@pytest.mark.parametrize("kind", PROMISES)
def test_gigabytes_that_are_not_there_take_no_memory(kind):
    tracemalloc.start()
    with pytest.warns(IncompleteAudioWarning):
        found = load_audio(io.BytesIO(PROMISES[kind]), duration=1e6)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()
    np.testing.assert_allclose(found, NOISE, rtol=0, atol=2**-15)


# Silence that need not be


def in_antiphase(signal=NOISE, other=1.0):
    return np.stack([signal, -other * signal], axis=1)


@pytest.mark.parametrize("other", [1.0, 0.99, 0.8])
@pytest.mark.parametrize("gain", [1e-30, 1e-3, 1.0, 1e30])
@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_channels_that_cancel_are_named(tmp_path, other, gain, offset):
    path = tmp_path / "a.wav"
    channels = gain * (in_antiphase(NOISE[:16000], other) + offset)
    soundfile.write(path, channels, RATE, subtype="FLOAT")
    array = {"array": channels.T, "sampling_rate": RATE}
    with pytest.warns(
        CancellationWarning, match="of 2 of 3 .* Pass one channel"
    ) as caught:
        extract([NOISE[:16000], str(path), array], normalize="peak")
    assert names(caught, CancellationWarning) == [str(path), "X[2]"]


@pytest.mark.parametrize("kind", ["OGG", "MP3", "FLAC"])
def test_channels_that_cancel_but_for_the_codec(kind):
    with pytest.warns(CancellationWarning):
        load_audio(io.BytesIO(encode(in_antiphase(), format=kind)))


@pytest.mark.parametrize(
    "channels",
    [
        np.stack([NOISE, NOISE], axis=1),
        np.stack([NOISE, smooth_noise(len(NOISE), 1)], axis=1),
        np.stack([NOISE, np.zeros_like(NOISE)], axis=1),
        np.stack([NOISE, *[np.zeros_like(NOISE)] * 5], axis=1),
        np.stack([NOISE, -0.5 * NOISE], axis=1),
        np.zeros((1000, 2)),
        np.full((1000, 2), [0.5, -0.5]),
    ],
    ids=["same", "apart", "one", "one of six", "louder", "zeros", "constant"],
)
def test_other_channels_do_not_cancel(channels):
    load_audio(io.BytesIO(encode(channels, format="WAV")))


def late_speech(silence, seconds=6):
    return np.concatenate([np.resize(silence, seconds * RATE), NOISE])


SILENCES = {"zeros": np.zeros(10), "room": 1e-4 * smooth_noise(RATE, 3)}


@pytest.mark.parametrize("silence", SILENCES)
def test_speech_behind_silence_is_said(tmp_path, silence):
    signal = late_speech(SILENCES[silence])
    path = tmp_path / "late.wav"
    soundfile.write(path, signal, RATE)
    recordings = [NOISE, str(path), signal, (str(path), 0.5, None), np.zeros(9 * RATE)]
    late = [str(path), "X[2]", f"{path} (from 0.5 s)"]
    for parameters in ({}, {"n_jobs": 2}, {"memory": tmp_path}, {"memory": tmp_path}):
        with pytest.warns(AudioWarning) as caught:
            SpeechFeatureExtractor(**parameters).transform(recordings)
        assert names(caught, SilentBeginningWarning) == late
        assert names(caught, TruncationWarning) == [*late, "X[4]"]
        assert "hop_duration" in str(caught[-1].message)


@pytest.mark.parametrize(
    "signal",
    [
        np.zeros(9 * RATE),
        np.concatenate([NOISE, np.zeros(5 * RATE)]),
        np.resize(1e-3 * NOISE, 9 * RATE),
        late_speech(0.05 * NOISE),
    ],
    ids=["silent", "early", "low", "soft"],
)
def test_other_beginnings_are_not_silent(signal):
    with pytest.warns(TruncationWarning) as caught:
        SpeechFeatureExtractor().transform([signal])
    assert names(caught, SilentBeginningWarning) is None


def test_nobody_is_stopped_by_what_is_behind(tmp_path):
    path = tmp_path / "a.wav"
    signal = np.append(np.zeros(6 * RATE), np.full(RATE, np.nan))
    soundfile.write(path, signal, RATE, subtype="FLOAT")
    with pytest.warns(TruncationWarning):
        assert not np.isnan(SpeechFeatureExtractor().transform([path])).any()


def make_pipeline(hop_duration):
    steps = [("extract", SpeechFeatureExtractor()), ("pool", SequenceFunctionals())]
    pipeline = EmotionPipeline(
        [*steps, ("classify", DummyClassifier())], hop_duration=hop_duration
    )
    return pipeline.fit([NOISE, NOISE], ["a", "b"])


@pytest.mark.parametrize("hop_duration", [None, 2.5])
def test_pipelines_say_what_is_odd_once(tmp_path, hop_duration):
    late, cut, apart = (tmp_path / f"{name}.wav" for name in ("late", "cut", "apart"))
    soundfile.write(late, late_speech(np.zeros(1)), RATE)
    cut.write_bytes(encode(np.resize(NOISE, 12 * RATE), format="WAV")[: 8 * 2 * RATE])
    soundfile.write(apart, in_antiphase(), RATE)
    recordings = [str(path) for path in (late, cut, apart)]
    pipeline = make_pipeline(hop_duration)
    with pytest.warns(AudioWarning) as caught:
        pipeline.predict_proba(recordings)
    is_cut = hop_duration is None
    assert names(caught, SilentBeginningWarning) == ([str(late)] if is_cut else None)
    assert names(caught, TruncationWarning) == (
        [str(late), str(cut)] if is_cut else None
    )
    assert names(caught, IncompleteAudioWarning) == [str(cut)]
    assert names(caught, CancellationWarning) == [str(apart)]


def test_timelines_say_what_is_odd(tmp_path):
    path = tmp_path / "a.wav"
    content = encode(np.stack([NOISE, -NOISE], axis=1), format="WAV")
    path.write_bytes(content[: len(content) // 2])
    with pytest.warns(AudioWarning) as caught:
        emotion_timeline(make_pipeline(None), path)
    assert names(caught, IncompleteAudioWarning) == [str(path)]
    assert names(caught, CancellationWarning) == [str(path)]


# Files, names and places

NAMES = {
    "unicode": "Grüße 日本語 🎤.wav",
    "decomposed": "Gru\u0308ße.wav",
    "spaces": "  two  spaces .wav ",
    "newlines": "two\nlines\r.wav",
    "dash": "-o.wav",
    "dots": "..a..wav",
    "quotes": 'it\'s "so" `x` $HOME ; rm *.wav',
    "escape": "\x1b[31mred.wav",
    "direction": "a\u202egnp.wav",
    "bytes": os.fsdecode(b"\xff\xfe\x80.wav"),
    "no suffix": "a",
    "other suffix": "a.txt",
    "255 bytes": "x" * 251 + ".wav",
    "percent": "%s%n%20{}.wav",
    "like an option": "--help",
}


@pytest.mark.skipif(not POSIX, reason="other systems allow fewer names")
@pytest.mark.parametrize("name", NAMES)
def test_names(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    name = NAMES[name]
    try:
        Path(name).write_bytes(WAV)
    except OSError:
        pytest.skip("this file system has no such names")
    for path in (name, Path(name), tmp_path / name):
        np.testing.assert_allclose(load_audio(path), NOISE, atol=2**-15)
    Path(name).write_bytes(b"")
    with pytest.raises(AudioError) as caught:
        extract([name])
    assert [each for each, _ in caught.value.failures] == [name]


@pytest.mark.skipif(not POSIX, reason="links")
@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac"])
def test_links_and_what_macos_leaves_beside_files(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, NOISE, RATE)
    expected = load_audio(path)
    for content in (b"\0\5\x16\7\0\2\0\0Mac OS X" + bytes(500), b"", b"x" * 300):
        path.with_name(f"._{path.name}").write_bytes(content)
        np.testing.assert_array_equal(load_audio(path), expected)
    link = tmp_path / "link"
    for target in (path, tmp_path / "first"):
        link.unlink(missing_ok=True)
        (tmp_path / "first").unlink(missing_ok=True)
        (tmp_path / "first").symlink_to(path.name)
        link.symlink_to(target)
        np.testing.assert_array_equal(load_audio(link), expected)


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="devices of Linux")
def test_many_bad_recordings_are_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("folder").mkdir()
    Path("empty.wav").touch()
    Path("text.wav").write_text("not a recording")
    Path("loop").symlink_to("loop")
    Path("good.wav").write_bytes(WAV)
    bad = ["pipe", "folder", "empty.wav", "text.wav", "loop", "gone.wav", "/dev/zero"]
    bad += [
        "https://example.org/a.wav",
        "/dev/stdin" if sys.stdin is None else "/dev/tty",
    ]
    bad += ["x" * 256, "good.wav/a.wav", "", "a\0b"]
    mixed = [each for one in bad for each in (one, "good.wav")]
    for call in (extract, make_pipeline(2.5).predict_proba, speech_mask):
        with pytest.raises(AudioError) as caught:
            call(mixed)
        assert [name for name, _ in caught.value.failures] == bad
        assert all(reason for _, reason in caught.value.failures)


@pytest.mark.skipif(not POSIX, reason="limits of open files")
def test_thousands_of_files_at_a_low_limit_of_open_files(tmp_path):
    paths = [tmp_path / f"{i}.{kind}" for i, kind in enumerate(["wav", "mp3", "flac"])]
    for path in paths:
        soundfile.write(path, NOISE[:2000], RATE)
    code = (
        "import resource, sys, warnings\n"
        "from skemotion import SpeechFeatureExtractor, speech_mask\n"
        f"paths = {[str(path) for path in paths]} * 700\n"
        "extractor = SpeechFeatureExtractor(duration=0.3, n_mfcc=2, n_mels=8)\n"
        "extractor.transform(paths[:3])\n"
        "import os; n_open = len(os.listdir('/dev/fd'))\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (n_open + 16, n_open + 16))\n"
        "assert len(extractor.transform(paths)) == 2100\n"
        "assert len(speech_mask(paths[:300])) == 300\n"
        "assert len(os.listdir('/dev/fd')) <= n_open + 2\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_hours_take_no_more_than_is_asked_for(tmp_path):
    """A file with a hole, of 12 hours, of which the first seconds are silent too."""
    path = tmp_path / "long.wav"
    n_bytes = 12 * 3600 * RATE * 2
    path.write_bytes(patch(WAV, (4, "<I", n_bytes + 36), (40, "<I", n_bytes)))
    os.truncate(path, n_bytes + 44)
    tracemalloc.start()
    with pytest.warns(TruncationWarning):
        extract([path])
    part = load_audio((path, 11 * 3600, 11 * 3600 + 1))
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()
    np.testing.assert_array_equal(part, np.zeros(RATE, "f"))


# Numbers

GAINS = [1e-45, 1e-42, 1e-38, 1e-30, 1e-20, 1e-3, 1, 1e3, 1e9, 1e20, 1e30, 3e38]
SECONDS = np.arange(RATE // 2) / RATE
SIGNALS = {
    "noise": 0.5 * smooth_noise(len(SECONDS)),
    "tone": np.sin(2 * np.pi * 220 * SECONDS),
    "constant": np.full(len(SECONDS), 0.3),
    "clipped": np.clip(20 * smooth_noise(len(SECONDS)), -1, 1),
    "impulse": np.eye(1, len(SECONDS), 5000)[0],
    "step": (SECONDS > 0.2) * 1.0,
    "Nyquist": np.cos(np.pi * np.arange(len(SECONDS))),
}


@pytest.fixture(scope="module")
def fronts(encoder_file):
    encoder = SpeechEncoder(weights=encoder_file, duration=0.5).fit([NOISE])
    return {
        "post": SpeechFeatureExtractor(duration=0.5),
        "extended": SpeechFeatureExtractor(duration=0.5, descriptors="extended"),
        "encoder": encoder,
    }


@pytest.mark.parametrize("front", ["post", "extended", "encoder"])
@pytest.mark.parametrize("normalize", [None, "peak"])
@pytest.mark.parametrize("rate", [RATE, 48000])
def test_features_are_finite_or_the_recording_is_named(fronts, front, normalize, rate):
    transformer = fronts[front].set_params(normalize=normalize)
    for signal in SIGNALS.values():
        signals = [(gain * signal).astype(np.float32) for gain in GAINS]
        recordings = [(each, rate) for each in signals]
        failures = failures_of(transformer.transform, recordings)
        assert all("full scale: scale it" in each for each in failures.values())
        n_kept = len(GAINS) - len(failures)
        assert GAINS[n_kept - 1] >= (1e9 if normalize is None else 1e30)
        features = transformer.transform(recordings[:n_kept])
        for step in (SequenceFunctionals(), SequenceScaler()):
            assert np.isfinite(step.fit_transform(features)).all()


@pytest.mark.parametrize("front", ["post", "extended"])
def test_the_loss_is_finite(fronts, front):
    """On features that are constant, and ones that no microphone gives."""
    transformer = fronts[front].set_params(normalize=None)
    signals = [
        (gain * signal).astype(np.float32)
        for gain in (1e-45, 1e-30, 1, 1e10)
        for signal in SIGNALS.values()
    ]
    X = SequenceScaler().fit_transform(transformer.transform(signals))
    model = AttentionBLSTMClassifier(2, epochs=2, batch_size=8, random_state=0)
    model.fit(X, np.arange(len(X)) % 2)
    assert np.isfinite(model.history_["loss"]).all()
    assert np.isfinite(model.predict_proba(X)).all()
